"""Cases cut where their state changes: into segments, and into the spells of services.

A *segment* is a stretch of a case's life in which its state does not change, so that with its
first day, its end and the case's other days it is all that any measure needs. A *spell* is a time
in which one service has the case (docs/indicators.md, Words).
"""

import numpy as np
from numpy.typing import NDArray

from processors.arrays import Flags, begins, ends, positions
from processors.days.calendar import NEVER, Days
from processors.facts.columns import NO_SERVICE, Columns, at, twins
from processors.facts.relations import Spells
from processors.facts.table import Table
from processors.record.rows import (
    ALLOCATION,
    CLOSURE,
    CONTACT,
    DESTINATION,
    PLAN,
    REFERRER,
    REOPENING,
    STEP_UP,
    SUSTAINED,
    WORKER,
    taken,
)

# Working days before receipt from which a worker's assignment counts as on the day of receipt,
# since an allocation is often recorded after it.
WORKER_AHEAD = 5
# Months after the first destination from which one is sustained.
SUSTAINED_MONTHS = 3
SINCE_RECEIPT = frozenset({"receipt", "service_worker", "service_contact", "service_plan"})


class Stretches:
    """Each case cut at its notification, its allocations, its closures and its reopenings.

    All columns are of the rows at which cases are cut; `holder` and `status` are positions in them.
    """

    def __init__(self, table: Table, unheld: int) -> None:
        self._table = table
        cut = positions(_is_cut(table))
        self._rows, self._kind = taken(table.rows, cut), table.kind[cut]
        self._case = table.case[cut]
        kind, case = self._kind, self._case
        self._begin = np.maximum(table.day[cut], table.received[case])
        self._end = np.full(len(cut), NEVER)
        self._end[:-1] = self._begin[1:]
        self._end[ends(case)] = NEVER
        self._day = table.day[cut]
        self._is_status = (kind == CLOSURE) | (kind == REOPENING)
        # The position of the first row of each row's case.
        self._first = np.maximum.accumulate(np.where(begins(case), np.arange(len(case)), 0))
        self._status = self._latest(self._is_status)
        allocation = self._latest(kind == ALLOCATION)
        self._is_closed = (self._status >= 0) & (kind[self._status] == CLOSURE)
        # A closed case is held by the latest allocation at or before its closure.
        self._holder = np.where(self._is_closed, allocation[self._status], allocation)
        self._service = at(self._rows["service"], self._holder, NO_SERVICE)
        self._passes = self._passed(self._holder, unheld)

    def segments(self) -> Columns:
        """The segments that last until the end of a day at least."""
        table, lasting = self._table, positions(self._begin < self._end)
        case, holder, is_closed = (
            self._case[lasting],
            self._holder[lasting],
            self._is_closed[lasting],
        )
        closure = np.where(is_closed, self._status[lasting], -1)
        district = table.district[case]
        return Columns(
            sign=table.sign[case],
            twins=twins(case, table.changed),
            group=case,
            locality=table.localities.of(district, at(self._rows["area"], holder, 0)),
            band=table.band[case],
            begin=self._begin[lasting],
            end=self._end[lasting],
            days=self._days(lasting, case, holder, closure),
            passes={"holder": self._passes[lasting], "outcome": self._passed(closure, 0)},
            flags={"troubled_families_evidence": at(self._rows["detail"], closure, 0) == 1},
            is_closed=is_closed,
            district=district,
            episode=self._episodes()[lasting],
            service=self._service[lasting],
        )

    def _days(self, lasting: Days, case: Days, holder: Days, closure: Days) -> dict[str, Days]:
        """The days of segments that are wanted, and those that every case has."""
        table, wanted = self._table, self._table.wanted.days
        days = {
            "received": table.received[case],
            "contact": table.first(CONTACT)[case],
            "plan": table.first(PLAN)[case],
            "referrer": table.first(REFERRER)[case],
            "closed": at(self._day, closure, NEVER),
        }
        if "stepped_up" in wanted:
            is_step_up = self._kind == STEP_UP
            if is_step_up.any():
                step_up = self._latest(is_step_up)[lasting]
                days["stepped_up"] = at(self._day, step_up, NEVER)
            else:
                days["stepped_up"] = np.full(len(case), NEVER)
        if "sustained" in wanted or "destination" in wanted:
            destination = days["destination"] = table.first(DESTINATION)[case]
            from_then = table.calendar.leaves_last_months(destination, SUSTAINED_MONTHS)
            days["sustained"] = table.first_since(SUSTAINED, case, from_then)
        if wanted & SINCE_RECEIPT:
            receipt = days["receipt"] = at(self._receipts(), holder, NEVER)
            ahead = np.maximum(
                table.calendar.working_days_before(receipt, WORKER_AHEAD), days["received"]
            )
            worker = table.first_since(WORKER, case, ahead)
            days["service_worker"] = np.where(worker < NEVER, np.maximum(worker, receipt), NEVER)
            days["service_contact"] = table.first_since(CONTACT, case, receipt)
            days["service_plan"] = table.first_since(PLAN, case, receipt)
        return days

    def _receipts(self) -> Days:
        """For each allocation, the day of its case's first to the same service, not before r."""
        allocations = positions(self._kind == ALLOCATION)
        service = self._rows["service"][allocations]
        pair = self._case[allocations] * (NO_SERVICE + 1) + service
        first = np.full(len(self._table.sign) * (NO_SERVICE + 1), NEVER)
        np.minimum.at(first, pair, self._begin[allocations])
        receipt = np.full(len(self._case), NEVER)
        receipt[allocations] = first[pair]
        return receipt

    def spells(self, has_kin: Flags) -> Spells:
        """The stretches of days on which a service had a case, those that anything rests on.

        A service has a case on a day when it is open and held by it at the day's end, or when an
        episode ended on the day while it held it. `has_kin` says of each group whether its child
        has another, without which nothing but a measure of spells looks at them.
        """
        begin, end = self._begin, self._end
        is_measured = self._passes & self._table.wanted.spell_tests != 0
        is_open = ~self._is_closed & (begin < end)
        is_ending = self._is_status & self._is_closed & self._was_open()
        until = np.where(is_open, np.where(end < NEVER, end - 1, NEVER), begin)
        row = positions((is_open | is_ending) & (is_measured | has_kin[self._case]))
        return Spells(
            group=self._case[row],
            begin=begin[row],
            until=until[row],
            is_ending=is_ending[row],
            passes=self._passes[row],
            row=row,
        )

    def measured(self, spells: Spells) -> Columns:
        """Spells as facts: each from its first day until the same service's next one begins."""
        table = self._table
        measured = positions(spells.passes & table.wanted.spell_tests)
        service = self._service[spells.row[measured]]
        order = np.lexsort((spells.row[measured], service, spells.group[measured]))
        at_spell, service = measured[order], service[order]
        group, row, begin = spells.group[at_spell], spells.row[at_spell], spells.begin[at_spell]
        is_last = ends(group) | ends(service)
        end = np.full(len(row), NEVER)
        end[:-1] = begin[1:]
        end[is_last] = NEVER
        district = table.district[group]
        return Columns(
            sign=table.sign[group],
            twins=twins(group, table.changed),
            group=group,
            locality=table.localities.of(district, at(self._rows["area"], self._holder[row], 0)),
            band=table.band[group],
            begin=begin,
            end=end,
            days={"received": table.received[group], "until": spells.until[at_spell]},
            passes={"holder": spells.passes[at_spell]},
            flags={},
            is_closed=np.zeros(len(row), dtype=np.bool_),
            district=district,
            episode=np.ones(len(row), dtype=np.int64),
            service=service,
        )

    def _was_open(self) -> Flags:
        """Whether each closure or reopening found its case open."""
        statuses = positions(self._is_status)
        found_open = begins(self._case[statuses])
        found_open[1:] |= self._kind[statuses[:-1]] == REOPENING
        was_open = np.zeros(len(self._case), dtype=np.bool_)
        was_open[statuses] = found_open
        return was_open

    def _latest(self, chosen: Flags) -> Days:
        """For each row, the position of its case's latest chosen row so far, -1 for none."""
        latest = np.maximum.accumulate(np.where(chosen, np.arange(len(chosen)), -1))
        return np.where(latest >= self._first, latest, -1)

    def _episodes(self) -> Days:
        """How many times each row's case has been open by then, 1 from its beginning.

        One that was closed and reopened within a day has been open once more, though no day ends on
        it.
        """
        is_reopened = np.zeros(len(self._case), dtype=np.bool_)
        is_reopened[1:] = self._is_closed[:-1] & ~self._is_closed[1:]
        is_reopened[self._first] = False
        times = is_reopened.cumsum()
        episodes: Days = 1 + times - times[self._first]
        return episodes

    def _passed(self, position: Days, absent: int) -> NDArray[np.uint32]:
        """The bits of the tests that the row at each position passes, `absent` without one."""
        return np.where(position >= 0, self._rows["passes"][position], np.uint32(absent))


def _is_cut(table: Table) -> Flags:
    """Whether a case is cut at each row."""
    kind = table.kind
    is_cut: Flags = (kind == CLOSURE) | (kind == REOPENING)
    if "stepped_up" in table.wanted.days:
        is_cut |= kind == STEP_UP
    is_cut &= table.is_since_receipt
    is_cut |= kind == ALLOCATION
    is_cut[table.first_notifications] = True
    return is_cut
