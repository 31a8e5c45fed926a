"""The printed cells that the history has to reproduce, read from data files kept beside the code.

A printed figure is the exact fraction to one decimal, half up, so every cell is an exact interval:
`t` tenths stand for `[t - 1/2, t + 1/2)` tenths.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

OCTOBER = "2015-10-31"
SEPTEMBER = "2015-09-30"

PER_10_000 = "EH02"


@dataclass(frozen=True)
class PrintedCell:
    """One figure in print; `kind` is `count`, `share` (of the same row's overall) or `value`."""

    code: str
    area: str
    band: str
    as_of: str
    printed: str
    kind: str
    dot: str

    @property
    def tenths(self) -> int:
        """The figure in tenths, exactly; ValueError if the cell is blank."""
        return tenths_of(self.printed)

    @property
    def count(self) -> int:
        """The figure of a `count` cell."""
        return int(self.printed)

    @property
    def scale(self) -> int:
        """What the fraction is multiplied by: per 10,000, per cent, or nothing."""
        if self.code == PER_10_000:
            return 10_000
        return 100 if self.printed.endswith("%") else 1

    @property
    def is_nothing(self) -> bool:
        """True for a zero that may stand for "no cases": a ratio printed `0.0` or `0.0%`."""
        return self.printed in ("0.0", "0.0%")


def tenths_of(printed: str) -> int:
    """A printed figure in tenths, exactly; ValueError if it is blank."""
    whole, _, part = printed.rstrip("%").partition(".")
    return int(whole) * 10 + int(part or 0)


class Printed:
    """All printed cells, by code, area, band and date."""

    def __init__(self, cells: Iterable[PrintedCell]) -> None:
        self.cells = tuple(cells)
        self._by_key = {(c.code, c.area, c.band, c.as_of): c for c in self.cells}

    def cell(self, code: str, area: str, band: str, as_of: str) -> PrintedCell:
        """The cell of that key; KeyError where nothing of the kind is printed."""
        return self._by_key[code, area, band, as_of]

    def rows(self, code: str, as_of: str) -> Iterator[PrintedCell]:
        """Cells of one indicator at one date, overall and by band, blanks left out."""
        return (c for c in self.cells if c.code == code and c.as_of == as_of and c.printed)


def read_printed(path: Path) -> Printed:
    """Read the cells of the publication (`published.csv`)."""
    with path.open(encoding="utf-8", newline="") as lines:
        return Printed(
            PrintedCell(
                row["code"], row["area"], row["age_band"], row["as_of"],
                row["printed"], row["kind"], row["dot"],
            )
            for row in csv.DictReader(lines)
        )  # fmt: skip


def read_trend(path: Path) -> dict[tuple[str, str], str]:
    """Kent's printed figures of earlier months, by code and month such as `2015-07`."""
    with path.open(encoding="utf-8", newline="") as lines:
        return {(row["code"], row["month"]): row["printed"] for row in csv.DictReader(lines)}
