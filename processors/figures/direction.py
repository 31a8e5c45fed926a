"""Direction of travel: how a figure moved in a month (docs/indicators.md, Scorecard)."""

from fractions import Fraction as Exact
from typing import Literal

from schemas.schemes import DirectionScheme
from schemas.scorecard import Direction

Fraction = tuple[int, int]  # numerator, denominator; a denominator of 0 has no value
Polarity = Literal["H", "L", "T"]

CHANGE: dict[int, Direction] = {1: "up", -1: "down", 0: "level"}
IMPROVEMENT: dict[int, Direction] = {1: "better", -1: "worse", 0: "same"}
# The sign of a change times this is the sign of an improvement. A polarity of T needs its target.
HIGHER_IS: dict[Polarity, int] = {"H": 1, "L": -1}


def direction_of_travel(
    now: Fraction,
    before: Fraction,
    scheme: DirectionScheme,
    polarity: Polarity,
    target: Exact | None = None,
) -> Direction | None:
    """The direction from exact fractions; None where either has no value, or T has no target.

    Of polarity T the nearer to the target is the better, on either side of it.
    """
    if not now[1] or not before[1]:
        return None
    difference = now[0] * before[1] - before[0] * now[1]
    sign = (difference > 0) - (difference < 0)
    if scheme == "change":
        return CHANGE[sign]
    if polarity in HIGHER_IS:
        return IMPROVEMENT[sign * HIGHER_IS[polarity]]
    if target is None:
        return None
    nearer = abs(Exact(*before) - target) - abs(Exact(*now) - target)
    return IMPROVEMENT[(nearer > 0) - (nearer < 0)]
