"""What is held of scorecards made again and again: figures and rows that are as they were.

Most of what comes changes few cells of a date, and none of the month before. A figure rests on the
stock and on what others supplied, a row on its two figures and its target: where these are the same
as the last time, so is the row (docs/indicators.md).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple, TypeVar

import numpy as np

from processors.arrays import Flags, Positions, positions
from processors.figures.evaluate import AsOf, FiguresOfDate, place_sums
from processors.figures.figure_cells import Cells
from processors.figures.placesums import PlaceSums
from processors.figures.rating import YearTarget
from processors.figures.supplies import Supplies
from processors.ledger.tables import Stock
from processors.rules import Rules
from schemas.scorecard import ScorecardRow

# Dates, and outlines of cells, of which something is held at a time: a scorecard is of two dates.
MOST_DATES, MOST_CELLS = 4, 4

Key = TypeVar("Key")
Value = TypeVar("Value")


class _Summed(NamedTuple):
    stock: Stock
    sums: PlaceSums


class _Figured(NamedTuple):
    sums: PlaceSums
    supplies: Supplies
    figures: FiguresOfDate


class FiguresOfRows(NamedTuple):
    """What rows rest on: the figures of a date and of the month before, and its targets."""

    now: FiguresOfDate
    before: FiguresOfDate
    targets: Mapping[tuple[str, str], YearTarget]


class _Made(NamedTuple):
    of: FiguresOfRows
    rows: list[ScorecardRow]


@dataclass
class HeldFigures:
    """What is held of the scorecards of one catalogue; nothing to begin with."""

    _summed: dict[date, _Summed] = field(default_factory=dict)
    _figured: dict[tuple[date, Cells], _Figured] = field(default_factory=dict)
    _made: dict[Cells, _Made] = field(default_factory=dict)

    def sums(self, rules: Rules, as_of: AsOf) -> PlaceSums:
        """The sums of a date's stock by place."""
        held = self._summed.get(as_of.date)
        if held and _is_same(held.stock, as_of.stock):
            return held.sums
        sums = place_sums(rules, as_of)
        _keep(self._summed, as_of.date, _Summed(as_of.stock, sums), MOST_DATES)
        return sums

    def figures(self, rules: Rules, cells: Cells, as_of: AsOf, sums: PlaceSums) -> FiguresOfDate:
        """The figures of cells on a date, whose sums by place are given."""
        key = as_of.date, cells
        held = self._figured.get(key)
        if held and held.sums is sums and held.supplies is as_of.supplies:
            return held.figures
        figures = FiguresOfDate(rules, cells, as_of, sums)
        _keep(self._figured, key, _Figured(sums, as_of.supplies, figures), MOST_DATES)
        return figures

    def rows(
        self,
        cells: Cells,
        of: FiguresOfRows,
        make: Callable[[Positions], list[ScorecardRow]],
    ) -> list[ScorecardRow]:
        """The rows of cells, in a list of its own; `make` makes those of some of them."""
        held = self._made.get(cells)
        if held is None:
            rows = make(np.arange(len(cells.indicator)))
        else:
            rows = held.rows
            changed = positions(_changed(cells, of, held.of))
            for cell, row in zip(changed.tolist(), make(changed), strict=True):
                rows[cell] = row
        _keep(self._made, cells, _Made(of, rows), MOST_CELLS)
        return rows.copy()


def _keep(held: dict[Key, Value], key: Key, value: Value, most: int) -> None:
    """Hold one more, in the place of the one that was kept first where there are too many."""
    held.pop(key, None)
    if len(held) >= most:
        del held[next(iter(held))]
    held[key] = value


def _is_same(stock: Stock, other: Stock) -> bool:
    return all(map(np.array_equal, stock, other))


def _changed(cells: Cells, now: FiguresOfRows, then: FiguresOfRows) -> Flags:
    """Which cells' rows rest on something else than they did."""
    found = np.zeros(len(cells.indicator), dtype=np.bool_)
    for one, other in ((now.now, then.now), (now.before, then.before)):
        if one is other:
            continue
        for column, as_it_was in zip(one.columns, other.columns, strict=True):
            found |= column != as_it_was
        for cell in one.apart.keys() | other.apart.keys():
            found[cell] |= one.apart.get(cell) != other.apart.get(cell)
    if now.targets != then.targets:
        for code, name in now.targets.keys() | then.targets.keys():
            for cell in cells.of(code, name):
                found[cell] = True
    return found
