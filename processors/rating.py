"""RAG rating against targets (Indicators, Scorecard, scheme `target`).

Green meets the target, and a value equal to it does; Amber misses it by no more than the amber
value set with it; all else is Red. Targets are of all ages together, by indicator, area and year.
"""

from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from processors.calendar import day_number
from processors.decoding import Event
from schemas.areas import Areas
from schemas.catalogue import Indicator
from schemas.release import Rag

TARGET_SET = "target.set"
# What a value's distance from a bound is multiplied by, so that 0 or more meets it. There is no
# rating for T, of which neither more nor less is better.
MEETS = {"H": 1, "L": -1}


class Target(NamedTuple):
    """A target, and the furthest value from it that is still Amber, if one was set."""

    value: float
    amber: float | None


def targets(events: Iterable[Event], areas: Areas, as_of: date) -> dict[tuple[str, str], Target]:
    """The targets of the as-of date's year by (code, area), of those set by that date.

    One without an area is the whole authority's. Of several, the one set last counts, in order of
    (time, source, id).
    """
    known = [
        event
        for event in events
        if event.type == TARGET_SET
        and event.day <= day_number(as_of)
        and event.data["year"] == as_of.year
    ]
    return {
        (event.data["code"], event.data.get("area", areas.top)): Target(
            event.data["target"], event.data.get("amber")
        )
        for event in sorted(known, key=lambda event: (event.instant, event.source, event.id))
    }


def rating(indicator: Indicator, numerator: int, denominator: int, target: Target) -> Rag | None:
    """The rating of a figure from its exact value; None without a value, or for polarity T."""
    sign = MEETS.get(indicator.polarity)
    if sign is None or not denominator:
        return None
    value = Fraction(indicator.scale * numerator, denominator)
    if sign * (value - exact(target.value)) >= 0:
        return "Green"
    if target.amber is not None and sign * (value - exact(target.amber)) >= 0:
        return "Amber"
    return "Red"


def exact(number: float) -> Fraction:
    """The number as it was written: 80.1 is 801/10, not the nearest binary fraction."""
    return Fraction(repr(number))
