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
    WholeRecord,
    decode_event,
    encode_event,
    encode_identity,
    encode_piece,
    event_of,
    number_of,
    pieces_in,
    text_of,
    whole_in,
)
from processors.record.rows import ROW

# What a retraction removes is kept apart from the events, since it holds for good, also when the
# retraction is itself corrected or retracted.
RETRACTION = "event.retracted"

# Of all records of which nothing was: an empty set of its own takes each 216 bytes.
NOTHING_RETRACTED = frozenset[Identity]()

OPENED = "scs.opened"
# What begins the names under which rows are kept that are of the child alone, and of how many days
# they are together, so that not all are looked at whenever there is one more. A case of the same
# name does no harm: a row says what it is.
ALONE, ALONE_DAYS = "\0", 32

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
    has what makes facts of a person or of sessions, None where that never was there. `unmatched` is
    how many retractions named an event that was not there, since somebody set it to 0 last.
    """

    __slots__ = (
        "_beside",
        "_body",
        "_gone",
        "_new",
        "_stirred",
        "_stored",
        "_texts",
        "_told",
        "_weight",
        "before",
        "cases",
        "known",
        "personal",
        "retracted",
        "settled",
        "unmatched",
    )

    def __init__(self) -> None:
        self.known: dict[Identity, Event] = {}
        self.retracted: frozenset[Identity] | set[Identity] = NOTHING_RETRACTED
        self.cases: dict[str, list[Ordered] | LongCase] = {}
        self.settled: dict[str, bytes] = {}
        self.before: dict[str, bytes] = {}
        self.personal: Personal | None = None
        self.unmatched = 0
        self._texts: Texts = {}
        # Of the cases in `before`, those of which rows came elsewhere than at the end, or went.
        self._stirred: set[str] | None = None
        # The bytes that the encodings of the events take; those that came since the record was
        # stored last, and those before them, None where they are to be worked out anew.
        self._weight = 0
        self._new: list[bytes] = []
        self._body: bytes | None = b""
        # How many bytes are stored; and of a record that is stored apart, the retracted identities
        # that are not stored yet, the bytes that these and the texts take, all of them together,
        # and how many texts are stored.
        self._stored = 0
        self._gone: list[bytes] | None = None
        self._beside = self._told = 0

    @property
    def events(self) -> Iterable[Event]:
        """The events that count."""
        return self.known.values()

    @property
    def size(self) -> int:
        """About how many bytes of memory it takes."""
        known, gone = KNOWN_BYTES * len(self.known), RETRACTED_BYTES * len(self.retracted)
        return BYTES + known + self._weight + gone

    def named_in(self, case: str) -> list[Event]:
        """The events of a case that its alerts may name, each type's in order; and others of it."""
        rows, known = self.cases[case], self.known
        of_case = rows.named() if isinstance(rows, LongCase) else rows
        return [known[source, id_] for _, _, source, id_, _ in of_case]

    def that_tell(self, case: str) -> Iterator[Event]:
        """The events of a case by whose rows the rules can tell it from another."""
        rows = self.cases.get(case, [])
        for _, _, source, id_, _ in rows.telling() if isinstance(rows, LongCase) else rows:
            yield self.known[source, id_]

    def apply(self, event: Event, make_row: MakeRow, encoded: bytes = b"") -> bool:
        """Take in an event, whose encoding may be known; False when the record knew all it says.

        The greatest (revision, time) of an identity counts. Should two contents share even that,
        the one that is greatest as canonical JSON does, so that order cannot matter.
        """
        source, id_, kind = event.source, event.id, event.type
        identity, is_news = (source, id_), False
        if kind == RETRACTION:
            is_news = self._retract((source, event.data["retracts"]), make_row)
        if identity in self.retracted:
            return is_news
        known = self.known.get(identity)
        if known is not None:
            if not _supersedes(event, known):
                return is_news
            self._forget(known, make_row)
        encoded = encoded or encode_event(event, self._texts)
        self.known[identity] = event
        self._new.append(encoded)
        self._weight += len(encoded)
        if self.personal is not None:
            self.personal.change(known, event)
        elif kind in ACTIVE_TYPES:
            # Nothing was counted before, so the others are as good as there already.
            self.personal = Personal(self.events)
            self.personal.was[identity] = None
        row = make_row(event)
        if not row:
            return True
        case = _case_of(event)
        if case not in self.before:
            self.before[case] = self.settled.get(case, b"")
        ordered = _ordered_row(event, row)
        rows = self.cases.get(case)
        if rows is None:
            self.cases[case] = [ordered]
        elif isinstance(rows, LongCase):
            rows.add(ordered)
        else:
            if rows and ordered < rows[-1]:
                insort(rows, ordered)
                self._stir(case)
            else:
                rows.append(ordered)
            if len(rows) > LONG:
                self.cases[case] = LongCase(rows)
        return True

    def settle(self) -> dict[str, tuple[bytes, bytes]]:
        """(rows before, rows now) of each case changed since the last call; forgets the former.

        Of a long case, the rows that rules can tell from all of them.
        """
        changes = {}
        stirred = self._stirred
        for case, before in self.before.items():
            rows = self.cases[case]
            if isinstance(rows, LongCase):
                now = b"".join([ordered[4] for ordered in rows.telling()])
            elif stirred is not None and case in stirred:
                now = b"".join([ordered[4] for ordered in rows])
            else:
                more = rows[len(before) // ROW.itemsize :]
                now = b"".join([before, *[ordered[4] for ordered in more]])
            self.settled[case] = now
            changes[case] = before, now
        self.before.clear()
        self._stirred = None
        return changes

    def encode(self) -> bytes:
        """The record as bytes, from which `decode_record` gives it again: a single piece."""
        return self._piece_of_all(self._encoded())

    def _encoded(self) -> bytes:
        """The encodings of all events, one after another."""
        if self._body is not None:
            return b"".join([self._body, *self._new])
        return b"".join([encode_event(event, self._texts) for event in self.known.values()])

    def _piece_of_all(self, events: bytes) -> bytes:
        gone: list[bytes] = []
        if self.retracted:
            gone = [encode_identity(identity, self._texts) for identity in sorted(self.retracted)]
        return encode_piece(list(self._texts), len(self.known), events, gone)

    def write(self, name: str, sealed: int | None, number: int) -> Written:
        """What is to be stored since the last time, which is as good as stored then.

        `sealed` is the seal of what was stored of the record, whose name and number are given.
        """
        if len(self._texts) > SPREAD * (2 * len(self.known) + len(self.retracted)) + TEXTS:
            self._name_anew()
        elif self._gone is not None:
            piece = encode_piece(self._untold(), len(self._new), b"".join(self._new), self._gone)
            if self._stored + len(piece) <= SPREAD * (self._weight + self._beside):
                written = Written(
                    piece, self._stored, self._stored, crc32(piece, sealed or 0), number
                )
                self._note_apart(written.length)
                return written
        events = self._encoded()
        piece = self._piece_of_all(events)
        written = Written(piece, 0, self._stored, seal(name, piece), number)
        self._note_whole(len(piece), events)
        return written

    def _note_whole(self, length: int, events: bytes | None) -> None:
        """Have a record as stored in so many bytes, a single piece of which these are the events.

        None where they are to be worked out anew.
        """
        self._stored = length
        self._new.clear()
        if length < LARGE:
            self._body, self._gone = events, None
        else:
            self._gone = None
            self._note_apart(length)

    def _note_apart(self, length: int) -> None:
        """Have a record as stored apart."""
        # Only of a record that is stored apart is it asked what is new, and how much is known.
        if self._gone is None:
            gone = sum(len(encode_identity(identity, self._texts)) for identity in self.retracted)
            self._beside = gone + sum(map(len, self._texts))
        else:
            self._beside += sum(map(len, self._untold()))
        self._body, self._gone, self._told = None, [], len(self._texts)
        self._stored = length
        self._new.clear()

    def _untold(self) -> list[str]:
        """The texts that no piece has named yet."""
        number = len(self._texts) - self._told
        return list(islice(reversed(self._texts), number))[::-1]

    def _name_anew(self) -> None:
        """Leave out the texts that only events had that count no more."""
        self._texts, self._body = {}, None
        self._weight = len(self._encoded())

    def _stir(self, case: str) -> None:
        if self._stirred is None:
            self._stirred = set()
        self._stirred.add(case)

    def _retract(self, identity: Identity, make_row: MakeRow) -> bool:
        if identity in self.retracted:
            return False
        if isinstance(self.retracted, frozenset):
            self.retracted = set(self.retracted)
        self.retracted.add(identity)
        encoded = encode_identity(identity, self._texts)
        if self._gone is not None:
            self._gone.append(encoded)
            self._beside += len(encoded)
        known = self.known.pop(identity, None)
        if known is None:
            self.unmatched += 1
        else:
            self._forget(known, make_row)
            if self.personal is not None:
                self.personal.change(known, None)
        return True

    def _forget(self, known: Event, make_row: MakeRow) -> None:
        self._weight -= len(encode_event(known, self._texts))
        self._body = None
        row = make_row(known)
        if row:
            case, ordered = _case_of(known), _ordered_row(known, row)
            if case not in self.before:
                self.before[case] = self.settled.get(case, b"")
            self._stir(case)
            rows = self.cases[case]
            if isinstance(rows, LongCase):
                rows.remove(ordered)
            else:
                remove(rows, ordered)

    def take(self, encoded: bytes, make_row: MakeRow) -> None:
        """Take in what was stored of a record of which nothing is known.

        Raises ValueError, LookupError or msgspec.DecodeError for what `write` did not make.
        """
        whole = whole_in(encoded)
        if whole is not None and self._take_whole(whole, make_row):
            self._note_whole(len(encoded), whole.body)
            return
        named: list[str] = []
        for piece in pieces_in(encoded):
            named += piece.texts
            for text in piece.texts:
                number_of(text, self._texts)
            for source, id_ in piece.retracted:
                self._retract((text_of(source, named), id_), make_row)
            for raw in piece.events:
                self.apply(decode_event(raw, named), make_row, bytes(raw))
        self.settle()
        self.unmatched = 0
        if self.personal is not None:
            self.personal.was.clear()
        self._note_whole(len(encoded), None if self._body is None else b"".join(self._new))

    def _take_whole(self, whole: WholeRecord, make_row: MakeRow) -> bool:
        """Take in what is known of a record as it is now; whether that is all to be said of it.

        What one event does to another is not asked: of those that are stored none does.
        """
        events = [event_of(parts, whole.texts) for parts in whole.events]
        known = {(it.source, it.id): it for it in events}
        types = {it.type for it in events}
        if RETRACTION in types or len(known) != len(events):
            return False
        self.known, self._weight = known, len(whole.body)
        self._texts = {text: -1 - number for number, text in enumerate(whole.texts)}
        for case, rows in rows_by_case(events, make_row).items():
            held = LongCase(rows) if len(rows) > LONG else rows
            telling = held.telling() if isinstance(held, LongCase) else held
            self.cases[case] = held
            self.settled[case] = b"".join([ordered[4] for ordered in telling])
        if not types.isdisjoint(ACTIVE_TYPES):
            self.personal = Personal(self.events)
        return True


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
    return f"{ALONE}{event.day // ALONE_DAYS}" if event.type == OPENED else event.subject


def rows_by_case(events: Iterable[Event], make_row: MakeRow) -> dict[str, list[Ordered]]:
    """The rows that events make, of each case in their order."""
    cases: dict[str, list[Ordered]] = {}
    for event in events:
        row = make_row(event)
        if row:
            cases.setdefault(_case_of(event), []).append(_ordered_row(event, row))
    for rows in cases.values():
        rows.sort()
    return cases


def _ordered_row(event: Event, row: bytes) -> Ordered:
    """A row with what those of a case are in order of."""
    return event.instant, event.type != "case.allocated", event.source, event.id, row


def _supersedes(event: Event, known: Event) -> bool:
    rank, known_rank = (event.revision, event.instant), (known.revision, known.instant)
    return _content(event) > _content(known) if rank == known_rank else rank > known_rank


def _content(event: Event) -> bytes:
    """What an event says, as canonical JSON."""
    return _canonical((event.type, event.subject, event.data))


_canonical = msgspec.json.Encoder(order="sorted").encode
