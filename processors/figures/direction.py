"""Direction of travel: how a figure moved in a month (docs/indicators.md, Scorecard)."""

from fractions import Fraction as Exact
from typing import Any, Literal, NamedTuple, overload

from numpy.typing import NDArray

from schemas.schemes import DirectionScheme
from schemas.scorecard import Direction

Fraction = tuple[int, int]  # numerator, denominator; a denominator of 0 has no value
Columns = tuple[NDArray[Any], NDArray[Any]]  # the same of many
Polarity = Literal["H", "L", "T"]

# By the sign of what is named: 0, 1 and -1.
CHANGE: tuple[Direction, ...] = ("level", "up", "down")
IMPROVEMENT: tuple[Direction, ...] = ("same", "better", "worse")
# The sign of a change times this is the sign of an improvement. A polarity of T needs its target.
HIGHER_IS: dict[Polarity, int] = {"H": 1, "L": -1}


class Way(NamedTuple):
    """How directions are named: by the sign of the change, times `factor`.

    Without a factor, by whether a figure is nearer to its target than before.
    """

    names: tuple[Direction, ...]
    factor: int | None


def way_of(scheme: DirectionScheme, polarity: Polarity) -> Way:
    """How a scheme names the directions of a polarity."""
    return Way(CHANGE, 1) if scheme == "change" else Way(IMPROVEMENT, HIGHER_IS.get(polarity))


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
    names, factor = way_of(scheme, polarity)
    if factor is not None:
        return names[change(now, before) * factor]
    if target is None:
        return None
    nearer = abs(Exact(*before) - target) - abs(Exact(*now) - target)
    return names[(nearer > 0) - (nearer < 0)]


@overload
def change(now: Fraction, before: Fraction) -> int: ...
@overload
def change(now: Columns, before: Columns) -> NDArray[Any]: ...
def change(now: tuple[Any, Any], before: tuple[Any, Any]) -> Any:
    """The sign of how a fraction changed, or of how each of a column did."""
    difference = now[0] * before[1] - before[0] * now[1]
    return (difference > 0) * 1 - (difference < 0) * 1
