"""Deadlines: for every open case and standard, when an alert is due, and until when.

A *span* is the time in which an alert on one standard is active: due soon from its first day,
breached from the day after the last that keeps the standard, over on the day that the milestone is
reached, the case is closed or another service takes it. Like everything in the ledger it follows
from the facts alone, for days past and to come.
"""

from dataclasses import dataclass

import numpy as np

from processors.arrays import Flags, positions
from processors.days.calendar import NEVER, Calendar, Days
from processors.facts.columns import NO_SERVICE, Columns
from processors.ledger.entries import Part, entered
from schemas.alerts import Reason
from schemas.events.case import SERVICES
from schemas.standards import Standard

# Why a span ends, by number.
REASONS: tuple[Reason, ...] = ("transferred", "closed", "done", "done-late")
TRANSFERRED, CLOSED, DONE, DONE_LATE = range(4)


@dataclass(frozen=True)
class Spans:
    """Spans that are not empty; each column has one element a span.

    `row` is the position in the columns that the spans were made from, `standard` the position of
    the standard. Days are day numbers: active from `begin` up to, not including, `end`, breached
    from `breach` on; `due` is the day, or working day, by which the limit is up; `ended` is why it
    ends, where it does.
    """

    row: Days
    standard: Days
    begin: Days
    due: Days
    breach: Days
    end: Days
    ended: Days


@dataclass(frozen=True)
class StandardWaits:
    """What a standard has each segment of its service wait for, whether alerted of or not.

    As in `Spans`; `clock` is the day from which days count, `soon` the first on which the limit is
    nearly up, `done` that of the milestone, NEVER if it is none. `end` is when the wait is over, by
    the milestone or with the segment, and may be before the segment begins.
    """

    row: Days
    standard: Days
    clock: Days
    soon: Days
    due: Days
    breach: Days
    done: Days
    end: Days
    ended: Days


class Deadlines:
    """The standards, ready to be applied to the segments of cases, all of them at once."""

    def __init__(self, standards: tuple[Standard, ...], calendar: Calendar) -> None:
        self._calendar = calendar
        self._service = np.array([SERVICES.index(it.service) for it in standards], dtype=np.int64)
        self._is_watched = np.isin(np.arange(NO_SERVICE + 1), self._service)
        # Of each standard: beyond how many days an alert is due soon, the limit is up, and broken.
        soon = [it.limit - it.due_soon - 1 for it in standards]
        limit = [it.limit for it in standards]
        self._passed = np.array([soon, [it - 1 for it in limit], limit], dtype=np.int64)
        self._in_working_days = np.array(
            [it.unit == "working-days" for it in standards], dtype=bool
        )
        milestones = [it.milestone_day for it in standards]
        named = {it.clock for it in standards}.union(name for name in milestones if name)
        self._days = sorted(named)
        self._clock = np.array([self._days.index(it.clock) for it in standards], dtype=np.int64)
        # After all days there is one that never comes.
        never = len(self._days)
        self._milestone = np.array(
            [self._days.index(name) if name else never for name in milestones], dtype=np.int64
        )

    def spans(self, rows: Columns) -> Spans:
        """The spans of every standard in segments, in their order for each standard."""
        found = self.waits(rows)
        begin = np.maximum(rows.begin[found.row], found.soon)
        kept = positions(begin < found.end)
        columns = found.row, found.standard, begin, found.due, found.breach, found.end, found.ended
        return Spans(*(column[kept] for column in columns))

    def waits(self, rows: Columns) -> StandardWaits:
        """What every standard has segments wait for, in their order for each standard."""
        segments = positions(self._is_watched[rows.service] & ~rows.is_closed)
        of_service = self._service[:, np.newaxis] == rows.service[segments]
        standard, at = of_service.nonzero()
        days = np.full((len(self._days) + 1, len(segments)), NEVER)
        for number, name in enumerate(self._days):
            days[number] = rows.days[name][segments]
        clock, done = days[self._clock[standard], at], days[self._milestone[standard], at]
        row, (soon, due, breach) = segments[at], self._first_past(standard, clock)
        holds_until = rows.end[row]
        ended = np.where(_leads_to_closure(rows)[row], CLOSED, TRANSFERRED)
        is_late = np.where(done < breach, DONE, DONE_LATE)
        ended = np.where(done <= holds_until, is_late, ended)
        end = np.minimum(holds_until, done)
        return StandardWaits(row, standard, clock, soon, due, breach, done, end, ended)

    def _first_past(self, standard: Days, clock: Days) -> Days:
        """The days from which an alert is due soon, on which the limit is up, and it is broken."""
        passed = self._passed[:, standard]
        in_days = np.where(clock >= NEVER, NEVER, clock + passed + 1)
        in_working_days = self._calendar.working_day_after(clock, passed)
        return np.where(self._in_working_days[standard], in_working_days, in_days)


def _leads_to_closure(rows: Columns) -> Flags:
    """Whether each segment ends because an episode of its case does."""
    leads = np.zeros(len(rows.group), dtype=np.bool_)
    is_followed = rows.group[1:] == rows.group[:-1]
    ends_episode = rows.is_closed[1:] | (rows.episode[1:] != rows.episode[:-1])
    leads[:-1] = is_followed & ends_episode
    return leads


def breaches(found: Spans, rows: Columns, first_slot: int, shard: Days) -> tuple[Part, Part]:
    """Entries of how many open cases breach each standard, in slots from `first_slot` on.

    `shard` has that of each group.
    """
    begin = np.maximum(found.begin, found.breach)
    kept = positions(begin < found.end)
    row, slot = found.row[kept], found.standard[kept] + first_slot
    return entered(
        shard[rows.group[row]],
        slot,
        rows.locality[row],
        rows.band[row],
        begin[kept],
        found.end[kept],
        rows.sign[row],
    )
