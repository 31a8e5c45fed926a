"""The published scorecard of October 2015 beside a streamed one, cell by cell.

The printed cells (`published.csv` of cases, `activity.csv` of what goes on at centres and hubs) are
facts of the publication. A few contradict others of it, so that no set of events gives both: they
are listed in `contradictions.toml` and `activity.toml`, each with its reason and with the figure
that the rest of the publication implies.
"""

import csv
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from typing import Protocol

from schemas.catalogue import shipped_indicators

OCTOBER, SEPTEMBER = date(2015, 10, 31), date(2015, 9, 30)
UNEXPLAINED = "not explained: the streamed figure differs from the printed one"
FOLDER = "streams.october"

Key = tuple[str, str, str]
"""Indicator code, area and age band."""


class Comparable(Protocol):
    """What a comparison needs of a scorecard row."""

    @property
    def code(self) -> str:
        """The indicator's code."""
        ...

    @property
    def area(self) -> str:
        """The area's name."""
        ...

    @property
    def age_band(self) -> str:
        """The age band, `all` for every age."""
        ...

    @property
    def numerator(self) -> int | float | None:
        """The count itself, or what the ratio is of."""
        ...

    @property
    def denominator(self) -> int | float | None:
        """What a ratio is out of."""
        ...

    @property
    def direction(self) -> str | None:
        """`up`, `down` or `level` against the month before, if known."""
        ...


@dataclass(frozen=True)
class ComparedCell:
    """A printed figure: `count`, `share` of its row's overall, or `value`; `dot` is its arrow."""

    code: str
    area: str
    age_band: str
    as_of: date
    printed: str
    kind: str
    dot: str


@dataclass(frozen=True)
class Contradiction:
    """What the rest of the publication implies for a cell (or an arrow), and why it differs."""

    implied: str
    reason: str


@dataclass(frozen=True)
class Publication:
    """The printed cells, with what is known to contradict the rest."""

    cells: tuple[ComparedCell, ...]
    figures: dict[tuple[Key, date], Contradiction]
    directions: dict[Key, Contradiction]


@dataclass(frozen=True)
class PrintedDifference:
    """A printed figure or arrow that the streamed scorecard does not give; `printed` may be blank.

    `implied` is what the rest of the publication implies, blank for no value or not known.
    """

    cell: ComparedCell
    printed: str
    streamed: str
    implied: str
    reason: str


@dataclass(frozen=True)
class Comparison:
    """Numbers of cells and arrows compared, and those that differ."""

    cells: int
    different: tuple[PrintedDifference, ...]
    directions: int
    different_directions: tuple[PrintedDifference, ...]

    @property
    def reproduced(self) -> int:
        """Cells whose streamed figure prints exactly as published."""
        return self.cells - len(self.different)

    @property
    def reproduced_directions(self) -> int:
        """Arrows that agree."""
        return self.directions - len(self.different_directions)

    @property
    def unexplained(self) -> tuple[PrintedDifference, ...]:
        """Differences that no contradiction of the publication accounts for."""
        both = (*self.different, *self.different_directions)
        return tuple(d for d in both if d.reason == UNEXPLAINED or d.streamed != d.implied)


def load_printed() -> Publication:
    """What is printed of cases."""
    return _load("published.csv", "contradictions.toml")


def load_with_activity() -> Publication:
    """What is printed of cases, and of activity too; the populations of both are one."""
    cases, activity = load_printed(), _load("activity.csv", "activity.toml")
    return Publication(
        (*cases.cells, *activity.cells),
        cases.figures | activity.figures,
        cases.directions | activity.directions,
    )


def _load(cells_file: str, contradictions: str) -> Publication:
    folder = files(FOLDER)
    with (folder / cells_file).open(encoding="utf-8") as lines:
        cells = tuple(_cell(row) for row in csv.DictReader(lines))
    known = tomllib.loads((folder / contradictions).read_text(encoding="utf-8"))
    figures = {
        (_key(entry), date.fromisoformat(entry["as_of"])): _contradiction(entry)
        for entry in known.get("cell", ())
    }
    directions = {_key(entry): _contradiction(entry) for entry in known.get("direction", ())}
    return Publication(cells, figures, directions)


def compare(
    october: Iterable[Comparable], september: Iterable[Comparable], publication: Publication
) -> Comparison:
    """Set the scorecards as of 31 October and 30 September beside the publication.

    Rows that are absent count as zero. Arrows are October's, overall.
    """
    rows = {OCTOBER: _by_key(october), SEPTEMBER: _by_key(september)}
    different = [_difference(cell, rows[cell.as_of], publication) for cell in publication.cells]
    arrows = [cell for cell in publication.cells if cell.dot]
    turned = [_turned(cell, rows[cell.as_of], publication) for cell in arrows]
    return Comparison(
        len(publication.cells),
        tuple(found for found in different if found),
        len(arrows),
        tuple(found for found in turned if found),
    )


def as_printed(cell: ComparedCell, rows: dict[Key, Comparable]) -> str:
    """The streamed figure of a cell in the publication's own form; blank for no value."""
    row = rows.get((cell.code, cell.area, cell.age_band))
    numerator = _count(row.numerator if row else 0)
    if cell.kind == "count":
        return str(numerator)
    if cell.kind == "share":
        overall = rows.get((cell.code, cell.area, "all"))
        return _decimal(100 * numerator, _count(overall.numerator if overall else 0), "%")
    indicator = shipped_indicators()[cell.code]
    denominator = _count(row.denominator if row else 0)
    unit = "%" if indicator.unit == "percent" else ""
    return _decimal(indicator.scale * numerator, denominator, unit)


def _count(number: float | None) -> int:
    """What is printed is counted, so it is whole."""
    return int(number or 0)


def _decimal(numerator: int, denominator: int, unit: str) -> str:
    """One decimal, half up, from the exact fraction."""
    if not denominator:
        return ""
    tenths = (20 * numerator + denominator) // (2 * denominator)
    return f"{tenths // 10}.{tenths % 10}{unit}"


def _difference(
    cell: ComparedCell, rows: dict[Key, Comparable], publication: Publication
) -> PrintedDifference | None:
    streamed = as_printed(cell, rows)
    if streamed == cell.printed:
        return None
    known = publication.figures.get(((cell.code, cell.area, cell.age_band), cell.as_of))
    return _explained(cell, cell.printed, streamed, known)


def _turned(
    cell: ComparedCell, rows: dict[Key, Comparable], publication: Publication
) -> PrintedDifference | None:
    key = cell.code, cell.area, cell.age_band
    row = rows.get(key)
    streamed = (row.direction if row else None) or ""
    if streamed == cell.dot:
        return None
    return _explained(cell, cell.dot, streamed, publication.directions.get(key))


def _explained(
    cell: ComparedCell, printed: str, streamed: str, known: Contradiction | None
) -> PrintedDifference:
    implied, reason = (known.implied, known.reason) if known else ("", UNEXPLAINED)
    return PrintedDifference(cell, printed, streamed, implied, reason)


def _by_key(rows: Iterable[Comparable]) -> dict[Key, Comparable]:
    return {(row.code, row.area, row.age_band): row for row in rows}


def _cell(row: dict[str, str]) -> ComparedCell:
    as_of = date.fromisoformat(row["as_of"])
    return ComparedCell(
        row["code"], row["area"], row["age_band"], as_of, row["printed"], row["kind"], row["dot"]
    )


def _key(entry: dict[str, str]) -> Key:
    return entry["code"], entry["area"], entry["age_band"]


def _contradiction(entry: dict[str, str]) -> Contradiction:
    return Contradiction(entry["implied"], entry["reason"])
