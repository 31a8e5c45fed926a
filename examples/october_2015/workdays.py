"""Working days in England by table, and the dates the indicators turn on.

Days are `date.toordinal` numbers. `working_days` is the count of weekdays that are not bank
holidays after one day up to and including another (docs/indicators.md, Words).
"""

from datetime import date
from functools import cache

import holidays

FIRST = date(2014, 1, 1).toordinal()
LAST = date(2016, 1, 1).toordinal()
STANDARD = 100
"""Working days in the 20-week service standard."""


def day(year: int, month: int, number: int) -> int:
    """The day number of a date."""
    return date(year, month, number).toordinal()


@cache
def _cumulative() -> tuple[int, ...]:
    closed = holidays.country_holidays("GB", subdiv="ENG", years=range(2014, 2017))
    totals, total = [], 0
    for number in range(FIRST, LAST):
        when = date.fromordinal(number)
        total += when.weekday() < 5 and when not in closed
        totals.append(total)
    return tuple(totals)


def working_days(after: int, until: int) -> int:
    """Working days after `after` up to and including `until`."""
    table = _cumulative()
    return table[until - FIRST] - table[after - FIRST]


def is_late(received: int, until: int) -> bool:
    """True once more than 20 weeks (100 working days) have passed."""
    return working_days(received, until) > STANDARD


def last_late(until: int) -> int:
    """The latest receipt that is more than 20 weeks old on `until`."""
    return next(r for r in range(until, FIRST, -1) if is_late(r, until))
