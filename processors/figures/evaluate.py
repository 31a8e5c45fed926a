"""Evaluation: from the stock of a date and what others supply to the figures of cells."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from processors.arrays import Flags, Positions
from processors.figures.figure_cells import CODE, STATUSES, Cells, Ways, cells_at
from processors.figures.placesums import PlaceSums
from processors.figures.rating import YearTarget, targets
from processors.figures.supplies import SuppliedFigure, Supplies, exact, periods_of
from processors.ledger.tables import Stock
from processors.record.decoding import Event
from processors.rules import Rules
from schemas.catalogue import BANDS, Indicator, PopulationOf, WorkforceOf
from schemas.places import PROVIDER, Place
from schemas.scorecard import ShownStatus


class AsOf(NamedTuple):
    """What is known as of a date: the date, the stock, what others supplied, and its targets."""

    date: date
    stock: Stock
    supplies: Supplies
    targets: Mapping[tuple[str, str], YearTarget] = {}


def known(
    rules: Rules,
    day: date,
    stock: Stock,
    reference: Iterable[Event],
    supplies: Supplies | None = None,
) -> AsOf:
    """What is known as of a date, of its stock and of the reference events that count.

    What others supplied by then is worked out from these, unless it is given.
    """
    events = list(reference)
    aims = targets(events, rules.areas, day, rules.catalogue.target)
    return AsOf(day, stock, supplies or Supplies(events, day), aims)


# Whole as long as nothing that others supply is a part of it.
Exact = int | Fraction
NO_VALUE = (0, 0)
# Whole numbers of 64 bits, or Python's numbers.
Column = NDArray[Any]
# From here on a number to divide by is not taken among those of 64 bits, of which sums are made.
MOST = 2**40


class Figure(NamedTuple):
    """An indicator's figure: what it divides, and its exact value in its own unit.

    The value is a fraction of whole numbers, of which the lower is 0 where there is no value. A
    count is its own denominator. What was supplied may have a value alone.
    """

    numerator: Exact | None
    denominator: Exact | None
    value: tuple[int, int]
    status: ShownStatus


AWAITED = Figure(None, None, NO_VALUE, "to-be-supplied")


def value_alone(value: float | None, status: ShownStatus) -> Figure:
    """A figure as it is shown to one decimal, without what it is worked out from: or no value."""
    exactly = NO_VALUE if value is None else exact(value).as_integer_ratio()
    return Figure(None, None, exactly, status)


def figure(rules: Rules, as_of: AsOf, indicator: Indicator, place: Place, band: str) -> Figure:
    """One indicator's figure of one place and band as of a date."""
    return _of_one(rules, as_of, indicator, place).figure(BANDS.index(band))


def given(
    rules: Rules, as_of: AsOf, indicator: Indicator, place: Place, band: str
) -> SuppliedFigure | None:
    """What was supplied of a figure for the date's period, if that is what is shown."""
    cell, of_one = BANDS.index(band), _of_one(rules, as_of, indicator, place)
    computed = of_one.computed(cell)
    is_shown = indicator.source != "events" or not (computed.numerator or computed.denominator)
    return of_one.supplied.get(cell) if is_shown else None


def _of_one(rules: Rules, as_of: AsOf, indicator: Indicator, place: Place) -> "FiguresOfDate":
    """The figures of one indicator and place, whose cells are the bands."""
    return FiguresOfDate(rules, Cells(rules, [indicator], [place], [len(BANDS)]), as_of)


class Both(NamedTuple):
    """A figure that is computed and supplied as well, and what each says. The computed one wins."""

    indicator: Indicator
    place: Place
    band: str
    computed: Figure
    supplied: Figure


def supplied_as_well(rules: Rules, as_of: AsOf, levels: Collection[str]) -> Iterator[Both]:
    """The figures at levels that are computed from something, and supplied for the same period."""
    sums = place_sums(rules, as_of)
    places = tuple(place for place in sums.places if place.level in levels)
    cells = cells_at(rules, places, tuple(levels))
    figures = FiguresOfDate(rules, cells, as_of, sums)
    for cell, supplied in sorted(figures.supplied.items()):
        indicator, place, band = cells.describe(cell)
        computed = figures.computed(cell)
        is_computed = computed.numerator or computed.denominator
        if supplied.status == "supplied" and indicator.source == "events" and is_computed:
            yield Both(indicator, place, band, computed, _supplied(indicator, supplied))


def place_sums(rules: Rules, as_of: AsOf) -> PlaceSums:
    """The sums of a date's stock by place."""
    return PlaceSums(rules.slots, rules.localities, as_of.stock)


class Worked(NamedTuple):
    """Figures as columns: what each divides, its value as a fraction, and its status by number.

    Of whole numbers of 64 bits, or of Python's numbers. A value has a lower number of 0 where there
    is none, and never one below that.
    """

    numerator: Column
    denominator: Column
    above: Column
    below: Column
    status: NDArray[np.int64]

    def of(self, cells: Positions) -> "Worked":
        """Those of some of the cells."""
        return Worked(*(column[cells] for column in self))


def worked_out(ways: Ways, numerator: Column, denominator: Column) -> Worked:
    """Figures from what is counted, and what it is to be divided by."""
    is_idle = ways.is_of_work & (numerator == 0)  # the workforce is for what others hold
    has_value = ways.is_there & (ways.is_count | ((denominator != 0) & ~is_idle))
    shown = np.where(ways.is_there, numerator, 0)
    divided_by = np.where(ways.is_count, numerator, np.where(is_idle, 0, denominator))
    divided_by = np.where(ways.is_there, divided_by, 0)
    sign = np.where(denominator < 0, -1, 1)
    above = np.where(ways.is_count, numerator, sign * ways.scale * numerator)
    below = np.where(ways.is_count, 1, sign * denominator)
    status = np.where(has_value, CODE["reported"], ways.missing)
    status[is_idle] = CODE["no-cases"]
    status[~ways.is_there] = CODE["not-at-this-level"]
    return Worked(
        shown, divided_by, np.where(has_value, above, 0), np.where(has_value, below, 0), status
    )


class FiguresOfDate:
    """The figures of cells on one date, for all of them together.

    `columns` has what is worked out in whole numbers; `apart`, by cell, the figures that rest on
    parts of a whole, or on numbers of any size: most that are supplied, or divided by a workforce.
    `supplied` is what was supplied of cells for the date's period, whether or not it is shown.
    """

    def __init__(
        self, rules: Rules, cells: Cells, as_of: AsOf, sums: PlaceSums | None = None
    ) -> None:
        self._cells = cells
        sums = sums or place_sums(rules, as_of)
        where = sums.positions(cells.places)[cells.place]
        elsewhere = sums.positions(cells.districts)[cells.place]
        below_where = np.where(cells.is_of_district, elsewhere, where)
        above = sums.totals(cells.above)[cells.indicator, where, cells.band]
        below = sums.totals(cells.below)[cells.indicator, below_where, cells.band]
        divisors = _divisors(cells, as_of.supplies)
        below[cells.divided] = divisors.whole[cells.divided_at]
        self.columns = worked_out(cells.ways, above, below)
        self.columns.status[cells.awaited] = CODE["to-be-supplied"]
        self._computed_apart = dict(self._apart(above, divisors))
        self.supplied = self._given(as_of)
        self.apart = self._computed_apart | dict(self._shown_as_supplied())

    def _apart(self, above: Column, divisors: "_Divisors") -> Iterator[tuple[int, Figure]]:
        """The figures of cells that are divided by one of the numbers that columns do not take."""
        is_apart = divisors.is_other[self._cells.divided_at]
        cells, at = self._cells.divided[is_apart], self._cells.divided_at[is_apart]
        numbers = np.array([divisors.numbers[it] for it in at.tolist()], dtype=object)
        columns = worked_out(self._cells.ways.of(cells), above[cells].astype(object), numbers)
        yield from zip(cells.tolist(), map(_figure, *columns), strict=True)

    def _given(self, as_of: AsOf) -> dict[int, SuppliedFigure]:
        """What was supplied, by the cells it is of that exist."""
        cells, supplied = self._cells, as_of.supplies.given(periods_of(as_of.date))
        return {
            cell: it
            for (code, name, band), it in supplied.items()
            for cell in cells.of(code, name)
            if cells.ways.is_there[cell] and BANDS[cells.band[cell]] == band
        }

    def _shown_as_supplied(self) -> Iterator[tuple[int, Figure]]:
        """The figures that are what was supplied: nothing is worked out, or nothing to do it of."""
        for cell, supplied in self.supplied.items():
            indicator, computed = self._cells.describe(cell)[0], self.computed(cell)
            if not computed.numerator and not computed.denominator:
                yield cell, _supplied(indicator, supplied)

    def computed(self, cell: int) -> Figure:
        """A cell's figure without what was supplied of it."""
        found = self._computed_apart.get(cell)
        if found:
            return found
        figure = _figure(*(column[cell].item() for column in self.columns))
        return AWAITED if figure.status == AWAITED.status else figure

    def figure(self, cell: int) -> Figure:
        """A cell's figure: what is worked out, if it is of anything at all."""
        return self.apart.get(cell) or self.computed(cell)


def _figure(
    numerator: Exact, denominator: Exact, above: Exact, below: Exact, status: int
) -> Figure:
    value = _ratio(above, below) if below else NO_VALUE
    return Figure(numerator, denominator, value, STATUSES[status])


class _Divisors(NamedTuple):
    """What is supplied to divide by: each number, those that columns take, and which are others.

    In the place of those that are no whole numbers of 64 bits, `whole` has 0.
    """

    numbers: list[Exact]
    whole: NDArray[np.int64]
    is_other: Flags


@lru_cache(maxsize=4)
def _divisors(cells: Cells, supplies: Supplies) -> _Divisors:
    """What is supplied for cells to be divided by, once for all dates of which it is the same."""
    numbers = _supplied_below(cells, supplies)
    whole = [it if type(it) is int and -MOST < it < MOST else 0 for it in numbers]
    is_other = [a != b for a, b in zip(numbers, whole, strict=True)]
    return _Divisors(numbers, np.array(whole, dtype=np.int64), np.array(is_other, dtype=np.bool_))


def _supplied_below(cells: Cells, supplies: Supplies) -> list[Exact]:
    """What is supplied to divide by, by divisor, place and band; 0 for nothing."""
    found: list[Exact] = []
    for divisor in cells.divisors:
        if divisor == "population":
            for place in cells.places:
                found += [supplies.population(place.name, band) for band in BANDS]
        elif isinstance(divisor, PopulationOf):
            ages, group = divisor.ages, divisor.group
            for place in cells.places:
                found += [supplies.population(place.name, ages, group)] * len(BANDS)
        else:
            for place in cells.places:
                found += [_workforce(supplies, place, divisor)] * len(BANDS)
    return found


def _workforce(supplies: Supplies, place: Place, divisor: WorkforceOf) -> Exact:
    """The workforce of a provider in a place, 0 for other places; whole where it is."""
    if not place.level.startswith(PROVIDER):
        return 0
    provider, _, area = place.name.partition(" / ")
    found = supplies.workforce(provider, area, divisor.fte)
    return int(found) if found.denominator == 1 else found


def _ratio(above: Exact, below: Exact) -> tuple[int, int]:
    """A fraction as whole numbers, the lower one positive."""
    if isinstance(above, int) and isinstance(below, int):
        return above, below
    exact = Fraction(above) / below
    return exact.numerator, exact.denominator


def _supplied(indicator: Indicator, given: SuppliedFigure | None) -> Figure:
    if given is None or given.status == "to-be-supplied":
        return AWAITED
    if given.status == "not-available":
        return Figure(None, None, NO_VALUE, "not-available")
    above, below, value = given.numerator, given.denominator, NO_VALUE
    if above is not None and indicator.unit == "count":
        value = _ratio(above, Fraction(1))
    elif above is not None and below:
        value = _ratio(indicator.scale * above, below)
    elif given.value is not None:
        value = _ratio(given.value, Fraction(1))
    return Figure(above, below, value, "supplied" if value[1] else "no-cases")


def exact_value(value: tuple[int, int]) -> Fraction | None:
    """A value before it is rounded; None where there is none."""
    return Fraction(*value) if value[1] else None


def shown(indicator: Indicator, value: tuple[int, int]) -> int | float | None:
    """A value as it is shown: a whole count as it is, anything else to one decimal, half up.

    None for no value, which has a lower number of 0.
    """
    above, below = value
    if not below:
        return None
    return above if is_whole(indicator.unit == "count", below) else rounded_half_up(above, below)


def is_whole(is_count: Any, below: Any) -> Any:
    """Whether a value, or each of a column, is a whole count, and shown as it is."""
    return is_count & (below == 1)


@overload
def rounded_half_up(numerator: int, denominator: int) -> float: ...
@overload
def rounded_half_up(numerator: Column, denominator: Column) -> Column: ...
def rounded_half_up(numerator: Any, denominator: Any) -> Any:
    """Fractions of whole numbers, the lower one positive, to one decimal from their exact value."""
    return (20 * numerator + denominator) // (2 * denominator) / 10
