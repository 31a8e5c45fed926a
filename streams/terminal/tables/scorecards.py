"""Scorecard rows as tables of a terminal, and what else is told of them there."""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum

from rich import box
from rich.table import Table
from rich.text import Text

from processors.figures.figure_text import ARROWS, MISSING, UNITS, band_text, value_text
from processors.record.quality import EXPLANATIONS, OddFact
from schemas.catalogue import ALL_AGES, BANDS, Catalogue, Indicator
from schemas.scorecard import ScorecardRow
from streams.state.reading import LargeRecord


class RowFormat(StrEnum):
    """How rows are written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


# The width of a table without its titles, and of what is added to it where there is room.
OTHER_COLUMNS = 68
RATING_COLUMNS = 18
LEAST_TITLE = 12
# Where there is nothing to compare with.
NOTHING = "-"


def as_tables(rows: Sequence[ScorecardRow], catalogue: Catalogue, width: int) -> list[Table]:
    """A table a place, in the layout of the printed scorecard: a line an indicator, by family.

    Titles are cut so that the tables fit in `width` columns, if 80 or more. Targets and ratings are
    shown where there are any and there is room (`hides_ratings`).
    """
    indicators = {indicator.code: indicator for indicator in catalogue.indicator}
    is_rated = _is_rated(rows) and not hides_ratings(rows, width)
    return [
        _place_table(
            area[1],
            [row for row in rows if (row.level, row.area) == area],
            indicators,
            width,
            is_rated,
        )
        for area in dict.fromkeys((row.level, row.area) for row in rows)
    ]


def hides_ratings(rows: Sequence[ScorecardRow], width: int) -> bool:
    """Whether tables of a width have no room for the targets and ratings that there are."""
    return _is_rated(rows) and width < LEAST_TITLE + OTHER_COLUMNS + RATING_COLUMNS


def _is_rated(rows: Sequence[ScorecardRow]) -> bool:
    return any(row.rag or row.target is not None for row in rows)


def _place_table(
    area: str,
    rows: Sequence[ScorecardRow],
    indicators: dict[str, Indicator],
    width: int,
    is_rated: bool,
) -> Table:
    bands = [band for band in BANDS if any(row.age_band == band for row in rows)]
    table = Table(
        title=area,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        padding=0,
    )
    table.add_column("", style="bold", no_wrap=True, min_width=4)
    room = width - OTHER_COLUMNS - (RATING_COLUMNS if is_rated else 0)
    table.add_column("indicator", width=max(LEAST_TITLE, min(60, room)), no_wrap=True)
    for band in bands:
        name = "overall" if band == ALL_AGES else band
        table.add_column(name, justify="right", no_wrap=True, min_width=6)
    table.add_column("previous", justify="right", no_wrap=True, min_width=6)
    table.add_column("", no_wrap=True, min_width=7)
    if is_rated:
        table.add_column("target", justify="right", no_wrap=True, min_width=6)
        table.add_column("rated", no_wrap=True, min_width=5)
    by_family: dict[str, list[str]] = {}
    for code in dict.fromkeys(row.code for row in rows):
        by_family.setdefault(indicators[code].family, []).append(code)
    for family, codes in by_family.items():
        if len(by_family) > 1:
            table.add_section()
            table.add_row("", Text(family, style="italic"))
        for code in codes:
            cells = {row.age_band: row for row in rows if row.code == code}
            rating = _rating(indicators[code], cells.get(ALL_AGES)) if is_rated else []
            table.add_row(*_line(indicators[code], cells, bands), *rating)
    return table


def _rating(indicator: Indicator, whole: ScorecardRow | None) -> list[str]:
    if whole is None:
        return [NOTHING, NOTHING]
    target = "" if whole.target is None else f"{whole.target:,g}{UNITS[indicator.unit]}"
    return [target or NOTHING, whole.rag or NOTHING]


def _line(
    indicator: Indicator, cells: dict[str, ScorecardRow], bands: Sequence[str]
) -> list[Text | str]:
    whole = cells.get(ALL_AGES)
    shown = cells.get(bands[0]) or next(iter(cells.values()))
    values = [band_text(indicator, cells[band], whole) if band in cells else "" for band in bands]
    previous = value_text(indicator, shown.previous) or NOTHING
    return [
        indicator.code,
        indicator.title,
        *(Text(value, style="dim" if value in MISSING.values() else "") for value in values),
        previous,
        ARROWS.get(shown.direction or "", NOTHING),
    ]


def largest_table(records: Sequence[LargeRecord]) -> Table:
    """The largest records."""
    table = Table("shard", "key", box=box.SIMPLE_HEAD)
    for name in LargeRecord._fields[2:]:
        table.add_column(name, justify="right")
    for it in records:
        table.add_row(it.shard, Text(it.key), *(f"{count:,}" for count in it[2:]))
    return table


def odd_facts_table(facts: Sequence[OddFact]) -> Table:
    """How many odd facts there are of each kind, and what becomes of them."""
    counts = Counter(fact.kind for fact in facts)
    table = Table("kind", box=box.SIMPLE_HEAD)
    table.add_column("facts", justify="right")
    table.add_column("what it is: what becomes of it")
    for kind, explanation in EXPLANATIONS.items():
        table.add_row(kind, f"{counts[kind]:,}", explanation)
    return table
