"""Segments: a case's life cut where its state changes, worked out for many cases at once.

Between two changes a case has one state for every as-of date in between, so a segment with its
first day, its end and the case's other days is all that any measure needs (Indicators, Words).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from processors.days.calendar import FIRST_DAY, NEVER, Calendar, Days
from processors.record.rows import (
    ALLOCATION,
    CLOSURE,
    CONTACT,
    NOTIFICATION,
    PLAN,
    REOPENING,
    ROW,
    WORKER,
)
from schemas.events import SERVICES

Flags = NDArray[np.bool_]
BAND_STARTS = np.array([0, 5, 11, 16])  # completed years at which a band of AGE_BANDS begins
UNKNOWN_BAND = len(BAND_STARTS)
NO_SERVICE = len(SERVICES)
# More than there are providers.
NO_PROVIDER = 2**16
# More than there are days in the calendar's tables.
MOST_DAYS = 2**20


@dataclass(frozen=True)
class Columns:
    """Rows of cases or notifications to be measured; each column has one element a row.

    Days are day numbers, NEVER where the case has no such day. `begin` is the first day the row
    holds and `end` the first on which it no longer does. `sign` is +1 for what is now true, -1 for
    what was before, and 0 for what has not changed. `group` is the position of the row's case among
    all that were given, `episode` how many times the case has been open, `service` the holder's
    index in SERVICES and `provider` the holder's among the providers. The three `passes` columns
    have a bit for each text test.
    """

    sign: Days
    group: Days
    episode: Days
    service: Days
    provider: Days
    area: Days
    band: Days
    begin: Days
    end: Days
    days: dict[str, Days]
    passes: dict[str, NDArray[np.uint32]]
    is_closed: Flags


def derive(
    changes: list[tuple[bytes, bytes]],
    calendar: Calendar,
    unheld: int,
    unchanged: Sequence[bytes] = (),
) -> tuple[Columns, Columns]:
    """The segments, and the notifications, of cases whose rows changed from one to another.

    `changes` has (rows before, rows now) of each case, rows in the order of
    processors.record.record; `unchanged` the rows of further cases to be looked at; `unheld` the
    bits of the holder tests that a case nobody has been given passes. Groups are numbered in the
    order: all before, all now, all unchanged. A case without a notification has neither (Events:
    "not counted").
    """
    groups = [before for before, _ in changes] + [now for _, now in changes] + [*unchanged]
    sizes = np.array([len(group) for group in groups], dtype=np.int64) // ROW.itemsize
    rows = np.frombuffer(b"".join(groups), dtype=ROW)
    case = np.repeat(np.arange(len(groups)), sizes)
    facts, is_counted = _facts(rows, case, len(groups), calendar)
    kept = is_counted[case]
    rows, case = rows[kept], case[kept]
    sign = np.where(case < len(changes), -1, np.where(case < 2 * len(changes), 1, 0))
    return _segments(rows, case, sign, facts, unheld), _notifications(
        rows, case, sign, facts, calendar
    )


def with_providers(rows: Columns, providers: int, first_area: int) -> Columns:
    """The rows, and once more those of the first so many providers, in an area for each.

    The areas are numbered from `first_area` on; the further rows belong to no group.
    """
    held = np.flatnonzero(rows.provider < providers)
    if not len(held):
        return rows

    def twice(column: NDArray[Any]) -> NDArray[Any]:
        return np.append(column, column[held])

    return Columns(
        sign=twice(rows.sign),
        group=np.append(rows.group, np.full(len(held), -1)),
        episode=twice(rows.episode),
        service=twice(rows.service),
        provider=twice(rows.provider),
        area=np.append(rows.area, first_area + rows.provider[held]),
        band=twice(rows.band),
        begin=twice(rows.begin),
        end=twice(rows.end),
        days={name: twice(column) for name, column in rows.days.items()},
        passes={name: twice(column) for name, column in rows.passes.items()},
        is_closed=twice(rows.is_closed),
    )


@dataclass(frozen=True)
class _Facts:
    """One element a case: the facts that do not depend on the as-of date."""

    received: Days
    contact: Days
    plan: Days
    area: Days
    birth: Days
    band: Days


def _facts(
    rows: NDArray[np.void], case: Days, count: int, calendar: Calendar
) -> tuple[_Facts, Flags]:
    kind, day = rows["kind"], rows["day"].astype(np.int64)
    first = _first(kind == NOTIFICATION, case, count)
    is_counted = first >= 0

    def of_first(column: str) -> Days:
        values = np.zeros(count, dtype=np.int64)
        values[is_counted] = rows[column][first[is_counted]]
        return values

    received, birth = of_first("day"), of_first("birth")
    is_on_or_after = day >= received[case]

    def first_day(milestone: int) -> Days:
        position = _first((kind == milestone) & is_on_or_after, case, count)
        days = np.full(count, NEVER)
        days[position >= 0] = day[position[position >= 0]]
        return days

    facts = _Facts(
        received=received,
        contact=first_day(CONTACT),
        plan=first_day(PLAN),
        area=of_first("area"),
        birth=birth,
        band=_band(birth, received, calendar),
    )
    return facts, is_counted


def _first(chosen: Flags, case: Days, count: int) -> Days:
    """The position of each case's first chosen row, -1 where it has none."""
    position = np.full(count, -1)
    rows = np.flatnonzero(chosen)[::-1]
    position[case[rows]] = rows  # the last assignment, which is the first row, stays
    return position


def _band(birth: Days, day: Days, calendar: Calendar) -> Days:
    """Index in AGE_BANDS of the completed years on `day`; unknown where born later or not known."""
    years = calendar.completed_years(birth, day)
    band = np.searchsorted(BAND_STARTS, years, side="right") - 1
    return np.where((birth == 0) | (years < 0), UNKNOWN_BAND, band)


def _segments(
    rows: NDArray[np.void], case: Days, sign: Days, facts: _Facts, unheld: int
) -> Columns:
    """Cut each case at its notification, its allocations, and its closures and reopenings."""
    kind, day = rows["kind"], rows["day"].astype(np.int64)
    received = facts.received[case]
    is_status = ((kind == CLOSURE) | (kind == REOPENING)) & (day >= received)
    is_cut = is_status | (kind == ALLOCATION)
    is_cut[_first(kind == NOTIFICATION, case, len(facts.received))[np.unique(case)]] = True

    status = _latest(is_status, case)
    allocation = _latest(kind == ALLOCATION, case)
    is_closed = (status >= 0) & (kind[status] == CLOSURE)
    # A closed case is held by the latest allocation at or before its closure.
    holder = np.where(is_closed, allocation[status], allocation)

    cut = np.flatnonzero(is_cut)
    begin = np.maximum(day[cut], received[cut])
    is_last = np.append(case[cut][1:] != case[cut][:-1], True)
    end = np.where(is_last, NEVER, np.append(begin[1:], NEVER))
    lasting = begin < end
    cut, begin, end = cut[lasting], begin[lasting], end[lasting]
    receipt = _at(_receipts(rows, case), holder[cut], NEVER)
    worker = _first_since(kind == WORKER, case, day, case[cut], receipt)
    case = case[cut]
    return Columns(
        sign=sign[cut],
        group=case,
        episode=_episodes(case, is_closed[cut]),
        service=_at(rows["service"].astype(np.int64), holder[cut], NO_SERVICE),
        provider=_at(rows["area"].astype(np.int64), holder[cut], NO_PROVIDER),
        area=facts.area[case],
        band=facts.band[case],
        begin=begin,
        end=end,
        days={
            "received": facts.received[case],
            "contact": facts.contact[case],
            "plan": facts.plan[case],
            "receipt": receipt,
            "worker": worker,
            "closed": np.where(is_closed[cut], day[status[cut]], NEVER),
        },
        passes={
            "holder": _passes(rows, holder[cut], unheld),
            "outcome": _passes(rows, np.where(is_closed, status, -1)[cut], 0),
        },
        is_closed=is_closed[cut],
    )


def _latest(chosen: Flags, case: Days) -> Days:
    """For each row, the position of its case's latest chosen row so far, -1 for none."""
    positions = np.where(chosen, np.arange(len(case)), -1)
    latest = np.maximum.accumulate(positions) if len(case) else positions
    return np.where((latest >= 0) & (case[latest] == case), latest, -1)


def _receipts(rows: NDArray[np.void], case: Days) -> Days:
    """For each allocation, the day of its case's first to the same service (Indicators, part B)."""
    allocations = np.flatnonzero(rows["kind"] == ALLOCATION)
    pair = case[allocations] * (NO_SERVICE + 1) + rows["service"][allocations]
    _, first, which = np.unique(pair, return_index=True, return_inverse=True)
    receipt = np.full(len(rows), NEVER)
    receipt[allocations] = rows["day"][allocations[first[which]]]
    return receipt


def _first_since(chosen: Flags, case: Days, day: Days, of_case: Days, since: Days) -> Days:
    """The day of the first chosen row of each given case from a day on, NEVER where there is none.

    Rows of a case are in order of time, so that their days never decrease.
    """
    rows = np.flatnonzero(chosen)
    place = case[rows] * MOST_DAYS + (day[rows] - FIRST_DAY)
    asked = of_case * MOST_DAYS + np.minimum(since - FIRST_DAY, MOST_DAYS - 1)
    found = np.searchsorted(place, asked)
    rows = np.append(rows, -1)[found]
    if not len(case):
        return np.full(len(of_case), NEVER)
    return np.where((rows >= 0) & (case[rows] == of_case), day[rows], NEVER)


def _episodes(case: Days, is_closed: Flags) -> Days:
    """How many times each segment's case has been open by then, 1 from its beginning."""
    is_first = np.diff(case, prepend=-1) > 0
    was_closed = np.diff(is_closed.astype(np.int64), prepend=0) < 0
    times = np.cumsum(was_closed & ~is_first)
    starts = np.flatnonzero(is_first)
    lengths = np.diff(starts, append=len(case))
    episodes: Days = 1 + times - np.repeat(times[is_first], lengths)
    return episodes


def _at(values: Days, position: Days, absent: int) -> Days:
    """The value at each position, `absent` for a negative one."""
    return np.where(position >= 0, np.append(values, absent)[position], absent)


def _passes(rows: NDArray[np.void], position: Days, absent: int) -> NDArray[np.uint32]:
    """The bits of the tests passed by the row at each position, `absent` where there is none."""
    return np.where(position >= 0, rows["passes"][position], np.uint32(absent))


def _notifications(
    rows: NDArray[np.void], case: Days, sign: Days, facts: _Facts, calendar: Calendar
) -> Columns:
    """Each notification on its own, of the age that the child had at it."""
    chosen = np.flatnonzero(rows["kind"] == NOTIFICATION)
    case, day = case[chosen], rows["day"][chosen].astype(np.int64)
    return Columns(
        sign=sign[chosen],
        group=case,
        episode=np.ones(len(chosen), dtype=np.int64),
        service=np.full(len(chosen), NO_SERVICE),
        provider=np.full(len(chosen), NO_PROVIDER),
        area=facts.area[case],
        band=_band(facts.birth[case], day, calendar),
        begin=day,
        end=np.full(len(chosen), NEVER),
        days={"received": facts.received[case], "plan": facts.plan[case], "notified": day},
        passes={"notification_type": rows["passes"][chosen]},
        is_closed=np.zeros(len(chosen), dtype=np.bool_),
    )
