"""The spread of what an average is of: its median and quartiles, and how many wait how long.

An average is the sum of a list's numerators over the sum of its denominators, so each entry of the
list is as many values as its denominator says, and their mean is the figure to the last day.
"""

from collections.abc import Iterable
from fractions import Fraction
from itertools import chain, count
from typing import NamedTuple

# How wide the bars of a distribution may be: days, weeks, quarters, years.
WIDTHS = (1, 2, 7, 14, 28, 91, 182, 365)
MOST_BARS = 14
# What lies beyond this share of the values goes into the last bar, which is open.
NEARLY_ALL = Fraction(95, 100)


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

    def bars(self) -> list[WaitBar]:
        """How many values lie in each of some bars as wide as one another, the last one open.

        They begin at 0, or below it where a value is below it.
        """
        most = self.at(NEARLY_ALL)
        first, width = self._first_and_width(most)
        bars = int((most - first) // width) + 1
        counts = [0] * (bars + 1)
        for value in self.values:
            counts[min(int((value - first) // width), bars)] += 1
        starts = [first + index * width for index in range(bars)]
        closed = [WaitBar(it, it + width, n) for it, n in zip(starts, counts, strict=False)]
        beyond = counts[-1]
        return [*closed, WaitBar(first + bars * width, None, beyond)] if beyond else closed

    def _first_and_width(self, most: Fraction) -> tuple[int, int]:
        """Where bars begin and how wide they are: the least that needs no more than MOST_BARS."""
        least = min(self.values[0], Fraction())
        for width in chain(WIDTHS, count(2 * WIDTHS[-1], WIDTHS[-1])):
            first = int(least // width) * width
            if (most - first) // width < MOST_BARS:
                break
        return first, width


def spread(sums: Iterable[tuple[int, int]]) -> Spread | None:
    """The spread of a list's numerators and denominators; None where it divides nothing."""
    values = [Fraction(above, below) for above, below in sums for _ in range(below)]
    return Spread(tuple(sorted(values))) if values else None
