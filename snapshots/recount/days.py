"""Dates and working days worked out one at a time (docs/indicators.md, Words).

Reconciliation's own: it shares neither code nor tables with processors.days.calendar, whose
results it is there to check. Days are day numbers from 1970-01-01.
"""

from bisect import bisect_right
from calendar import monthrange
from collections.abc import Iterable
from datetime import date
from functools import lru_cache

import holidays

EPOCH = date(1970, 1, 1).toordinal()
SATURDAY = 5  # as weekdays are counted, from Monday's 0
FIRST_YEAR = 1900  # of events
APRIL = 4  # in which a financial year begins


def date_of(day: int) -> date:
    """The civil date of a day number."""
    return date.fromordinal(EPOCH + day)


def day_of(civil: date) -> int:
    """The day number of a civil date."""
    return civil.toordinal() - EPOCH


@lru_cache(maxsize=100_000)
def month_of(day: int) -> int:
    """The number of a day's month, counted from the year 0."""
    civil = date_of(day)
    return civil.year * 12 + civil.month - 1


@lru_cache(maxsize=100_000)
def financial_year_of(day: int) -> int:
    """The calendar year in which a day's year from April begins."""
    civil = date_of(day)
    return civil.year - (civil.month < APRIL)


def last_of_month(month: int) -> int:
    """The last day of a month number."""
    year, index = divmod(month, 12)
    return day_of(date(year, index + 1, monthrange(year, index + 1)[1]))


@lru_cache(maxsize=10_000)
def back(day: int, months: int) -> int:
    """So many calendar months before a day: month-end to month-end, else the same day or the last.

    The last is that of a month which has no such day.
    """
    target = last_of_month(month_of(day) - months)
    if day == last_of_month(month_of(day)):
        return target
    return min(target, target - date_of(target).day + date_of(day).day)


class WorkingDays:
    """Weekdays that are not among some bank holidays."""

    def __init__(self, bank_holidays: Iterable[date]) -> None:
        self._bank_holidays = sorted(day_of(it) for it in bank_holidays if it.weekday() < SATURDAY)
        # One for each pair of days, of which a log has the same ones over and over.
        self.between = lru_cache(maxsize=100_000)(self._between)

    def _between(self, after: int, until: int) -> int:
        """Working days after one day, up to and with another; negative if that one is earlier."""
        if until <= after:
            return -self._between(until, after) if until < after else 0
        weeks, rest = divmod(until - after, 7)
        weekdays = weeks * SATURDAY + sum(_is_weekday(until - each) for each in range(rest))
        first, end = (bisect_right(self._bank_holidays, day) for day in (after, until))
        return weekdays - (end - first)


def completed_years(birth: date, day: int) -> int:
    """Completed years on a day of someone born on a date; negative before it."""
    on = date_of(day)
    return on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day))


@lru_cache(maxsize=20)
def bank_holidays(until: date) -> tuple[date, ...]:
    """The bank holidays of England on weekdays, from the first year of events until a date."""
    years = range(FIRST_YEAR, until.year + 1)
    found = holidays.country_holidays("GB", subdiv="ENG", years=years)
    return tuple(sorted(it for it in found if it.weekday() < SATURDAY and it <= until))


def _is_weekday(day: int) -> bool:
    return date_of(day).weekday() < SATURDAY
