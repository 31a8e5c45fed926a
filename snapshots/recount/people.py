"""A person as they are known on a day, from all events under their key (part C)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, NamedTuple

from processors.record.decoding import Event
from snapshots.recount.days import completed_years

RECORDED, ENDED = "registration.recorded", "registration.ended"
ATTENDED, OUTCOME = "session.attended", "outcome.recorded"
OPENED, STATUS, CLOSED = "scs.opened", "scs.status", "scs.closed"


class RecountedRegistration(NamedTuple):
    """A registration: the places it was ever recorded at, and what it says last.

    `first` is the day of its first recording; `latest` is None where it is not in force.
    """

    first: int
    places: frozenset[str]
    latest: Event | None


class ScsCase(NamedTuple):
    """An open case with social care: where it came from, and its latest status."""

    origin: str
    status: str | None


@dataclass(frozen=True)
class RecountedPerson:
    """One person, by the events dated up to `today`, in order of (time, source, id)."""

    events: Sequence[Event]
    today: int

    def of_type(self, kind: str) -> list[Event]:
        """The events of a type."""
        return [event for event in self.events if event.type == kind]

    def latest(self, name: str) -> Any:
        """What the latest event that carries an attribute says; None where none does."""
        found = (event.data[name] for event in reversed(self.events) if name in event.data)
        return next(found, None)

    @cached_property
    def age(self) -> int | None:
        """Completed years today; None where no date of birth is known."""
        born = self.latest("date_of_birth")
        return None if born is None else completed_years(date.fromisoformat(born), self.today)

    @cached_property
    def registrations(self) -> dict[str, RecountedRegistration]:
        """The registrations by their ids, in force or not."""
        return {
            subject: _registration(events)
            for subject, events in self._by_subject(RECORDED, ENDED).items()
            if any(event.type == RECORDED for event in events)
        }

    @cached_property
    def scs_cases(self) -> list[ScsCase]:
        """The cases open with social care: the last of opened and closed is opened."""
        found = []
        for events in self._by_subject(OPENED, STATUS, CLOSED).values():
            turns = [event for event in events if event.type != STATUS]
            if turns and turns[-1].type == OPENED:
                said = [event.data["status"] for event in events if "status" in event.data]
                found.append(ScsCase(turns[-1].data["origin"], said[-1] if said else None))
        return found

    @cached_property
    def visited(self) -> set[str]:
        """The places where they were ever registered or attended."""
        attended = {event.data["place"] for event in self.of_type(ATTENDED)}
        return attended.union(*(it.places for it in self.registrations.values()))

    def _by_subject(self, *kinds: str) -> dict[str, list[Event]]:
        found: dict[str, list[Event]] = defaultdict(list)
        for event in self.events:
            if event.type in kinds:
                found[event.subject].append(event)
        return found


def _registration(events: Sequence[Event]) -> RecountedRegistration:
    recorded, last = [event for event in events if event.type == RECORDED], events[-1]
    is_in_force = last.type == RECORDED and last.data["active"] and last.data["consent"]
    places = frozenset(event.data["place"] for event in recorded)
    return RecountedRegistration(recorded[0].day, places, last if is_in_force else None)
