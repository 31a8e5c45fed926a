"""A record as bytes: compact, in pieces that are added one after another.

A piece is its length, in four bytes, and a msgpack array of three: texts, events, and identities
that were retracted. What a piece says is added to what those before it said, so that a record grows
by what is new, and one of a single piece is a record too.

A text is stored as its number where it has one: from 0 on it is one of WORDS, below 0 one of the
record's own texts, in the order in which its pieces name them. Everything else in the place of a
text is itself.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from processors.record.decoding import Event
from processors.record.words import WORDS

Identity = tuple[str, str]

SECOND, DAY = 1_000_000, 86_400_000_000
LENGTH = 4
_FIXED = 6
# Data of one usual value that are made once for all events that say the same.
MOST_USUAL = 5_000
_NOTHING_GONE = b"\x90"
# Of all events without data, which nobody changes.
_NO_DATA: dict[str, Any] = {}
_word = {word: number for number, word in enumerate(WORDS)}.get


# A record's own texts, in order, each with the number that it is stored as. A dictionary alone,
# which the garbage collector passes over: every record has one.
Texts = dict[str, int]


def number_of(text: str, texts: Texts) -> int:
    """The number of a text; one that is new is given the next."""
    if text not in texts:
        texts[text] = -1 - len(texts)
    return texts[text]


def text_of(stored: Any, named: list[str]) -> str:
    """The text that is stored as a number, or as itself."""
    if type(stored) is not int:
        return stored  # type: ignore[no-any-return]
    return WORDS[stored] if stored >= 0 else named[-1 - stored]


class Piece(NamedTuple):
    """A piece, read: the texts that it names, its events in their encoding, and retractions."""

    texts: list[str]
    events: list[msgspec.Raw]
    retracted: list[tuple[Any, str]]


def encode_event(event: Event, texts: Texts) -> bytes:
    """An event as it lies in a piece.

    Id, source, time, twice the revision and one more where the civil date is not the one in UTC,
    type, subject; then name and value of each attribute.
    """
    source, subject, instant = event.source, event.subject, event.instant
    if source not in texts:
        texts[source] = -1 - len(texts)
    if subject not in texts:
        texts[subject] = -1 - len(texts)
    kind = event.type
    parts = [
        event.id,
        texts[source],
        [instant] if instant % SECOND else instant // SECOND,
        2 * event.revision + event.day - instant // DAY,
        _word(kind, kind),
        texts[subject],
    ]
    for name, value in event.data.items():
        if type(value) is str:
            parts += (_word(name, name), _word(value, value))
        else:
            # A number, or a list, would be taken for the number of a word, or for one of these.
            is_taken = type(value) is int or type(value) is list
            parts += (_word(name, name), [value] if is_taken else value)
    return _encode(parts)


class WholeRecord(NamedTuple):
    """A record of one piece without retractions: texts, events, and these in their encoding."""

    texts: list[str]
    events: list[list[Any]]
    body: bytes


def whole_in(encoded: bytes) -> WholeRecord | None:
    """What a record says at once; None for one that is to be read piece by piece.

    Raises ValueError for what is none.
    """
    if encoded[-1:] != _NOTHING_GONE:
        return None
    found = _only_piece(encoded)
    if found is None or found[2]:
        return None
    texts, events, _ = found
    begin = LENGTH + 1 + len(_encode(texts)) + len(_array_header(len(events)))
    return WholeRecord(texts, events, encoded[begin:-1])


def decode_event(encoded: msgspec.Raw, named: list[str]) -> Event:
    """The event that `encode_event` wrote, of a record with these texts of its own."""
    return event_of(_decode_event(encoded), named)


def events_of_one(encoded: bytes) -> list[Event] | None:
    """The events of a record of a single piece, which are all that count; None for several pieces.

    Raises ValueError, LookupError or msgspec.DecodeError for what is no piece.
    """
    found = _only_piece(encoded)
    if found is None:
        return None
    named, events, _ = found
    return [event_of(parts, named) for parts in events]


def _only_piece(encoded: bytes) -> tuple[list[str], list[list[Any]], list[Any]] | None:
    """Texts, events by their parts and retractions of a record of a single piece; else None."""
    if LENGTH + int.from_bytes(encoded[:LENGTH], "little") != len(encoded):
        return None
    return _decode_whole(memoryview(encoded)[LENGTH:])


def event_of(parts: list[Any], named: list[str]) -> Event:
    """The event of which these are the parts, of a record with these texts of its own."""
    id_, source, when, revision, kind, subject = parts[:_FIXED]
    instant = when * SECOND if type(when) is int else when[0]
    said = len(parts) - _FIXED
    if not said:
        data = _NO_DATA
    elif said == 2 and type(parts[-1]) is int:
        data = _usual_data(parts[-2], parts[-1])
    else:
        data = _data_in(parts)
    return Event(
        text_of(source, named) if type(source) is not int or source >= 0 else named[-1 - source],
        id_,
        revision // 2,
        instant,
        instant // DAY + revision % 2,
        text_of(kind, named) if type(kind) is not int or kind < 0 else WORDS[kind],
        text_of(subject, named)
        if type(subject) is not int or subject >= 0
        else named[-1 - subject],
        data,
    )


def _data_in(parts: list[Any]) -> dict[str, Any]:
    data = {}
    for at in range(_FIXED, len(parts), 2):
        name, value = parts[at], parts[at + 1]
        if type(value) is int:
            value = WORDS[value]
        elif type(value) is list:
            value = value[0]
        data[WORDS[name] if type(name) is int else name] = value
    return data


@lru_cache(maxsize=MOST_USUAL)
def _usual_data(name: int | str, value: int) -> dict[str, Any]:
    """What many events say: one attribute, of a usual value. Nobody changes it."""
    return {WORDS[name] if isinstance(name, int) else name: WORDS[value]}


def encode_piece(texts: list[str], number: int, events: bytes, retracted: list[bytes]) -> bytes:
    """A piece of what is new: texts, so many events in their encoding, and retracted identities."""
    named, header = _encode(texts), _array_header(number)
    gone = _NOTHING_GONE
    if retracted:
        gone = _array_header(len(retracted)) + b"".join(retracted)
    length = 1 + len(named) + len(header) + len(events) + len(gone)
    return b"".join([length.to_bytes(LENGTH, "little"), b"\x93", named, header, events, gone])


def encode_identity(identity: Identity, texts: Texts) -> bytes:
    """An identity that was retracted, as it lies in a piece."""
    return _encode((number_of(identity[0], texts), identity[1]))


def pieces_in(encoded: bytes) -> Iterator[Piece]:
    """The pieces of a record, one after another. Raises ValueError for what is none."""
    whole, at = memoryview(encoded), 0
    while at < len(whole):
        end = at + LENGTH + int.from_bytes(whole[at : at + LENGTH], "little")
        if end > len(whole):
            raise ValueError("a piece of a record is cut short")
        yield Piece(*_decode(whole[at + LENGTH : end]))
        at = end


def _array_header(length: int) -> bytes:
    """The first bytes of a msgpack array (MessagePack specification, array format family)."""
    if length < 2**4:
        return bytes([0x90 | length])
    return b"\xdc" + length.to_bytes(2) if length < 2**16 else b"\xdd" + length.to_bytes(4)


_encode = msgspec.msgpack.Encoder().encode
_decode_event = msgspec.msgpack.Decoder(list[Any]).decode
_decode = msgspec.msgpack.Decoder(tuple[list[str], list[msgspec.Raw], list[tuple[Any, str]]]).decode
_decode_whole = msgspec.msgpack.Decoder(tuple[list[str], list[list[Any]], list[Any]]).decode
