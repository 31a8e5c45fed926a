"""The words, symbols and marks of a publication, the same in every format.

Symbols and marks are the Department for Education's (docs/publishing.md).
"""

from datetime import date
from enum import StrEnum
from typing import Literal

from schemas.catalogue import ALL_AGES, Indicator
from schemas.release import ReleaseKind
from schemas.scorecard import Direction

Profile = Literal["internal", "public"]

SERVICE = "Early help scorecard"
INTERNAL = "Internal"
ANOTHER_TEXT = "Another text"
TO_BE_SUPPLIED = "To be supplied"
INTERNAL_NOTE = "Internal: nothing is suppressed, so do not pass on."
SAME_NOTE = (
    "Where both are the same, the numbers behind the figure changed by less than rounding shows."
)
LOG_NOTE = (
    "A revision is planned and brings late data. A correction mends an error. A release is never "
    "altered once made: each new one says what it changed."
)


class Symbol(StrEnum):
    """What stands in the place of a figure that is not shown."""

    NOT_APPLICABLE = "z"
    NOT_AVAILABLE = "x"
    SUPPRESSED = "c"
    LOW = "low"


class FigureMark(StrEnum):
    """What is said beside a figure that is shown."""

    PROVISIONAL = "p"
    REVISED = "r"
    BREAK = "b"


MEANINGS: dict[Symbol | FigureMark, str] = {
    Symbol.NOT_APPLICABLE: "not applicable: no cases to work it out from, or not at this level",
    Symbol.NOT_AVAILABLE: "not available",
    Symbol.SUPPRESSED: "suppressed, so that nobody can be recognised from a small number",
    Symbol.LOW: "rounds to zero, but is not zero",
    FigureMark.PROVISIONAL: "provisional: may change before the first release",
    FigureMark.REVISED: "revised or corrected since it was first released",
    FigureMark.BREAK: "break in series: defined differently from the month before",
}

KIND_TITLES: dict[ReleaseKind, str] = {
    "provisional": "Provisional",
    "first": "First release",
    "final": "Final",
    "revised": "Revised",
    "corrected": "Corrected",
    "withdrawn": "Withdrawn",
}
KIND_MEANINGS: dict[ReleaseKind, str] = {
    "provisional": "Early figures. They may change before the first release.",
    "first": "The first official figures of this month.",
    "final": "The final figures of this month. No more late data is expected.",
    "revised": "A scheduled revision: late data has come in since the release before.",
    "corrected": "A correction: the release before had an error, which this one mends.",
    "withdrawn": "The figures of this month that were released before have been withdrawn.",
}
# Kinds after a first release, whose changes are revisions or corrections of official figures.
AFTER_FIRST: frozenset[ReleaseKind] = frozenset({"final", "revised", "corrected"})

DIRECTION_WORDS: dict[Direction, str] = {
    "up": "Up",
    "down": "Down",
    "level": "No change",
    "better": "Better",
    "worse": "Worse",
    "same": "No change",
}
# Drawn from these in every format that draws.
ARROWS: dict[Direction, Literal["up", "down", "level"]] = {
    "up": "up",
    "down": "down",
    "level": "level",
    "better": "up",
    "worse": "down",
    "same": "level",
}
RAG_MEANINGS = {
    "target": (
        "A rating compares the figure with its target: Green meets it, Amber is within the "
        "agreed tolerance, Red is neither."
    ),
    "previous": (
        "A rating compares the figure with that of the month before: Green is better, Amber is "
        "the same or worse within the agreed tolerance, Red is worse than that."
    ),
}
SCHEME_MEANINGS = {
    "change": (
        "Direction compares the exact figure with that of the month before: up, down or no "
        "change. It does not say whether the change is good."
    ),
    "improvement": (
        "Direction compares the exact figure with that of the month before: better, worse or no "
        "change. Whether higher or lower is better is part of each definition."
    ),
}
POLARITY_WORDS = {
    "H": "Higher is better",
    "L": "Lower is better",
    "T": "Neither higher nor lower is better",
}
FREQUENCY_WORDS = {
    "M": "Monthly",
    "Q": "Quarterly",
    "T": "Termly",
    "A": "Yearly",
    "R12M": "Last 12 months",
    "YTD": "Since April",
    "to-date": "To date",
}
UNIT_WORDS = {
    "count": "Number",
    "percent": "Percentage",
    "rate": "Rate",
    "days": "Days",
    "ratio": "Average",
}
LEVEL_TITLES = {
    "provider": "Providers",
    "childrens-centre": "Children's centres",
    "youth-hub": "Youth hubs",
}
UNKNOWN_AGE = "unknown"
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def band_title(band: str) -> str:
    """An age band as a heading."""
    return {ALL_AGES: "Overall", UNKNOWN_AGE: "Age not known"}.get(band, band)


def month_title(period: str) -> str:
    """`2015-10` as October 2015."""
    return f"{MONTHS[int(period[5:]) - 1]} {period[:4]}"


def short_month(period: str) -> str:
    """`2015-10` as Oct 2015."""
    return f"{MONTHS[int(period[5:]) - 1][:3]} {period[:4]}"


def long_date(day: date) -> str:
    """A day as 31 October 2015."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def month_before(period: str, months: int = 1) -> str:
    """The period so many months before."""
    year, month = divmod(int(period[:4]) * 12 + int(period[5:]) - 1 - months, 12)
    return f"{year:04}-{month + 1:02}"


def number_text(indicator: Indicator, value: float) -> str:
    """A value as printed: counts whole, the rest to one decimal, percentages with their sign."""
    if indicator.unit == "count":
        return f"{value:,.0f}"
    return f"{value:,.1f}%" if indicator.unit == "percent" else f"{value:,.1f}"
