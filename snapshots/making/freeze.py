"""Freezing: the figures of a consistent cut made into a release, deterministically.

Everything in a release is a function of what is passed in here: no clock, no random number, no
order of arrival. So two machines that freeze the same offsets write the same bytes.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from processors.days.calendar import calendar, month_number, month_start, previous_month_end
from processors.figures.evaluate import known
from processors.figures.scorecard_rows import scorecard
from processors.ledger.tables import Stock
from processors.record.decoding import Event
from processors.rules import Rules
from schemas.areas import Areas
from schemas.release import Commentary, PassedOver, Position, ReleaseCell
from schemas.scorecard import ScorecardRow
from snapshots.releases.release_failures import NotAllowed

COMMENTARY_WRITTEN = "commentary.written"


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
    """The released indicators' cells from a cut, as the live scorecard has them.

    Raises NotAllowed where nothing is released.
    """
    if not any(it.released for it in rules.catalogue.indicator):
        raise NotAllowed("the catalogue has no indicator that is released")
    now, previous = (
        known(rules, day, stock, cut.reference)
        for day, stock in zip((as_of, previous_month_end(as_of)), cut.stocks, strict=True)
    )
    return released_cells(rules, scorecard(rules, now, previous, rules.graph.levels))


def released_cells(rules: Rules, rows: Iterable[ScorecardRow]) -> list[ReleaseCell]:
    """The cells that a release has of a whole scorecard, every level of it.

    Wherever an indicator exists; one that exists at any level of the areas is in every area.
    """
    indicators = {it.code: it for it in rules.catalogue.indicator if it.released}
    areas = frozenset(rules.areas.levels)
    return [
        _released(row, "" if row.level in areas else row.level)
        for row in rows
        if row.code in indicators and _is_kept(row.level, indicators[row.code].levels, areas)
    ]


def _is_kept(level: str, levels: Collection[str], areas: Collection[str]) -> bool:
    return level in levels or (level in areas and any(it in areas for it in levels))


def _released(row: ScorecardRow, level: str) -> ReleaseCell:
    assert row.status != "suppressed"  # a release keeps every figure
    return ReleaseCell(
        code=row.code,
        area=row.area,
        age_band=row.age_band,
        level=level,
        numerator=row.numerator,
        denominator=row.denominator,
        value=row.value,
        status=row.status,
        previous=row.previous,
        direction=row.direction,
        target=row.target,
        rag=row.rag,
    )


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
