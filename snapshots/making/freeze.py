"""Freezing: the figures of a consistent cut made into a release, deterministically.

Everything in a release is a function of what is passed in here: no clock, no random number, no
order of arrival. So two machines that freeze the same offsets write the same bytes.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from processors.days.calendar import calendar, month_number, month_start, previous_month_end
from processors.figures.direction import direction_of_travel
from processors.figures.evaluate import AsOf, Cell, Exact, cells, exact_value, shown
from processors.figures.rating import Target, rating, rating_since, targets
from processors.figures.supplies import Supplies, exact
from processors.ledger.tables import Stock
from processors.record.decoding import Event
from processors.rules import Rules
from schemas.areas import Areas
from schemas.catalogue import ALL_AGES, Catalogue, WorkforceOf
from schemas.release import Commentary, PassedOver, Position, ReleaseCell
from schemas.schemes import RagScheme
from schemas.scorecard import Rag
from snapshots.releases.failures import NotAllowed

COMMENTARY_WRITTEN = "commentary.written"
MEASURE_SUPPLIED = "measure.supplied"


@dataclass(frozen=True)
class Cut:
    """The live state at one vector of offsets: each partition's read at one moment.

    `stocks` are those of the as-of date and of the last day of the month before; `reference` has
    the reference events that count. `passed_over` has the messages before the cut that the state
    leaves out; `lost` how many messages the log had lost that the figures may lack, by what is said
    of them.
    """

    positions: tuple[Position, ...]
    stocks: tuple[Stock, Stock]
    reference: tuple[Event, ...]
    passed_over: tuple[PassedOver, ...] = ()
    lost: Mapping[str, int] = field(default_factory=dict)


def as_of_period(period: str) -> date:
    """The last day of a period such as 2015-10: the date its figures are of."""
    first = date.fromisoformat(f"{period}-01")
    return previous_month_end(month_start(month_number(first) + 1))


@lru_cache(maxsize=1)
def calendar_version() -> str:
    """A hash of the working days that figures rest on: another calendar has another."""
    return hashlib.sha256(calendar().working_days_until.astype("<i8").tobytes()).hexdigest()[:16]


def frozen_cells(rules: Rules, as_of: date, cut: Cut) -> list[ReleaseCell]:
    """The released indicators' cells from a cut, as the live scorecard counts them, rated.

    Where nothing is counted the live scorecard shows what others supply; a release has none of it.
    Raises NotAllowed for an indicator whose figures a release cannot keep.
    """
    check_releasable(rules.catalogue)
    counted = [it for it in cut.reference if it.type != MEASURE_SUPPLIED]
    now, previous = (
        AsOf(day, stock, Supplies(counted, day))
        for day, stock in zip((as_of, previous_month_end(as_of)), cut.stocks, strict=True)
    )
    goals = targets(cut.reference, rules.areas, as_of)
    return [
        _released(rules.catalogue, cell, goals.get((cell.indicator.code, cell.place.name)))
        for cell in cells(rules, now, previous)
        if cell.indicator.released
    ]


def check_releasable(catalogue: Catalogue) -> None:
    """Raises NotAllowed unless what is to be released is counted, and there is any."""
    released = catalogue.released.indicator
    if not released:
        raise NotAllowed("the catalogue has no indicator that is released")
    for indicator in released:
        if indicator.source == "supplied" or isinstance(indicator.denominator, WorkforceOf):
            raise NotAllowed(
                f"{indicator.code} cannot be released: a release keeps counts and what they make "
                "of populations, not what others work out or report of their staff"
            )


def _released(catalogue: Catalogue, cell: Cell, target: Target | None) -> ReleaseCell:
    indicator, now, before = cell.indicator, cell.now, cell.before
    is_rated = cell.band == ALL_AGES
    return ReleaseCell(
        code=indicator.code,
        area=cell.place.name,
        age_band=cell.band,
        numerator=_whole(now.numerator),
        denominator=_whole(now.denominator),
        value=shown(indicator, now.value),
        status=now.status,
        previous=shown(indicator, before.value),
        direction=direction_of_travel(
            now.value,
            before.value,
            catalogue.direction,
            indicator.polarity,
            exact(target.aim) if target else None,
        ),
        target=target.aim if target and is_rated else None,
        rag=_rating(catalogue.rag, cell, target) if is_rated else None,
    )


def _whole(number: Exact | None) -> int:
    assert number is not None, "what is released is counted"
    return int(number)


def _rating(scheme: RagScheme, cell: Cell, target: Target | None) -> Rag | None:
    now, before = exact_value(cell.now.value), exact_value(cell.before.value)
    if scheme == "previous":
        return rating_since(cell.indicator, now, before)
    return rating(cell.indicator, now, target) if target else None


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
