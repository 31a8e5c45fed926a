"""Data quality: facts that are valid but odd, kept and reported (docs/events.md, Bad input)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import date
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from processors.days.calendar import Calendar, day_number
from processors.record.decoding import Event, in_order
from schemas.areas import Areas
from schemas.events.registry import CASE_TOPIC, types_on

# Working days after a step-up by which the case should be closed.
CLOSURE_DUE = 5
CASE_TYPES = types_on(CASE_TOPIC)
MILESTONES = frozenset({"contact.made", "plan.completed", "case.closed", "case.reopened"})
NOTIFIED, STEPPED_UP, CLOSED = "notification.received", "case.stepped-up", "case.closed"


class Oddity(StrEnum):
    """The kinds of odd facts."""

    BEFORE_NOTIFICATION = "before-notification"
    NO_NOTIFICATION = "no-notification"
    IN_THE_FUTURE = "in-the-future"
    STEP_UP_NOT_CLOSED = "step-up-not-closed"
    UNKNOWN_DISTRICT = "unknown-district"


# What each kind is, and what becomes of the fact.
EXPLANATIONS = {
    Oddity.BEFORE_NOTIFICATION: "a milestone or closure before the notification: not used",
    Oddity.NO_NOTIFICATION: "a case with events but no notification: not counted",
    Oddity.IN_THE_FUTURE: "dated after the as-of date: counts from its date",
    Oddity.STEP_UP_NOT_CLOSED: "stepped up and not closed 5 working days later: still open",
    Oddity.UNKNOWN_DISTRICT: "a district that is not in the tree of areas: counts at the top only",
}


class OddFact(NamedTuple):
    """One odd fact: its kind, the case, and the event that shows it (source and id)."""

    kind: Oddity
    case: str
    source: str
    id: str


def odd_facts(
    events: Iterable[Event], areas: Areas, calendar: Calendar, as_of: date
) -> Iterator[OddFact]:
    """The odd facts about cases among one child's events, as they stand on a date."""
    today, leaves = day_number(as_of), areas.leaves
    cases: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if event.type in CASE_TYPES:
            cases[event.subject].append(event)
    for case, known in sorted(cases.items()):
        for kind, event in _of_case(in_order(known), leaves, calendar, today):
            yield OddFact(kind, case, event.source, event.id)


def _of_case(
    events: list[Event], leaves: Collection[str], calendar: Calendar, today: int
) -> Iterator[tuple[Oddity, Event]]:
    notifications = [event for event in events if event.type == NOTIFIED]
    if not notifications:
        yield Oddity.NO_NOTIFICATION, events[0]
    else:
        district = notifications[0].data.get("district")
        if district is not None and district not in leaves:
            yield Oddity.UNKNOWN_DISTRICT, notifications[0]
    for event in events:
        if event.day > today:
            yield Oddity.IN_THE_FUTURE, event
        if notifications and event.type in MILESTONES and event.day < notifications[0].day:
            yield Oddity.BEFORE_NOTIFICATION, event
        if event.type == STEPPED_UP and _is_overdue(event, events, calendar, today):
            yield Oddity.STEP_UP_NOT_CLOSED, event


def _is_overdue(step_up: Event, events: list[Event], calendar: Calendar, today: int) -> bool:
    """Whether the closure is due and there is none from the day of the step-up on."""
    passed = calendar.working_days(np.array([step_up.day]), np.array([today]))
    closures = [event for event in events if event.type == CLOSED]
    return int(passed[0]) > CLOSURE_DUE and not any(
        step_up.day <= closure.day <= today for closure in closures
    )
