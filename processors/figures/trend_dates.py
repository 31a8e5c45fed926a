"""The dates of a trend: month by month, or day by day, up to a last one."""

from datetime import date, timedelta
from enum import StrEnum

from processors.days.calendar import month_number, previous_month_end

# Dates of a trend: eleven years of days, or any history of months.
MOST_STEPS = 4_000
USUAL_STEPS = 13


class Step(StrEnum):
    """How far apart the dates of a trend are."""

    MONTH = "month"
    DAY = "day"


class TooManyDates(ValueError):  # noqa: N818 - named for the condition
    """More dates than a trend may have, or a first one that comes after the last."""


def dates_up_to(last: date, by: Step, count: int | None, first: date | None = None) -> list[date]:
    """The dates of a trend in order: so many up to the last, or from the step that holds a first.

    Raises TooManyDates.
    """
    if first is not None:
        count = _steps(first, last, by)
        if not 0 < count <= MOST_STEPS:
            raise TooManyDates(
                f"{count:,} steps from {first} to {last}: there may be 1 to {MOST_STEPS:,}"
            )
    dates = [last]
    while len(dates) < (count or USUAL_STEPS):
        dates.append(_before(dates[-1], by))
    return dates[::-1]


def _steps(first: date, last: date, by: Step) -> int:
    """How many steps there are from the one that holds a date to the last."""
    days = (last - first).days
    return 1 + (days if by is Step.DAY else month_number(last) - month_number(first))


def _before(day: date, by: Step) -> date:
    return day - timedelta(days=1) if by is Step.DAY else previous_month_end(day)
