"""The record: everything known of one child, as a set of events by identity (docs/events.md).

A figure is a function of the set of events alone, so a record is the same whatever the order,
repetition or batching in which its events came.
"""

from bisect import insort
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from zlib import crc32

import msgspec

from processors.record.decoding import Event
from processors.record.longcases import LongCase, Ordered, remove
from processors.record.personal import ACTIVE_TYPES, Personal
from processors.record.pieces import (
    Identity,
    Texts,
    decode_event,
    encode_event,
    encode_identity,
    encode_piece,
    number_of,
    pieces_in,
    text_of,
)

# What a retraction removes is kept apart from the events, since it holds for good, also when the
# retraction is itself corrected or retracted.
RETRACTION = "event.retracted"

OPENED = "scs.opened"
# The name, which no case has, under which rows are kept that are of the child alone.
ALONE = ""

# About how much memory a record takes, each of its events beside its encoding, and each identity
# that was retracted: as measured, and rather too much.
BYTES, KNOWN_BYTES, RETRACTED_BYTES = 900, 700, 150

# Encoded bytes from which on a record is stored apart, and grows by what is new. One that is
# smaller is written whole, which costs less than to have it in two places.
LARGE = 4_096
# A record is written whole again when it takes so many times what is known in it.
SPREAD = 2
# Texts that no event has any more, beyond as many again as events may have, before all are named
# anew: an event has two, and an identity that was retracted one.
TEXTS = 32
# Rows from which on a case is kept as a long one.
LONG = 256

MakeRow = Callable[[Event], bytes]


class Known(msgspec.Struct, frozen=True, gc=False):
    """An event with its row and its encoding, each worked out once."""

    event: Event
    row: bytes
    encoded: bytes


class Written(msgspec.Struct, frozen=True, gc=False):
    """What is to be stored of a record: bytes that follow the first `kept` of those that are.

    Before, `stored` bytes were. With nothing kept, the bytes are all of the record. `seal` is that
    of the whole record (`seal`), `number` the record's among those of its shard.
    """

    piece: bytes
    kept: int
    stored: int
    seal: int
    number: int

    @property
    def length(self) -> int:
        """How many bytes the record has then."""
        return self.kept + len(self.piece)

    @property
    def is_apart(self) -> bool:
        """Whether it is stored apart from those that are small."""
        return self.length >= LARGE

    @property
    def was_apart(self) -> bool:
        """Whether it was before."""
        return self.stored >= LARGE


class Record:
    """One child's events, and their rows by case kept in the order the rules read them.

    `before` holds, for each case changed since the last `settle`, the rows it had then. `personal`
    has what makes facts of a person or of sessions, None where that never was there. `size` is
    about how many bytes of memory it takes; `unmatched` how many retractions named an event that
    was not there, since somebody set it to 0 last.
    """

    __slots__ = (
        "_events",
        "_gone",
        "_live",
        "_stored",
        "_texts",
        "_told",
        "before",
        "cases",
        "known",
        "personal",
        "retracted",
        "settled",
        "size",
        "unmatched",
    )

    def __init__(self) -> None:
        self.known: dict[Identity, Known] = {}
        self.retracted: set[Identity] = set()
        self.cases: dict[str, list[Ordered] | LongCase] = {}
        self.settled: dict[str, bytes] = {}
        self.before: dict[str, bytes] = {}
        self.personal: Personal | None = None
        self.size = BYTES
        self.unmatched = 0
        self._texts: Texts = {}
        # Bytes of what is known, and of what is stored; and what is not stored yet: encodings of
        # events and of retracted identities, and the texts beyond so many.
        self._live = self._stored = 0
        self._events: list[bytes] | None = None
        self._gone: list[bytes] | None = None
        self._told = 0

    @property
    def events(self) -> Iterator[Event]:
        """The events that count."""
        return (known.event for known in self.known.values())

    def named_in(self, cases: Iterable[str]) -> Iterator[Event]:
        """The events of cases that alerts may name, and others of theirs."""
        for case in cases:
            rows = self.cases[case]
            for _, _, source, id_, _ in rows.named() if isinstance(rows, LongCase) else rows:
                yield self.known[source, id_].event

    def that_tell(self, case: str) -> Iterator[Event]:
        """The events of a case by whose rows the rules can tell it from another."""
        rows = self.cases.get(case, [])
        for _, _, source, id_, _ in rows.telling() if isinstance(rows, LongCase) else rows:
            yield self.known[source, id_].event

    def apply(self, event: Event, make_row: MakeRow) -> bool:
        """Take in an event; False when the record knew all it says.

        The greatest (revision, time) of an identity counts. Should two contents share even that,
        the one that is greatest as canonical JSON does, so that order cannot matter.
        """
        is_news = event.type == RETRACTION and self._retract((event.source, event.data["retracts"]))
        return self._keep(event, make_row) or is_news

    def _keep(self, event: Event, make_row: MakeRow, encoded: bytes = b"") -> bool:
        identity = (event.source, event.id)
        if identity in self.retracted:
            return False
        known = self.known.get(identity)
        if known is not None:
            if not _supersedes(event, known.event):
                return False
            self._forget(known)
        row, encoded = make_row(event), encoded or encode_event(event, self._texts)
        self.known[identity] = Known(event, row, encoded)
        if self._events is not None:
            self._events.append(encoded)
            self._live += len(encoded)
        self.size += KNOWN_BYTES + len(encoded)
        if self.personal is not None:
            self.personal.change(known.event if known else None, event)
        elif event.type in ACTIVE_TYPES:
            # Nothing was counted before, so the others are as good as there already.
            self.personal = Personal(self.events)
            self.personal.was[identity] = None
        if row:
            self._add(_case_of(event), _ordered(event, row))
        return True

    def settle(self) -> dict[str, tuple[bytes, bytes]]:
        """(rows before, rows now) of each case changed since the last call; forgets the former.

        Of a long case, the rows that rules can tell from all of them.
        """
        changes = {}
        for case, before in self.before.items():
            rows = self.cases[case]
            telling = rows.telling() if isinstance(rows, LongCase) else rows
            now = self.settled[case] = b"".join([ordered[4] for ordered in telling])
            changes[case] = before, now
        self.before.clear()
        return changes

    def encode(self) -> bytes:
        """The record as bytes, from which `decode_record` gives it again: a single piece."""
        return encode_piece(
            list(self._texts),
            [known.encoded for known in self.known.values()],
            [encode_identity(identity, self._texts) for identity in sorted(self.retracted)]
            if self.retracted
            else [],
        )

    def write(self, name: str, sealed: int | None, number: int) -> Written:
        """What is to be stored since the last time, which is as good as stored then.

        `sealed` is the seal of what was stored of the record, whose name and number are given.
        """
        if len(self._texts) > SPREAD * (2 * len(self.known) + len(self.retracted)) + TEXTS:
            self._name_anew()
        elif self._events is not None and self._gone is not None:
            piece = encode_piece(self._untold(), self._events, self._gone)
            if self._stored + len(piece) <= SPREAD * self._live:
                return self._as_stored(piece, self._stored, crc32(piece, sealed or 0), number)
        piece = self.encode()
        return self._as_stored(piece, 0, seal(name, piece), number)

    def _as_stored(self, piece: bytes, kept: int, sealed: int, number: int) -> Written:
        before = self._stored
        self._note_stored(kept + len(piece))
        return Written(piece, kept, before, sealed, number)

    def _note_stored(self, length: int) -> None:
        # Only of a record that is stored apart is it asked what is new, and how much is known.
        if length < LARGE:
            self._events = self._gone = None
        else:
            untold = sum(map(len, self._untold()))
            self._live = self._size_known() if self._events is None else self._live + untold
            self._events, self._gone = [], []
        self._stored, self._told = length, len(self._texts)

    def _size_known(self) -> int:
        """How many bytes what is known takes, the texts included."""
        gone = sum(len(encode_identity(identity, self._texts)) for identity in self.retracted)
        events = sum(len(known.encoded) for known in self.known.values())
        return gone + events + sum(map(len, self._texts))

    def _untold(self) -> list[str]:
        """The texts that no piece has named yet."""
        number = len(self._texts) - self._told
        return list(islice(reversed(self._texts), number))[::-1]

    def _name_anew(self) -> None:
        """Leave out the texts that only events had that count no more."""
        texts: Texts = {}
        self._texts, self._told = texts, 0
        for identity, known in self.known.items():
            encoded = encode_event(known.event, texts)
            self.known[identity] = Known(known.event, known.row, encoded)
            self.size += len(encoded) - len(known.encoded)
        self._live = self._size_known() - sum(map(len, texts))

    def _add(self, case: str, ordered: Ordered) -> None:
        self._touch(case)
        rows = self.cases.get(case)
        if rows is None:
            self.cases[case] = [ordered]
            return
        if isinstance(rows, LongCase):
            rows.add(ordered)
            return
        insort(rows, ordered)
        if len(rows) > LONG:
            self.cases[case] = LongCase(rows)

    def _touch(self, case: str) -> None:
        if case not in self.before:
            self.before[case] = self.settled.get(case, b"")

    def _retract(self, identity: Identity) -> bool:
        if identity in self.retracted:
            return False
        self.retracted.add(identity)
        encoded = encode_identity(identity, self._texts)
        if self._gone is not None:
            self._gone.append(encoded)
            self._live += len(encoded)
        self.size += RETRACTED_BYTES
        known = self.known.pop(identity, None)
        if known is None:
            self.unmatched += 1
        else:
            self._forget(known)
            if self.personal is not None:
                self.personal.change(known.event, None)
        return True

    def _forget(self, known: Known) -> None:
        self.size -= KNOWN_BYTES + len(known.encoded)
        if self._events is not None:
            self._live -= len(known.encoded)
        if known.row:
            case, ordered = _case_of(known.event), _ordered(known.event, known.row)
            self._touch(case)
            rows = self.cases[case]
            if isinstance(rows, LongCase):
                rows.remove(ordered)
            else:
                remove(rows, ordered)

    def take(self, encoded: bytes, make_row: MakeRow) -> None:
        """Take in what was stored of a record of which nothing is known.

        Raises ValueError, LookupError or msgspec.DecodeError for what `write` did not make.
        """
        named: list[str] = []
        for piece in pieces_in(encoded):
            named += piece.texts
            for text in piece.texts:
                number_of(text, self._texts)
            for source, id_ in piece.retracted:
                self._retract((text_of(source, named), id_))
            for raw in piece.events:
                self._keep(decode_event(raw, named), make_row, bytes(raw))
        self.settle()
        self.unmatched = 0
        if self.personal is not None:
            self.personal.was.clear()
        self._note_stored(len(encoded))


def seal(name: str, record: bytes) -> int:
    """A number that an encoded record and whose it is are known by.

    That of a record which has grown follows from the one before and what it has grown by.
    """
    return crc32(record, crc32(name.encode()))


def decode_record(encoded: bytes, make_row: MakeRow) -> Record:
    """The record whose bytes these are.

    Raises ValueError, LookupError or msgspec.DecodeError when they are none's.
    """
    record = Record()
    record.take(encoded, make_row)
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


_canonical = msgspec.json.Encoder(order="sorted").encode
