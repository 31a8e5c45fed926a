"""Civil dates, working days and windows, as lookup tables by day number.

A *day number* counts civil dates from 1970-01-01 (day 0). A *month number* counts months from
January 1970 (month 0). Everything here is exact from 1900-01-01 to 2199-12-31, the range in which
events are accepted.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
import numpy as np
from numpy.typing import NDArray

Days = NDArray[np.int64]

EPOCH = date(1970, 1, 1)
FIRST_YEAR, LAST_YEAR = 1900, 2199
FIRST_DAY = (date(FIRST_YEAR, 1, 1) - EPOCH).days
LAST_DAY = (date(LAST_YEAR, 12, 31) - EPOCH).days
# Later than any day, and far enough from the end of the type that adding days cannot overflow.
NEVER = 2**40
LONDON = ZoneInfo("Europe/London")
MICROSECONDS_A_DAY = 86_400_000_000
# Days of which the date is remembered: as many as ten years have.
DATES_KEPT = 4_096
# Fewer seconds than ever lay between two changes of London's offset.
CHANGES_APART = 14 * 86_400


def day_number(day: date) -> int:
    """Days from 1970-01-01 to `day`."""
    return (day - EPOCH).days


@lru_cache(maxsize=DATES_KEPT)
def date_of(day: int) -> date:
    """The civil date of a day number."""
    return EPOCH + timedelta(days=day)


def month_number(day: date) -> int:
    """Months from January 1970 to the month of `day`."""
    return (day.year - 1970) * 12 + day.month - 1


def month_start(month: int) -> date:
    """The first day of a month number."""
    return date(1970 + month // 12, month % 12 + 1, 1)


def previous_month_end(as_of: date) -> date:
    """The last day of the month before the month of `as_of` (docs/indicators.md, Scorecard)."""
    return as_of.replace(day=1) - timedelta(days=1)


@dataclass(frozen=True)
class Calendar:
    """Lookup tables over FIRST_DAY..LAST_DAY; each method takes and gives day numbers."""

    working_days_until: Days
    working_day_list: Days
    year_month_day: Days
    month: Days
    day_of_month: Days
    month_first_day: Days

    def working_days(self, after: Days, until: Days) -> Days:
        """Weekdays that are no bank holidays in England, after one day, up to and with another.

        A day of NEVER gives NEVER.
        """
        between = self._at(self.working_days_until, until) - self._at(
            self.working_days_until, after
        )
        return np.where((until >= NEVER) | (after >= NEVER), NEVER, between)

    def working_day_after(self, day: Days, working_days: int | Days) -> Days:
        """The first day on which more than `working_days` working days have passed since `day`."""
        position = self._at(self.working_days_until, day) + working_days
        inside = np.minimum(position, len(self.working_day_list) - 1)
        return np.where(day >= NEVER, NEVER, self.working_day_list[inside])

    def working_days_before(self, day: Days, working_days: int) -> Days:
        """The first day since which no more than `working_days` working days have passed."""
        least = self._at(self.working_days_until, day) - working_days
        first = np.where(least > 0, self.working_day_list.take(least - 1, mode="clip"), FIRST_DAY)
        return np.where(day >= NEVER, NEVER, first)

    def month_of(self, day: Days) -> Days:
        """The month number of each day."""
        return self._at(self.month, day)

    def first_of_month(self, day: Days, months_on: int) -> Days:
        """The first day of the month `months_on` months after that of each day."""
        month = np.minimum(
            self.month_of(day) + months_on - self.month[0], len(self.month_first_day) - 1
        )
        return np.where(day >= NEVER, NEVER, self.month_first_day[month])

    def first_of_financial_year(self, day: Days, years_on: int) -> Days:
        """The 1st of April that begins the year `years_on` years after that of each day."""
        months_in = (self.month_of(day) + 9) % 12  # month 0 is a January
        month = self.month_of(day) - months_in + 12 * years_on - self.month[0]
        inside = np.minimum(np.maximum(month, 0), len(self.month_first_day) - 1)
        return np.where(day >= NEVER, NEVER, self.month_first_day[inside])

    def leaves_last_months(self, day: Days, months: int) -> Days:
        """The first as-of day on which `day` is no longer "in the last n months"."""
        exits = _exit_table(months)
        return np.where(day >= NEVER, NEVER, self._at(exits, day))

    def completed_years(self, birth: Days, day: Days) -> Days:
        """Completed years at `day` of someone born on `birth`, a date written yyyymmdd."""
        return (self._at(self.year_month_day, day) - birth) // 10_000

    @staticmethod
    def _at(table: Days, day: Days) -> Days:
        """What a table with an element for each day in range has for days, or for the nearest."""
        looked_up: Days = table.take(day - FIRST_DAY, mode="clip")
        return looked_up


@lru_cache(maxsize=1)
def calendar() -> Calendar:
    """The tables for England, built once a process."""
    days = np.arange(FIRST_DAY, LAST_DAY + 1)
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    day_of_month = (dates - months).astype(np.int64) + 1
    month = months.astype(np.int64)
    bank_holidays = holidays.country_holidays(
        "GB", subdiv="ENG", years=range(FIRST_YEAR, LAST_YEAR + 1)
    )
    is_holiday = np.isin(days, [day_number(day) for day in bank_holidays])
    is_working = ((days + 3) % 7 < 5) & ~is_holiday  # 1970-01-01 was a Thursday
    return Calendar(
        working_days_until=np.cumsum(is_working),
        working_day_list=np.append(days[is_working], NEVER),
        year_month_day=(month // 12 + 1970) * 10_000 + (month % 12 + 1) * 100 + day_of_month,
        month=month,
        day_of_month=day_of_month,
        month_first_day=np.append(days[day_of_month == 1], NEVER),
    )


def back(as_of: Days, months: int) -> Days:
    """`months` calendar months before each day (docs/indicators.md, Words).

    A month-end goes to a month-end; any other day to the same day of the month, or to that
    month's last day where it has no such day.
    """
    gone_back: Days = _back_table(months).take(as_of - FIRST_DAY, mode="clip")
    return gone_back


@lru_cache(maxsize=16)
def _back_table(months: int) -> Days:
    """What `back` gives for each day in range."""
    dates = np.arange(FIRST_DAY, LAST_DAY + 1).astype("datetime64[D]")
    month = dates.astype("datetime64[M]")
    is_month_end = (dates + 1).astype("datetime64[M]") > month
    target_first = (month - months).astype("datetime64[D]")
    target_last = (month - months + 1).astype("datetime64[D]") - 1
    same_day = np.minimum(target_first + (dates - month.astype("datetime64[D]")), target_last)
    gone_back: Days = np.where(is_month_end, target_last, same_day).astype(np.int64)
    return gone_back


@lru_cache(maxsize=16)
def _exit_table(months: int) -> Days:
    """For each day in range, the first as-of day D with back(D, months) at or after it."""
    days = np.arange(FIRST_DAY, LAST_DAY + 1)
    # back() never decreases, so the first as-of day is found by bisection.
    position = _back_table(months).searchsorted(days, side="left")
    return np.append(days, NEVER)[position]


@lru_cache(maxsize=1)
def _london_changes() -> tuple[Days, Days]:
    """Instants at which London's offset changes and the offsets from then, in microseconds."""
    low = int(datetime(FIRST_YEAR - 1, 12, 1, tzinfo=UTC).timestamp())
    end = int(datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC).timestamp())
    starts, offsets = [-(2**62)], [_offset(low)]
    while low < end:
        high = low + CHANGES_APART
        if _offset(high) != offsets[-1]:
            high = _first_with_another(offsets[-1], low, high)
            starts.append(high * 1_000_000)
            offsets.append(_offset(high))
        low = high
    return np.array(starts), np.array(offsets)


def _offset(second: int) -> int:
    """London's offset from UTC at a second from 1970, in microseconds."""
    offset = datetime.fromtimestamp(second, LONDON).utcoffset()
    assert offset is not None
    return offset // timedelta(microseconds=1)


def _first_with_another(offset: int, low: int, high: int) -> int:
    """The first second after `low`, up to `high`, at which London's offset is another."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(middle) == offset else (low, middle)
    return high


def london_days(instants: Days) -> Days:
    """The civil date in Europe/London of instants in microseconds from 1970 UTC."""
    starts, offsets = _london_changes()
    local = instants + offsets[np.searchsorted(starts, instants, side="right") - 1]
    days: Days = local // MICROSECONDS_A_DAY
    return days
