"""Intervals of days: from a first day up to, not including, an end.

A list of intervals is in order and none touches another. What is true of a person on some days is
such a list, so that what is true of all that a measure asks for is where all the lists meet.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, TypeVar

from processors.days.calendar import FIRST_DAY, NEVER

Interval = tuple[int, int]
Intervals = list[Interval]
T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
ALWAYS: Intervals = [(FIRST_DAY, NEVER)]


def meet(one: Intervals, other: Intervals) -> Intervals:
    """The days in both."""
    found: Intervals = []
    at, to = 0, 0
    while at < len(one) and to < len(other):
        begin, end = max(one[at][0], other[to][0]), min(one[at][1], other[to][1])
        if begin < end:
            found.append((begin, end))
        if one[at][1] < other[to][1]:
            at += 1
        else:
            to += 1
    return found


def first_not_over(found: Sequence[tuple[Any, ...]], day: int) -> int:
    """Where the first of intervals is, or of what begins with one, that is not over by a day.

    They are in order, and none overlaps another.
    """
    return bisect_right(found, day, key=_end)


def crossing(
    one: Sequence[tuple[int, int, A]], other: Sequence[tuple[int, int, B]]
) -> Iterator[tuple[int, int, A, B]]:
    """The days in both, and what they are of in the one and in the other.

    Of each, intervals are in order and none overlaps another; they may touch. Of the one only those
    are looked at that are not over when the other begins.
    """
    at, to = first_not_over(one, other[0][0]) if other else 0, 0
    while at < len(one) and to < len(other):
        first, last, mine = one[at]
        begin, end, theirs = other[to]
        if last <= end:
            at += 1
        if end <= last:
            to, last = to + 1, end
        if begin < first:
            begin = first
        if begin < last:
            yield begin, last, mine, theirs


def totals(amounts: Iterable[tuple[int, int, int]]) -> Iterator[tuple[int, int, int]]:
    """(begin, end, total) of amounts that each hold from a day until another, where it is not 0."""
    changes: dict[int, int] = {}
    for begin, end, amount in amounts:
        if begin < end:
            changes[begin] = changes.get(begin, 0) + amount
            changes[end] = changes.get(end, 0) - amount
    total, since = 0, 0
    for day in sorted(changes):
        change = changes[day]
        if change:
            if total:
                yield since, day, total
            total, since = total + change, day


def without(one: Intervals, other: Intervals) -> Intervals:
    """The days in one that are not in the other."""
    ends = [FIRST_DAY, *(end for _, end in other)]
    begins = [*(begin for begin, _ in other), NEVER]
    return meet(one, [gap for gap in zip(ends, begins, strict=True) if gap[0] < gap[1]])


def at_least(times: int, intervals: Iterable[Interval]) -> Intervals:
    """The days that lie in so many of the intervals, which may overlap, or more."""
    if times == 1:
        return union(intervals)
    edges = sorted(
        edge for begin, end in intervals if begin < end for edge in ((begin, 1), (end, -1))
    )
    found: Intervals = []
    depths = accumulate(step for _, step in edges)
    begin: int | None = None
    for position, ((day, _), depth) in enumerate(zip(edges, depths, strict=True)):
        if position + 1 < len(edges) and edges[position + 1][0] == day:
            continue  # the depth of a day is that after all of its edges
        if depth >= times and begin is None:
            begin = day
        elif depth < times and begin is not None:
            found.append((begin, day))
            begin = None
    return found


def union(intervals: Iterable[Interval]) -> Intervals:
    """The days in any of the intervals, which may overlap."""
    found: Intervals = []
    first = last = NEVER
    for begin, end in sorted(it for it in intervals if it[0] < it[1]):
        if begin > last or not found:
            found.append((begin, end))
            first, last = begin, end
        elif end > last:
            found[-1], last = (first, end), end
    return found


def stretches(changes: Sequence[tuple[int, T]]) -> Iterator[tuple[int, int, T]]:
    """(begin, end, value) of what changes to a value on days, the last of a day counting."""
    for position, (day, value) in enumerate(changes):
        end = changes[position + 1][0] if position + 1 < len(changes) else NEVER
        if day < end:
            yield day, end, value


def _end(interval: tuple[Any, ...]) -> int:
    end: int = interval[1]
    return end
