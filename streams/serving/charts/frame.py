"""The frame of a chart: from values to where they are drawn, and the ticks beside it."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, log10

# Of a decade, the steps that are easily counted in.
STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
# The part of a range that is left free above and below.
MARGIN = 0.12
# A scale begins at zero where what it shows lies no further from it than this many of its spans.
NEAR_ZERO = 0.75


@dataclass(frozen=True)
class Tick:
    """A value of a scale, where it is drawn, and what it says."""

    at: float
    text: str


@dataclass(frozen=True)
class Frame:
    """The size of a drawing in user units, and the room round what is drawn."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float

    @property
    def inner_right(self) -> float:
        """Where what is drawn ends on the right."""
        return self.width - self.right

    @property
    def inner_bottom(self) -> float:
        """Where what is drawn ends below."""
        return self.height - self.bottom


@dataclass(frozen=True)
class Scale:
    """From values to user units, straight."""

    least: float
    greatest: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Where a value is drawn."""
        share = (value - self.least) / (self.greatest - self.least)
        return round(self.start + share * (self.end - self.start), 1)

    def ticks(self, count: int, suffix: str = "", whole: bool = False) -> list[Tick]:
        """About so many round values within it; whole numbers alone if it is of whole ones."""
        step = _step((self.greatest - self.least) / count)
        step = max(step, 1.0) if whole else step
        first, last = ceil(self.least / step - 1e-9), floor(self.greatest / step + 1e-9)
        values = [number * step for number in range(first, last + 1)]
        decimals = next(it for it in range(9) if all(_has(it, value) for value in values))
        return [Tick(self(value), f"{value:,.{decimals}f}{suffix}") for value in values]


def vertical(values: Iterable[float], frame: Frame, most: float | None = None) -> Scale:
    """A scale from the bottom up that holds values, none of which is negative.

    It begins at zero where they come near it; and it ends at `most`, where they may not be more.
    """
    found = list(values)
    least, greatest = min(found, default=0.0), max(found, default=1.0)
    span = greatest - least or max(abs(greatest), 1.0)
    bottom = 0.0 if least <= NEAR_ZERO * span else least - MARGIN * span
    top = greatest + MARGIN * span
    if most is not None and greatest <= most:
        top = min(top, most)
    return Scale(bottom, max(top, bottom + 1e-9), frame.inner_bottom, frame.top)


def from_zero(values: Iterable[float], start: float, end: float) -> Scale:
    """A scale from zero to a round number at or over the greatest value."""
    greatest = max(values, default=0.0) or 1.0
    step = _step(greatest / 5)
    return Scale(0.0, ceil(greatest / step - 1e-9) * step, start, end)


def apart(places: list[float], least: float, lowest: float) -> list[float]:
    """Places for labels, in order, that lie at least so far apart, none lower than the lowest."""
    found: list[float] = []
    for place in places:
        found.append(max(place, found[-1] + least) if found else place)
    limit = lowest
    for index in range(len(found) - 1, -1, -1):
        found[index] = min(found[index], limit)
        limit = found[index] - least
    return found


def _has(decimals: int, value: float) -> bool:
    """Whether so many decimals say all of a value."""
    return abs(round(value, decimals) - value) < 1e-9 * max(1.0, abs(value))


def _step(rough: float) -> float:
    """The least easy step that is no smaller than a rough one."""
    decade = 10.0 ** floor(log10(rough))
    return next(decade * step for step in STEPS if decade * step >= rough * (1 - 1e-9))
