"""Deadlines: for every open case and standard, when an alert is due, and until when.

A *span* is the time in which an alert on one standard is active: due soon from its first day,
breached from the day after the last that keeps the standard, over on the day that the milestone is
reached, the case is closed or another service takes it. Like everything in the ledger it follows
from the facts alone, for days past and to come.
"""

from dataclasses import dataclass, fields

import numpy as np

from processors.days.calendar import NEVER, Calendar, Days
from processors.facts.cases import Columns, Flags
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


def spans(rows: Columns, standards: tuple[Standard, ...], calendar: Calendar) -> Spans:
    """The spans of every standard in the segments of cases, in their order for each standard."""
    is_followed = np.append(rows.group[1:] == rows.group[:-1], False)
    ends_episode = rows.is_closed[1:] | (rows.episode[1:] != rows.episode[:-1])
    leads_to_closure = is_followed & np.append(ends_episode, False)
    none = np.zeros(0, dtype=np.int64)
    parts = [(none,) * len(fields(Spans))]
    parts += [
        _of(position, standard, rows, leads_to_closure, calendar)
        for position, standard in enumerate(standards)
    ]
    return Spans(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _of(
    position: int, standard: Standard, rows: Columns, leads_to_closure: Flags, calendar: Calendar
) -> tuple[Days, ...]:
    service = SERVICES.index(standard.service)
    row = np.flatnonzero((rows.service == service) & ~rows.is_closed)
    clock = rows.days[standard.clock][row]
    due = _first_past(standard, clock, standard.limit - 1, calendar)
    breach = _first_past(standard, clock, standard.limit, calendar)
    soon = _first_past(standard, clock, standard.limit - standard.due_soon - 1, calendar)
    milestone = standard.milestone_day
    done = rows.days[milestone][row] if milestone else np.full(len(row), NEVER)
    begin = np.maximum(rows.begin[row], soon)
    end = np.minimum(rows.end[row], done)
    ended = np.where(leads_to_closure[row], CLOSED, TRANSFERRED)
    ended = np.where(done <= rows.end[row], np.where(done < breach, DONE, DONE_LATE), ended)
    kept = begin < end
    numbers = np.full(int(kept.sum()), position)
    return row[kept], numbers, begin[kept], due[kept], breach[kept], end[kept], ended[kept]


def _first_past(standard: Standard, clock: Days, passed: int, calendar: Calendar) -> Days:
    """The first day on which more than `passed` days, or working days, have passed."""
    if standard.unit == "working-days":
        return calendar.working_day_after(clock, passed)
    return np.where(clock >= NEVER, NEVER, clock + passed + 1)


def breaches(found: Spans, rows: Columns, first_slot: int) -> tuple[Part, Part]:
    """Entries of how many open cases breach each standard, in slots from `first_slot` on."""
    begin = np.maximum(found.begin, found.breach)
    kept = np.flatnonzero(begin < found.end)
    row, slot = found.row[kept], found.standard[kept] + first_slot
    return entered(
        slot, rows.locality[row], rows.band[row], begin[kept], found.end[kept], rows.sign[row]
    )
