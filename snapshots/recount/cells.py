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
from schemas.release import ReleaseCell
from schemas.schemes import Scheme
from schemas.scorecard import Direction, Rag, ScorecardRow
from snapshots.recount.definitions import Sums
from snapshots.recount.figures import Figures, RecountedFigure, number, printed
from snapshots.recount.places import Whereabouts
from snapshots.recount.supplies import Goal, exact, goals_of, said

BANDS = (ALL_AGES, *AGE_BANDS)
DIRECTIONS: dict[str, tuple[Direction, Direction, Direction]] = {
    "change": ("down", "level", "up"),
    "improvement": ("worse", "same", "better"),
}


# A date's figure of an indicator in a place and band.
Look = Callable[[Indicator, Place, str], RecountedFigure]


class _Cell(NamedTuple):
    """An indicator's figure in a place and band, and that of the month before."""

    indicator: Indicator
    place: Place
    band: str
    now: RecountedFigure
    before: RecountedFigure


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
        *,
        takes_supplied: bool = True,
    ) -> None:
        self._catalogue, self._areas = catalogue, areas
        self._takes_supplied = takes_supplied
        self._now, self._before = (
            Figures(where, day, each, said(reference, day))
            for day, each in zip(dates, sums, strict=True)
        )
        known = where.known
        met = self._now.places | self._before.places
        self._places = [*known, *sorted(met.difference(known))]
        self._goals = goals_of(catalogue.target, reference, areas.top, dates[0])

    def scorecard(self) -> list[ScorecardRow]:
        """Every indicator's rows in every place, as a live scorecard of all levels has them."""
        now, before = self._now.figure, self._before.figure
        return [self._row(it) for it in self._cells((now, before), lambda _: True, self._places)]

    def cells(self) -> list[ReleaseCell]:
        """The cells of a release: each released indicator's, wherever it exists.

        One that exists at any level of the areas has a cell in every area.
        Before others' figures were released, a figure was what is counted, supplied or not.
        """
        areas = self._areas.levels
        asked = (self._now, self._before)
        dates = [it.figure if self._takes_supplied else it.counted for it in asked]
        found = self._cells((dates[0], dates[1]), lambda it: it.released, self._places)
        return [
            self._released(it, "" if it.place.level in areas else it.place.level)
            for it in found
            if it.place.level in it.indicator.levels
            or (it.place.level in areas and set(areas).intersection(it.indicator.levels))
        ]

    def _cells(
        self,
        dates: tuple[Look, Look],
        is_wanted: Callable[[Indicator], bool],
        places: Sequence[Place],
    ) -> Iterator[_Cell]:
        for indicator in filter(is_wanted, self._catalogue.indicator):
            if not any(place.level in indicator.levels for place in places):
                continue
            bands = (ALL_AGES,) if indicator.bands == "none" else BANDS
            for place in places:
                for band in bands:
                    asked = indicator, place, band
                    yield _Cell(*asked, *(figure(*asked) for figure in dates))

    def _row(self, cell: _Cell) -> ScorecardRow:
        title, level = cell.indicator.title, cell.place.level
        scheme = self._catalogue.scheme_of(cell.indicator)
        return ScorecardRow(**self._shown(cell, scheme), title=title, level=level)

    def _released(self, cell: _Cell, level: str) -> ReleaseCell:
        scheme = self._catalogue.scheme_of(cell.indicator)
        return ReleaseCell(**self._shown(cell, scheme), level=level)

    def _shown(self, cell: _Cell, scheme: Scheme) -> dict[str, Any]:
        """What a row of a scorecard and a cell of a release both have."""
        indicator, place, band, now, before = cell
        goal = self._goals.get((indicator.code, place.name))
        aim = goal.aim if goal else None
        is_whole = band == ALL_AGES
        return {
            "code": indicator.code,
            "area": place.name,
            "age_band": band,
            "numerator": number(now.numerator),
            "denominator": number(now.denominator),
            "value": printed(indicator, now.value),
            "status": now.status,
            "previous": printed(indicator, before.value),
            "direction": _direction(scheme, indicator, (now.value, before.value), aim),
            "target": float(aim) if is_whole and aim is not None else None,
            "rag": _rag(scheme, cell, goal) if is_whole else None,
        }


def _rag(scheme: Scheme, cell: _Cell, goal: Goal | None) -> Rag | None:
    """Green from one bound on, Amber from another; T has none that is better."""
    indicator, now, before = cell.indicator, cell.now.value, cell.before.value
    if indicator.polarity == "T" or now is None or indicator.code in scheme.unrated:
        return None
    shares = {code: it.share for it in scheme.tolerance for code in it.codes}
    share = exact(shares.get(indicator.code, scheme.amber_share))
    own = None if indicator.amber is None else exact(indicator.amber)
    if scheme.rag == "previous":
        if before is None:
            return None
        slack = share * abs(before) if own is None else own
        return "Amber" if now == before else _bounded(indicator, now, before, slack)
    if goal is None:
        return None
    slack = share * abs(goal.aim) if own is None else own
    if goal.amber is not None:
        slack = goal.aim - goal.amber
        slack = -slack if indicator.polarity == "L" else slack
    return _bounded(indicator, now, goal.aim, slack)


def _direction(
    scheme: Scheme,
    indicator: Indicator,
    values: tuple[Fraction | None, Fraction | None],
    aim: Fraction | None,
) -> Direction | None:
    now, before = values
    if now is None or before is None:
        return None
    if scheme.direction == "improvement":
        if indicator.polarity == "T":
            if aim is None:
                return None
            now, before = -abs(now - aim), -abs(before - aim)
        if indicator.polarity == "L":
            now, before = -now, -before
    return DIRECTIONS[scheme.direction][1 + (now > before) - (now < before)]


def _bounded(indicator: Indicator, value: Fraction, aim: Fraction, slack: Fraction) -> Rag:
    if indicator.polarity == "L":
        value, aim = -value, -aim
    if value >= aim:
        return "Green"
    return "Amber" if value >= aim - slack else "Red"
