"""A period's cells from sums that were counted one by one: the independent evaluation.

What processors.figures (evaluate, rating) says of the tables, this says of the sums, in its own way
(docs/indicators.md, Scorecard).
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from fractions import Fraction
from typing import Any, NamedTuple

from processors.record.decoding import Event
from schemas.areas import Areas
from schemas.catalogue import AGE_BANDS, ALL_AGES, Catalogue, Indicator
from schemas.places import Place
from schemas.release import Rag, ReleaseCell
from schemas.scorecard import Direction, ScorecardRow
from snapshots.recount.figures import Figure, Figures, Sums, number, printed
from snapshots.recount.places import Whereabouts
from snapshots.recount.supplies import exact, goals_of, said

BANDS = (ALL_AGES, *AGE_BANDS)
DIRECTIONS: dict[str, tuple[Direction, Direction, Direction]] = {
    "change": ("down", "level", "up"),
    "improvement": ("worse", "same", "better"),
}


class _Cell(NamedTuple):
    """An indicator's figure in a place and band, and that of the month before."""

    indicator: Indicator
    place: Place
    band: str
    now: Figure
    before: Figure


class Recount:
    """The cells of two dates' sums and of the reference events."""

    def __init__(
        self,
        catalogue: Catalogue,
        areas: Areas,
        where: Whereabouts,
        dates: tuple[date, date],
        sums: tuple[Sums, Sums],
        reference: Sequence[Event],
    ) -> None:
        self._catalogue, self._areas = catalogue, areas
        self._now, self._before = (
            Figures(where, day, each, said(reference, day))
            for day, each in zip(dates, sums, strict=True)
        )
        known = where.known
        met = self._now.places | self._before.places
        self._places = [*known, *sorted(met.difference(known))]
        self._goals = goals_of(reference, areas.top, dates[0])

    def scorecard(self) -> list[ScorecardRow]:
        """Every indicator's rows in every place, as a live scorecard of all levels has them."""
        return [self._row(cell) for cell in self._cells(lambda _: True, self._places)]

    def cells(self) -> list[ReleaseCell]:
        """The cells of a release: the indicators that are released, in the areas."""
        areas = [place for place in self._places if place.level in self._areas.levels]
        return [self._released(cell) for cell in self._cells(lambda it: it.released, areas)]

    def _cells(
        self, is_wanted: Callable[[Indicator], bool], places: Sequence[Place]
    ) -> Iterator[_Cell]:
        for indicator in filter(is_wanted, self._catalogue.indicator):
            if not any(place.level in indicator.levels for place in places):
                continue
            bands = (ALL_AGES,) if indicator.bands == "none" else BANDS
            for place in places:
                for band in bands:
                    asked = indicator, place, band
                    now, before = self._now.figure(*asked), self._before.figure(*asked)
                    yield _Cell(*asked, now, before)

    def _row(self, cell: _Cell) -> ScorecardRow:
        title, level = cell.indicator.title, cell.place.level
        return ScorecardRow(**self._shown(cell), title=title, level=level)

    def _released(self, cell: _Cell) -> ReleaseCell:
        goal, rag = None, None
        if cell.band == ALL_AGES:
            goal = self._goals.get((cell.indicator.code, cell.place.name))
            rag = self._rag(cell, goal)
        target = goal.data["target"] if goal else None
        return ReleaseCell(**self._shown(cell), target=target, rag=rag)

    def _shown(self, cell: _Cell) -> dict[str, Any]:
        """What a row of a scorecard and a cell of a release both have."""
        indicator, place, band, now, before = cell
        return {
            "code": indicator.code,
            "area": place.name,
            "age_band": band,
            "numerator": number(now.numerator),
            "denominator": number(now.denominator),
            "value": printed(indicator, now.value),
            "status": now.status,
            "previous": printed(indicator, before.value),
            "direction": self._direction(indicator, now.value, before.value),
        }

    def _rag(self, cell: _Cell, goal: Event | None) -> Rag | None:
        """Green from one bound on, Amber from another; T has none that is better."""
        indicator, now, before = cell.indicator, cell.now.value, cell.before.value
        slack = exact(indicator.amber or 0)
        if indicator.polarity == "T" or now is None:
            return None
        if self._catalogue.rag == "previous":
            if before is None:
                return None
            return "Amber" if now == before else _bounded(indicator, now, before, slack)
        if goal is None:
            return None
        aim = exact(goal.data["target"])
        if goal.data.get("amber") is not None:
            slack = aim - exact(goal.data["amber"])
            slack = -slack if indicator.polarity == "L" else slack
        return _bounded(indicator, now, aim, slack)

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


def _bounded(indicator: Indicator, value: Fraction, aim: Fraction, slack: Fraction) -> Rag:
    if indicator.polarity == "L":
        value, aim = -value, -aim
    if value >= aim:
        return "Green"
    return "Amber" if value >= aim - slack else "Red"
