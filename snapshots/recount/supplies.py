"""What reference events say as of a date, by what it is said of (docs/events.md).

Of several events that say the same thing the latest counts, in order of (time, source, id); of
population estimates first the latest year that is not after the date's.
"""

from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from processors.record.decoding import Event, in_order
from schemas.catalogue import ALL_AGES, DeclaredTarget, Indicator, PopulationOf, WorkforceOf
from schemas.events.reference import SuppliedStatus
from schemas.places import PROVIDER, Place
from snapshots.recount.days import day_of, financial_year_of

# What something is said of: the type of event, and what of its data tells one from another.
Key = tuple[str, ...]
POPULATION, WORKFORCE, FIGURE = "population.published", "workforce.reported", "measure.supplied"
TARGET = "target.set"
# The ages that the whole of a scorecard is of, by either name.
EVERYONE = {ALL_AGES, "0-18"}


class SuppliedByOthers(NamedTuple):
    """A figure that others worked out: its status, and as much of it as they gave."""

    status: SuppliedStatus
    numerator: Fraction | None
    denominator: Fraction | None
    value: Fraction | None


Said = dict[Key, Fraction | SuppliedByOthers]


def said(reference: Iterable[Event], as_of: date) -> Said:
    """Populations, workforces and figures of others, each as it stands on a date."""
    latest: Said = {}
    events = in_order(it for it in reference if it.day <= day_of(as_of))
    for event in sorted(events, key=_year):
        if _year(event) <= as_of.year and event.type in {POPULATION, WORKFORCE, FIGURE}:
            key, value = _saying(event)
            latest[key] = value
    return latest


def keys_of(indicator: Indicator, place: Place, band: str, as_of: date) -> list[Key]:
    """What an indicator of a place rests on that others supply; the first that is there counts."""
    denominator = indicator.denominator
    if indicator.source == "supplied":
        return figure_keys(indicator, place, band, as_of)
    if denominator == "population":
        return [_population(place.name, band, "all")]
    if isinstance(denominator, PopulationOf):
        return [_population(place.name, denominator.ages, denominator.group)]
    if isinstance(denominator, WorkforceOf) and place.level.startswith(PROVIDER):
        provider, _, area = place.name.partition(" / ")
        return [(WORKFORCE, provider, area, service) for service in (denominator.fte, "")]
    return []


def figure_keys(indicator: Indicator, place: Place, band: str, as_of: date) -> list[Key]:
    """Under what a figure that others worked out is, the first that is there.

    It is for its period alone: the date's month, or else its year from April. When school terms
    begin and end is not defined, so that none is looked at.
    """
    year = str(financial_year_of(day_of(as_of)))
    return [(FIGURE, indicator.code, place.name, band, it) for it in (f"{as_of:%Y-%m}", year)]


class Goal(NamedTuple):
    """What a figure is rated against, and the furthest from it that is still Amber if that is set.

    Of a month if a target says so, else of the year.
    """

    aim: Fraction
    amber: Fraction | None


def goals_of(
    declared: Iterable[DeclaredTarget], reference: Iterable[Event], top: str, as_of: date
) -> dict[tuple[str, str], Goal]:
    """By code and area, the date's year's targets: the last set by the date, else as declared."""
    found: dict[tuple[str, str], Goal] = {}
    for it in declared:
        if it.year == as_of.year:
            aim = it.target if it.monthly is None else it.monthly
            found |= {(it.code, place): _goal(aim, it.amber) for place in it.places or (top,)}
    for event in in_order(it for it in reference if it.day <= day_of(as_of)):
        if event.type == TARGET and event.data["year"] == as_of.year:
            data = event.data
            found[data["code"], data.get("area") or top] = _goal(data["target"], data.get("amber"))
    return found


def _goal(aim: float, amber: float | None) -> Goal:
    return Goal(exact(aim), None if amber is None else exact(amber))


def exact(number: float) -> Fraction:
    """A number as it was written."""
    return Fraction(str(number))


def _saying(event: Event) -> tuple[Key, Fraction | SuppliedByOthers]:
    data = event.data
    if event.type == POPULATION:
        key = _population(data["area"], data["age_band"], data.get("group", "all"))
        return key, Fraction(data["count"])
    if event.type == WORKFORCE:
        key = (WORKFORCE, data["provider"], data.get("area", ""), data.get("service", ""))
        return key, exact(data["fte"])
    is_given = data["status"] == "supplied"
    numbers = (
        exact(data[name]) if is_given and name in data else None
        for name in ("numerator", "denominator", "value")
    )
    key = (FIGURE, data["code"], data["area"], data["age_band"], data["period"])
    return key, SuppliedByOthers(data["status"], *numbers)


def _population(place: str, ages: str, group: str) -> Key:
    return POPULATION, place, ALL_AGES if ages in EVERYONE else ages, group


def _year(event: Event) -> int:
    """The year of an estimate, which decides before its time does; the same for all else."""
    year: int = event.data["year"] if event.type == POPULATION else 0
    return year
