"""Why an alert is over that does not follow from the facts any more (docs/alerts.md, Reasons)."""

from collections.abc import Iterable, Set
from typing import NamedTuple

import numpy as np

from processors.alerts.told import Alert, Identity
from processors.days.calendar import calendar
from processors.facts.stretches import WORKER_AHEAD
from processors.record.decoding import Event, in_order
from schemas.alerts import Reason
from schemas.standards import Standard

# The event that a milestone is reached by.
MILESTONES = {"worker": "worker.assigned", "contact": "contact.made", "plan": "plan.completed"}
STATUSES = {"case.closed", "case.reopened"}


class Standing(NamedTuple):
    """A case as its status events leave it: how many times it has been open, and whether it is."""

    episode: int
    is_open: bool


def why_gone(
    told: Alert,
    standard: Standard | None,
    events: Iterable[Event],
    retracted: Set[Identity],
    day: int,
) -> Reason:
    """Why an alert that was told does not follow from the facts of a day.

    `events` are its case's, or all of the child's; `retracted` the identities that were retracted
    of theirs.
    """
    if standard is None:
        return "withdrawn"
    known = in_order(it for it in events if it.subject == told.case and it.day <= day)
    received = next((it.day for it in known if it.type == "notification.received"), None)
    to_service = [it for it in known if _is_to(it, standard)]
    if received is None or not to_service:
        was_retracted = not retracted.isdisjoint(told.rests_on)
        # What was told before alerts named what they rest on.
        is_gone = received is None and not told.rests_on
        return "retracted" if was_retracted or is_gone else "corrected"
    return _ended_by(told, standard, known, received) if told.is_active else "corrected"


def receipt_of(standard: Standard, allocated: Iterable[Event], received: int) -> int:
    """The day of the first allocation to a standard's service, never before the notification's."""
    to_service = (it.day for it in allocated if _is_to(it, standard))
    return max(next(to_service, received), received)


def worker_counts_from(receipt: int, received: int) -> int:
    """The first day on which a worker's assignment counts for who received the case then."""
    ahead = calendar().working_days_before(np.array([receipt]), WORKER_AHEAD)
    return max(int(ahead[0]), received)


def _is_to(event: Event, standard: Standard) -> bool:
    return event.type == "case.allocated" and event.data["service"] == standard.service


def _ended_by(told: Alert, standard: Standard, known: list[Event], received: int) -> Reason:
    """What ended an active alert of a case that its service has, or had.

    Going by days it had not begun: what ended it came on the day it began, or was learnt late.
    `known` are the case's events up to now, in order.
    """
    done = _done(standard, known, received) if standard.milestone else None
    if done is not None:
        return "done-late" if told.state == "breached" and done >= told.since else "done"
    now = _standing(known, received)
    if told.episode < now.episode or (told.episode == now.episode and not now.is_open):
        return "closed"
    allocated = [it for it in known if it.type == "case.allocated"]
    if told.episode == now.episode and not _is_to(allocated[-1], standard):
        return "transferred"
    return "corrected"


def _standing(known: list[Event], received: int) -> Standing:
    episode, is_open = 1, True
    for event in known:
        if event.type in STATUSES and event.day >= received:
            is_reopened = event.type == "case.reopened"
            episode += is_reopened and not is_open
            is_open = is_reopened
    return Standing(episode, is_open)


def _done(standard: Standard, known: list[Event], received: int) -> int | None:
    """The day on which the milestone of a standard was reached; None if it was not."""
    kind = MILESTONES[standard.milestone or ""]
    receipt = start = received
    if standard.milestone_day != standard.milestone:
        receipt = start = receipt_of(standard, known, received)
    if standard.milestone == "worker":
        start = worker_counts_from(receipt, received)
    day = next((it.day for it in known if it.type == kind and it.day >= start), None)
    return None if day is None else max(day, receipt)
