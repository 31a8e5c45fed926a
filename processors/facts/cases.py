"""Facts about cases, worked out over columns for many cases at once.

A *segment* is a stretch of a case's life in which its state does not change, so that with its
first day, its end and the case's other days it is all that any measure needs. A *spell* is a time
in which one service has the case. A notification stands on its own (docs/indicators.md, Words).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from processors.days.calendar import FIRST_DAY, NEVER, Calendar, Days
from processors.facts.relations import Kin, Spells, relate
from processors.record.localities import Localities
from processors.record.rows import (
    ALLOCATION,
    CLOSURE,
    CONTACT,
    DESTINATION,
    NOTIFICATION,
    PLAN,
    REFERRER,
    REOPENING,
    ROW,
    SCS_OPENING,
    STEP_UP,
    SUSTAINED,
    WORKER,
)
from schemas.catalogue import Match, Relation
from schemas.events.case import SERVICES

Flags = NDArray[np.bool_]
BAND_STARTS = np.array([0, 5, 11, 16])  # completed years at which a band of AGE_BANDS begins
UNKNOWN_BAND = len(BAND_STARTS)
NO_SERVICE = len(SERVICES)
# More than there are days in the calendar's tables.
MOST_DAYS = 2**20
# Working days before receipt from which a worker's assignment counts as on the day of receipt,
# since an allocation is often recorded after it.
WORKER_AHEAD = 5
# Months after the first destination from which one is sustained.
SUSTAINED_MONTHS = 3


@dataclass(frozen=True)
class Columns:
    """Facts to be measured; each column has one element a row.

    Days are day numbers, NEVER where there is no such day. `begin` is the first day the row holds
    and `end` the first on which it no longer does. `sign` is +1 for what is now true, -1 for what
    was before, and 0 for what has not changed. `twin` is the position of the row that has the same
    place among those of the case at the other time, -1 where there is none. `group` is the position
    of the row's case among all that were given, `episode` how many times the case has been open, `service` the holder's index
    in SERVICES. The `passes` columns have a bit for each text test.
    """

    sign: Days
    twin: Days
    group: Days
    locality: Days
    band: Days
    begin: Days
    end: Days
    days: dict[str, Days]
    passes: dict[str, NDArray[np.uint32]]
    flags: dict[str, Flags]
    is_closed: Flags
    district: Days
    episode: Days
    service: Days


@dataclass(frozen=True)
class Wanted:
    """What of the facts anything rests on; the rest is not worked out.

    `spell_tests` has the bits of the holder tests that measures of spells make, 0 for no measure.
    """

    days: frozenset[str]
    relations: tuple[Relation, ...]
    holder_tests: list[Match]
    spell_tests: int


@dataclass(frozen=True)
class Facts:
    """The facts of cases, by their names in the catalogue."""

    case: Columns
    notification: Columns
    spell: Columns | None

    def of(self, name: str) -> Columns:
        """The facts of a name. Raises KeyError for those that nothing wanted."""
        columns = {"case": self.case, "notification": self.notification, "spell": self.spell}[name]
        if columns is None:
            raise KeyError(name)
        return columns


@dataclass(frozen=True)
class Cases:
    """Cases whose rows changed, from one to another, and further cases to be looked at.

    `changes` has (rows before, rows now) of each case, in the order of processors.record, and
    `children` a number for the child that each is of; `unchanged` the rows of the further cases.
    Groups are numbered in the order: all before, all now, all unchanged.
    """

    changes: list[tuple[bytes, bytes]]
    children: list[int]
    unchanged: Sequence[bytes] = ()

    @property
    def groups(self) -> list[bytes]:
        """The rows of each group."""
        before = [before for before, _ in self.changes]
        return [*before, *(now for _, now in self.changes), *self.unchanged]

    @property
    def kin(self) -> Days:
        """A number for each group that it shares with the others of its child and its time."""
        children = np.array(self.children, dtype=np.int64)
        apart = -1 - np.arange(len(self.unchanged))
        return np.concatenate([2 * children, 2 * children + 1, apart])

    @property
    def has_kin(self) -> Flags:
        """Whether each group's child has another at its time."""
        children = np.array(self.children, dtype=np.int64)
        has: Flags = np.bincount(children, minlength=1)[children] > 1
        return np.concatenate([has, has, np.zeros(len(self.unchanged), dtype=np.bool_)])


def derive(
    cases: Cases, localities: Localities, calendar: Calendar, unheld: int, wanted: Wanted
) -> Facts:
    """The facts of cases. A case without a notification has none (docs/events.md, Odd facts).

    `unheld` is the bits of the holder tests that a case passes that nobody has been given.
    """
    groups, count = cases.groups, len(cases.changes)
    sizes = np.array([len(group) for group in groups], dtype=np.int64) // ROW.itemsize
    rows = np.frombuffer(b"".join(groups), dtype=ROW)
    case = np.repeat(np.arange(len(groups)), sizes)
    openings = rows["kind"] == SCS_OPENING
    opened = rows["day"][openings].astype(np.int64), cases.kin[case[openings]]
    about = _about(rows, case, len(groups), calendar)
    kept = about.is_counted[case]
    table = _Table(rows[kept], case[kept], count, about, localities, calendar, wanted)
    sign = np.where(case[kept] < count, -1, np.where(case[kept] < 2 * count, 1, 0))
    stretches = _Stretches(table, sign, unheld)
    case_facts, notification_facts = stretches.segments(), _notifications(table, sign)
    if not (wanted.relations or wanted.spell_tests):
        return Facts(case_facts, notification_facts, None)
    spells = stretches.spells(cases.has_kin)
    found = Facts(case_facts, notification_facts, stretches.measured(spells))
    kin = Kin(cases.kin, about.reason, spells, opened, wanted.holder_tests)
    for relation in wanted.relations:
        relate(relation, found.of(relation.of), kin)
    return found


@dataclass(frozen=True)
class _About:
    """One element a case: the facts that do not depend on the as-of date."""

    is_counted: Flags
    received: Days
    contact: Days
    plan: Days
    referrer: Days
    destination: Days
    district: Days
    reason: Days
    birth: Days
    band: Days


def _about(rows: NDArray[np.void], case: Days, count: int, calendar: Calendar) -> _About:
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

    return _About(
        is_counted=is_counted,
        received=received,
        contact=first_day(CONTACT),
        plan=first_day(PLAN),
        referrer=first_day(REFERRER),
        destination=first_day(DESTINATION),
        district=of_first("area"),
        reason=of_first("detail"),
        birth=birth,
        band=_band(birth, received, calendar),
    )


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


@dataclass(frozen=True)
class _Table:
    """The rows of counted cases with all that is needed to read them.

    `changed` is how many cases have changed.
    """

    rows: NDArray[np.void]
    case: Days
    changed: int
    about: _About
    localities: Localities
    calendar: Calendar
    wanted: Wanted
    day: Days = field(init=False)
    kind: NDArray[np.uint8] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "day", self.rows["day"].astype(np.int64))
        object.__setattr__(self, "kind", self.rows["kind"])

    @property
    def received(self) -> Days:
        """The day that each row's case was received."""
        return self.about.received[self.case]


class _Stretches:
    """Each case cut at its notification, its allocations, its closures and its reopenings."""

    def __init__(self, table: _Table, sign: Days, unheld: int) -> None:
        self._table, self._sign, self._unheld = table, sign, unheld
        kind, day, case = table.kind, table.day, table.case
        is_status = ((kind == CLOSURE) | (kind == REOPENING)) & (day >= table.received)
        is_cut = is_status | (kind == ALLOCATION)
        if "stepped_up" in table.wanted.days:
            is_cut |= (kind == STEP_UP) & (day >= table.received)
        is_cut[_first(kind == NOTIFICATION, case, len(table.about.received))[np.unique(case)]] = (
            True
        )
        self._status = _latest(is_status, case)
        allocation = _latest(kind == ALLOCATION, case)
        self._is_closed = (self._status >= 0) & (kind[self._status] == CLOSURE)
        # A closed case is held by the latest allocation at or before its closure.
        self._holder = np.where(self._is_closed, allocation[self._status], allocation)

        self._cut = np.flatnonzero(is_cut)
        cut = self._cut
        self._begin = np.maximum(day[cut], table.received[cut])
        is_last = np.append(case[cut][1:] != case[cut][:-1], True)
        self._end = np.where(is_last, NEVER, np.append(self._begin[1:], NEVER))
        self._is_status = is_status

    def segments(self) -> Columns:
        """The segments that last until the end of a day at least."""
        table, lasting = self._table, self._begin < self._end
        cut, begin, end = self._cut[lasting], self._begin[lasting], self._end[lasting]
        case, holder, is_closed = table.case[cut], self._holder[cut], self._is_closed[cut]
        closure = np.where(is_closed, self._status[cut], -1)
        provider = _at(table.rows["area"].astype(np.int64), holder, 0)
        district = table.about.district[case]
        return Columns(
            sign=self._sign[cut],
            twin=_twins(case, table.changed),
            group=case,
            locality=table.localities.of(district, provider),
            band=table.about.band[case],
            begin=begin,
            end=end,
            days=self._days(cut, holder, closure),
            passes={
                "holder": _passes(table.rows, holder, self._unheld),
                "outcome": _passes(table.rows, closure, 0),
            },
            flags={"troubled_families_evidence": _at(table.rows["detail"], closure, 0) == 1},
            is_closed=is_closed,
            district=district,
            episode=_episodes(table.case[self._cut], self._is_closed[self._cut])[lasting],
            service=_at(table.rows["service"].astype(np.int64), holder, NO_SERVICE),
        )

    def _days(self, cut: Days, holder: Days, closure: Days) -> dict[str, Days]:
        """The days of segments that are wanted, and those that every case has."""
        table = self._table
        about, case, wanted = table.about, table.case[cut], table.wanted.days
        days = {
            "received": about.received[case],
            "contact": about.contact[case],
            "plan": about.plan[case],
            "referrer": about.referrer[case],
            "closed": _at(table.day, closure, NEVER),
        }
        if "stepped_up" in wanted:
            is_step_up = (table.kind == STEP_UP) & (table.day >= table.received)
            step_up = _latest(is_step_up, table.case)[cut]
            days["stepped_up"] = _at(table.day, step_up, NEVER)
        if "sustained" in wanted or "destination" in wanted:
            days["destination"] = about.destination[case]
            from_then = table.calendar.leaves_last_months(days["destination"], SUSTAINED_MONTHS)
            days["sustained"] = self._first_since(SUSTAINED, case, from_then)
        if wanted & {"receipt", "service_worker", "service_contact", "service_plan"}:
            receipt = days["receipt"] = _at(self._receipts(), holder, NEVER)
            ahead = np.maximum(
                table.calendar.working_days_before(receipt, WORKER_AHEAD), about.received[case]
            )
            worker = self._first_since(WORKER, case, ahead)
            days["service_worker"] = np.where(worker < NEVER, np.maximum(worker, receipt), NEVER)
            days["service_contact"] = self._first_since(CONTACT, case, receipt)
            days["service_plan"] = self._first_since(PLAN, case, receipt)
        return days

    def _first_since(self, kind: int, of_case: Days, since: Days) -> Days:
        table = self._table
        return _first_since(table.kind == kind, table.case, table.day, of_case, since)

    def _receipts(self) -> Days:
        """For each allocation, the day of its case's first to the same service, not before r."""
        table = self._table
        allocations = np.flatnonzero(table.kind == ALLOCATION)
        pair = table.case[allocations] * (NO_SERVICE + 1) + table.rows["service"][allocations]
        _, first, which = np.unique(pair, return_index=True, return_inverse=True)
        receipt = np.full(len(table.rows), NEVER)
        days = np.maximum(table.day, table.received)[allocations]
        receipt[allocations] = days[first[which]]
        return receipt

    def spells(self, has_kin: Flags) -> Spells:
        """The stretches of days on which a service had a case, those that anything rests on.

        A service has a case on a day when it is open and held by it at the day's end, or when an
        episode ended on the day while it held it. `has_kin` says of each group whether its child
        has another, without which nothing but a measure of spells looks at them.
        """
        table, cut, begin, end = self._table, self._cut, self._begin, self._end
        holder = self._holder[cut]
        is_measured = _passes(table.rows, holder, self._unheld) & table.wanted.spell_tests != 0
        is_wanted = is_measured | has_kin[table.case[cut]]
        is_open = ~self._is_closed[cut] & (begin < end)
        is_ending = self._is_status[cut] & self._is_closed[cut] & self._was_open()[cut]
        until = np.where(is_open, np.where(end < NEVER, end - 1, NEVER), begin)
        chosen = (is_open | is_ending) & is_wanted
        row, holder = cut[chosen], holder[chosen]
        return Spells(
            group=table.case[row],
            begin=begin[chosen],
            until=until[chosen],
            is_ending=is_ending[chosen],
            passes=_passes(table.rows, holder, self._unheld),
            row=row,
            holder=holder,
        )

    def measured(self, spells: Spells) -> Columns:
        """Spells as facts: each from its first day until the same service's next one begins."""
        table = self._table
        service = _at(table.rows["service"].astype(np.int64), spells.holder, NO_SERVICE)
        order = np.lexsort((spells.row, service, spells.group))
        group, service, row = spells.group[order], service[order], spells.row[order]
        begin = spells.begin[order]
        is_followed = np.append((np.diff(group) == 0) & (np.diff(service) == 0), False)[: len(row)]
        provider = _at(table.rows["area"].astype(np.int64), spells.holder[order], 0)
        district = table.about.district[group]
        return Columns(
            sign=self._sign[row],
            twin=_twins(group, table.changed),
            group=group,
            locality=table.localities.of(district, provider),
            band=table.about.band[group],
            begin=begin,
            end=np.where(is_followed, np.append(begin[1:], NEVER)[: len(row)], NEVER),
            days={"received": table.about.received[group], "until": spells.until[order]},
            passes={"holder": spells.passes[order]},
            flags={},
            is_closed=np.zeros(len(row), dtype=np.bool_),
            district=district,
            episode=np.ones(len(row), dtype=np.int64),
            service=service,
        )

    def _was_open(self) -> Flags:
        """Whether each closure or reopening found its case open."""
        table = self._table
        statuses = np.flatnonzero(self._is_status)
        case = table.case[statuses]
        is_first = np.append(True, case[1:] != case[:-1])[: len(case)]
        after_reopening = np.append(True, table.kind[statuses][:-1] == REOPENING)[: len(case)]
        was_open = np.zeros(len(table.rows), dtype=np.bool_)
        was_open[statuses] = is_first | after_reopening
        return was_open


def _twins(group: Days, changed: int) -> Days:
    """For each row its twin (see Columns), where rows are in order of their groups."""
    there = 2 * changed
    sizes = np.bincount(group, minlength=there)
    firsts = np.cumsum(sizes) - sizes
    is_changed = group < there
    own = group[is_changed]
    other = np.where(own < changed, own + changed, own - changed)
    place = np.flatnonzero(is_changed) - firsts[own]
    twins = np.full(len(group), -1)
    twins[is_changed] = np.where(place < sizes[other], firsts[other] + place, -1)
    return twins


def _latest(chosen: Flags, case: Days) -> Days:
    """For each row, the position of its case's latest chosen row so far, -1 for none."""
    positions = np.where(chosen, np.arange(len(case)), -1)
    latest = np.maximum.accumulate(positions) if len(case) else positions
    return np.where((latest >= 0) & (case[latest] == case), latest, -1)


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
    """How many times each row's case has been open by then, 1 from its beginning.

    One that was closed and reopened within a day has been open once more, though no day ends on it.
    """
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


def _notifications(table: _Table, sign: Days) -> Columns:
    """Each notification on its own, of the age that the child had at it."""
    about = table.about
    chosen = np.flatnonzero(table.kind == NOTIFICATION)
    case, day = table.case[chosen], table.day[chosen]
    district, none = about.district[case], np.zeros(len(chosen), dtype=np.int64)
    return Columns(
        sign=sign[chosen],
        twin=_twins(case, table.changed),
        group=case,
        locality=table.localities.of(district, none),
        band=_band(about.birth[case], day, table.calendar),
        begin=day,
        end=np.full(len(chosen), NEVER),
        days={"received": about.received[case], "plan": about.plan[case], "notified": day},
        passes={"notification_type": table.rows["passes"][chosen]},
        flags={},
        is_closed=np.zeros(len(chosen), dtype=np.bool_),
        district=district,
        episode=np.ones(len(chosen), dtype=np.int64),
        service=np.full(len(chosen), NO_SERVICE),
    )
