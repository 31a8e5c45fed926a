"""An indicator's figure of one place and band from sums that were counted, and what is supplied."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from fractions import Fraction
from math import floor
from typing import NamedTuple

from schemas.catalogue import ALL_AGES, Indicator, WorkforceOf
from schemas.places import Place
from schemas.scorecard import Status
from snapshots.recount.definitions import Sums
from snapshots.recount.places import Whereabouts
from snapshots.recount.supplies import Key, Said, SuppliedByOthers, figure_keys, keys_of

Number = int | Fraction


class RecountedFigure(NamedTuple):
    """A numerator and denominator with the exact value they make; None for what there is not."""

    numerator: Number | None
    denominator: Number | None
    value: Fraction | None
    status: Status


class Figures:
    """One date's sums in every place and band, and what was supplied by then."""

    def __init__(self, where: Whereabouts, as_of: date, sums: Sums, supplied: Said) -> None:
        self._where, self._as_of, self._supplied = where, as_of, supplied
        self._sums: Counter[tuple[str, Place, str]] = Counter()
        for (locality, band), of_slots in sums.items():
            for place in where.within(locality):
                for each in (ALL_AGES, band):
                    for slot, amount in of_slots.items():
                        self._sums[slot, place, each] += amount

    @property
    def places(self) -> set[Place]:
        """The places where something is counted."""
        return {place for (_, place, _), amount in self._sums.items() if amount}

    def figure(self, indicator: Indicator, place: Place, band: str) -> RecountedFigure:
        """An indicator's figure: what is counted of it, or if that is nothing what is supplied."""
        counted = self.counted(indicator, place, band)
        if indicator.source == "supplied" or counted.numerator or counted.denominator:
            return counted
        given = self._first_of(figure_keys(indicator, place, band, self._as_of))
        is_there = given is not None and place.level in indicator.levels
        return _supplied(indicator, given) if is_there else counted

    def counted(self, indicator: Indicator, place: Place, band: str) -> RecountedFigure:
        """An indicator's figure, supplied only if all of them are; a count is its denominator."""
        if place.level not in indicator.levels:
            return RecountedFigure(0, 0, None, "not-at-this-level")
        if indicator.source == "supplied":
            return _supplied(indicator, self._first_said(indicator, place, band))
        numerator = self._sum(indicator.numerator, place, band)
        if indicator.denominator is None:
            return RecountedFigure(numerator, numerator, Fraction(numerator), "reported")
        if isinstance(indicator.denominator, WorkforceOf) and numerator == 0:
            # A workforce is for those who hold cases.
            return RecountedFigure(0, 0, None, "no-cases")
        denominator = self._denominator(indicator, place, band)
        if denominator:
            value = Fraction(indicator.scale * numerator) / denominator
            return RecountedFigure(numerator, denominator, value, "reported")
        is_counted = isinstance(indicator.denominator, dict)
        return RecountedFigure(numerator, 0, None, "no-cases" if is_counted else "not-available")

    def _denominator(self, indicator: Indicator, place: Place, band: str) -> Number:
        if isinstance(indicator.denominator, dict):
            whose = self._where.district_of(place) if indicator.denominator_of else None
            return self._sum(indicator.denominator, whose or place, band)
        found = self._first_said(indicator, place, band)
        return 0 if found is None or isinstance(found, SuppliedByOthers) else found

    def _first_said(
        self, indicator: Indicator, place: Place, band: str
    ) -> Fraction | SuppliedByOthers | None:
        return self._first_of(keys_of(indicator, place, band, self._as_of))

    def _first_of(self, keys: Iterable[Key]) -> Fraction | SuppliedByOthers | None:
        return next((self._supplied[key] for key in keys if key in self._supplied), None)

    def _sum(self, terms: Mapping[str, int], place: Place, band: str) -> int:
        return sum(times * self._sums[it, place, band] for it, times in terms.items())


def printed(indicator: Indicator, value: Fraction | None) -> int | float | None:
    """A value as it is shown: a whole count whole, any other to one decimal, half up."""
    if value is None:
        return None
    if indicator.unit == "count" and value.denominator == 1:
        return int(value)
    return floor(value * 10 + Fraction(1, 2)) / 10


def number(exact: Number | None) -> int | float | None:
    """A numerator or denominator as it is shown."""
    if exact is None or isinstance(exact, int):
        return exact
    return int(exact) if exact.denominator == 1 else float(exact)


def _supplied(indicator: Indicator, found: Fraction | SuppliedByOthers | None) -> RecountedFigure:
    if not isinstance(found, SuppliedByOthers) or found.status == "to-be-supplied":
        return RecountedFigure(None, None, None, "to-be-supplied")
    if found.status == "not-available":
        return RecountedFigure(None, None, None, "not-available")
    above, below, value = found.numerator, found.denominator, found.value
    if above is not None and indicator.unit == "count":
        value = above
    elif above is not None and below:
        value = indicator.scale * above / below
    return RecountedFigure(above, below, value, "no-cases" if value is None else "supplied")
