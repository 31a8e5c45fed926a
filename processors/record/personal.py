"""The events of a record that say something of a person, or are sessions, and what of them changed.

Of attendances and outcomes there may be very many, each counts for some months, and says nothing of
the rest of a life. So they are kept in order of days, and a change of them is worked out from those
around it; a session counts on its own.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator

from processors.record.decoding import Event
from processors.record.pieces import Identity
from schemas.events.registry import types_feeding

PERSON_TYPES, SESSION_TYPES = types_feeding("person"), types_feeding("session")
ACTIVE_TYPES = PERSON_TYPES | SESSION_TYPES
# What any event may say of the person whom its record is about, from its day on.
SAID = frozenset({"date_of_birth", "district", "deprived_area", "characteristics"})
# Those that count for a time, and say nothing else.
PASSING_TYPES = frozenset({"session.attended", "outcome.recorded"})


class Personal:
    """A record's events of a person and of sessions, by identity.

    `was` has what each was when it was looked at last, of those that changed since: None for what
    was not there.
    """

    __slots__ = ("_lasting", "_passing", "_sessions", "_times", "was")

    def __init__(self, events: Iterable[Event]) -> None:
        self._lasting: dict[Identity, Event] = {}
        self._passing: dict[Identity, Event] = {}
        self._sessions: dict[Identity, Event] = {}
        # Days of what is passing, in order.
        self._times: list[tuple[int, Identity]] = []
        self.was: dict[Identity, Event | None] = {}
        for event in events:
            self._add(event)

    @property
    def events(self) -> Iterator[Event]:
        """All of them."""
        for kind in (self._lasting, self._passing, self._sessions):
            yield from kind.values()

    def get(self, identity: Identity) -> Event | None:
        """An event as it is now; None where it is not there."""
        for kind in (self._lasting, self._passing, self._sessions):
            if identity in kind:
                return kind[identity]
        return None

    def around(self, days: Iterable[int], reach: int) -> dict[Identity, Event]:
        """What says something of the person for good, or within so many days of any of some."""
        found = dict(self._lasting)
        for day in days:
            at = bisect_left(self._times, (day - reach,))
            while at < len(self._times) and self._times[at][0] <= day + reach:
                identity = self._times[at][1]
                found[identity] = self._passing[identity]
                at += 1
        return found

    def change(self, before: Event | None, now: Event | None) -> None:
        """An event is another, is new, or is gone."""
        event = before or now
        if event is None or not any(says(it) for it in (before, now) if it):
            return
        self.was.setdefault((event.source, event.id), before)
        if before is not None:
            self._remove(before)
        if now is not None:
            self._add(now)

    def _add(self, event: Event) -> None:
        if not says(event):
            return
        identity = event.source, event.id
        if is_session(event):
            self._sessions[identity] = event
        elif is_passing(event):
            self._passing[identity] = event
            insort(self._times, (event.day, identity))
        else:
            self._lasting[identity] = event

    def _remove(self, event: Event) -> None:
        identity = event.source, event.id
        self._lasting.pop(identity, None)
        self._sessions.pop(identity, None)
        if self._passing.pop(identity, None):
            del self._times[bisect_left(self._times, (event.day, identity))]


def says(event: Event) -> bool:
    """Whether an event says something of a person, or is a session."""
    return event.type in ACTIVE_TYPES or not SAID.isdisjoint(event.data)


def is_session(event: Event) -> bool:
    """Whether an event is a session that was held."""
    return event.type in SESSION_TYPES


def is_passing(event: Event) -> bool:
    """Whether an event counts for a time, and says nothing of the rest of a life."""
    return event.type in PASSING_TYPES and SAID.isdisjoint(event.data)
