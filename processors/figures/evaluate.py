"""Evaluation: from the stocks of a date and of the month before to the rows of a scorecard."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from processors.figures.direction import HIGHER_IS, direction_of_travel
from processors.figures.placesums import PlaceSums
from processors.figures.rating import YearTarget, rating, rating_since, targets
from processors.figures.supplies import SuppliedFigure, Supplies, exact, periods_of
from processors.ledger.tables import Stock
from processors.record.decoding import Event
from processors.rules import Rules
from schemas.catalogue import ALL_AGES, BANDS, Indicator, PopulationOf, WorkforceOf
from schemas.places import PROVIDER, Place
from schemas.schemes import Scheme
from schemas.scorecard import Rag, ScorecardRow, Status


class AsOf(NamedTuple):
    """What is known as of a date: the date, the stock, what others supplied, and its targets."""

    date: date
    stock: Stock
    supplies: Supplies
    targets: Mapping[tuple[str, str], YearTarget] = {}


def known(rules: Rules, day: date, stock: Stock, reference: Iterable[Event]) -> AsOf:
    """What is known as of a date, of its stock and of the reference events that count."""
    events = list(reference)
    aims = targets(events, rules.areas, day, rules.catalogue.target)
    return AsOf(day, stock, Supplies(events, day), aims)


# Whole as long as nothing that others supply is a part of it.
Exact = int | Fraction
NO_VALUE = (0, 0)


class Figure(NamedTuple):
    """An indicator's figure: what it divides, and its exact value in its own unit.

    The value is a fraction of whole numbers, of which the lower is 0 where there is no value. A
    count is its own denominator. What was supplied may have a value alone.
    """

    numerator: Exact | None
    denominator: Exact | None
    value: tuple[int, int]
    status: Status


class Cell(NamedTuple):
    """An indicator's figure of a place and band, now and as of the month before."""

    indicator: Indicator
    place: Place
    band: str
    now: Figure
    before: Figure


def scorecard(
    rules: Rules, now: AsOf, previous: AsOf, levels: Collection[str] = ()
) -> list[ScorecardRow]:
    """Every indicator's rows at levels, those of the areas if none is named.

    By place, those of the areas from the top down, and then by band, all ages first.
    """
    schemes = {it.code: rules.catalogue.scheme_of(it) for it in rules.catalogue.indicator}
    return [
        _row(schemes[cell.indicator.code], cell, now)
        for cell in cells(rules, now, previous, levels)
    ]


def cells(rules: Rules, now: AsOf, previous: AsOf, levels: Collection[str] = ()) -> Iterator[Cell]:
    """Every indicator's cells at levels, those of the areas if none is named."""
    levels = levels or rules.areas.levels
    today, earlier = _Date(rules, now), _Date(rules, previous)
    shown = _together(today.sums.places, earlier.sums.places, rules.graph.known())
    places = [place for place in shown if place.level in levels]
    for indicator in rules.catalogue.indicator:
        if not set(indicator.levels).intersection(levels):
            continue
        bands = BANDS if indicator.bands != "none" else BANDS[:1]
        figures = today.figures(indicator), earlier.figures(indicator)
        for place in places:
            for band in range(len(bands)):
                now_and_before = (of_date(place, band) for of_date in figures)
                yield Cell(indicator, place, bands[band], *now_and_before)


def figure(rules: Rules, as_of: AsOf, indicator: Indicator, place: Place, band: str) -> Figure:
    """One indicator's figure of one place and band as of a date."""
    return _Date(rules, as_of).figures(indicator)(place, BANDS.index(band))


def given(
    rules: Rules, as_of: AsOf, indicator: Indicator, place: Place, band: str
) -> SuppliedFigure | None:
    """What was supplied of a figure for the date's period, if that is what is shown."""
    on, number = _Date(rules, as_of), BANDS.index(band)
    is_computed = indicator.source == "events" and on.figures(indicator).is_computed(place, number)
    return None if is_computed else on.given(indicator, place, number)


class Both(NamedTuple):
    """A figure that is computed and supplied as well, and what each says. The computed one wins."""

    indicator: Indicator
    place: Place
    band: str
    computed: Figure
    supplied: Figure


def supplied_as_well(rules: Rules, as_of: AsOf, levels: Collection[str]) -> Iterator[Both]:
    """The figures at levels that are computed from something, and supplied for the same period."""
    on = _Date(rules, as_of)
    places = [place for place in on.sums.places if place.level in levels]
    for indicator in rules.catalogue.indicator:
        if indicator.source == "events" and on.is_given(indicator):
            figures = on.figures(indicator)
            for place in places:
                if place.level in indicator.levels:
                    yield from figures.supplied_as_well(place)


def _together(now: list[Place], before: list[Place], known: list[Place]) -> list[Place]:
    """The places of either date: those that are always shown, and then the others by name."""
    return [*known, *sorted({*now, *before}.difference(known))]


class _Date:
    """One date's figures."""

    def __init__(self, rules: Rules, as_of: AsOf) -> None:
        self.sums = PlaceSums(rules.slots, rules.localities, as_of.stock)
        self._graph = rules.graph
        self._supplies = as_of.supplies
        self._periods = periods_of(as_of.date)

    def figures(self, indicator: Indicator) -> "_Figures":
        """An indicator's figures, by place and band."""
        return _Figures(self, indicator)

    def below(self, indicator: Indicator, place: Place, band: int) -> Exact:
        """What is supplied to divide an indicator by."""
        denominator = indicator.denominator
        if isinstance(denominator, WorkforceOf):
            if not place.level.startswith(PROVIDER):
                return 0
            provider, _, area = place.name.partition(" / ")
            return self._supplies.workforce(provider, area, denominator.fte)
        if isinstance(denominator, PopulationOf):
            return self._supplies.population(place.name, denominator.ages, denominator.group)
        return self._supplies.population(place.name, BANDS[band])

    def elsewhere(self, indicator: Indicator, place: Place) -> Place:
        """The place whose denominator an indicator's is."""
        if indicator.denominator_of is None:
            return place
        return self._graph.district_of(place) or place

    def is_given(self, indicator: Indicator) -> bool:
        """Whether anything was ever supplied of an indicator."""
        return indicator.code in self._supplies.codes

    def given(self, indicator: Indicator, place: Place, band: int) -> SuppliedFigure | None:
        """What was supplied of an indicator for the date's month, else for its year."""
        return self._supplies.given(indicator.code, place.name, BANDS[band], self._periods)


class _Figures:
    """The figures of one indicator on one date."""

    def __init__(self, on: _Date, indicator: Indicator) -> None:
        self._on, self._indicator = on, indicator
        self._above = on.sums.total(indicator.numerator).tolist()
        terms = indicator.denominator if isinstance(indicator.denominator, dict) else {}
        self._below = on.sums.total(terms).tolist() if terms else None
        self._is_given = on.is_given(indicator)

    def __call__(self, place: Place, band: int) -> Figure:
        """The figure of a place and band: what is worked out, if it is of anything at all."""
        indicator, on = self._indicator, self._on
        if place.level not in indicator.levels:
            return Figure(0, 0, NO_VALUE, "not-at-this-level")
        if indicator.source == "supplied":
            return _supplied(indicator, on.given(indicator, place, band))
        figure = self._worked_out(place, band)
        if self._is_given and not figure.numerator and not figure.denominator:
            given = on.given(indicator, place, band)
            return figure if given is None else _supplied(indicator, given)
        return figure

    def is_computed(self, place: Place, band: int) -> bool:
        """Whether a figure is worked out from anything at all."""
        figure = self._worked_out(place, band)
        return bool(figure.numerator or figure.denominator)

    def supplied_as_well(self, place: Place) -> Iterator[Both]:
        """What is computed of a place and supplied as well, in each band that is shown."""
        indicator = self._indicator
        for band, name in enumerate(BANDS if indicator.bands != "none" else BANDS[:1]):
            computed = self._worked_out(place, band)
            given = self._on.given(indicator, place, band)
            is_computed = computed.numerator or computed.denominator
            if given and given.status == "supplied" and is_computed:
                yield Both(indicator, place, name, computed, _supplied(indicator, given))

    def _worked_out(self, place: Place, band: int) -> Figure:
        indicator, on = self._indicator, self._on
        numerator = _of(self._above, on.sums.position(place), band)
        if indicator.denominator is None:
            return Figure(numerator, numerator, (numerator, 1), "reported")
        if self._below is not None:
            where = on.sums.position(on.elsewhere(indicator, place))
            denominator: Exact = _of(self._below, where, band)
        else:
            denominator = on.below(indicator, place, band)
        if not numerator and isinstance(indicator.denominator, WorkforceOf):
            return Figure(0, 0, NO_VALUE, "no-cases")  # the workforce is for what others hold
        if denominator:
            value = _ratio(indicator.scale * numerator, denominator)
            return Figure(numerator, denominator, value, "reported")
        missing: Status = "no-cases" if self._below is not None else "not-available"
        return Figure(numerator, denominator, NO_VALUE, missing)


def _of(sums: list[list[int]], position: int | None, band: int) -> int:
    return sums[position][band] if position is not None else 0


def _ratio(above: Exact, below: Exact) -> tuple[int, int]:
    """A fraction as whole numbers, the lower one positive."""
    if isinstance(above, int) and isinstance(below, int):
        return above, below
    exact = Fraction(above) / below
    return exact.numerator, exact.denominator


def _supplied(indicator: Indicator, given: SuppliedFigure | None) -> Figure:
    if given is None or given.status == "to-be-supplied":
        return Figure(None, None, NO_VALUE, "to-be-supplied")
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


def _row(scheme: Scheme, cell: Cell, on: AsOf) -> ScorecardRow:
    indicator, now, before = cell.indicator, cell.now, cell.before
    target = on.targets.get((indicator.code, cell.place.name))
    aim = exact(target.aim) if target else None
    is_rated = cell.band == ALL_AGES
    return ScorecardRow(
        code=indicator.code,
        title=indicator.title,
        area=cell.place.name,
        age_band=cell.band,
        numerator=_number(now.numerator),
        denominator=_number(now.denominator),
        value=shown(indicator, now.value),
        status=now.status,
        previous=shown(indicator, before.value),
        direction=direction_of_travel(
            now.value, before.value, scheme.direction, indicator.polarity, aim
        ),
        level=cell.place.level,
        target=target.aim if target and is_rated else None,
        rag=_rated(scheme, cell, target) if is_rated else None,
    )


def _rated(scheme: Scheme, cell: Cell, target: YearTarget | None) -> Rag | None:
    """The rating by a scheme; None where it rates none, or there is nothing to rate against."""
    indicator, is_against_target = cell.indicator, scheme.rag == "target"
    is_rated = indicator.polarity in HIGHER_IS and scheme.rates(indicator.code)
    if not is_rated or (is_against_target and target is None):
        return None
    share, now = scheme.share_of(indicator.code), exact_value(cell.now.value)
    if target is not None and is_against_target:
        return rating(indicator, now, target, share)
    return rating_since(indicator, now, exact_value(cell.before.value), share)


def exact_value(value: tuple[int, int]) -> Fraction | None:
    """A value before it is rounded; None where there is none."""
    return Fraction(*value) if value[1] else None


def _number(exact: Exact | None) -> int | float | None:
    if isinstance(exact, Fraction):
        return int(exact) if exact.denominator == 1 else float(exact)
    return exact


def shown(indicator: Indicator, value: tuple[int, int]) -> int | float | None:
    """A value as it is shown: a whole count as it is, anything else to one decimal, half up.

    None for no value, which has a lower number of 0.
    """
    above, below = value
    if not below:
        return None
    return above if indicator.unit == "count" and below == 1 else rounded_half_up(above, below)


def rounded_half_up(numerator: int, denominator: int) -> float:
    """A fraction of whole numbers, the lower one positive, to one decimal from its exact value."""
    return (20 * numerator + denominator) // (2 * denominator) / 10
