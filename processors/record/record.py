"""The record: everything known of one child, as a set of events by identity (docs/events.md).

A figure is a function of the set of events alone, so a record is the same whatever the order,
repetition or batching in which its events came.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable

import msgspec

from processors.record.decoding import Event
from processors.record.rows import KINDS, ROW
from schemas.events.registry import types_feeding

# What a retraction removes is kept apart from the events, since it holds for good, also when the
# retraction is itself corrected or retracted.
RETRACTION = "event.retracted"

OPENED = "scs.opened"
ACTIVE_TYPES = types_feeding("person") | types_feeding("session")
# The name, which no case has, under which rows are kept that are of the child alone.
ALONE = ""

MakeRow = Callable[[Event], bytes]
# (instant, rank, source, id): rows are in order of time, then source, then id, except that
# allocations come first within an instant, because the holder of a closed case is the latest
# allocation at or before the closure's time (docs/indicators.md, Words).
Place = tuple[int, int, str, str]


class Rows:
    """The rows of one case in the order in which the rules read them, packed in one piece."""

    __slots__ = ("_places", "packed")

    def __init__(self) -> None:
        self._places: list[Place] = []
        self.packed = bytearray()

    def add(self, event: Event, row: bytes) -> None:
        """Put an event's row where it belongs."""
        place, places = _place(event), self._places
        if not places or places[-1] < place:  # as it is when events come in order
            places.append(place)
            self.packed += row
            return
        position = bisect_left(places, place)
        places.insert(position, place)
        start = position * ROW.itemsize
        self.packed[start:start] = row

    def remove(self, event: Event) -> None:
        """Take an event's row out, if it has one."""
        place = _place(event)
        position = bisect_left(self._places, place)
        if self._places[position : position + 1] == [place]:
            del self._places[position]
            start = position * ROW.itemsize
            del self.packed[start : start + ROW.itemsize]


class Record:
    """One child's events, and their rows by case kept in the order the rules read them.

    `before` holds, for each case changed since the last `settle`, the rows it had then. `is_active`
    says that events which make facts of a person or of sessions are among them, or were.
    """

    __slots__ = ("_encoded", "before", "cases", "is_active", "known", "retracted", "settled")

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], Event] = {}
        self.retracted: set[tuple[str, str]] = set()
        self.cases: dict[str, Rows] = {}
        self.settled: dict[str, bytes] = {}
        self.before: dict[str, bytes] = {}
        self.is_active = False
        # The encoded events one after another; None once it lacks one, or has one too many.
        self._encoded: bytearray | None = bytearray()

    @property
    def events(self) -> Iterable[Event]:
        """The events that count."""
        return self.known.values()

    def apply(self, event: Event, make_row: MakeRow) -> bool:
        """Take in an event; False when the record knew all it says.

        The greatest (revision, time) of an identity counts. Should two contents share even that,
        the one that is greatest as canonical JSON does, so that order cannot matter.
        """
        is_news = event.type == RETRACTION and self._retract((event.source, event.data["retracts"]))
        return self._keep(event, make_row) or is_news

    def _keep(self, event: Event, make_row: MakeRow) -> bool:
        identity = (event.source, event.id)
        if identity in self.retracted:
            return False
        known = self.known.get(identity)
        if known is not None:
            if not _supersedes(event, known):
                return False
            self._remove(known)
        row = make_row(event)
        self.known[identity] = event
        if self._encoded is not None:
            self._encoded += _encode(event)
        if event.type in ACTIVE_TYPES:
            self.is_active = True
        if row:
            self._touch(_case_of(event)).add(event, row)
        return True

    def settle(self) -> dict[str, tuple[bytes, bytes]]:
        """(rows before, rows now) of each case changed since the last call; forgets the former."""
        changes, cases, settled = {}, self.cases, self.settled
        for case, before in self.before.items():
            now = settled[case] = bytes(cases[case].packed)
            changes[case] = before, now
        self.before.clear()
        return changes

    def encode(self) -> bytes:
        """The record as bytes, from which `decode_record` gives it again.

        A msgpack array of two: the events, put together from their encodings, and the identities
        that were retracted.
        """
        if self._encoded is None:
            self._encoded = bytearray().join(map(_encode, self.known.values()))
        retracted = _encode(sorted(self.retracted)) if self.retracted else _NONE
        return b"".join((b"\x92", _array_header(len(self.known)), self._encoded, retracted))

    def _touch(self, case: str) -> Rows:
        if case not in self.before:
            self.before[case] = self.settled.get(case, b"")
        rows = self.cases.get(case)
        if rows is None:
            rows = self.cases[case] = Rows()
        return rows

    def _retract(self, identity: tuple[str, str]) -> bool:
        if identity in self.retracted:
            return False
        self.retracted.add(identity)
        known = self.known.pop(identity, None)
        if known is not None:
            self._remove(known)
        return True

    def _remove(self, known: Event) -> None:
        """Take an event's row and encoding out."""
        self._encoded = None
        if known.type in KINDS:
            self._touch(_case_of(known)).remove(known)


def decode_record(encoded: bytes, make_row: MakeRow) -> Record:
    """The record that `Record.encode` wrote. Raises msgspec.DecodeError when it did not."""
    record = Record()
    record._encoded = None  # put together when it is asked for, which it may never be
    events, retracted = _decode(encoded)
    record.retracted.update(retracted)
    for event in events:
        record.apply(event, make_row)
    record.settle()
    return record


def _case_of(event: Event) -> str:
    """The case whose rules read an event; openings in social care are of the child alone."""
    return ALONE if event.type == OPENED else event.subject


def _place(event: Event) -> Place:
    return event.instant, event.type != "case.allocated", event.source, event.id


def _supersedes(event: Event, known: Event) -> bool:
    rank, known_rank = (event.revision, event.instant), (known.revision, known.instant)
    return _content(event) > _content(known) if rank == known_rank else rank > known_rank


def _content(event: Event) -> bytes:
    """What an event says, as canonical JSON."""
    return _canonical((event.type, event.subject, event.data))


def _array_header(length: int) -> bytes:
    """The first bytes of a msgpack array (MessagePack specification, array format family)."""
    if length < len(_SHORT):
        return _SHORT[length]
    return b"\xdc" + length.to_bytes(2) if length < 2**16 else b"\xdd" + length.to_bytes(4)


_SHORT = [bytes([0x90 | length]) for length in range(2**4)]
_NONE = _SHORT[0]
_encoder = msgspec.msgpack.Encoder()
_encode, _encode_into = _encoder.encode, _encoder.encode_into
_decode = msgspec.msgpack.Decoder(tuple[list[Event], list[tuple[str, str]]]).decode
_canonical = msgspec.json.Encoder(order="sorted").encode
