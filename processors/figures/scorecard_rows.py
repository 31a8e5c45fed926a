"""The rows of a scorecard: figures of a date beside those of the month before, and rated.

All cells are compared and rated together, as columns of 64 bits. Those whose numbers may not fit
are done one by one, by the same rules.
"""

from collections.abc import Collection, Iterable
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from processors.arrays import Flags, Positions, positions
from processors.figures.direction import (
    CHANGE,
    HIGHER_IS,
    IMPROVEMENT,
    change,
    direction_of_travel,
    way_of,
)
from processors.figures.evaluate import (
    AsOf,
    Exact,
    Worked,
    exact_value,
    is_whole,
    rounded_half_up,
    shown,
)
from processors.figures.figure_cells import STATUSES, Cells, cells_at
from processors.figures.held_figures import FiguresOfRows, HeldFigures
from processors.figures.rating import (
    RAGS,
    Tolerated,
    YearTarget,
    grade_since,
    rating,
    rating_since,
    tolerance,
)
from processors.figures.supplies import exact
from processors.rules import Rules
from schemas.catalogue import BANDS
from schemas.places import Place
from schemas.scorecard import Direction, ScorecardRow

# Numbers of values and of tolerances up to which no product of a comparison or a rating is beyond
# 64 bits: the largest is 2 * MOST_ABOVE * MOST_BELOW * MOST_OF_TOLERANCE.
MOST_ABOVE, MOST_BELOW, MOST_OF_TOLERANCE = 2**31, 2**22, 2**7

NOTHING_TOLERATED = Tolerated(0, 0, 1)

# Words by number; the last stands for none.
DIRECTIONS = np.array([*CHANGE, *IMPROVEMENT, None], dtype=object)
RATINGS = np.array([*RAGS, None], dtype=object)
STATUS_WORDS = np.array(STATUSES, dtype=object)
NO_DIRECTION, NO_RATING = len(DIRECTIONS) - 1, len(RATINGS) - 1

Numbers = NDArray[np.int64]


def scorecard(
    rules: Rules,
    now: AsOf,
    previous: AsOf,
    levels: Collection[str] = (),
    codes: frozenset[str] | None = None,
    held: HeldFigures | None = None,
) -> list[ScorecardRow]:
    """Every indicator's rows at levels, those of the areas if none is named; or those of codes.

    By place, those of the areas from the top down, and then by band, all ages first. What is held
    of scorecards made before is not worked out again where it is the same.
    """
    held = held or HeldFigures()
    asked = tuple(levels) or tuple(rules.areas.levels)
    today, earlier = held.sums(rules, now), held.sums(rules, previous)
    places = _together(today.places, earlier.places, rules.graph.known())
    there = tuple(place for place in places if place.level in asked)
    outline = _outline(rules, there, asked, codes)
    cells = outline.cells
    figures = held.figures(rules, cells, now, today)
    before = held.figures(rules, cells, previous, earlier)
    of = FiguresOfRows(figures, before, now.targets)
    return held.rows(cells, of, lambda some: _rows(outline, of, some))


def _together(now: list[Place], before: list[Place], known: list[Place]) -> list[Place]:
    """The places of either date: those that are always shown, and then the others by name."""
    return [*known, *sorted({*now, *before}.difference(known))]


class _Outline:
    """What of rows does not rest on figures: what they are of, and how they are compared.

    Of each cell: whether it is a count; the number of the first word for its direction, and what
    the sign of a change is multiplied by to choose among them; whether it is rated against the
    month before (`is_since`), the sign of what is better then, and what is tolerated. By number,
    the indicators `rated_since` so, those `rated` against their target, and those `nearing` it, of
    which what is nearer is the better.
    """

    def __init__(self, rules: Rules, cells: Cells) -> None:
        self.cells = cells
        indicators = cells.indicators
        self.schemes = [rules.catalogue.scheme_of(it) for it in indicators]
        pairs = list(zip(self.schemes, indicators, strict=True))
        self.is_count = _each(cells, [it.unit == "count" for it in indicators]) == 1
        ways = [way_of(scheme.direction, it.polarity) for scheme, it in pairs]
        self.factor = _each(cells, [it.factor or 0 for it in ways])
        self.words = _each(cells, [_first_word(*it) for it in ways])
        self.nearing = {number for number, it in enumerate(ways) if it.factor is None}
        is_rated = [it.polarity in HIGHER_IS and scheme.rates(it.code) for scheme, it in pairs]
        self.rated = {
            number
            for number, scheme in enumerate(self.schemes)
            if is_rated[number] and scheme.rag == "target"
        }
        self.rated_since = {*positions(np.array(is_rated)).tolist()} - self.rated
        is_since = _each(cells, [number in self.rated_since for number in range(len(pairs))])
        self.is_since = (is_since == 1) & (cells.band == 0)
        self.sign = _each(cells, [HIGHER_IS.get(it.polarity, 0) for it in indicators])
        exact = [tolerance(it, scheme.share_of(it.code)) for scheme, it in pairs]
        self.is_coarse = _each(cells, [max(it) < MOST_OF_TOLERANCE for it in exact]) == 1
        coarse = [it if max(it) < MOST_OF_TOLERANCE else NOTHING_TOLERATED for it in exact]
        self.tolerated = (
            _each(cells, [it.amount for it in coarse]),
            _each(cells, [it.share for it in coarse]),
            _each(cells, [it.whole for it in coarse]),
        )
        self.is_awaited = np.zeros(len(cells.indicator), dtype=np.bool_)
        self.is_awaited[cells.awaited] = True
        self.names = self._names()

    def _names(self) -> tuple[list[str], ...]:
        """Of each row the indicator's code and title, the place's name and level, and the band."""
        indicators = [self.cells.indicators[it] for it in self.cells.indicator.tolist()]
        places = [self.cells.places[it] for it in self.cells.place.tolist()]
        return (
            [it.code for it in indicators],
            [it.title for it in indicators],
            [it.name for it in places],
            [it.level for it in places],
            [BANDS[it] for it in self.cells.band.tolist()],
        )


def _first_word(names: tuple[Direction, ...], factor: int | None) -> int:
    """The number of the first of the words for a direction; that of none without a factor."""
    if factor is None:
        return NO_DIRECTION
    return 0 if names is CHANGE else len(CHANGE)


def _each(cells: Cells, values: Iterable[int]) -> Numbers:
    """A value of each indicator, for each of its cells."""
    return np.fromiter(values, dtype=np.int64)[cells.indicator]


@lru_cache(maxsize=16)
def _outline(
    rules: Rules,
    places: tuple[Place, ...],
    levels: tuple[str, ...],
    codes: frozenset[str] | None,
) -> _Outline:
    return _Outline(rules, cells_at(rules, places, levels, codes))


class _Columns:
    """The columns of the rows of some cells that rest on figures, in the order of these cells."""

    def __init__(self, outline: _Outline, of: FiguresOfRows, cells: Positions) -> None:
        self._outline, self._now, self._before, self._cells = outline, of.now, of.before, cells
        self._place = {cell: place for place, cell in enumerate(cells.tolist())}
        today, earlier = of.now.columns.of(cells), of.before.columns.of(cells)
        self.numerators: list[Any] = today.numerator.tolist()
        self.denominators: list[Any] = today.denominator.tolist()
        for place in positions(outline.is_awaited[cells]).tolist():
            self.numerators[place] = self.denominators[place] = None
        is_count = outline.is_count[cells]
        self.values = _shown(is_count, today)
        self.statuses = STATUS_WORDS[today.status].tolist()
        self.previous = _shown(is_count, earlier)
        self.directions = self._directions(today, earlier)
        self.targets: list[float | None] = [None] * len(cells)
        self.ratings = self._ratings(today, earlier)
        apart = self._place.keys() & (of.now.apart.keys() | of.before.apart.keys())
        for cell in {*apart, *self._beyond(today, earlier)}:
            self._do_alone(cell)
        for (code, name), target in of.targets.items():
            self._aim(code, name, target)

    def _directions(self, now: Worked, before: Worked) -> list[Any]:
        factor, first = self._outline.factor[self._cells], self._outline.words[self._cells]
        signs = change((now.above, now.below), (before.above, before.below)) * factor
        words = first + signs % len(CHANGE)
        words[(now.below == 0) | (before.below == 0) | (factor == 0)] = NO_DIRECTION
        found: list[Any] = DIRECTIONS[words].tolist()
        return found

    def _ratings(self, now: Worked, before: Worked) -> list[Any]:
        since = positions(self._outline.is_since[self._cells])
        cells = self._cells[since]
        one, other = ((it.above[since], it.below[since]) for it in (now, before))
        amount, share, whole = (it[cells] for it in self._outline.tolerated)
        grades = grade_since(self._outline.sign[cells], one, other, (amount, share, whole))
        grades[(one[1] == 0) | (other[1] == 0)] = NO_RATING
        words = np.full(len(now.below), NO_RATING)
        words[since] = grades
        found: list[Any] = RATINGS[words].tolist()
        return found

    def _beyond(self, *dates: Worked) -> list[int]:
        """The cells whose numbers may be beyond what columns hold."""
        is_within = self._outline.is_coarse[self._cells]
        for it in dates:
            is_within &= (np.abs(it.above) < MOST_ABOVE) & (it.below < MOST_BELOW)
        found: list[int] = self._cells[positions(~is_within)].tolist()
        return found

    def _do_alone(self, cell: int) -> None:
        now, before, at = self._now.figure(cell), self._before.figure(cell), self._place[cell]
        number = self._outline.cells.indicator[cell]
        indicator, scheme = self._outline.cells.indicators[number], self._outline.schemes[number]
        self.numerators[at] = _number(now.numerator)
        self.denominators[at] = _number(now.denominator)
        self.values[at] = shown(indicator, now.value)
        self.statuses[at] = now.status
        self.previous[at] = shown(indicator, before.value)
        self.directions[at] = direction_of_travel(
            now.value, before.value, scheme.direction, indicator.polarity
        )
        if number in self._outline.rated_since and not self._outline.cells.band[cell]:
            values = exact_value(now.value), exact_value(before.value)
            share = scheme.share_of(indicator.code)
            self.ratings[at] = rating_since(indicator, *values, share)

    def _aim(self, code: str, name: str, target: YearTarget) -> None:
        """Hold the cells of an indicator and place against their target."""
        outline, aim = self._outline, exact(target.aim)
        for cell in outline.cells.of(code, name):
            at = self._place.get(cell)
            if at is None:
                continue
            number = outline.cells.indicator[cell]
            indicator, scheme = outline.cells.indicators[number], outline.schemes[number]
            now = self._now.figure(cell).value
            if number in outline.nearing:
                before = self._before.figure(cell).value
                self.directions[at] = direction_of_travel(
                    now, before, scheme.direction, indicator.polarity, aim
                )
            if outline.cells.band[cell]:
                continue
            self.targets[at] = float(target.aim)
            if number in outline.rated:
                share = scheme.share_of(code)
                self.ratings[at] = rating(indicator, exact_value(now), target, share)


def _rows(outline: _Outline, of: FiguresOfRows, cells: Positions) -> list[ScorecardRow]:
    columns, where = _Columns(outline, of, cells), cells.tolist()
    codes, titles, areas, levels, bands = ([it[at] for at in where] for it in outline.names)
    return list(
        map(
            ScorecardRow,
            codes,
            titles,
            areas,
            bands,
            columns.numerators,
            columns.denominators,
            columns.values,
            columns.statuses,
            columns.previous,
            columns.directions,
            levels,
            columns.targets,
            columns.ratings,
        )
    )


def _shown(is_count: Flags, figures: Worked) -> list[Any]:
    """Values as they are shown; None where there is none."""
    above, below = figures.above, figures.below
    found = rounded_half_up(above, np.maximum(below, 1)).astype(object)
    whole = is_whole(is_count, below)
    found[whole] = above[whole]
    found[below == 0] = None
    values: list[Any] = found.tolist()
    return values


def _number(exact: Exact | None) -> int | float | None:
    if isinstance(exact, Fraction):
        return int(exact) if exact.denominator == 1 else float(exact)
    return exact
