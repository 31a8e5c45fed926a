"""Funnel limits: how far a place's proportion lies from the whole's by chance alone.

Spiegelhalter, Funnel plots for comparing institutional performance, Statistics in Medicine 24
(2005), 1185-1202: exact limits from the binomial distribution of a place with so many cases, if it
were like the whole. They are not smoothed between whole numbers, which at small denominators would
put a figure beyond limits that chance alone passes often: a figure is beyond a limit exactly where
so many, or more, are less likely than the limit says.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr

# Half of what lies outside two-sided limits of 95 % and of 99.8 %.
TAIL_95 = 0.025
TAIL_998 = 0.001


class FunnelVerdict(StrEnum):
    """Where a place lies to the limits round the whole's proportion."""

    FAR_ABOVE = "far above the whole: above the 99.8% limit"
    ABOVE = "above the 95% limit"
    WITHIN = "no different from the whole but by chance"
    BELOW = "below the 95% limit"
    FAR_BELOW = "far below the whole: below the 99.8% limit"
    NOT_JUDGED = "not judged: no cases"


class FunnelLimits(NamedTuple):
    """The least and the greatest numerators of a denominator that are within the limits."""

    denominator: int
    lower_998: int
    lower_95: int
    upper_95: int
    upper_998: int


class PlaceShare(NamedTuple):
    """A place's numerator and denominator: so many of so many."""

    place: str
    numerator: int
    denominator: int


class NotAProportionError(ValueError):
    """More are counted than they are counted of, so that no binomial limits hold."""


def funnel_limits(whole: Fraction, denominators: Iterable[int]) -> list[FunnelLimits]:
    """The limits of each denominator of at least 1, round a proportion from 0 to 1.

    Raises NotAProportionError.
    """
    if not 0 <= whole <= 1:
        raise NotAProportionError(f"{whole} is no proportion: it lies outside 0 to 1")
    sizes = np.array(list(denominators), dtype=np.int64)
    share = float(whole)
    bounds = [
        _least(tail, sizes, share).tolist()
        for tail in (TAIL_998, TAIL_95, 1 - TAIL_95, 1 - TAIL_998)
    ]
    return [FunnelLimits(*it) for it in zip(sizes.tolist(), *bounds, strict=True)]


def funnel_verdicts(whole: Fraction, places: Sequence[PlaceShare]) -> list[FunnelVerdict]:
    """Each place's verdict, in their order. Raises NotAProportionError."""
    for place in places:
        if not 0 <= place.numerator <= place.denominator:
            raise NotAProportionError(
                f"{place.place}: {place.numerator} of {place.denominator} is no proportion"
            )
    sizes = sorted({place.denominator for place in places} - {0})
    by_size = {it.denominator: it for it in funnel_limits(whole, sizes)}
    return [
        _verdict(place.numerator, by_size[place.denominator])
        if place.denominator
        else FunnelVerdict.NOT_JUDGED
        for place in places
    ]


def _least(tail: float, sizes: NDArray[np.int64], share: float) -> NDArray[np.int64]:
    """Of each size the least count so that so many, or fewer, are at least as likely as `tail`."""
    low, high = np.zeros_like(sizes), sizes.copy()
    while (low < high).any():
        middle = (low + high) // 2
        is_enough = bdtr(middle, sizes, share) >= tail
        low, high = np.where(is_enough, low, middle + 1), np.where(is_enough, middle, high)
    return low


def _verdict(numerator: int, limits: FunnelLimits) -> FunnelVerdict:
    if numerator > limits.upper_998:
        return FunnelVerdict.FAR_ABOVE
    if numerator > limits.upper_95:
        return FunnelVerdict.ABOVE
    if numerator < limits.lower_998:
        return FunnelVerdict.FAR_BELOW
    return FunnelVerdict.BELOW if numerator < limits.lower_95 else FunnelVerdict.WITHIN
