"""The list behind a cell: the children, cases, people or sessions that make up its two sums.

It comes from the same facts and measures as the tables (processors.behind.counted_rows), looked at
on one day, so that a list agrees with its cell to the last one.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from processors.behind.counted_rows import CellSums, Question, counted_rows
from processors.days.calendar import date_of
from processors.record.decoding import in_order
from processors.record.record import Record
from processors.rules import Rules

RECEIVED, ALLOCATED = "notification.received", "case.allocated"
CLOSED, REOPENED = "case.closed", "case.reopened"
# Records whose cases are worked out together.
AT_ONCE = 500


class Listed(NamedTuple):
    """Something that a cell counts.

    `child` is the partition key, `subject` what is counted of it: a case, a session, nothing where
    it is the person. `numerator` and `denominator` are what it adds to each. Of a case, the rest
    says when it was received and closed, and who was given it last, as known on the day.
    """

    child: str
    subject: str
    numerator: int
    denominator: int
    received: str | None = None
    service: str | None = None
    provider: str | None = None
    team: str | None = None
    closed: str | None = None


def listed(
    rules: Rules, records: Iterable[tuple[str, Record]], question: Question
) -> Iterator[Listed]:
    """What makes up a cell, in the order of the records."""
    asking = CellSums(rules, question)
    waiting: dict[str, Record] = {}
    for child, record in records:
        waiting[child] = record
        if len(waiting) == AT_ONCE:
            yield from _listed(rules, waiting, question, asking)
            waiting = {}
    yield from _listed(rules, waiting, question, asking)


def _listed(
    rules: Rules, records: dict[str, Record], question: Question, asking: CellSums
) -> Iterator[Listed]:
    subjects, rows = counted_rows(rules, records)
    above, below = asking.sums(rows, len(subjects))
    for at in np.flatnonzero((above != 0) | (below != 0)).tolist():
        child, subject, _ = subjects[at]
        told = about(records[child], subject, question.day)
        yield Listed(child, subject, int(above[at]), int(below[at]), *told)


class CaseAbout(NamedTuple):
    """When a case was received, who was given it last, and when it was closed last, by a day."""

    received: str | None
    service: str | None
    provider: str | None
    team: str | None
    closed: str | None


def about(record: Record, subject: str, today: int) -> CaseAbout:
    """When a case was received, who was given it last, and when it was last closed, by a day."""
    known = in_order(it for it in record.events if it.subject == subject and it.day <= today)
    received = next((it for it in known if it.type == RECEIVED), None)
    allocated = next((it for it in reversed(known) if it.type == ALLOCATED), None)
    holder = allocated.data if allocated else {}
    status = next((it for it in reversed(known) if it.type in {CLOSED, REOPENED}), None)
    closed = status if status and status.type == CLOSED else None
    return CaseAbout(
        str(date_of(received.day)) if received else None,
        holder.get("service"),
        holder.get("provider"),
        holder.get("team"),
        str(date_of(closed.day)) if closed else None,
    )
