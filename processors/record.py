"""The record: everything known of one child, as a set of events by identity (Events).

A figure is a function of the set of events alone, so a record is the same whatever the order,
repetition or batching in which its events came.
"""

from bisect import insort
from collections.abc import Callable

import msgspec

from processors.decoding import Event

# A retraction is known by what it removes; it leaves nothing else behind.
RETRACTION = "event.retracted"

# (instant, rank, source, id, row): rows in order of time, then source, then id, except that
# allocations come first within an instant, because the holder of a closed case is the latest
# allocation at or before the closure's time (Indicators, Words).
Ordered = tuple[int, int, str, str, bytes]
MakeRow = Callable[[Event], bytes]

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[list[Event], list[tuple[str, str]]]).decode


class Record:
    """One child's events, and their rows by case kept in the order the rules read them.

    `before` holds, for each case changed since the last `settle`, the rows it had then.
    """

    __slots__ = ("before", "cases", "events", "retracted")

    def __init__(self) -> None:
        self.events: dict[tuple[str, str], Event] = {}
        self.retracted: set[tuple[str, str]] = set()
        self.cases: dict[str, list[Ordered]] = {}
        self.before: dict[str, bytes] = {}

    def apply(self, event: Event, make_row: MakeRow) -> bool:
        """Take in an event; False when the record knew all it says.

        The greatest (revision, time) of an identity counts. Should two contents share even that,
        the one that is greatest as canonical JSON does, so that order cannot matter.
        """
        if event.type == RETRACTION:
            return self._retract((event.source, event.data["retracts"]), make_row)
        identity = (event.source, event.id)
        if identity in self.retracted:
            return False
        known = self.events.get(identity)
        if known is not None:
            if not _supersedes(event, known):
                return False
            self._remove_row(known, make_row)
        self.events[identity] = event
        row = make_row(event)
        if row:
            insort(self._touch(event.subject), _ordered(event, row))
        return True

    def settle(self) -> list[tuple[bytes, bytes]]:
        """(rows before, rows now) of every case changed since the last call; forgets the former."""
        changes = [(rows, self.rows(case)) for case, rows in self.before.items()]
        self.before.clear()
        return changes

    def rows(self, case: str) -> bytes:
        """The rows of a case, in order."""
        return b"".join([ordered[4] for ordered in self.cases.get(case, ())])

    def _touch(self, case: str) -> list[Ordered]:
        if case not in self.before:
            self.before[case] = self.rows(case)
        return self.cases.setdefault(case, [])

    def _retract(self, identity: tuple[str, str], make_row: MakeRow) -> bool:
        if identity in self.retracted:
            return False
        self.retracted.add(identity)
        removed = self.events.pop(identity, None)
        if removed is not None:
            self._remove_row(removed, make_row)
        return True

    def _remove_row(self, event: Event, make_row: MakeRow) -> None:
        row = make_row(event)
        if row:
            self._touch(event.subject).remove(_ordered(event, row))

    def encode(self) -> bytes:
        """The record as bytes, from which `decode_record` gives it again."""
        return _encode((list(self.events.values()), sorted(self.retracted)))


def decode_record(encoded: bytes, make_row: MakeRow) -> Record:
    """The record that `Record.encode` wrote. Raises msgspec.DecodeError when it did not."""
    record = Record()
    events, retracted = _decode(encoded)
    record.retracted.update(retracted)
    for event in events:
        record.apply(event, make_row)
    record.before.clear()
    return record


def _ordered(event: Event, row: bytes) -> Ordered:
    return event.instant, event.type != "case.allocated", event.source, event.id, row


def _supersedes(event: Event, known: Event) -> bool:
    rank, known_rank = (event.revision, event.instant), (known.revision, known.instant)
    return _content(event) > _content(known) if rank == known_rank else rank > known_rank


def _content(event: Event) -> bytes:
    """What an event says, as canonical JSON."""
    return _canonical((event.type, event.subject, event.data))


_canonical = msgspec.json.Encoder(order="sorted").encode
