"""Dates, the slow way (docs/indicators.md, Words)."""

from calendar import monthrange
from datetime import date, timedelta
from functools import cache

import holidays


def back(d: date, n: int) -> date:
    """The date `n` calendar months before `d`: month-end to month-end, else the same day or,
    where the month has none, its last."""
    year, month = d.year, d.month
    for _ in range(n):
        year, month = (year - 1, 12) if month == 1 else (year, month - 1)
    last = monthrange(year, month)[1]
    if d.day == monthrange(d.year, d.month)[1]:
        return date(year, month, last)
    return date(year, month, min(d.day, last))


@cache
def working_days(a: date, b: date) -> int:
    """Weekdays that are not bank holidays in England, after `a`, up to and including `b`."""
    count = 0
    while b > a:
        count += b.weekday() < 5 and b not in _bank_holidays(b.year)
        b -= timedelta(days=1)
    return count


@cache
def _bank_holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("GB", subdiv="ENG", years=year))


def age_band(born: str | None, on: date) -> str:
    """The band of the completed years on a day; `unknown` if not born, or no date of birth."""
    if born is None or date.fromisoformat(born) > on:
        return "unknown"
    birth = date.fromisoformat(born)
    years = on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day))
    if years <= 4:
        return "0-4"
    if years <= 10:
        return "5-10"
    return "11-15" if years <= 15 else "16+"
