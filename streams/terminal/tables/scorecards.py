"""Scorecard rows as people and programs read them: tables, JSON and CSV."""

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum

from rich import box
from rich.table import Table
from rich.text import Text

from processors.figures.evaluate import rounded_half_up
from processors.record.quality import EXPLANATIONS, OddFact
from schemas.catalogue import ALL_AGES, BANDS, Catalogue, Indicator
from schemas.outward import csv_text, for_json
from schemas.scorecard import ScorecardRow, rows_json
from streams.state.reading import LargeRecord


class RowFormat(StrEnum):
    """How rows are written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


UNITS = {"percent": "%", "count": "", "rate": "", "days": "", "ratio": ""}
# Missing is said, not left blank (docs/indicators.md, Scorecard), by the Department for
# Education's symbols, which LEGEND explains.
MISSING = {
    "no-cases": "[z]",
    "not-available": "[x]",
    "to-be-supplied": "[x]",
    "not-at-this-level": "[z]",
    "reported": "",
    "supplied": "",
}
LEGEND = (
    "[z] not applicable: no cases to work it out from, or not at this level; [x] not available, or "
    "to be supplied"
)
# The width of a table without its titles, and of what is added to it where there is room.
OTHER_COLUMNS = 68
RATING_COLUMNS = 18
LEAST_TITLE = 12
# Where there is nothing to compare with.
NOTHING = "-"
ARROWS = {
    "up": "▲ up",
    "down": "▼ down",
    "level": "● level",
    "better": "▲ better",
    "worse": "▼ worse",
    "same": "● same",
}


def as_json(rows: Sequence[ScorecardRow]) -> str:
    """The rows as a JSON array."""
    return for_json(rows_json(rows).decode())


def as_csv(rows: Iterable[ScorecardRow]) -> str:
    """The rows as CSV with a header; ratios have exactly one decimal, absent values are empty."""
    fields = ScorecardRow.__struct_fields__
    return csv_text([fields, *([getattr(row, it) for it in fields] for row in rows)])


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


def band_text(indicator: Indicator, row: ScorecardRow, whole: ScorecardRow | None) -> str:
    """A cell as it is printed: a band of a count may be a share of the whole."""
    if indicator.bands != "share" or whole is None or row.age_band == ALL_AGES:
        return value_text(indicator, row.value) or MISSING[row.status]
    if not whole.numerator:
        return MISSING["no-cases"]
    return f"{rounded_half_up(100 * int(row.numerator or 0), int(whole.numerator))}%"


def value_text(indicator: Indicator, value: float | None) -> str:
    """A value as it is printed: counts whole, the rest to one decimal with its unit."""
    if value is None:
        return ""
    if indicator.unit == "count":
        return f"{value:,}"
    if not indicator.decimals:
        return f"{half_up(value):,}{UNITS[indicator.unit]}"
    return f"{value:,.1f}{UNITS[indicator.unit]}"


def half_up(value: float) -> int:
    """A value of one decimal as a whole number, as it is printed without decimals."""
    return int(value + 0.5)


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
