"""The cells that figures are of, as columns: which there are, and how each is worked out.

What depends on the catalogue, the places and the levels asked for alone is made ready once; the
figures of a date are then worked out for all cells together.
"""

from collections.abc import Iterator, Sequence, Set
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.arrays import Flags, Positions, positions
from processors.figures.placesums import terms
from processors.rules import Rules
from schemas.catalogue import BANDS, Indicator, PopulationOf, WorkforceOf
from schemas.places import Place
from schemas.scorecard import Status

# What is supplied to divide by: the people of the cell's band, those of other ages or of a group,
# or a workforce.
Divisor = Literal["population"] | PopulationOf | WorkforceOf
STATUSES: tuple[Status, ...] = (
    "reported",
    "supplied",
    "no-cases",
    "not-available",
    "to-be-supplied",
    "not-at-this-level",
)
CODE = {status: code for code, status in enumerate(STATUSES)}


class Ways(NamedTuple):
    """How each cell is worked out.

    Whether its indicator is of its place's level (`is_there`), is a count that nothing divides, and
    is of a workforce; its scale; and the status where there is nothing to divide by.
    """

    is_there: Flags
    is_count: Flags
    is_of_work: Flags
    scale: NDArray[np.int64]
    missing: NDArray[np.int64]

    def of(self, cells: Positions) -> "Ways":
        """Those of some of the cells."""
        return Ways(
            self.is_there[cells],
            self.is_count[cells],
            self.is_of_work[cells],
            self.scale[cells],
            self.missing[cells],
        )


class Cells:
    """The cells of indicators at places, in the order of scorecards.

    By indicator, then place, then band, all ages first; an indicator has so many of the first
    bands. `indicator`, `place` and `band` have those of each cell, by number; `awaited` the cells
    whose figures others supply. `above` and `below` are what indicators sum, and `districts` the
    places whose sums sites are divided by (`is_of_district`). `divisors` are what else is divided
    by, `divided` the cells that are, and `divided_at` where in a table of divisor, place and band.
    """

    def __init__(
        self,
        rules: Rules,
        indicators: Sequence[Indicator],
        places: Sequence[Place],
        bands: Sequence[int],
    ) -> None:
        self.indicators, self.places = tuple(indicators), tuple(places)
        self._bands, many = bands, len(places)
        each = np.array(bands, dtype=np.intp)
        self._first: list[int] = (many * (np.cumsum(each) - each)).tolist()
        number = np.repeat(each, many)
        spot = np.repeat(np.arange(len(number)), number)
        self.indicator: Positions = spot // max(1, many)
        self.place: Positions = spot % max(1, many)
        self.band: Positions = np.arange(len(spot)) - (np.cumsum(number) - number)[spot]
        self._index = {it.code: index for index, it in enumerate(indicators)}
        self._named: dict[str, list[int]] = {}
        for index, place in enumerate(places):
            self._named.setdefault(place.name, []).append(index)
        self.above = terms(rules.slots, [it.numerator for it in indicators])
        self.below = terms(rules.slots, [_summed_below(it) for it in indicators])
        self.is_of_district = self._of_indicators(
            [it.denominator_of is not None for it in indicators]
        ).astype(np.bool_)
        self.districts = [rules.graph.district_of(place) or place for place in places]
        self.divisors, self.divided, self.divided_at = self._divisions()
        self.ways = self._ways()
        is_awaited = self._of_indicators([it.source == "supplied" for it in indicators])
        self.awaited = positions(is_awaited.astype(np.bool_) & self.ways.is_there)

    def _of_indicators(self, values: Sequence[int]) -> NDArray[np.int64]:
        """A value of each indicator, for each of its cells."""
        return np.array(values, dtype=np.int64)[self.indicator]

    def _divisions(self) -> tuple[list[Divisor], Positions, Positions]:
        """What is supplied to divide by; the cells it divides; and each one's place in a table.

        The table has a number for each divisor, place and band.
        """
        asked = [_divisor(it) for it in self.indicators]
        divisors = [*dict.fromkeys(it for it in asked if it is not None)]
        which = self._of_indicators([-1 if it is None else divisors.index(it) for it in asked])
        divided = positions(which >= 0)
        spot = which * len(self.places) + self.place
        return divisors, divided, (spot * len(BANDS) + self.band)[divided]

    def _ways(self) -> Ways:
        is_at = np.array(
            [[place.level in it.levels for place in self.places] for it in self.indicators],
            dtype=np.bool_,
        ).reshape(len(self.indicators), len(self.places))
        kinds = [it.denominator for it in self.indicators]
        missing = [CODE["no-cases" if isinstance(it, dict) else "not-available"] for it in kinds]
        return Ways(
            is_at[self.indicator, self.place],
            self._of_indicators([_is_count(it) for it in self.indicators]).astype(np.bool_),
            self._of_indicators([isinstance(it, WorkforceOf) for it in kinds]).astype(np.bool_),
            self._of_indicators([it.scale for it in self.indicators]),
            self._of_indicators(missing),
        )

    def of(self, code: str, name: str) -> Iterator[int]:
        """The cells of an indicator at the places of a name, by their number."""
        index = self._index.get(code)
        if index is None:
            return
        number, first = self._bands[index], self._first[index]
        for place in self._named.get(name, ()):
            yield from range(first + place * number, first + (place + 1) * number)

    def describe(self, cell: int) -> tuple[Indicator, Place, str]:
        """A cell's indicator, place and band."""
        indicator, place, band = self.indicator[cell], self.place[cell], self.band[cell]
        return self.indicators[indicator], self.places[place], BANDS[band]


def _is_count(indicator: Indicator) -> bool:
    return indicator.source == "events" and indicator.denominator is None


def _summed_below(indicator: Indicator) -> dict[str, int]:
    below = indicator.denominator if indicator.source == "events" else None
    return below if isinstance(below, dict) else {}


def _divisor(indicator: Indicator) -> Divisor | None:
    below = indicator.denominator if indicator.source == "events" else None
    return None if isinstance(below, dict) else below


def cells_at(
    rules: Rules,
    places: tuple[Place, ...],
    levels: tuple[str, ...],
    codes: Set[str] | None = None,
) -> Cells:
    """The cells at places of every indicator that exists at one of the levels, or of some codes."""
    there = [
        it
        for it in rules.catalogue.indicator
        if not set(it.levels).isdisjoint(levels) and (codes is None or it.code in codes)
    ]
    return Cells(rules, there, places, [len(BANDS) if it.bands != "none" else 1 for it in there])
