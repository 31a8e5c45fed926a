"""RAG rating (docs/indicators.md, Scorecard): against the target, or against the month before.

Scheme `target`: Green meets the target, and a value equal to it does; Amber misses it by no more
than is tolerated; all else is Red. What is tolerated is the amber value set with the target, or
else the indicator's own tolerance, or else a share of the target. Targets are by indicator, area
and year; one for the month counts before that of the year.

Scheme `previous`: Green is better than the month before, Red worse, and Amber worse by no more
than the indicator's tolerance, or else a share of the month before. The same value is not better,
and within any tolerance: Amber.

Ratings are of all ages together, and of exact values.
"""

from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from typing import Any, NamedTuple, overload

from numpy.typing import NDArray

from processors.days.calendar import date_of, day_number
from processors.figures.direction import HIGHER_IS
from processors.figures.supplies import exact
from processors.record.decoding import Event, in_order
from schemas.areas import Areas
from schemas.catalogue import DeclaredTarget, Indicator
from schemas.scorecard import Rag

TARGET_SET = "target.set"


class YearTarget(NamedTuple):
    """A year's target, the furthest value from it that is still Amber, and the month's target."""

    value: float
    amber: float | None
    monthly: float | None = None

    @property
    def aim(self) -> float:
        """What a figure is rated against: the month's target, or else the year's."""
        return self.value if self.monthly is None else self.monthly


# Targets by code, area and year.
Goals = dict[tuple[str, str, int], YearTarget]


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


def goals(
    events: Iterable[Event],
    areas: Areas,
    as_of: date,
    declared: Iterable[DeclaredTarget] = (),
) -> Goals:
    """The targets of all years: those declared, and in their place those set by a date.

    One without an area is the whole authority's. Of several that were set, the one set last counts,
    in order of (time, source, id).
    """
    last = day_number(as_of)
    known = in_order(it for it in events if it.type == TARGET_SET and it.day <= last)
    found = {
        (it.code, place, it.year): YearTarget(it.target, it.amber, it.monthly)
        for it in declared
        for place in it.at(areas.top)
    }
    was_set = {
        (event.data["code"], event.data.get("area", areas.top), event.data["year"]): YearTarget(
            event.data["target"], event.data.get("amber")
        )
        for event in known
    }
    return found | was_set


def targets(
    events: Iterable[Event],
    areas: Areas,
    as_of: date,
    declared: Iterable[DeclaredTarget] = (),
) -> dict[tuple[str, str], YearTarget]:
    """The targets of the as-of date's year by (code, area)."""
    of_year = [it for it in declared if it.year == as_of.year]
    return {
        (code, area): target
        for (code, area, year), target in goals(events, areas, as_of, of_year).items()
        if year == as_of.year
    }


Column = NDArray[Any]
Columns = tuple[Column, Column]
# By the grade that figures come to.
RAGS: tuple[Rag, ...] = ("Red", "Amber", "Green")


class Tolerated(NamedTuple):
    """How far from what it is rated against a value may be and still be Amber, in whole numbers.

    `amount` and `share` of what it is rated against, both in parts of one `whole`.
    """

    amount: int
    share: int
    whole: int


def tolerance(indicator: Indicator, share: float) -> Tolerated:
    """What is tolerated of an indicator: its own, or else a share."""
    if indicator.amber is None:
        found = exact(share)
        return Tolerated(0, found.numerator, found.denominator)
    found = exact(indicator.amber)
    return Tolerated(found.numerator, 0, found.denominator)


def rating(
    indicator: Indicator, value: Fraction | None, target: YearTarget, share: float = 0.0
) -> Rag | None:
    """The rating against a target; None without a value, or for polarity T.

    There is none for T, of which neither more nor less is better.
    """
    if value is None or indicator.polarity not in HIGHER_IS:
        return None
    sign, aim = HIGHER_IS[indicator.polarity], exact(target.aim)
    if target.amber is not None:
        limit = exact(target.amber)
    else:
        amount, part, whole = tolerance(indicator, share)
        limit = aim - sign * (amount + part * abs(aim)) / whole
    if sign * (value - aim) >= 0:
        return "Green"
    return "Amber" if sign * (value - limit) >= 0 else "Red"


def rating_since(
    indicator: Indicator, value: Fraction | None, previous: Fraction | None, share: float = 0.0
) -> Rag | None:
    """The rating against the month before; None without either value, or for polarity T."""
    if value is None or previous is None or indicator.polarity not in HIGHER_IS:
        return None
    now, before = value.as_integer_ratio(), previous.as_integer_ratio()
    sign = HIGHER_IS[indicator.polarity]
    return RAGS[grade_since(sign, now, before, tolerance(indicator, share))]


@overload
def grade_since(
    sign: int, now: tuple[int, int], before: tuple[int, int], tolerated: Tolerated
) -> int: ...
@overload
def grade_since(
    sign: Column, now: Columns, before: Columns, tolerated: tuple[Column, Column, Column]
) -> Column: ...
def grade_since(
    sign: Any,
    now: tuple[Any, Any],
    before: tuple[Any, Any],
    tolerated: tuple[Any, Any, Any],
) -> Any:
    """The grade of a fraction since another, or of each of a column; lower numbers are positive.

    `sign` is 1 where more is better and -1 where less is.
    """
    amount, share, whole = tolerated
    better_by = sign * (now[0] * before[1] - before[0] * now[1])
    allowed = (amount * before[1] + share * abs(before[0])) * now[1]
    return (better_by > 0) * 1 + (-better_by * whole <= allowed) * 1
