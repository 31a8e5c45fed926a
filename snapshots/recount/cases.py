"""A case as it is known on a day: its days, who holds it, and how it ended.

Reconciliation's own: one case at a time, from its events in order of (time, source, id).
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property, lru_cache
from typing import NamedTuple

from processors.record.decoding import Event
from schemas.catalogue import AGE_BANDS
from schemas.events.registry import CASE_TOPIC, types_on
from snapshots.recount.days import WorkingDays, back, completed_years

CASE_TYPES = types_on(CASE_TOPIC)
NOTIFIED = "notification.received"
ALLOCATED = "case.allocated"
ASSIGNED = "worker.assigned"
CONTACTED, PLANNED = "contact.made", "plan.completed"
CLOSED, REOPENED = "case.closed", "case.reopened"
DESTINATION = "destination.started"
STATUSES = frozenset({CLOSED, REOPENED})
TURNS = STATUSES | {ALLOCATED}
# Working days before receipt from which a worker's assignment counts as on the day of receipt.
WORKER_AHEAD = 5
# Months after a destination started from which it is sustained.
SUSTAINED_MONTHS = 3
# Completed years up to which each band of AGE_BANDS but the last two goes.
BAND_ENDS = (4, 10, 15)
UNKNOWN = AGE_BANDS[-1]
# Dates of birth that are remembered, of which a log has the same ones over and over.
MOST_BIRTHS = 10_000


class Spell(NamedTuple):
    """Days on which a service had a case, the last included; no last day while it has it still.

    `allocation` is what gave the service the case, None where nobody was given it; `is_ending` says
    that the spell is the one day on which a time open ended.
    """

    allocation: Event | None
    begin: int
    until: int | None
    is_ending: bool

    @property
    def service(self) -> str:
        """The service that had the case."""
        return service_of(self.allocation)


# How a case stands at the end of a day: whether it is open, and by what allocation.
EndOfDay = tuple[bool, Event | None]


class Case:
    """A case that has been notified, by the events dated up to a day, in order.

    `first` is its earliest notification, `closure` the closure that it stands closed by, and
    `allocation` the latest; of a closed case the latest at or before its closure's time.
    """

    def __init__(
        self, subject: str, events: Sequence[Event], first: Event, week: WorkingDays
    ) -> None:
        self.subject, self.events, self.first = subject, events, first
        self.received = first.day
        self._week = week
        closure: Event | None = None
        for event in events:
            if self._is_status(event):
                closure = event if event.type == CLOSED else None
        allocation: Event | None = None
        for event in events:
            if event.type == ALLOCATED and (closure is None or event.instant <= closure.instant):
                allocation = event
        self.closure, self.allocation = closure, allocation

    @property
    def reason(self) -> str | None:
        """The primary reason that the first notification gave."""
        return self.first.data.get("primary_reason") or None

    @property
    def holder(self) -> str:
        """The service that holds the case."""
        return service_of(self.allocation)

    @property
    def services(self) -> set[str]:
        """The services that were ever given the case, and that of a case given to nobody."""
        return {"", *(it.data["service"] for it in self.events if it.type == ALLOCATED)}

    @property
    def band(self) -> str:
        """The age band on the day of the first notification."""
        return band_of(self.first, self.received)

    @cached_property
    def receipt(self) -> int | None:
        """The first day that the holder's service was given the case, never before its first."""
        for event in self.events:
            if event.type == ALLOCATED and event.data["service"] == self.holder:
                return max(event.day, self.received)
        return None

    @property
    def worker(self) -> int | None:
        """The first assignment that counts from receipt on, or shortly before as on that day."""
        receipt = self.receipt
        if receipt is None:
            return None
        days = self._days(ASSIGNED, self.received)
        counting = (it for it in days if self._week.between(it, receipt) <= WORKER_AHEAD)
        return max(first, receipt) if (first := next(counting, None)) is not None else None

    @property
    def sustained(self) -> int | None:
        """The first time that a destination was held long enough after the first began."""
        started = self.first_day(DESTINATION)
        if started is None:
            return None
        held = self._days("destination.sustained", started)
        return next((it for it in held if back(it, SUSTAINED_MONTHS) >= started), None)

    @property
    def stepped_up(self) -> int | None:
        """The latest step-up from the first notification on."""
        return max(self._days("case.stepped-up", self.received), default=None)

    def first_day(self, kind: str) -> int | None:
        """The first day of a type of event from the first notification on."""
        return self._first_since(kind, self.received)

    def first_since_receipt(self, kind: str) -> int | None:
        """The first day of a type of event from receipt on."""
        return None if self.receipt is None else self._first_since(kind, self.receipt)

    def days(self, wanted: Iterable[str]) -> dict[str, int]:
        """The days wanted that have come."""
        found = {}
        for name in wanted:
            day = DAYS[name](self)
            if day is not None:
                found[name] = day
        return found

    @cached_property
    def spells(self) -> list[Spell]:
        """The spells, in order of their last day, an ending before what began again on its day."""
        is_open, holder = True, None
        at: dict[int, EndOfDay] = {self.received: (is_open, holder)}
        found = list[Spell]()
        turns = [it for it in self.events if it.type in TURNS]
        # Of one instant allocations come first, as for the holder of a closed case.
        for event in sorted(turns, key=lambda it: (it.instant, it.type != ALLOCATED)):
            day = max(event.day, self.received)
            if event.type == ALLOCATED:
                holder = event
            elif self._is_status(event):
                if is_open and event.type == CLOSED:
                    found.append(Spell(holder, day, day, True))
                is_open = event.type == REOPENED
            else:
                continue
            at[day] = is_open, holder
        return sorted([*found, *_at_days_ends(at)], key=_last_day)

    def _is_status(self, event: Event) -> bool:
        return event.type in STATUSES and event.day >= self.received

    def _days(self, kind: str, since: int) -> Iterator[int]:
        return (it.day for it in self.events if it.type == kind and it.day >= since)

    def _first_since(self, kind: str, since: int) -> int | None:
        for event in self.events:
            if event.type == kind and event.day >= since:
                return event.day
        return None


DAYS: Mapping[str, Callable[[Case], int | None]] = {
    "received": lambda case: case.received,
    "contact": lambda case: case.first_day(CONTACTED),
    "plan": lambda case: case.first_day(PLANNED),
    "closed": lambda case: case.closure.day if case.closure else None,
    "receipt": lambda case: case.receipt,
    "service_worker": lambda case: case.worker,
    "service_contact": lambda case: case.first_since_receipt(CONTACTED),
    "service_plan": lambda case: case.first_since_receipt(PLANNED),
    "referrer": lambda case: case.first_day("referrer.contacted"),
    "stepped_up": lambda case: case.stepped_up,
    "destination": lambda case: case.first_day(DESTINATION),
    "sustained": lambda case: case.sustained,
}


def by_case(events: Iterable[Event]) -> dict[str, list[Event]]:
    """The events about each case, in the order given."""
    found: dict[str, list[Event]] = {}
    for event in events:
        if event.type in CASE_TYPES:
            found.setdefault(event.subject, []).append(event)
    return found


def cases_on(
    day: int,
    events: Mapping[str, Sequence[Event]],
    week: WorkingDays,
    known: Mapping[str, Case],
) -> dict[str, Case]:
    """The cases that a child's events in order make up to a day, by subject.

    One without a notification does not count. One that is `known`, by as many of its events, is
    taken as it is: up to an earlier day there are the same events or fewer.
    """
    found = {}
    for subject, of_case in events.items():
        come = of_case if of_case[-1].day <= day else [it for it in of_case if it.day <= day]
        case = known.get(subject)
        if case is None or len(case.events) != len(come):
            first = next((it for it in come if it.type == NOTIFIED), None)
            case = Case(subject, come, first, week) if first else None
        if case is not None:
            found[subject] = case
    return found


def service_of(allocation: Event | None) -> str:
    """The service that an allocation gives a case to; no name where there is none."""
    return allocation.data["service"] if allocation else ""


def provider_of(allocation: Event | None) -> str | None:
    """The provider that an allocation names."""
    return allocation.data.get("provider") if allocation else None


def band_of(notification: Event, day: int) -> str:
    """The band of the completed years on a day, by a notification's date of birth."""
    born = notification.data.get("date_of_birth")
    years = -1 if born is None else completed_years(_birth(born), day)
    return UNKNOWN if years < 0 else AGE_BANDS[bisect_left(BAND_ENDS, years)]


_birth = lru_cache(maxsize=MOST_BIRTHS)(date.fromisoformat)


def _at_days_ends(at: Mapping[int, EndOfDay]) -> Iterator[Spell]:
    """The spells of a case by how it stood at the end of each day on which that changed."""
    days = [*at, None]
    for (begin, (is_open, holder)), following in zip(at.items(), days[1:], strict=True):
        if is_open:
            until = None if following is None else following - 1
            yield Spell(holder, begin, until, False)


def _last_day(spell: Spell) -> tuple[bool, int, bool]:
    return spell.until is None, spell.until or 0, not spell.is_ending
