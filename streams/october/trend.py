"""Kent's printed figures of the months before, beside what the October events give of them.

The events are fitted to October and September by area, and to August and July for Kent as a whole,
which is all that is printed of those months.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from importlib.resources import files

from schemas.catalogue import ALL_AGES
from schemas.scorecard import ScorecardRow
from streams.october.compare_october import FOLDER, SEPTEMBER

MONTH_ENDS = (date(2015, 7, 31), date(2015, 8, 31), SEPTEMBER)
AREA = "Kent"


@dataclass(frozen=True)
class Earlier:
    """A printed figure of an earlier month; the reason says why it is not had, blank if it is."""

    code: str
    month: str
    printed: str
    reason: str


@dataclass(frozen=True)
class Missed:
    """A printed figure that the events do not give, and what they give instead."""

    earlier: Earlier
    streamed: str


def load_trend() -> list[Earlier]:
    """What is printed of July, August and September of Early Help units, Kent as a whole."""
    with (files(FOLDER) / "trend.csv").open(encoding="utf-8") as lines:
        return [Earlier(**row) for row in csv.DictReader(lines)]


def missed(rows: Iterable[ScorecardRow], printed: Iterable[Earlier], day: date) -> list[Missed]:
    """The printed figures of a month that its scorecard does not show."""
    by_code = {it.code: it for it in rows if (it.area, it.age_band) == (AREA, ALL_AGES)}
    values = [(it, by_code[it.code].value) for it in printed if it.month == f"{day:%Y-%m}"]
    return [
        Missed(it, "" if value is None else f"{value}")
        for it, value in values
        if value != float(it.printed.rstrip("%"))
    ]
