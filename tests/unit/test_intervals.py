"""Lists of intervals of days, against the days that are in them one by one."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from processors.days.calendar import FIRST_DAY, NEVER
from processors.days.intervals import (
    ALWAYS,
    Interval,
    Intervals,
    at_least,
    crossing,
    meet,
    stretches,
    totals,
    union,
    without,
)

DAY = st.integers(0, 40)
ANY = st.lists(st.tuples(DAY, DAY), max_size=8)


def days(intervals: list[Interval]) -> set[int]:
    return {day for begin, end in intervals for day in range(begin, end)}


def is_apart(intervals: Intervals) -> bool:
    """Whether they are in order, none is empty, and none touches another."""
    edges = [edge for interval in intervals for edge in interval]
    return edges == sorted(set(edges))


@given(ANY, ANY)
def test_two_lists_meet_on_the_days_in_both(one: list[Interval], other: list[Interval]) -> None:
    found = meet(union(one), union(other))
    assert days(found) == days(one) & days(other)
    assert is_apart(found)


@given(ANY, ANY)
def test_what_is_without_another_is_on_the_days_of_the_one_alone(
    one: list[Interval], other: list[Interval]
) -> None:
    found = without(union(one), union(other))
    assert days(found) == days(one) - days(other)
    assert is_apart(found)


@given(ANY, ANY)
def test_what_two_lists_are_of_is_known_of_each_day_in_both(
    some: list[Interval], others: list[Interval]
) -> None:
    # Each day is an interval of its own, so that they touch.
    one = [(begin, end, f"since {begin}") for begin, end in union(some)]
    other = [(day, day + 1, day) for day in sorted(days(others))]
    expected = [
        (day, day + 1, said, day)
        for day in sorted(days(others))
        for begin, end, said in one
        if begin <= day < end
    ]
    assert list(crossing(one, other)) == expected
    assert [(*it, theirs, mine) for *it, mine, theirs in crossing(other, one)] == expected


@given(st.lists(st.tuples(DAY, DAY, st.integers(-2, 3)), max_size=8))
def test_a_total_is_the_sum_of_what_holds_on_a_day(amounts: list[tuple[int, int, int]]) -> None:
    expected, found = Counter[int](), Counter[int]()
    for times, of in ((expected, amounts), (found, list(totals(amounts)))):
        for begin, end, amount in of:
            times.update(dict.fromkeys(range(begin, end), amount))
    assert {day: it for day, it in expected.items() if it} == dict(found)


@given(ANY)
def test_a_union_has_the_days_of_any_and_joins_what_touches(intervals: list[Interval]) -> None:
    found = union(intervals)
    assert days(found) == days(intervals)
    assert is_apart(found)


@given(st.integers(1, 4), ANY)
def test_at_least_so_many_are_the_days_in_so_many_or_more(
    times: int, intervals: list[Interval]
) -> None:
    depth = Counter(day for begin, end in intervals for day in range(begin, end))
    found = at_least(times, intervals)
    assert days(found) == {day for day, count in depth.items() if count >= times}
    assert is_apart(found)


@given(ANY)
def test_what_always_is_takes_nothing_away(intervals: list[Interval]) -> None:
    assert meet(ALWAYS, union(intervals)) == union(intervals) == meet(union(intervals), ALWAYS)
    assert ALWAYS == [(FIRST_DAY, NEVER)]


@given(st.lists(st.tuples(DAY, st.sampled_from("abc")), max_size=8))
def test_a_stretch_has_the_value_that_was_said_last(changes: list[tuple[int, str]]) -> None:
    changes.sort(key=lambda change: change[0])
    found = list(stretches(changes))
    for day in range(42):
        said = [value for at, value in changes if at <= day]
        values = [value for begin, end, value in found if begin <= day < end]
        assert values == said[-1:]
    assert all(begin < end for begin, end, _ in found)


def test_the_last_stretch_never_ends() -> None:
    assert list(stretches([(3, "a"), (3, "b"), (7, "c")])) == [(3, 7, "b"), (7, NEVER, "c")]
