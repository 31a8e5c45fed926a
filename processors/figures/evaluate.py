"""Evaluation: from the stocks of a date and of the month before to the rows of a scorecard."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.figures.direction import Fraction, direction_of_travel
from processors.figures.population import BANDS
from schemas.areas import Area, Areas
from schemas.catalogue import Catalogue, Indicator
from schemas.scorecard import ScorecardRow, Status

Figures = NDArray[np.int64]


class AsOf(NamedTuple):
    """What is known as of a date: stocks by (slot, leaf area or none, band), and populations."""

    stock: Figures
    population: Figures


def scorecard(catalogue: Catalogue, areas: Areas, now: AsOf, previous: AsOf) -> list[ScorecardRow]:
    """Every indicator's rows, by area and then by band, all ages first."""
    figures = _Figures(catalogue, areas, now), _Figures(catalogue, areas, previous)
    return [
        row
        for indicator in catalogue.indicator
        for row in _rows(catalogue, areas, indicator, *figures)
    ]


class _Figures:
    """Numerators and denominators of one date, by indicator, as arrays (areas, bands)."""

    def __init__(self, catalogue: Catalogue, areas: Areas, as_of: AsOf) -> None:
        membership = _membership(areas)
        # Behind the leaves and nowhere come the providers, whose cases lie in an area as well.
        leaves = as_of.stock[:, : membership.shape[1]]
        by_area = np.einsum("al,slb->sab", membership, leaves)
        everyone = by_area.sum(axis=2, keepdims=True)
        # The ledger's slots begin with the catalogue's; those of the standards follow.
        self._sums = dict(
            zip(catalogue.slots, np.concatenate([everyone, by_area], axis=2), strict=False)
        )
        self._population = as_of.population

    def fractions(self, indicator: Indicator) -> tuple[list[list[int]], list[list[int]]]:
        """Numerators and denominators by area and band; a count is its own denominator."""
        if indicator.denominator == "population":
            denominator = self._population
        else:
            denominator = self._sum(indicator.denominator or indicator.numerator)
        return self._sum(indicator.numerator).tolist(), denominator.tolist()

    def _sum(self, terms: dict[str, int]) -> Figures:
        total: Figures = np.sum([times * self._sums[name] for name, times in terms.items()], axis=0)
        return total


def _membership(areas: Areas) -> Figures:
    """1 where an area (row) has a leaf or, at the top, the lack of one (column) in it."""
    columns = [*areas.leaves, None]
    within = {name: {*areas.leaves_under(name)} for name in areas.names}
    return np.array(
        [
            [leaf in within[name] or (leaf is None and name == areas.top) for leaf in columns]
            for name in areas.names
        ],
        dtype=np.int64,
    )


def _rows(
    catalogue: Catalogue, areas: Areas, indicator: Indicator, now: _Figures, previous: _Figures
) -> Iterator[ScorecardRow]:
    numerators, denominators = now.fractions(indicator)
    numerators_before, denominators_before = previous.fractions(indicator)
    for area, *by_band in zip(
        areas.area, numerators, denominators, numerators_before, denominators_before, strict=True
    ):
        for band, *parts in zip(BANDS, *by_band, strict=True):
            yield _row(catalogue, indicator, area, band, (parts[0], parts[1]), (parts[2], parts[3]))


def _row(
    catalogue: Catalogue,
    indicator: Indicator,
    area: Area,
    band: str,
    now: Fraction,
    previous: Fraction,
) -> ScorecardRow:
    is_count = indicator.denominator is None
    return ScorecardRow(
        code=indicator.code,
        title=indicator.title,
        area=area.name,
        age_band=band,
        numerator=now[0],
        denominator=now[1],
        value=value_of(indicator, now),
        status=_status(indicator, area.level, now[1]),
        previous=value_of(indicator, previous),
        direction=direction_of_travel(
            (now[0], 1) if is_count else now,
            (previous[0], 1) if is_count else previous,
            catalogue.direction,
            indicator.polarity,
        ),
    )


def _status(indicator: Indicator, level: str, denominator: int) -> Status:
    if level not in indicator.levels:
        return "not-at-this-level"
    if indicator.denominator is None or denominator:
        return "reported"
    return "not-available" if indicator.denominator == "population" else "no-cases"


def value_of(indicator: Indicator, fraction: Fraction) -> int | float | None:
    """The count, or the scaled fraction to one decimal, half up (Indicators); None for no value."""
    numerator, denominator = fraction
    if indicator.denominator is None:
        return numerator
    if not denominator:
        return None
    return rounded_half_up(indicator.scale * numerator, denominator)


def rounded_half_up(numerator: int, denominator: int) -> float:
    """A fraction of whole numbers, the lower one positive, to one decimal from its exact value."""
    return (20 * numerator + denominator) // (2 * denominator) / 10
