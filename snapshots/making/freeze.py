"""Freezing: the figures of a consistent cut made into a release, deterministically.

Everything in a release is a function of what is passed in here: no clock, no random number, no
order of arrival. So two machines that freeze the same offsets write the same bytes.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from processors.days.calendar import calendar, month_number, month_start, previous_month_end
from processors.figures.evaluate import AsOf, scorecard
from processors.figures.population import population
from processors.figures.rating import Target, rating, rating_since, targets
from processors.record.decoding import Event
from schemas.areas import Areas
from schemas.catalogue import ALL_AGES, Catalogue, Indicator, RagScheme
from schemas.release import Commentary, Position, Rag, ReleaseCell
from schemas.scorecard import ScorecardRow

COMMENTARY_WRITTEN = "commentary.written"


@dataclass(frozen=True)
class Cut:
    """The live state at one vector of offsets: each partition's read at one moment.

    `stocks` are those of the as-of date and of the last day of the month before; `reference` has
    the reference events that count.
    """

    positions: tuple[Position, ...]
    stocks: tuple[NDArray[np.int64], NDArray[np.int64]]
    reference: tuple[Event, ...]


def as_of_period(period: str) -> date:
    """The last day of a period such as 2015-10: the date its figures are of."""
    first = date.fromisoformat(f"{period}-01")
    return previous_month_end(month_start(month_number(first) + 1))


@lru_cache(maxsize=1)
def calendar_version() -> str:
    """A hash of the working days that figures rest on: another calendar has another."""
    return hashlib.sha256(calendar().working_days_until.astype("<i8").tobytes()).hexdigest()[:16]


def frozen_cells(catalogue: Catalogue, areas: Areas, as_of: date, cut: Cut) -> list[ReleaseCell]:
    """Every indicator's cells from a cut, as the live scorecard shows them, with their rating."""
    now, previous = (
        AsOf(stock, population(cut.reference, areas, day))
        for day, stock in zip((as_of, previous_month_end(as_of)), cut.stocks, strict=True)
    )
    goals = targets(cut.reference, areas, as_of)
    indicators = {indicator.code: indicator for indicator in catalogue.indicator}
    # The month before as a scorecard of its own, for its exact values.
    earlier = scorecard(catalogue, areas, previous, previous)
    cells = []
    for row, before in zip(scorecard(catalogue, areas, now, previous), earlier, strict=True):
        indicator, target, rag = indicators[row.code], None, None
        if row.age_band == ALL_AGES:
            target = goals.get((row.code, row.area))
            values = _exact_value(indicator, row), _exact_value(indicator, before)
            rag = _rating(catalogue.rag, indicator, values, target)
        cells.append(_cell(row, target, rag))
    return cells


def _rating(
    scheme: RagScheme,
    indicator: Indicator,
    values: tuple[Fraction | None, Fraction | None],
    target: Target | None,
) -> Rag | None:
    if scheme == "previous":
        return rating_since(indicator, *values)
    return rating(indicator, values[0], target) if target else None


def _exact_value(indicator: Indicator, row: ScorecardRow) -> Fraction | None:
    """The value before it is rounded; None where there is none."""
    denominator = 1 if indicator.denominator is None else row.denominator
    return Fraction(indicator.scale * row.numerator, denominator) if denominator else None


def _cell(row: ScorecardRow, target: Target | None, rag: Rag | None) -> ReleaseCell:
    fields = row.model_dump(exclude={"title"})
    return ReleaseCell(**fields, target=target.value if target else None, rag=rag)


def commentary(reference: Iterable[Event], areas: Areas, period: str) -> tuple[Commentary, ...]:
    """The narrative written for a period: headlines first, then by code; areas from the top down.

    It counts whenever it was written before the cut, since it can only be written after the month.
    """
    written = [
        event
        for event in reference
        if event.type == COMMENTARY_WRITTEN and event.data["period"] == period
    ]
    order = {name: position for position, name in enumerate(areas.names)}

    def place(event: Event) -> tuple[str, int, str, int, str, str]:
        data = event.data
        rank = order.get(data["area"], len(order))
        instant = event.instant
        return data.get("code", ""), rank, data["area"], instant, event.source, event.id

    return tuple(
        Commentary(
            code=event.data.get("code"),
            area=event.data["area"],
            author_role=event.data["author_role"],
            text=event.data["text"],
        )
        for event in sorted(written, key=place)
    )
