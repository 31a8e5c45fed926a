"""Statistical process control: which months differ by more than the usual ups and downs.

An XmR chart as NHS England's Making Data Count draws it: limits at the mean plus and minus 2.66
times the mean moving range (Wheeler, Understanding Variation, 1993), and four rules of special
cause. Everything is exact, so that a figure on a limit is never beyond it.

Choices that other tools make otherwise: every figure enters the limits, outliers too, as in Making
Data Count's own spreadsheet (its R package leaves out ranges over 3.267 times their mean). A figure
beyond a limit is also beyond two thirds of it. A trend is high or low by its own direction.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from math import lcm
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
    whole = _in_whole_numbers(values)
    if whole is None:
        yield from (JudgedMonth(month, None) for month in stretch)
        return
    limits = whole.limits
    found: list[dict[SpecialCause, Side]] = [{} for _ in values]
    for cause, index, points_to in _special_causes(whole):
        found[index].setdefault(cause, points_to)
    for month, value, causes in zip(stretch, values, found, strict=True):
        if value is None:
            yield JudgedMonth(month, limits)
            continue
        in_order = tuple(cause for cause in SpecialCause if cause in causes) if causes else ()
        side: Side = causes[in_order[0]] if in_order else 0
        yield JudgedMonth(month, limits, in_order, side, _variation(side, polarity))


class _WholeNumbers(NamedTuple):
    """A stretch's distances from its mean, and its limits', in a unit in which all are whole.

    Exact, and compared in a fraction of the time that fractions take.
    """

    values: list[int | None]
    mean: int
    reach: int
    unit: int
    months: int

    @property
    def limits(self) -> ControlLimits:
        """The limits, as fractions again."""
        mean, reach = Fraction(self.mean, self.unit), Fraction(self.reach, self.unit)
        return ControlLimits(mean, mean - reach, mean + reach, self.months)


def _in_whole_numbers(values: Sequence[Fraction | None]) -> _WholeNumbers | None:
    """A stretch's values; None where no two of them are side by side, so that it has no limits."""
    known = [value for value in values if value is not None]
    common = lcm(*(value.denominator for value in known))
    parts = [None if it is None else it.numerator * (common // it.denominator) for it in values]
    ranges = [
        abs(after - before)
        for before, after in pairwise(parts)
        if before is not None and after is not None
    ]
    if not ranges:
        return None
    finer = len(known) * len(ranges) * RANGES_TO_A_LIMIT.denominator
    mean = sum(it for it in parts if it is not None) * (finer // len(known))
    reach = sum(ranges) * len(known) * RANGES_TO_A_LIMIT.numerator
    distances = [None if it is None else it * finer - mean for it in parts]
    return _WholeNumbers(distances, mean, reach, common * finer, len(known))


def _special_causes(whole: _WholeNumbers) -> Iterator[tuple[SpecialCause, int, Side]]:
    """(rule, index of a month that meets it, high or low), in any order."""
    values, reach = whole.values, whole.reach
    sides = [None if value is None else _sign(value) for value in values]
    for index, value in enumerate(values):
        if value is not None and abs(value) > reach:
            yield SpecialCause.OUTSIDE, index, _sign(value)
    for first, last, side in _runs(sides, RUN):
        yield from ((SpecialCause.RUN, index, side) for index in range(first, last + 1))
    steps = [
        None if before is None or after is None else _sign(after - before)
        for before, after in pairwise(values)
    ]
    for first, last, way in _runs(steps, TREND_STEPS):
        yield from ((SpecialCause.TREND, index, way) for index in range(first, last + 2))
    near = [value is not None and 3 * abs(value) > 2 * reach for value in values]
    for first in range(len(values) - 2):
        on_one_side = sides[first]
        are_so = on_one_side and sides[first + 1] == on_one_side == sides[first + 2]
        found = [index for index in range(first, first + 3) if near[index]] if are_so else []
        if on_one_side and len(found) >= OF_THREE:
            yield from ((SpecialCause.NEAR_LIMIT, index, on_one_side) for index in found)


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


def _sign(number: int) -> Side:
    return 1 if number > 0 else -1 if number < 0 else 0
