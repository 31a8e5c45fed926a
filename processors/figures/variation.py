"""Statistical process control: which months differ by more than the usual ups and downs.

An XmR chart as NHS England's Making Data Count draws it: limits at the mean plus and minus 2.66
times the mean moving range (Wheeler, Understanding Variation, 1993), and four rules of special
cause. Everything is exact, so that a figure on a limit is never beyond it.

Choices that other tools make otherwise: every figure enters the limits, outliers too, as in Making
Data Count's own spreadsheet (its R package leaves out ranges over 3.267 times their mean). A figure
beyond a limit is also beyond two thirds of it. A trend is high or low by its own direction.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from typing import Literal, NamedTuple

from processors.figures.direction import HIGHER_IS, Polarity

# 3 / 1.128: three standard deviations, of which a moving range of two is 1.128 on average.
RANGES_TO_A_LIMIT = Fraction("2.66")
# Fewer figures make limits that may yet move.
FIRM_AT = 12
RUN = 7
TREND_STEPS = 6
OF_THREE = 2
Side = Literal[-1, 0, 1]


class SpecialCause(StrEnum):
    """A rule that a figure meets, which chance alone would seldom bring about."""

    OUTSIDE = "outside the limits"
    RUN = "7 in a row on one side of the mean"
    TREND = "7 in a row going one way"
    NEAR_LIMIT = "2 of 3 near a limit"


class Variation(StrEnum):
    """What a figure's variation says, of an indicator whose polarity is known."""

    COMMON = "common cause"
    IMPROVEMENT = "improvement"
    CONCERN = "concern"
    NEITHER = "neither"


class Assurance(StrEnum):
    """Whether a target will be met if nothing changes."""

    PASSES = "consistently passes"
    FAILS = "consistently fails"
    HIT_OR_MISS = "hit or miss"


VARIATION_WORDS = {
    Variation.COMMON: "common cause, no more than the usual ups and downs",
    Variation.IMPROVEMENT: "improvement, better than the usual ups and downs explain",
    Variation.CONCERN: "concern, worse than the usual ups and downs explain",
    Variation.NEITHER: "neither better nor worse, but more than the usual ups and downs",
}
ASSURANCE_WORDS = {
    Assurance.PASSES: "all of the usual range meets it",
    Assurance.FAILS: "none of the usual range meets it",
    Assurance.HIT_OR_MISS: "it lies in the usual range, so that chance decides each month",
}


class Observed(NamedTuple):
    """A month's exact value: None for no value.

    One that is not complete enters no limit and meets no rule. With `breaks` it is defined
    otherwise than the month before.
    """

    value: Fraction | None
    is_complete: bool = True
    breaks: bool = False


@dataclass(frozen=True)
class ControlLimits:
    """The mean of some months, and how far chance alone takes a month from it."""

    mean: Fraction
    lower: Fraction
    upper: Fraction
    months: int

    @property
    def is_trial(self) -> bool:
        """Whether they rest on so few months that they may yet move."""
        return self.months < FIRM_AT

    def side(self, value: Fraction) -> Side:
        """Above the mean, below it, or on it."""
        return _sign(value - self.mean)

    def is_outside(self, value: Fraction) -> bool:
        """Whether a value is beyond either limit."""
        return not self.lower <= value <= self.upper

    def is_near(self, value: Fraction) -> bool:
        """Whether a value is beyond two thirds of either limit."""
        return 3 * abs(value - self.mean) > 2 * (self.upper - self.mean)


@dataclass(frozen=True)
class JudgedMonth:
    """A month with the limits of its stretch, and the rules that it meets.

    `side` is where a special cause points: 1 for high, -1 for low. There are no limits where a
    stretch has fewer than two complete months side by side, and without limits no variation; nor
    has a month that is not complete.
    """

    observed: Observed
    limits: ControlLimits | None
    causes: tuple[SpecialCause, ...] = ()
    side: Side = 0
    variation: Variation | None = None


def judged(months: Sequence[Observed], polarity: Polarity) -> list[JudgedMonth]:
    """Every month with its limits and the rules that it meets.

    A break begins new limits, and nothing else does. A month without a value, or one that is not
    complete, interrupts: no moving range, run or trend goes across it.
    """
    return [it for stretch in _stretches(months) for it in _judged(stretch, polarity)]


def latest(months: Sequence[JudgedMonth]) -> JudgedMonth | None:
    """The last complete month that has a value, since the last break; None if there is none."""
    for month in reversed(months):
        if month.observed.is_complete and month.observed.value is not None:
            return month
        if month.observed.breaks:
            return None
    return None


def assurance(
    limits: ControlLimits | None, target: Fraction | None, polarity: Polarity
) -> Assurance | None:
    """Where a target lies to the limits; None without either, or for polarity T."""
    if limits is None or target is None or polarity not in HIGHER_IS:
        return None
    if limits.lower <= target <= limits.upper:
        return Assurance.HIT_OR_MISS
    is_above = limits.mean > target
    return Assurance.PASSES if is_above == (HIGHER_IS[polarity] > 0) else Assurance.FAILS


def _stretches(months: Sequence[Observed]) -> Iterator[Sequence[Observed]]:
    """The months from each break until the next."""
    starts = [index for index, month in enumerate(months) if index == 0 or month.breaks]
    for start, end in pairwise([*starts, len(months)]):
        yield months[start:end]


def _judged(stretch: Sequence[Observed], polarity: Polarity) -> Iterator[JudgedMonth]:
    values = [month.value if month.is_complete else None for month in stretch]
    limits = _limits(values)
    if limits is None:
        yield from (JudgedMonth(month, None) for month in stretch)
        return
    found: list[dict[SpecialCause, Side]] = [{} for _ in values]
    for cause, index, points_to in _special_causes(values, limits):
        found[index].setdefault(cause, points_to)
    for month, value, causes in zip(stretch, values, found, strict=True):
        if value is None:
            yield JudgedMonth(month, limits)
            continue
        in_order = tuple(cause for cause in SpecialCause if cause in causes)
        side: Side = causes[in_order[0]] if in_order else 0
        yield JudgedMonth(month, limits, in_order, side, _variation(side, polarity))


def _limits(values: Iterable[Fraction | None]) -> ControlLimits | None:
    """The limits of a stretch; None where no two of its values are side by side."""
    values = list(values)
    known = [value for value in values if value is not None]
    ranges = [
        abs(after - before)
        for before, after in pairwise(values)
        if before is not None and after is not None
    ]
    if not ranges:
        return None
    mean = sum(known, Fraction()) / len(known)
    reach = RANGES_TO_A_LIMIT * sum(ranges, Fraction()) / len(ranges)
    return ControlLimits(mean, mean - reach, mean + reach, len(known))


def _special_causes(
    values: Sequence[Fraction | None], limits: ControlLimits
) -> Iterator[tuple[SpecialCause, int, Side]]:
    """(rule, index of a month that meets it, high or low), in any order."""
    sides = [None if value is None else limits.side(value) for value in values]
    for index, value in enumerate(values):
        if value is not None and limits.is_outside(value):
            yield SpecialCause.OUTSIDE, index, limits.side(value)
    for first, last, side in _runs(sides, RUN):
        yield from ((SpecialCause.RUN, index, side) for index in range(first, last + 1))
    steps = [
        None if before is None or after is None else _sign(after - before)
        for before, after in pairwise(values)
    ]
    for first, last, way in _runs(steps, TREND_STEPS):
        yield from ((SpecialCause.TREND, index, way) for index in range(first, last + 2))
    for first in range(len(values) - 2):
        three = range(first, first + 3)
        on_one_side = sides[first]
        if on_one_side and all(sides[index] == on_one_side for index in three):
            near = [it for it in three if _is_near(values[it], limits)]
            if len(near) >= OF_THREE:
                yield from ((SpecialCause.NEAR_LIMIT, index, on_one_side) for index in near)


def _is_near(value: Fraction | None, limits: ControlLimits) -> bool:
    return value is not None and limits.is_near(value)


def _runs(signs: Sequence[Side | None], least: int) -> Iterator[tuple[int, int, Side]]:
    """(first, last, sign) of each run of at least so many of one sign, neither 0 nor None."""
    first = 0
    for index, sign in enumerate(signs):
        if sign != signs[first]:
            first = index
        is_last = index + 1 == len(signs) or signs[index + 1] != sign
        if sign and is_last and index + 1 - first >= least:
            yield first, index, sign


def _variation(side: Side, polarity: Polarity) -> Variation:
    if not side:
        return Variation.COMMON
    if polarity not in HIGHER_IS:
        return Variation.NEITHER
    return Variation.IMPROVEMENT if side == HIGHER_IS[polarity] else Variation.CONCERN


def _sign(number: Fraction) -> Side:
    return 1 if number > 0 else -1 if number < 0 else 0
