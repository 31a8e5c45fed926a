"""RAG rating (docs/indicators.md, Scorecard): against the target, or against the month before.

Scheme `target`: Green meets the target, and a value equal to it does; Amber misses it by no more
than is tolerated; all else is Red. What is tolerated is the amber value set with the target, or
else the indicator's own tolerance. Targets are by indicator, area and year.

Scheme `previous`: Green is better than the month before, Red worse, and Amber worse by no more
than the indicator's tolerance. The same value is not better, and within any tolerance: Amber.

Ratings are of all ages together, and of exact values.
"""

from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from processors.days.calendar import date_of, day_number
from processors.figures.direction import HIGHER_IS
from processors.figures.supplies import exact
from processors.record.decoding import Event, in_order
from schemas.areas import Areas
from schemas.catalogue import Indicator
from schemas.release import Rag

TARGET_SET = "target.set"


class Target(NamedTuple):
    """A target, and the furthest value from it that is still Amber, if one was set."""

    value: float
    amber: float | None


class LaterTarget(NamedTuple):
    """A target of the as-of date's year that was set after that date, so that it does not count."""

    code: str
    area: str
    value: float
    on: date


def later_targets(events: Iterable[Event], areas: Areas, as_of: date) -> list[LaterTarget]:
    """The targets of the as-of date's year that are dated after it, by code and area."""
    return sorted(
        LaterTarget(
            event.data["code"],
            event.data.get("area", areas.top),
            event.data["target"],
            date_of(event.day),
        )
        for event in events
        if event.type == TARGET_SET
        and event.day > day_number(as_of)
        and event.data["year"] == as_of.year
    )


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
        for event in in_order(known)
    }


def rating(indicator: Indicator, value: Fraction | None, target: Target) -> Rag | None:
    """The rating against a target; None without a value, or for polarity T.

    There is none for T, of which neither more nor less is better.
    """
    if value is None or indicator.polarity not in HIGHER_IS:
        return None
    sign = HIGHER_IS[indicator.polarity]
    goal = exact(target.value)
    if target.amber is not None:
        limit = exact(target.amber)
    else:
        limit = goal - sign * exact(indicator.amber or 0)
    if sign * (value - goal) >= 0:
        return "Green"
    return "Amber" if sign * (value - limit) >= 0 else "Red"


def rating_since(
    indicator: Indicator, value: Fraction | None, previous: Fraction | None
) -> Rag | None:
    """The rating against the month before; None without either value, or for polarity T."""
    if value is None or previous is None or indicator.polarity not in HIGHER_IS:
        return None
    better_by = HIGHER_IS[indicator.polarity] * (value - previous)
    if better_by > 0:
        return "Green"
    return "Amber" if -better_by <= exact(indicator.amber or 0) else "Red"
