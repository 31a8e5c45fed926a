"""A figure over time, with what its variation says: what a page, the API and a command show alike.

Variation is judged of months alone, and only of figures whose months may differ freely: one that
adds up since April grows by itself, and one of twelve months shares eleven of them with the month
before, so that limits from one month to the next would be far too narrow.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from processors.days.calendar import (
    Calendar,
    day_number,
    month_number,
    month_start,
    previous_month_end,
)
from processors.figures.evaluate import AsOf, Figure, exact_value, figure
from processors.figures.supplies import exact
from processors.figures.variation import (
    Assurance,
    ControlLimits,
    JudgedMonth,
    Observed,
    assurance,
    judged,
    latest,
)
from processors.rules import Rules
from schemas.catalogue import ALL_AGES, AnyMeasure, Catalogue, Indicator, Measure, PersonMeasure
from schemas.places import Place

# An indicator, a place and an age band.
CellOf = tuple[Indicator, Place, str]
# Why the months of a figure are not judged, by its frequency.
NOT_JUDGED = {
    "R12M": "each month shares eleven of its twelve months with the one before",
    "YTD": "it adds up from April, so it grows by itself and begins anew each year",
    "to-date": "it adds up from the beginning, so it grows by itself",
    "Q": "it is of quarters, and not of months",
    "T": "it is of terms, and not of months",
    "A": "it is of years, and not of months",
}
SUPPRESSED_MONTHS = "some months are suppressed, and limits of the rest would mislead"

# The windows of which one month's and the next one's have facts in common.
OVERLAPPING = frozenset({"last-months", "months-after"})


class Dated(NamedTuple):
    """A figure as of a date, and the target that it had then."""

    day: date
    figure: Figure
    target: Fraction | None


class Reach(NamedTuple):
    """From when until when figures are known.

    The first day of the first month in which anything is counted, the date of the latest event,
    either None before any; and today.
    """

    first: date | None
    latest: date | None
    today: date


class SeriesMonth(NamedTuple):
    """A month's figure, and what its variation says."""

    day: date
    figure: Figure
    target: Fraction | None
    judged: JudgedMonth

    @property
    def is_complete(self) -> bool:
        """Whether the month is over, data have come to its end, and they had begun before it."""
        return self.judged.observed.is_complete


@dataclass(frozen=True)
class Series:
    """A figure by month, oldest first.

    `not_judged` says why it has no limits, where its months can't be judged at all; `caution` what
    to mind where they can. The first `before` months lie before anything is counted.
    """

    cell: CellOf
    months: tuple[SeriesMonth, ...]
    before: int = 0
    not_judged: str | None = None
    caution: str | None = None

    @property
    def known(self) -> Sequence[SeriesMonth]:
        """The months from the first in which anything is counted."""
        return self.months[self.before :]

    @property
    def latest(self) -> SeriesMonth | None:
        """The last complete month with a value, whose variation is the series' own."""
        last = latest([month.judged for month in self.months])
        return next((month for month in self.months if month.judged is last), None)

    @property
    def limits(self) -> ControlLimits | None:
        """The limits that hold now."""
        return self.latest.judged.limits if self.latest else None

    @property
    def assurance(self) -> Assurance | None:
        """What its limits say of the latest target; None without limits or target."""
        target = self.months[-1].target if self.months else None
        return assurance(self.limits, target, self.cell[0].polarity)


def dated(rules: Rules, as_of: AsOf, cell: CellOf) -> Dated:
    """One indicator's figure of one place and band as of a date, with its target."""
    indicator, place, band = cell
    target = as_of.targets.get((indicator.code, place.name)) if band == ALL_AGES else None
    aim = exact(target.aim) if target else None
    return Dated(as_of.date, figure(rules, as_of, *cell), aim)


def months_until(last: date, count: int) -> list[date]:
    """So many dates: the ends of months, and the last date itself."""
    dates = [last]
    while len(dates) < count:
        dates.append(previous_month_end(dates[-1]))
    return dates[::-1]


def series(
    rules: Rules,
    cell: CellOf,
    figures: Sequence[Dated],
    reach: Reach,
    breaks: Collection[date] = (),
) -> Series:
    """A series from figures of months, oldest first.

    `breaks` are the dates from which the indicator is defined otherwise; live figures are all by
    the present definition, and have none.
    """
    indicator = cell[0]
    is_counted = indicator.source == "events"
    before = sum(is_counted and is_before(it.day, reach) for it in figures)
    complete = [
        index >= before and is_over(rules.calendar, it.day, reach)
        for index, it in enumerate(figures)
    ]
    reason = NOT_JUDGED.get(indicator.frequency)
    if reason is None and any(it.figure.status == "suppressed" for it in figures):
        reason = SUPPRESSED_MONTHS
    observed = [
        Observed(exact_value(it.figure.value), is_whole, it.day in breaks)
        for it, is_whole in zip(figures, complete, strict=True)
    ]
    found = [JudgedMonth(it, None) for it in observed]
    if reason is None:
        found = judged(observed, indicator.polarity)
    months = (
        SeriesMonth(it.day, it.figure, it.target, month)
        for it, month in zip(figures, found, strict=True)
    )
    caution = _caution(rules.catalogue, indicator) if reason is None else None
    return Series(cell, tuple(months), before, reason, caution)


def is_before(day: date, reach: Reach) -> bool:
    """Whether a date lies before the first month in which anything is counted."""
    return reach.first is None or day < reach.first


def is_over(calendar: Calendar, day: date, reach: Reach) -> bool:
    """Whether a date ends a month that is over, to whose last working day data have come."""
    ends_month = month_start(month_number(day) + 1) == day + timedelta(days=1)
    if not ends_month or day >= reach.today or reach.latest is None:
        return False
    (last_working_day,) = calendar.working_days_before(np.array([day_number(day)]), 0)
    return day_number(reach.latest) >= int(last_working_day)


def _caution(catalogue: Catalogue, indicator: Indicator) -> str | None:
    """What to mind of a figure whose months overlap."""
    used = [it for it in catalogue.measure if indicator.terms & {*it.slots}]
    months = max((_months(it) for it in used), default=0)
    if months < 2:
        return None
    return (
        f"Each figure is of the last {months} months, which it shares in part with those beside "
        "it: runs and trends come about more easily than of single months."
    )


def _months(measure: AnyMeasure) -> int:
    """How many months a measure looks back on as one; 0 where it begins anew or looks at a day."""
    if isinstance(measure, Measure):
        window = measure.window
        return window.months if window and window.kind in OVERLAPPING else 0
    attended = measure.attended if isinstance(measure, PersonMeasure) else None
    return max(measure.months or 0, (attended.months or 0) if attended else 0)
