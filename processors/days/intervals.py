"""Intervals of days: from a first day up to, not including, an end.

A list of intervals is in order and none touches another. What is true of a person on some days is
such a list, so that what is true of all that a measure asks for is where all the lists meet.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import TypeVar

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
