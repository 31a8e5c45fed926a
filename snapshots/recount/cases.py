"""A case as it is known on a day: its days, who holds it, and how it ended.

Reconciliation's own: one case at a time, from its events in order of (time, source, id).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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
# Working days before receipt from which a worker's assignment counts as on the day of receipt.
WORKER_AHEAD = 5
# Months after a destination started from which it is sustained.
SUSTAINED_MONTHS = 3
# Completed years up to which each band of AGE_BANDS but the last two goes.
BAND_ENDS = (4, 10, 15)
UNKNOWN = AGE_BANDS[-1]
# Dates of birth, each with a day, of which the band is remembered: a case is asked several times.
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


class EndOfDay(NamedTuple):
    """How a case stands at the end of a day: whether it is open, and by what allocation."""

    is_open: bool
    holder: Event | None


@dataclass(frozen=True)
class Case:
    """A case that has been notified, by the events dated up to a day; `first` is the earliest."""

    subject: str
    events: Sequence[Event]
    first: Event
    week: WorkingDays

    @property
    def received(self) -> int:
        """The day of the first notification."""
        return self.first.day

    @property
    def reason(self) -> str | None:
        """The primary reason that the first notification gave."""
        return self.first.data.get("primary_reason") or None

    @cached_property
    def closure(self) -> Event | None:
        """The closure that the case stands closed by."""
        statuses = [it for it in self.events if self._is_status(it)]
        return statuses[-1] if statuses and statuses[-1].type == CLOSED else None

    @cached_property
    def allocation(self) -> Event | None:
        """The latest allocation; of a closed case the latest at or before its closure's time."""
        closure = self.closure
        allocated = [
            it
            for it in self.events
            if it.type == ALLOCATED and (closure is None or it.instant <= closure.instant)
        ]
        return allocated[-1] if allocated else None

    @property
    def holder(self) -> str:
        """The service that holds the case."""
        return service_of(self.allocation)

    @cached_property
    def receipt(self) -> int | None:
        """The first day that the holder's service was given the case, never before its first."""
        days = (
            it.day
            for it in self.events
            if it.type == ALLOCATED and it.data["service"] == self.holder
        )
        first = next(days, None)
        return None if first is None else max(first, self.received)

    @cached_property
    def worker(self) -> int | None:
        """The first assignment that counts from receipt on, or shortly before as on that day."""
        receipt = self.receipt
        if receipt is None:
            return None
        days = self._days(ASSIGNED, self.received)
        counting = (it for it in days if self.week.between(it, receipt) <= WORKER_AHEAD)
        return max(first, receipt) if (first := next(counting, None)) is not None else None

    @cached_property
    def destination(self) -> int | None:
        """The first destination."""
        return self.first_day("destination.started")

    @cached_property
    def sustained(self) -> int | None:
        """The first time that a destination was held long enough after the first began."""
        started = self.destination
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
        return next(self._days(kind, self.received), None)

    def first_since_receipt(self, kind: str) -> int | None:
        """The first day of a type of event from receipt on."""
        return None if self.receipt is None else next(self._days(kind, self.receipt), None)

    def days(self, wanted: Iterable[str]) -> dict[str, int]:
        """The days wanted that have come."""
        found = {name: DAYS[name](self) for name in wanted if name in DAYS}
        return {name: day for name, day in found.items() if day is not None}

    @cached_property
    def spells(self) -> list[Spell]:
        """The spells, in order of their last day, an ending before what began again on its day."""
        is_open, holder = EndOfDay(is_open=True, holder=None)
        at, found = {self.received: EndOfDay(is_open, holder)}, list[Spell]()
        # Of one instant allocations come first, as for the holder of a closed case.
        for event in sorted(self.events, key=lambda it: (it.instant, it.type != ALLOCATED)):
            day = max(event.day, self.received)
            if event.type == ALLOCATED:
                holder = event
            elif self._is_status(event):
                if is_open and event.type == CLOSED:
                    found.append(Spell(holder, day, day, True))
                is_open = event.type == REOPENED
            else:
                continue
            at[day] = EndOfDay(is_open, holder)
        return sorted([*found, *_at_days_ends(at)], key=_last_day)

    def _is_status(self, event: Event) -> bool:
        return event.type in {CLOSED, REOPENED} and event.day >= self.received

    def _days(self, kind: str, since: int) -> Iterator[int]:
        return iter([day for day in self._days_by_type.get(kind, ()) if day >= since])

    @cached_property
    def _days_by_type(self) -> Mapping[str, Sequence[int]]:
        """The days of the events of each type, in their order."""
        found: dict[str, list[int]] = {}
        for event in self.events:
            found.setdefault(event.type, []).append(event.day)
        return found


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
    "destination": lambda case: case.destination,
    "sustained": lambda case: case.sustained,
}


def cases(events: Iterable[Event], week: WorkingDays) -> list[Case]:
    """The cases that events in order make; one without a notification does not count."""
    by_subject: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if event.type in CASE_TYPES:
            by_subject[event.subject].append(event)
    firsts = (
        (subject, next((it for it in of_case if it.type == NOTIFIED), None))
        for subject, of_case in by_subject.items()
    )
    return [
        Case(subject, by_subject[subject], first, week)
        for subject, first in firsts
        if first is not None
    ]


def service_of(allocation: Event | None) -> str:
    """The service that an allocation gives a case to; no name where there is none."""
    return allocation.data["service"] if allocation else ""


def provider_of(allocation: Event | None) -> str | None:
    """The provider that an allocation names."""
    return allocation.data.get("provider") if allocation else None


def band_of(notification: Event, day: int) -> str:
    """The band of the completed years on a day, by a notification's date of birth."""
    return _band(notification.data.get("date_of_birth"), day)


@lru_cache(maxsize=MOST_BIRTHS)
def _band(born: str | None, day: int) -> str:
    years = completed_years(date.fromisoformat(born), day) if born is not None else -1
    if years < 0:
        return UNKNOWN
    return AGE_BANDS[sum([years > end for end in BAND_ENDS])]


def _at_days_ends(at: Mapping[int, EndOfDay]) -> Iterator[Spell]:
    """The spells of a case by how it stood at the end of each day on which that changed."""
    days = [*at, None]
    for (begin, (is_open, holder)), following in zip(at.items(), days[1:], strict=True):
        if is_open:
            until = None if following is None else following - 1
            yield Spell(holder, begin, until, False)


def _last_day(spell: Spell) -> tuple[bool, int, bool]:
    return spell.until is None, spell.until or 0, not spell.is_ending
