"""Figures as people and programs read them: values in words of their unit, and rows as files."""

from collections.abc import Iterable, Sequence

from processors.figures.evaluate import rounded_half_up
from schemas.catalogue import ALL_AGES, Indicator
from schemas.outward import csv_text, for_json
from schemas.scorecard import ScorecardRow, rows_json

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
