"""A period's cells from sums that were counted case by case: the independent evaluation.

What processors.figures (evaluate, population, rating) says of the tables, this says of the sums,
in its own way (Indicators, Scorecard).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from math import floor
from typing import NamedTuple

from processors.record.decoding import Event
from schemas.areas import Area, Areas
from schemas.catalogue import AGE_BANDS, ALL_AGES, Catalogue, Indicator
from schemas.release import Rag, ReleaseCell
from schemas.scorecard import Direction, Status
from snapshots.recount.days import day_of
from snapshots.recount.definitions import Share

Sums = Mapping[Share, int]
Supplied = dict[tuple[str, str], float]
BANDS = (ALL_AGES, *AGE_BANDS)
DIRECTIONS: dict[str, tuple[Direction, Direction, Direction]] = {
    "change": ("down", "level", "up"),
    "improvement": ("worse", "same", "better"),
}


class Figure(NamedTuple):
    """A numerator and denominator with the value they make; None for no value."""

    numerator: int
    denominator: int
    value: Fraction | None


class Recount:
    """The cells of two dates' sums and of the reference events."""

    def __init__(self, catalogue: Catalogue, areas: Areas, reference: Sequence[Event]) -> None:
        self._catalogue, self._areas, self._reference = catalogue, areas, reference

    def cells(self, as_of: date, before: date, sums: tuple[Sums, Sums]) -> list[ReleaseCell]:
        """Every cell as of a date, with that of the month before, in a scorecard's order."""
        now, earlier = (
            _Date(rolled_up(self._areas, each), populations(self._reference, day))
            for each, day in zip(sums, (as_of, before), strict=True)
        )
        goals = goals_of(self._reference, self._areas.top, as_of)
        return [
            self._cell(indicator, area, band, (now, earlier), goals)
            for indicator in self._catalogue.indicator
            for area in self._areas.area
            for band in BANDS
        ]

    def _cell(
        self,
        indicator: Indicator,
        area: Area,
        band: str,
        dates: tuple["_Date", "_Date"],
        goals: dict[tuple[str, str], Event],
    ) -> ReleaseCell:
        figure, earlier = (each.figure(indicator, area.name, band) for each in dates)
        goal = goals.get((indicator.code, area.name)) if band == ALL_AGES else None
        return ReleaseCell(
            code=indicator.code,
            area=area.name,
            age_band=band,
            numerator=figure.numerator,
            denominator=figure.denominator,
            value=_printed(indicator, figure.value),
            status=_status(indicator, area, figure.denominator),
            previous=_printed(indicator, earlier.value),
            direction=self._direction(indicator, figure.value, earlier.value),
            target=goal.data["target"] if goal else None,
            rag=self._rag(indicator, figure, earlier, goal) if band == ALL_AGES else None,
        )

    def _rag(
        self, indicator: Indicator, figure: Figure, earlier: Figure, goal: Event | None
    ) -> Rag | None:
        """Green from one bound on, Amber from another; T has none that is better."""
        slack = Fraction(str(indicator.amber or 0))
        if indicator.polarity == "T" or figure.value is None:
            return None
        if self._catalogue.rag == "previous":
            if earlier.value is None:
                return None
            improved = figure.value != earlier.value
            return _bounded(indicator, figure.value, earlier.value, slack) if improved else "Amber"
        if goal is None:
            return None
        aim = Fraction(str(goal.data["target"]))
        if goal.data.get("amber") is not None:
            slack = aim - Fraction(str(goal.data["amber"]))
            slack = -slack if indicator.polarity == "L" else slack
        return _bounded(indicator, figure.value, aim, slack)

    def _direction(
        self, indicator: Indicator, now: Fraction | None, before: Fraction | None
    ) -> Direction | None:
        scheme = self._catalogue.direction
        if now is None or before is None:
            return None
        if scheme == "improvement":
            if indicator.polarity == "T":
                return None
            if indicator.polarity == "L":
                now, before = -now, -before
        return DIRECTIONS[scheme][1 + (now > before) - (now < before)]


class _Date:
    """One date's sums by slot, area and band, and its populations."""

    def __init__(self, sums: Sums, population: dict[tuple[str, str], int]) -> None:
        self._sums, self._population = sums, population

    def figure(self, indicator: Indicator, area: str, band: str) -> Figure:
        """An indicator's figure; a count is its own denominator."""
        numerator = self._sum(indicator.numerator, area, band)
        if indicator.denominator is None:
            return Figure(numerator, numerator, Fraction(numerator))
        if indicator.denominator == "population":
            denominator = self._population.get((area, band), 0)
        else:
            denominator = self._sum(indicator.denominator, area, band)
        value = Fraction(indicator.scale * numerator, denominator) if denominator else None
        return Figure(numerator, denominator, value)

    def _sum(self, terms: Mapping[str, int], area: str, band: str) -> int:
        return sum(times * self._sums.get(Share(it, area, band), 0) for it, times in terms.items())


def rolled_up(areas: Areas, sums: Sums) -> Sums:
    """The sums of leaves in every area and in all ages too; without a leaf, in the top alone."""
    parents = {area.name: area.parent for area in areas.area}
    total: Counter[Share] = Counter()
    for share, amount in sums.items():
        area: str | None = share.leaf or areas.top
        while area is not None:
            for band in (ALL_AGES, share.band):
                total[Share(share.slot, area, band)] += amount
            area = parents[area]
    return total


def populations(reference: Iterable[Event], as_of: date) -> dict[tuple[str, str], int]:
    """By area and band, the latest estimate for a year not after that of the date."""
    latest: dict[tuple[str, str], Event] = {}
    for event in _by(reference, "population.published", as_of):
        data = event.data
        key = data["area"], data["age_band"]
        if data["year"] <= as_of.year and _stands_after(event, latest.get(key)):
            latest[key] = event
    return {key: event.data["count"] for key, event in latest.items()}


def _stands_after(event: Event, other: Event | None) -> bool:
    def rank(it: Event) -> tuple[int, int, str, str, int]:
        return it.data["year"], it.instant, it.source, it.id, it.data["count"]

    return other is None or rank(event) > rank(other)


def goals_of(reference: Iterable[Event], top: str, as_of: date) -> dict[tuple[str, str], Event]:
    """By code and area, the `target.set` that was last by the date, for the date's year."""
    events = _by(reference, "target.set", as_of)
    in_order = sorted(events, key=lambda event: (event.instant, event.source, event.id))
    return {
        (event.data["code"], event.data.get("area") or top): event
        for event in in_order
        if event.data["year"] == as_of.year
    }


def _by(reference: Iterable[Event], kind: str, as_of: date) -> list[Event]:
    return [event for event in reference if event.type == kind and event.day <= day_of(as_of)]


def _printed(indicator: Indicator, value: Fraction | None) -> int | float | None:
    """The value as it is shown: a count whole, any other to one decimal, half up."""
    if value is None:
        return None
    if indicator.denominator is None:
        return int(value)
    return floor(value * 10 + Fraction(1, 2)) / 10


def _status(indicator: Indicator, area: Area, denominator: int) -> Status:
    if area.level not in indicator.levels:
        return "not-at-this-level"
    if indicator.denominator is not None and denominator == 0:
        return "not-available" if indicator.denominator == "population" else "no-cases"
    return "reported"


def _bounded(indicator: Indicator, value: Fraction, aim: Fraction, slack: Fraction) -> Rag:
    if indicator.polarity == "L":
        value, aim = -value, -aim
    if value >= aim:
        return "Green"
    return "Amber" if value >= aim - slack else "Red"
