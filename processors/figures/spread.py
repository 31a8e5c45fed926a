"""The spread of what an average is of: its median and quartiles, and how many wait how long.

An average is the sum of a list's numerators over the sum of its denominators, so each entry of the
list is as many values as its denominator says, and their mean is the figure to the last day.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

# Where the bars of a distribution begin, in days: weeks at first, and then ever wider.
DAYS_FROM = (0, 7, 14, 28, 56, 84, 112, 140, 182, 273, 365)


class WaitBar(NamedTuple):
    """How many values are from one number up to, and without, another; None for any more."""

    start: int
    end: int | None
    values: int


class Spread(NamedTuple):
    """The values behind an average, from the least to the greatest."""

    values: tuple[Fraction, ...]

    @property
    def mean(self) -> Fraction:
        """The average that they make."""
        return sum(self.values, Fraction()) / len(self.values)

    @property
    def median(self) -> Fraction:
        """What half of them are at or below: between the middle two if there are two."""
        return self.at(Fraction(1, 2))

    def at(self, share: Fraction) -> Fraction:
        """What a share of them are at or below, in a straight line between two of them.

        Hyndman and Fan's seventh definition (1996), which spreadsheets use.
        """
        place = share * (len(self.values) - 1)
        below = int(place)
        above = min(below + 1, len(self.values) - 1)
        return self.values[below] + (place - below) * (self.values[above] - self.values[below])

    def bars(self, starts: Sequence[int] = DAYS_FROM) -> list[WaitBar]:
        """How many values lie from each start up to the next, the last one open."""
        counts = [0] * len(starts)
        for value in self.values:
            counts[max(0, bisect_right(starts, value) - 1)] += 1
        ends: list[int | None] = [end for _, end in pairwise(starts)]
        return [WaitBar(*it) for it in zip(starts, [*ends, None], counts, strict=True)]


def spread(sums: Iterable[tuple[int, int]]) -> Spread | None:
    """The spread of a list's numerators and denominators; None where it divides nothing."""
    values = [Fraction(above, below) for above, below in sums for _ in range(below)]
    return Spread(tuple(sorted(values))) if values else None
