"""Dates and working days worked out one at a time (Indicators, Words).

Reconciliation's own: it shares neither code nor tables with processors.calendar, whose results it
is there to check. Days are day numbers from 1970-01-01.
"""

from calendar import monthrange
from datetime import date
from functools import lru_cache

import holidays

EPOCH = date(1970, 1, 1).toordinal()


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


def last_of_month(month: int) -> int:
    """The last day of a month number."""
    year, index = divmod(month, 12)
    return day_of(date(year, index + 1, monthrange(year, index + 1)[1]))


@lru_cache(maxsize=1_000)
def back(day: int, months: int) -> int:
    """So many calendar months before a day: month-end to month-end, else the same day or the last.

    The last is that of a month which has no such day.
    """
    target = last_of_month(month_of(day) - months)
    if day == last_of_month(month_of(day)):
        return target
    return min(target, target - date_of(target).day + date_of(day).day)


@lru_cache(maxsize=100_000)
def working_days(after: int, until: int) -> int:
    """Weekdays that are no bank holidays in England, after one day, up to and with another."""
    if until <= after:
        return -working_days(until, after) if until < after else 0
    weeks, rest = divmod(until - after, 7)
    weekdays = weeks * 5 + sum(_is_weekday(until - each) for each in range(rest))
    years = range(date_of(after).year, date_of(until).year + 1)
    bank = sum(after < each <= until for year in years for each in _bank_holidays(year))
    return weekdays - bank


def completed_years(birth: date, day: int) -> int:
    """Completed years on a day of someone born on a date; negative before it."""
    on = date_of(day)
    return on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day))


def _is_weekday(day: int) -> bool:
    return date_of(day).weekday() < 5


@lru_cache(maxsize=400)
def _bank_holidays(year: int) -> tuple[int, ...]:
    """Those that fall on weekdays."""
    found = holidays.country_holidays("GB", subdiv="ENG", years=year)
    return tuple(sorted(day_of(each) for each in found if each.weekday() < 5))
