"""What is known of a person over time, from all of a record's events.

Date of birth, district, deprived mark and characteristics are each those of the latest event up to
a day that carries one (docs/indicators.md), so each is a list of (day, value) changes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np

from processors.days.calendar import FIRST_DAY, NEVER
from processors.days.intervals import Intervals, stretches, union
from processors.record.decoding import Event, in_order

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
    """A stretch in which an SCS case is open, with its origin and latest status."""

    begin: int
    end: int
    subject: str
    origin: str
    status: str | None


class Happened(NamedTuple):
    """Something that happened on a day: a session attended, an outcome, an opening, a closing."""

    day: int
    subject: str
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Person:
    """One person's events, in order of (time, source, id)."""

    events: list[Event]

    def _happened(self, kind: str) -> list[Happened]:
        return [Happened(it.day, it.subject, it.data) for it in self.events if it.type == kind]

    def changes(self, name: str) -> list[tuple[int, Any]]:
        """The days on which an attribute is said, and what is said of it."""
        return [(it.day, it.data[name]) for it in self.events if name in it.data]

    @cached_property
    def attended(self) -> list[Happened]:
        """Sessions attended."""
        return self._happened(ATTENDED)

    @cached_property
    def outcomes(self) -> list[Happened]:
        """Outcomes recorded."""
        return self._happened(OUTCOME)

    @cached_property
    def openings(self) -> list[Happened]:
        """Openings of cases in social care."""
        return self._happened(OPENED)

    @cached_property
    def closings(self) -> list[Happened]:
        """Closings of cases in social care."""
        return self._happened(CLOSED)

    @cached_property
    def registrations(self) -> list[Registered]:
        """The stretches in which registrations are in force: recorded, active and consented."""
        found = []
        for subject, events in self._by_subject({RECORDED, ENDED}).items():
            first = next((it.day for it in events if it.type == RECORDED), NEVER)
            for begin, end, event in stretches([(it.day, it) for it in events]):
                data = event.data
                if event.type == RECORDED and data["active"] and data["consent"]:
                    found.append(
                        Registered(begin, end, subject, data["place"], data["kind"], first)
                    )
        return found

    @cached_property
    def places_of(self) -> dict[str, list[tuple[int, str]]]:
        """The days on which each registration was recorded, and at which place."""
        found: dict[str, list[tuple[int, str]]] = {}
        for it in self.events:
            if it.type == RECORDED:
                found.setdefault(it.subject, []).append((it.day, it.data["place"]))
        return found

    @cached_property
    def scs_cases(self) -> list[Opened]:
        """The stretches in which SCS cases are open: the last of opened and closed is opened."""
        found = []
        for subject, events in self._by_subject({OPENED, STATUS, CLOSED}).items():
            origin, status, is_open = "", None, False
            states: list[tuple[int, Any]] = []
            for event in events:
                if event.type == OPENED:
                    origin, is_open = event.data["origin"], True
                elif event.type == CLOSED:
                    is_open = False
                status = event.data.get("status", status)
                states.append((event.day, (is_open, origin, status)))
            for begin, end, (is_open, origin, status) in stretches(states):
                if is_open:
                    found.append(Opened(begin, end, subject, origin, status))
        return found

    def _by_subject(self, types: set[str]) -> dict[str, list[Event]]:
        found: dict[str, list[Event]] = {}
        for event in self.events:
            if event.type in types:
                found.setdefault(event.subject, []).append(event)
        return found

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
    return Person(in_order(events))


@lru_cache(maxsize=100_000)
def birthday(born: str, years: int) -> int:
    """The first day of so many completed years; of a leap day's child, 1 March in other years."""
    year, month, day = (int(part) for part in born.split("-"))
    first = np.datetime64(f"{year + years:04d}-{month:02d}", "M").astype("datetime64[D]")
    return int(first.astype(np.int64)) + day - 1
