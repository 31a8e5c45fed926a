"""The record: everything known of one child, as a set of events by identity (docs/events.md).

A figure is a function of the set of events alone, so a record is the same whatever the order,
repetition or batching in which its events came.
"""

from bisect import insort
from collections.abc import Callable, Iterator

import msgspec

from processors.record.decoding import Event
from schemas.events.registry import types_feeding

# What a retraction removes is kept apart from the events, since it holds for good, also when the
# retraction is itself corrected or retracted.
RETRACTION = "event.retracted"

OPENED = "scs.opened"
ACTIVE_TYPES = types_feeding("person") | types_feeding("session")
# The name, which no case has, under which rows are kept that are of the child alone.
ALONE = ""

# About how much memory a record takes, each of its events beside its encoding, and each identity
# that was retracted: as measured, and rather too much.
BYTES, KNOWN_BYTES, RETRACTED_BYTES = 900, 700, 150

MakeRow = Callable[[Event], bytes]
# (instant, rank, source, id, row): rows in order of time, then source, then id, except that
# allocations come first within an instant, because the holder of a closed case is the latest
# allocation at or before the closure's time (docs/indicators.md, Words).
Ordered = tuple[int, int, str, str, bytes]


class Known(msgspec.Struct, frozen=True, gc=False):
    """An event with its row and its encoding, each worked out once."""

    event: Event
    row: bytes
    encoded: bytes


class Record:
    """One child's events, and their rows by case kept in the order the rules read them.

    `before` holds, for each case changed since the last `settle`, the rows it had then. `is_active`
    says that events which make facts of a person or of sessions are among them, or were. `size` is
    about how many bytes of memory it takes; `unmatched` how many retractions named an event that
    was not there, since somebody set it to 0 last.
    """

    __slots__ = (
        "before",
        "cases",
        "is_active",
        "known",
        "retracted",
        "settled",
        "size",
        "unmatched",
    )

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], Known] = {}
        self.retracted: set[tuple[str, str]] = set()
        self.cases: dict[str, list[Ordered]] = {}
        self.settled: dict[str, bytes] = {}
        self.before: dict[str, bytes] = {}
        self.is_active = False
        self.size = BYTES
        self.unmatched = 0

    @property
    def events(self) -> Iterator[Event]:
        """The events that count."""
        return (known.event for known in self.known.values())

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
            if not _supersedes(event, known.event):
                return False
            self._forget(known)
        row, encoded = make_row(event), _encode(event)
        self.known[identity] = Known(event, row, encoded)
        self.size += KNOWN_BYTES + len(encoded)
        if event.type in ACTIVE_TYPES:
            self.is_active = True
        if row:
            insort(self._touch(_case_of(event)), _ordered(event, row))
        return True

    def settle(self) -> dict[str, tuple[bytes, bytes]]:
        """(rows before, rows now) of each case changed since the last call; forgets the former."""
        changes = {}
        for case, before in self.before.items():
            now = self.settled[case] = b"".join([ordered[4] for ordered in self.cases[case]])
            changes[case] = before, now
        self.before.clear()
        return changes

    def encode(self) -> bytes:
        """The record as bytes, from which `decode_record` gives it again.

        A msgpack array of two: the events, put together from their encodings, and the identities
        that were retracted.
        """
        events = [known.encoded for known in self.known.values()]
        return b"\x92" + _array_header(len(events)) + b"".join(events) + self._encoded_retracted()

    def _encoded_retracted(self) -> bytes:
        return _encode(sorted(self.retracted)) if self.retracted else b"\x90"

    def _touch(self, case: str) -> list[Ordered]:
        if case not in self.before:
            self.before[case] = self.settled.get(case, b"")
        return self.cases.setdefault(case, [])

    def _retract(self, identity: tuple[str, str]) -> bool:
        if identity in self.retracted:
            return False
        self.retracted.add(identity)
        self.size += RETRACTED_BYTES
        known = self.known.pop(identity, None)
        if known is None:
            self.unmatched += 1
        else:
            self._forget(known)
        return True

    def _forget(self, known: Known) -> None:
        self.size -= KNOWN_BYTES + len(known.encoded)
        if known.row:
            self._touch(_case_of(known.event)).remove(_ordered(known.event, known.row))


def decode_record(encoded: bytes, make_row: MakeRow) -> Record:
    """The record that `Record.encode` wrote. Raises msgspec.DecodeError when it did not."""
    record = Record()
    events, retracted = _decode(encoded)
    record.retracted.update(retracted)
    for event in events:
        record.apply(event, make_row)
    record.settle()
    record.size += RETRACTED_BYTES * len(record.retracted)
    return record


def _case_of(event: Event) -> str:
    """The case whose rules read an event; openings in social care are of the child alone."""
    return ALONE if event.type == OPENED else event.subject


def _ordered(event: Event, row: bytes) -> Ordered:
    return event.instant, event.type != "case.allocated", event.source, event.id, row


def _supersedes(event: Event, known: Event) -> bool:
    rank, known_rank = (event.revision, event.instant), (known.revision, known.instant)
    return _content(event) > _content(known) if rank == known_rank else rank > known_rank


def _content(event: Event) -> bytes:
    """What an event says, as canonical JSON."""
    return _canonical((event.type, event.subject, event.data))


def _array_header(length: int) -> bytes:
    """The first bytes of a msgpack array (MessagePack specification, array format family)."""
    if length < 2**4:
        return bytes([0x90 | length])
    return b"\xdc" + length.to_bytes(2) if length < 2**16 else b"\xdd" + length.to_bytes(4)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[list[Event], list[tuple[str, str]]]).decode
_canonical = msgspec.json.Encoder(order="sorted").encode
