"""What cells count, as sums over the catalogue's slots, and the slots' tables behind a release.

A published cell is taken to reveal its numerator and its denominator exactly, although a value to
one decimal may reveal less: so a percentage, a rate, an average and a share of bands need no rule
of their own, and the complement of one indicator is the numerator of another (EH14 of EH13).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import NamedTuple

import numpy as np

from schemas.catalogue import Indicator
from schemas.cells import CellKey
from schemas.release import Release
from snapshots.disclosure.layout import NO_DISTRICT, Layout, Table
from snapshots.releases.failures import ReleaseError

# A sum of slots, each so many times, in the order of their names.
Expression = tuple[tuple[str, int], ...]


class Quantity(NamedTuple):
    """A sum of slots in one area and age band, at the end of a period."""

    period: str
    expression: Expression
    area: str
    band: str


class NotProtected(ReleaseError):  # noqa: N818 - named for the condition, as its siblings are
    """Small counts of a release cannot be protected, so that it must not go out."""


class Formulas:
    """The expressions of indicators, over slots that stand alone in a formula somewhere.

    A slot that only ever appears in a sum with others cannot be told from them in a release: the
    sum is then one slot of its own.
    """

    def __init__(self, indicators: Iterable[Indicator]) -> None:
        self.indicators = {indicator.code: indicator for indicator in indicators}
        parts = [part for each in self.indicators.values() for part in _parts(each)]
        alone = {next(iter(part)) for part in parts if list(part.values()) == [1]}
        self.numerator = {
            code: _expression(each.numerator, alone) for code, each in self.indicators.items()
        }
        self.denominator = {
            code: _expression(each.denominator, alone)
            for code, each in self.indicators.items()
            if isinstance(each.denominator, dict)
        }

    def rest(self, code: str) -> Expression:
        """The denominator less the numerator."""
        terms = dict(self.denominator[code])
        for slot, times in self.numerator[code]:
            terms[slot] = terms.get(slot, 0) - times
        return tuple(sorted((slot, times) for slot, times in terms.items() if times))

    def revealed(self, period: str, key: CellKey) -> list[Quantity]:
        """The counts that a published cell reveals."""
        code, area, band = key
        expressions = {self.numerator[code], self.denominator.get(code, self.numerator[code])}
        return [Quantity(period, each, area, band) for each in sorted(expressions)]

    def people(self, code: str, *, rests: bool) -> list[Expression]:
        """The counts of people behind an indicator: not sums of days, not the population."""
        unit = self.indicators[code].unit
        found = [] if unit == "days" else [self.numerator[code]]
        if code in self.denominator:
            found.append(self.denominator[code])
            if unit == "percent" and rests:
                found.append(self.rest(code))
        return [each for each in dict.fromkeys(found) if each]

    @cached_property
    def slots_of_people(self) -> set[str]:
        """The slots that count people; the others sum days."""
        expressions = [each for code in self.indicators for each in self.people(code, rests=False)]
        return {slot for expression in expressions for slot, _ in expression}


def _parts(indicator: Indicator) -> list[dict[str, int]]:
    denominator = indicator.denominator
    return [indicator.numerator, *([denominator] if isinstance(denominator, dict) else [])]


def _expression(terms: dict[str, int], alone: set[str]) -> Expression:
    kept = tuple(sorted((slot, times) for slot, times in terms.items() if times))
    if all(slot in alone for slot, _ in kept):
        return kept
    return ((" + ".join(f"{times} {slot}" for slot, times in kept), 1),)


def tables(release: Release, formulas: Formulas, layout: Layout) -> dict[str, Table]:
    """Every slot's table by leaf area and age band; those with no district are the difference.

    Raises NotProtected where the release's cells do not add up, since the protection of one
    cell is worked out from the others.
    """
    values: dict[Expression, Table] = defaultdict(
        lambda: np.zeros((len(layout.areas), len(layout.bands)), dtype=np.int64)
    )
    for cell in release.cells:
        where = layout.index[cell.area, cell.age_band]
        values[formulas.numerator[cell.code]][where] = cell.numerator
        if cell.code in formulas.denominator:
            values[formulas.denominator[cell.code]][where] = cell.denominator
    found = {
        slot: _leaf_table(total, layout)
        for ((slot, times), *more), total in values.items()
        if times == 1 and not more
    }
    _check_sums(release, formulas, layout, found)
    return found


def _leaf_table(total: Table, layout: Layout) -> Table:
    rows = [layout.areas.index(leaf) for leaf in layout.leaves if leaf != NO_DISTRICT]
    table = total[np.array(rows)][:, 1:]
    nowhere = total[layout.areas.index(layout.top), 1:] - table.sum(axis=0)
    return np.vstack([table, nowhere])


def total_of(expression: Expression, values: Mapping[str, Table], layout: Layout) -> Table:
    """An expression's totals by (area, band)."""
    summed = np.zeros((len(layout.leaves), len(layout.ages)), dtype=np.int64)
    for slot, times in expression:
        summed += times * values[slot]
    return layout.totals(summed)


def _check_sums(
    release: Release, formulas: Formulas, layout: Layout, values: dict[str, Table]
) -> None:
    expressions = {*formulas.numerator.values(), *formulas.denominator.values()}
    totals = {each: total_of(each, values, layout) for each in expressions}
    for cell in release.cells:
        where = layout.index[cell.area, cell.age_band]
        expected = [totals[formulas.numerator[cell.code]][where]]
        if cell.code in formulas.denominator:
            expected.append(totals[formulas.denominator[cell.code]][where])
        if expected != [cell.numerator, cell.denominator][: len(expected)]:
            raise NotProtected(
                f"{cell.code} of {cell.area}, {cell.age_band}: does not add up over areas and bands"
            )
    for slot, table in values.items():
        if (table < 0).any():
            raise NotProtected(f"{slot}: an area has more than the areas above it")
