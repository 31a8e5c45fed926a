"""How many more, or fewer, would meet a target: exact, and by the rule that ratings go by."""

from fractions import Fraction
from math import ceil
from typing import NamedTuple

from processors.figures.direction import HIGHER_IS
from processors.figures.evaluate import Exact, Figure
from schemas.catalogue import Indicator


class Needed(NamedTuple):
    """The least change of a numerator that meets a target, its denominator as it is.

    0 where the target is met, positive for more, negative for fewer. It is out of reach where not
    even all of the denominator, or none, would do.
    """

    change: int
    is_in_reach: bool


def needed(indicator: Indicator, figure: Figure, target: Fraction) -> Needed | None:
    """What would meet a target; None without a value, for polarity T, or of a value alone."""
    above, below = figure.numerator, figure.denominator
    if not figure.value[1] or above is None or indicator.polarity not in HIGHER_IS:
        return None
    aim = target if indicator.unit == "count" else _of(below, target, indicator.scale)
    if aim is None:
        return None
    sign = HIGHER_IS[indicator.polarity]
    change = sign * max(0, ceil(sign * (aim - above)))
    return Needed(change, _is_possible(indicator, above + change, below))


def _of(below: Exact | None, target: Fraction, scale: int) -> Fraction | None:
    """The numerator at which a figure is just the target."""
    return Fraction(below) * target / scale if below else None


def _is_possible(indicator: Indicator, above: Exact, below: Exact | None) -> bool:
    is_of_all = indicator.unit == "percent" and below is not None
    return above >= 0 and not (is_of_all and below is not None and above > below)
