"""Lookup tables against the slow way: working days, windows, and London's civil dates."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from processors.days.calendar import (
    LAST_DAY,
    NEVER,
    back,
    calendar,
    date_of,
    day_number,
    london_days,
    month_number,
    month_start,
    previous_month_end,
)
from tests import reference

LONDON = ZoneInfo("Europe/London")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DATES = st.dates(date(1901, 1, 1), date(2198, 12, 31))
INSTANTS = st.datetimes(datetime(1900, 1, 2), datetime(2199, 12, 30), timezones=st.just(UTC))


def day(when: date) -> np.typing.NDArray[np.int64]:
    return np.array([day_number(when)])


def every_day(first: date, last: date) -> list[date]:
    return [first + timedelta(days=count) for count in range((last - first).days + 1)]


def in_microseconds(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(microseconds=1)


def london_date(instant: datetime) -> date:
    return date_of(int(london_days(np.array([in_microseconds(instant)]))[0]))


@pytest.mark.parametrize("months", [1, 3, 6, 12])
def test_going_back_agrees_on_every_day_of_eight_years(months: int) -> None:
    days = every_day(date(2012, 1, 1), date(2019, 12, 31))
    found = back(np.array([day_number(each) for each in days]), months)
    assert [date_of(each) for each in found.tolist()] == [
        reference.back(each, months) for each in days
    ]


@given(DATES, st.integers(1, 30))
def test_going_back_agrees_on_any_day(when: date, months: int) -> None:
    assert date_of(int(back(day(when), months)[0])) == reference.back(when, months)


@pytest.mark.parametrize("months", [3, 6, 12])
def test_a_day_leaves_the_last_months_on_the_first_day_that_goes_back_to_it(months: int) -> None:
    days = every_day(date(2014, 12, 1), date(2016, 12, 31))
    found = calendar().leaves_last_months(np.array([day_number(each) for each in days]), months)
    for each, leaves in zip(days, found.tolist(), strict=True):
        later = every_day(each, each + timedelta(days=400))
        assert date_of(leaves) == next(d for d in later if reference.back(d, months) >= each)


@given(DATES, DATES)
@example(date(2015, 6, 1), date(2015, 6, 1))
def test_working_days_agree_on_any_two_days(one: date, other: date) -> None:
    first, last = sorted([one, min(other, one + timedelta(days=700))])
    found = calendar().working_days(day(first), day(last))
    assert int(found[0]) == reference.working_days(first, last)


@given(DATES, st.sampled_from([0, 1, 5, 20, 100]))
def test_the_working_day_after_is_the_first_with_more_than_so_many(when: date, count: int) -> None:
    found = date_of(int(calendar().working_day_after(day(when), count)[0]))
    assert reference.working_days(when, found) > count
    assert reference.working_days(when, found - timedelta(days=1)) == count


def test_every_day_of_fifteen_years_is_a_working_day_or_not() -> None:
    days = every_day(date(2010, 1, 1), date(2024, 12, 31))
    numbers = np.array([day_number(each) for each in days])
    found = calendar().working_days(numbers - 1, numbers).tolist()
    assert found == [reference.working_days(each - timedelta(days=1), each) for each in days]


@given(DATES, st.integers(0, 13))
def test_months_begin_on_their_first_day(when: date, months: int) -> None:
    first = date_of(int(calendar().first_of_month(day(when), months)[0]))
    assert first.day == 1
    assert month_number(first) == month_number(when) + months
    assert month_start(month_number(first)) == first
    assert int(calendar().month_of(day(when))[0]) == month_number(when)


@given(DATES)
def test_the_month_before_ends_the_day_before_this_one_begins(when: date) -> None:
    end = previous_month_end(when)
    assert (end + timedelta(days=1)) == when.replace(day=1)


def test_what_never_happens_stays_never() -> None:
    never, then = np.array([NEVER]), np.array([0])
    tables = calendar()
    assert tables.working_days(then, never)[0] == NEVER
    assert tables.working_days(never, then)[0] == NEVER
    assert tables.working_day_after(never, 100)[0] == NEVER
    assert tables.first_of_month(never, 1)[0] == NEVER
    assert tables.leaves_last_months(never, 3)[0] == NEVER
    assert tables.first_of_month(np.array([LAST_DAY]), 1)[0] == NEVER
    assert tables.leaves_last_months(np.array([LAST_DAY]), 3)[0] == NEVER


@given(st.dates(date(1, 1, 1), date(2198, 12, 31)), DATES)
@example(date(2012, 2, 29), date(2016, 2, 28))
@example(date(2012, 2, 29), date(2017, 2, 28))
@example(date(2012, 2, 29), date(2017, 3, 1))
def test_completed_years_change_on_the_birthday(birth: date, when: date) -> None:
    written = np.array([birth.year * 10_000 + birth.month * 100 + birth.day])
    years = int(calendar().completed_years(written, day(when))[0])
    before = (when.month, when.day) < (birth.month, birth.day)
    assert years == when.year - birth.year - before


@given(INSTANTS)
def test_the_civil_date_in_london_agrees_at_any_instant(instant: datetime) -> None:
    assert london_date(instant) == instant.astimezone(LONDON).date()


@given(DATES, st.sampled_from([-3600, -3599, -1, 0, 1, 3599, 3600]), st.integers(0, 999_999))
def test_the_civil_date_in_london_agrees_about_midnight(
    when: date, seconds: int, microseconds: int
) -> None:
    midnight = datetime(when.year, when.month, when.day, tzinfo=UTC)
    instant = midnight + timedelta(seconds=seconds, microseconds=microseconds)
    assert london_date(instant) == instant.astimezone(LONDON).date()


def test_the_civil_date_in_london_agrees_at_every_half_hour_of_changes_of_the_clock() -> None:
    # 1916: the first; 1940 to 1947: winters an hour ahead, summers two; 1968 to 1971: no winters.
    for year in (1916, 1940, 1941, 1945, 1947, 1968, 1971, 1972, 1981, 1996, 2015, 2037, 2150):
        start = datetime(year, 1, 1, tzinfo=UTC)
        instants = [start + timedelta(minutes=30 * count) for count in range(366 * 48)]
        found = london_days(np.array([in_microseconds(each) for each in instants]))
        expected = [day_number(each.astimezone(LONDON).date()) for each in instants]
        assert found.tolist() == expected
