"""When a month's figures are due to be frozen: a pure function of time.

The month closes on the calendar, not on traffic: a fixed number of working days after its end.
"""

from datetime import date, datetime, time, timedelta
from typing import NamedTuple

import numpy as np

from processors.days.calendar import (
    LONDON,
    calendar,
    date_of,
    day_number,
    month_number,
    month_start,
    previous_month_end,
)

# Months before the latest that are made up for.
MOST_MISSED = 12


class Due(NamedTuple):
    """A period, and the instant from which it is to be frozen."""

    period: str
    at: datetime


def due(month: int, working_days: int, hour: int) -> Due:
    """When a month number is due: at an hour in London, so many working days after its end."""
    end = previous_month_end(month_start(month + 1))
    days = calendar().working_day_after(np.array([day_number(end)]), working_days - 1)
    at = datetime.combine(date_of(int(days[0])), time(hour), LONDON)
    return Due(f"{month_start(month):%Y-%m}", at)


def latest_due(now: datetime, working_days: int, hour: int) -> Due:
    """The latest period that is due by now."""
    month = month_number(_london(now)) - 1
    while (found := due(month, working_days, hour)).at > now:
        month -= 1
    return found


def due_since(now: datetime, working_days: int, hour: int, oldest: str | None) -> list[Due]:
    """The periods due by now, oldest first: those after the oldest one released, and the latest.

    The latest alone where nothing was ever released; and never more than MOST_MISSED before it, so
    that an old month released by hand does not bring about releases of all the years since.
    """
    latest = latest_due(now, working_days, hour)
    last = _month_of(latest.period)
    first = max(_month_of(oldest) + 1, last - MOST_MISSED) if oldest else last
    return [*(due(month, working_days, hour) for month in range(first, last)), latest]


def next_due(now: datetime, working_days: int, hour: int) -> Due:
    """The first period that becomes due after now."""
    latest = latest_due(now, working_days, hour)
    return due(_month_of(latest.period) + 1, working_days, hour)


def wait(now: datetime, until: datetime, longest: timedelta) -> float:
    """Seconds to sleep towards an instant, never so long that a clock put right goes unseen."""
    return max(0.0, min(until - now, longest).total_seconds())


def _month_of(period: str) -> int:
    return month_number(date.fromisoformat(f"{period}-01"))


def _london(now: datetime) -> date:
    return now.astimezone(LONDON).date()
