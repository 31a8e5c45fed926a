"""From Kafka messages to events: both CloudEvents modes, validation, instants and civil dates."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
import numpy as np
from pydantic import ValidationError
from pydantic_core import from_json, to_json

from processors.days.calendar import FIRST_YEAR, LAST_YEAR, london_days
from processors.record.instants import EARLIEST, LATEST, UNUSUAL, microseconds, usual_instants
from processors.record.usual import MOST_SUBJECTS, Envelope, Usual, mentions_constants, present
from schemas.events.registry import VALIDATORS

# A header may be without a value.
Headers = Sequence[tuple[str, bytes | None]]
Message = tuple[bytes | None, bytes | None, Headers]

STRUCTURED_MODE = b"application/cloudevents"
BINARY_PREFIX = "ce_"
# Messages that are read together: so few that what is made of them on the way stays in the
# processor's cache.
AT_ONCE = 1_000
# Attributes that are whole numbers; every other one travels as text in a binary-mode header.
NUMBERS = frozenset({"revision"})


class Event(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A valid event as it is kept in its child's record.

    `instant` is in microseconds from 1970 UTC and `day` its civil date in Europe/London as a day
    number. `data` holds what the type's schema names, without absent fields.
    """

    source: str
    id: str
    revision: int
    instant: int
    day: int
    type: str
    subject: str
    data: dict[str, Any]


def in_order(events: Iterable[Event]) -> list[Event]:
    """Events in order of (time, source, id), in which those of a case are read."""
    return sorted(events, key=place_in_order)


# What events are in order of; in C, which takes half as long as a function here.
place_in_order: Callable[[Event], tuple[int, str, str]] = attrgetter("instant", "source", "id")


class Rejection(NamedTuple):
    """Why a message is no event: a class for counting, and a text free of the child's data."""

    reason: str
    message: str


class Decoded(NamedTuple):
    """A batch decoded: (child, event) pairs in order, and rejections by position in the batch."""

    events: list[tuple[str, Event]]
    rejected: list[tuple[int, Rejection]]


class RejectedError(Exception):
    """A message does not fit the contract (docs/events.md, Bad input)."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.rejection = Rejection(reason, message)


def decode(topic: str, messages: Iterable[Message], subjects: int = MOST_SUBJECTS) -> Decoded:
    """The events among a topic's (key, value, headers) messages, and why the others are none.

    The key must be the event's `partitionkey`: otherwise one child's events would lie in several
    partitions and no figure about the child could be right. Up to so many subjects are remembered
    from call to call, so that events of a case have one text.
    """
    messages, events = list(messages), list[tuple[str, Event]]()
    rejected: list[tuple[int, Rejection]] = []
    for start in range(0, len(messages), AT_ONCE):
        part = _decode(_usual(topic, subjects), topic, messages[start : start + AT_ONCE])
        events += part.events
        rejected += [(start + position, why) for position, why in part.rejected]
    return Decoded(events, rejected)


def _decode(usual: Usual, topic: str, messages: Sequence[Message]) -> Decoded:
    quick = _read_quickly(usual, messages)
    instants = usual_instants([it.time if it else "" for it in quick])
    rejected: list[tuple[int, Rejection]] = []
    for position, instant in enumerate(instants):
        if instant == UNUSUAL:
            try:
                quick[position], instants[position] = _judged(topic, messages[position])
            except RejectedError as error:
                quick[position] = None
                rejected.append((position, error.rejection))
    valid = [it for it in quick if it is not None]
    if rejected:
        instants = [it for it in instants if it != UNUSUAL]
    days = [_day(it, it) for it in london_days(np.array(instants, dtype=np.int64)).tolist()]
    events = [
        (
            it.partitionkey,
            Event(it.source, it.id, it.revision, instant, day, it.type, it.subject, it.data),
        )
        for it, instant, day in zip(valid, instants, days, strict=True)
    ]
    return Decoded(events, rejected)


def _read_quickly(usual: Usual, messages: Sequence[Message]) -> list[Envelope | None]:
    """What messages say that are as nearly all are; None for those to be judged one by one."""
    texts = [
        _structured_quickly(value, headers) if headers else value for _, value, headers in messages
    ]
    return [
        it if it is not None and key == it.partitionkey.encode() else None
        for it, (key, _, _) in zip(usual.read(texts), messages, strict=True)
    ]


def _structured_quickly(value: bytes | None, headers: Headers) -> bytes | None:
    try:
        return structured(value, headers)
    except RejectedError:
        return None


# Each day once in memory, of some hundred thousand that may be, since very many events are of one:
# a number takes 32 bytes.
_day = dict[int, int]().setdefault


@cache
def _usual(topic: str, subjects: int) -> Usual:
    return Usual(topic, subjects)


def _judged(topic: str, message: Message) -> tuple[Envelope, int]:
    """What any message says, and its instant. Raises RejectedError."""
    key, value, headers = message
    text = structured(value, headers) if headers else value or b""
    try:
        event = _envelope(VALIDATORS[topic].validator.validate_json(text))
    except ValidationError as error:
        rejection = explain(error)
        raise RejectedError(*rejection) from error
    if mentions_constants(text):
        _refuse_constants(text)
    if key != event.partitionkey.encode():
        raise RejectedError("key", "the message key is not the event's partitionkey")
    return event, instant_of(event.time)


def _refuse_constants(text: bytes) -> None:
    """Refuse NaN and Infinity, which the validator's parser takes for numbers but JSON has not."""
    try:
        from_json(text, allow_inf_nan=False)
    except ValueError as error:
        raise RejectedError("json", "not JSON") from error


def _envelope(event: dict[str, Any]) -> Envelope:
    """What the schema's validator has made of an event."""
    return Envelope(
        specversion=event["specversion"],
        id=event["id"],
        source=event["source"],
        type=event["type"],
        subject=event["subject"],
        time=event["time"],
        partitionkey=event["partitionkey"],
        data=present(event.get("data")),
        revision=event.get("revision") or 0,
    )


def instant_of(time: str) -> int:
    """Microseconds from 1970 UTC of an RFC 3339 time; digits beyond microseconds are cut.

    Raises RejectedError for a date or time that does not exist, or outside 1900 to 2199.
    """
    try:
        instant = microseconds(time)
    except ValueError as error:
        raise RejectedError("time", "time: no such date or time of day") from error
    if not EARLIEST <= instant <= LATEST:
        raise RejectedError("time", f"time: outside {FIRST_YEAR} to {LAST_YEAR}")
    return instant


def structured(value: bytes | None, headers: Headers) -> bytes:
    """The event in structured mode, whichever mode the message is in (CloudEvents Kafka binding).

    A message is in binary mode when it has a `ce_specversion` header and its content type is not
    a CloudEvents one; a header without a value is as if it were not there. Raises RejectedError
    for binary-mode headers or data that cannot be read.
    """
    by_name = {name.lower(): text for name, text in headers if text is not None}
    if by_name.get("content-type", b"").startswith(STRUCTURED_MODE):
        return value or b""
    if f"{BINARY_PREFIX}specversion" not in by_name:
        return value or b""
    try:
        event: dict[str, Any] = {
            name.removeprefix(BINARY_PREFIX): text.decode()
            for name, text in by_name.items()
            if name.startswith(BINARY_PREFIX)
        }
        for name in NUMBERS & event.keys():
            event[name] = _whole_number(event[name])
        if value:
            event["data"] = from_json(value, allow_inf_nan=False)
    except UnicodeDecodeError as error:
        raise RejectedError("headers", "a binary-mode attribute is not UTF-8") from error
    except ValueError as error:
        raise RejectedError(
            "headers", "binary mode: data is not JSON, or revision no whole number"
        ) from error
    return to_json(event)


def _whole_number(text: str) -> int:
    """The number that ASCII digits write; `int` alone would take signs, spaces and underscores."""
    if not (text.isascii() and text.isdigit()):
        raise ValueError("not in decimal digits")
    return int(text)


def explain(error: ValidationError) -> Rejection:
    """A rejection from the schema's complaint, naming attributes and rules but never values."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    kind = first["type"]
    if kind == "json_invalid":
        return Rejection("json", "not JSON")
    if kind in {"union_tag_invalid", "union_tag_not_found"}:
        return Rejection("type", "type: missing, or not one this topic carries")
    # The first step of the path is the event type, known by now to be one of ours.
    path = ".".join(str(step) for step in first["loc"][1:])
    if not path:
        return Rejection("json", "not a JSON object")
    reason = str(first["loc"][1])
    message = first["msg"].removeprefix("Value error, ")  # the schemas' own, free of values
    return Rejection(reason, f"{path}: {_RULES.get(kind, message)}")


_RULES = {
    "string_pattern_mismatch": "not in the required format (times are RFC 3339 with an offset)",
    "missing": "missing",
}
