"""The events of a record that say something of a person, or are sessions, and what of them changed.

A session counts on its own, so the two are kept apart.
"""

from collections.abc import Iterable, Iterator

from processors.record.decoding import Event
from processors.record.pieces import Identity
from schemas.events.registry import types_feeding

PERSON_TYPES, SESSION_TYPES = types_feeding("person"), types_feeding("session")
ACTIVE_TYPES = PERSON_TYPES | SESSION_TYPES
# What any event may say of the person whom its record is about, from its day on.
SAID = frozenset({"date_of_birth", "district", "deprived_area", "characteristics"})


class Personal:
    """A record's events of a person and of sessions, by identity.

    `was` has what each was when it was looked at last, of those that changed since: None for what
    was not there.
    """

    __slots__ = ("_of_person", "_sessions", "was")

    def __init__(self, events: Iterable[Event]) -> None:
        self._of_person: dict[Identity, Event] = {}
        self._sessions: dict[Identity, Event] = {}
        self.was: dict[Identity, Event | None] = {}
        for event in events:
            self._add(event)

    @property
    def events(self) -> Iterator[Event]:
        """All of them."""
        yield from self._of_person.values()
        yield from self._sessions.values()

    @property
    def known(self) -> int:
        """How many say something of the person."""
        return len(self._of_person)

    def get(self, identity: Identity) -> Event | None:
        """An event as it is now; None where it is not there."""
        return self._of_person.get(identity) or self._sessions.get(identity)

    def of_person(self) -> Iterator[Event]:
        """Those that say something of the person."""
        yield from self._of_person.values()

    def earlier(self) -> Iterator[Event]:
        """The same as they were when they were looked at last."""
        for identity, event in self._of_person.items():
            if identity not in self.was:
                yield event
        yield from (it for it in self.was.values() if it and not is_session(it))

    def change(self, before: Event | None, now: Event | None) -> None:
        """An event is another, is new, or is gone."""
        event = before or now
        if event is None or not any(says(it) for it in (before, now) if it):
            return
        identity = event.source, event.id
        self.was.setdefault(identity, before)
        self._of_person.pop(identity, None)
        self._sessions.pop(identity, None)
        if now is not None:
            self._add(now)

    def _add(self, event: Event) -> None:
        if says(event):
            kind = self._sessions if is_session(event) else self._of_person
            kind[event.source, event.id] = event


def says(event: Event) -> bool:
    """Whether an event says something of a person, or is a session."""
    return event.type in ACTIVE_TYPES or not SAID.isdisjoint(event.data)


def is_session(event: Event) -> bool:
    """Whether an event is a session that was held."""
    return event.type in SESSION_TYPES
