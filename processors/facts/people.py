"""What is known of a person over time, from all of a record's events.

Date of birth, district, deprived mark and characteristics are each those of the latest event up to
a day that carries one (docs/indicators.md), so each is a list of (day, value) changes.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np

from processors.days.calendar import FIRST_DAY, NEVER
from processors.days.intervals import Intervals, stretches, union
from processors.record.decoding import Event, in_order
from processors.record.personal import SAID

RECORDED, ENDED = "registration.recorded", "registration.ended"
ATTENDED, OUTCOME = "session.attended", "outcome.recorded"
OPENED, STATUS, CLOSED = "scs.opened", "scs.status", "scs.closed"


class Registered(NamedTuple):
    """A stretch in which a registration is in force: where, of which kind, and since when ever."""

    begin: int
    end: int
    subject: str
    place: str
    kind: str
    first: int


class Opened(NamedTuple):
    """A stretch in which an SCS case is open, with its origin and latest status.

    Or, without a subject, so many cases of which no more need be known.
    """

    begin: int
    end: int
    subject: str
    origin: str
    status: str | None
    cases: int = 1


class Happened(NamedTuple):
    """Something that happened on a day: a session attended, an outcome, a closing."""

    day: int
    subject: str
    data: Mapping[str, Any]


class ScsOpening(NamedTuple):
    """A case was opened in social care on a day; the day of the person's opening before, if any."""

    day: int
    subject: str
    origin: str
    before: int | None


# What an SCS case is after an event: whether it is open, its origin, its latest status.
ScsState = tuple[bool, str, str | None]
UNHEARD: ScsState = (False, "", None)


@dataclass(frozen=True)
class Person:
    """What is known of one person, each in order of (time, source, id).

    `said` has the days on which each attribute is said, and what is said of it; `places_of` the
    days on which each registration was recorded, and at which place. `worked_out` is for whoever
    asks the same of the person more than once.
    """

    said: Mapping[str, list[tuple[int, Any]]] = field(default_factory=dict)
    attended: list[Happened] = field(default_factory=list)
    outcomes: list[Happened] = field(default_factory=list)
    openings: list[ScsOpening] = field(default_factory=list)
    closings: list[Happened] = field(default_factory=list)
    registrations: list[Registered] = field(default_factory=list)
    places_of: Mapping[str, list[tuple[int, str]]] = field(default_factory=dict)
    scs_cases: list[Opened] = field(default_factory=list)
    worked_out: dict[tuple[str | None, ...], Intervals] = field(
        default_factory=dict, compare=False, repr=False
    )

    def changes(self, name: str) -> list[tuple[int, Any]]:
        """The days on which an attribute is said, and what is said of it."""
        return self.said.get(name, [])

    @property
    def named(self) -> Iterator[str]:
        """What is said of the person, and the types of what may be counted of them."""
        yield from self.said
        for kind, found in (
            (RECORDED, self.registrations),
            (ATTENDED, self.attended),
            (OUTCOME, self.outcomes),
            (OPENED, self.scs_cases or self.openings),
            (CLOSED, self.closings),
        ):
            if found:
                yield kind

    @cached_property
    def places(self) -> set[str]:
        """The places that the person is known of at."""
        names = {it.place for it in self.registrations}
        names |= {it.data["place"] for it in self.attended}
        return names | {place for recorded in self.places_of.values() for _, place in recorded}

    @cached_property
    def districts(self) -> list[tuple[int, int, str | None]]:
        """Where the person lives, stretch by stretch; before anything is said, nobody knows."""
        changes = [(FIRST_DAY, None), *self.changes("district")]
        return [(begin, end, name) for begin, end, name in stretches(changes)]

    def aged(self, youngest: int, oldest: int) -> Intervals:
        """The days on which the age is known and within a range of completed years."""
        found: Intervals = []
        for begin, end, born in stretches(self.changes("date_of_birth")):
            first, last = birthday(born, youngest), birthday(born, oldest + 1)
            if max(begin, first) < min(end, last):
                found.append((max(begin, first), min(end, last)))
        return found

    def marked(self, name: str, wanted: Any) -> Intervals:
        """The days on which an attribute is what a test wants."""
        return union(
            (begin, end) for begin, end, value in stretches(self.changes(name)) if wanted(value)
        )


def person(events: Iterable[Event]) -> Person:
    """The person whom a record's events are about."""
    said: dict[str, list[tuple[int, Any]]] = {}
    about = Person(said)
    registrations: dict[str, list[Event]] = {}
    cases: dict[str, list[Event]] = {}
    places_of: dict[str, list[tuple[int, str]]] = {}
    for event in in_order(events):
        kind, data = event.type, event.data
        for name in SAID.intersection(data):
            said.setdefault(name, []).append((event.day, data[name]))
        if kind == ATTENDED:
            about.attended.append(Happened(event.day, event.subject, data))
        elif kind == OUTCOME:
            about.outcomes.append(Happened(event.day, event.subject, data))
        elif kind in {RECORDED, ENDED}:
            registrations.setdefault(event.subject, []).append(event)
            if kind == RECORDED:
                places_of.setdefault(event.subject, []).append((event.day, data["place"]))
        elif kind in {OPENED, STATUS, CLOSED}:
            cases.setdefault(event.subject, []).append(event)
            if kind == OPENED:
                before = about.openings[-1].day if about.openings else None
                about.openings.append(ScsOpening(event.day, event.subject, data["origin"], before))
            elif kind == CLOSED:
                about.closings.append(Happened(event.day, event.subject, data))
    for subject, of_subject in registrations.items():
        first = places_of[subject][0][0] if subject in places_of else NEVER
        states = [(it.day, in_force(None, it)) for it in of_subject]
        about.registrations.extend(
            Registered(begin, end, subject, *where, first)
            for begin, end, where in stretches(states)
            if where
        )
    for subject, of_subject in cases.items():
        state, of_case = UNHEARD, list[tuple[int, ScsState]]()
        for it in of_subject:
            state = scs_state(state, it)
            of_case.append((it.day, state))
        about.scs_cases.extend(
            Opened(begin, end, subject, origin, status)
            for begin, end, (is_open, origin, status) in stretches(of_case)
            if is_open
        )
    return replace(about, places_of=places_of)


def in_force(_before: object, event: Event) -> tuple[str, str] | None:
    """Where, and as what kind, a registration is in force after an event of it, if it is."""
    data = event.data
    if event.type == RECORDED and data["active"] and data["consent"]:
        return data["place"], data["kind"]
    return None


def scs_state(before: ScsState, event: Event) -> ScsState:
    """What an SCS case is after an event of it: the last of opened and closed says if it's open."""
    is_open, origin, status = before
    if event.type == OPENED:
        is_open, origin = True, event.data["origin"]
    elif event.type == CLOSED:
        is_open = False
    return is_open, origin, event.data.get("status", status)


@lru_cache(maxsize=100_000)
def birthday(born: str, years: int) -> int:
    """The first day of so many completed years; of a leap day's child, 1 March in other years."""
    year, month, day = (int(part) for part in born.split("-"))
    first = np.datetime64(f"{year + years:04d}-{month:02d}", "M").astype("datetime64[D]")
    return int(first.astype(np.int64)) + day - 1
