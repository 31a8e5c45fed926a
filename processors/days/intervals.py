"""Intervals of days: from a first day up to, not including, an end.

A list of intervals is in order and none touches another. What is true of a person on some days is
such a list, so that what is true of all that a measure asks for is where all the lists meet.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any, TypeVar

from processors.days.calendar import FIRST_DAY, NEVER

Interval = tuple[int, int]
Intervals = list[Interval]
T = TypeVar("T")
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


def meet_one(one: Intervals, interval: Interval) -> Iterator[Interval]:
    """The days of an interval that are in a list of very many, looking only at those near it."""
    begin, end = interval
    for position in range(first_not_over(one, begin), len(one)):
        first, last = one[position]
        if first >= end:
            break
        yield max(first, begin), min(last, end)


def totals(amounts: Iterable[tuple[int, int, int]]) -> Iterator[tuple[int, int, int]]:
    """(begin, end, total) of amounts that each hold from a day until another, where it is not 0."""
    changes = Counter[int]()
    for begin, end, amount in amounts:
        if begin < end:
            changes[begin] += amount
            changes[end] -= amount
    days = sorted(day for day, change in changes.items() if change)
    total = 0
    for begin, end in pairwise(days):
        total += changes[begin]
        if total:
            yield begin, end, total


def without(one: Intervals, other: Intervals) -> Intervals:
    """The days in one that are not in the other."""
    ends = [FIRST_DAY, *(end for _, end in other)]
    begins = [*(begin for begin, _ in other), NEVER]
    return meet(one, [gap for gap in zip(ends, begins, strict=True) if gap[0] < gap[1]])


def at_least(times: int, intervals: Iterable[Interval]) -> Intervals:
    """The days that lie in so many of the intervals, which may overlap, or more."""
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
    return at_least(1, intervals)


def stretches(changes: Sequence[tuple[int, T]]) -> Iterator[tuple[int, int, T]]:
    """(begin, end, value) of what changes to a value on days, the last of a day counting."""
    for position, (day, value) in enumerate(changes):
        end = changes[position + 1][0] if position + 1 < len(changes) else NEVER
        if day < end:
            yield day, end, value


def _end(interval: tuple[Any, ...]) -> int:
    end: int = interval[1]
    return end
