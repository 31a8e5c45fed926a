"""Messages that are no events, of every kind that Events names, and the reason each is refused."""

import json
from typing import Any, NamedTuple

from tests.support.topics import Headers, Sent

EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "bad",
    "source": "urn:test",
    "type": "case.closed",
    "subject": "C1",
    "time": "2015-06-01T10:00:00Z",
    "partitionkey": "P1",
    "data": {"outcome": "Outcomes achieved"},
}
KEY = b"P1"
OWN_HEADERS: Headers = (
    ("trace", b"\x00\xff"),
    ("trace", b"again"),
    ("empty", b""),
    ("none", None),
    ("content-type", b"application/cloudevents+json"),
)


class Bad(NamedTuple):
    """A message that is no event: what is wrong with it, and the reason it should be given."""

    name: str
    reason: str
    sent: Sent


def event(**changed: object) -> bytes:
    """An event with attributes changed, or left out where the change is to `...`."""
    attributes = {k: v for k, v in {**EVENT, **changed}.items() if v is not ...}
    return json.dumps(attributes).encode()


def binary(value: bytes | None, **changed: bytes | None) -> Sent:
    """The event in binary mode, with headers changed, or left out where the change is to None."""
    attributes = {k: str(v).encode() for k, v in EVENT.items() if k != "data"}
    headers = {**attributes, **changed}
    named = tuple((f"ce_{name}", text) for name, text in headers.items() if text is not None)
    return Sent(KEY, value, (("content-type", b"application/json"), *named))


def _bad(name: str, reason: str, value: bytes | None, headers: Headers = ()) -> Bad:
    return Bad(name, reason, Sent(KEY, value, headers))


BAD = [
    _bad("no value", "json", None),
    _bad("empty value", "json", b""),
    _bad("not JSON", "json", b"notification received"),
    _bad("half of an event", "json", event()[:40]),
    _bad("not UTF-8", "json", event().replace(b"Outcomes", b"\xff\xfe\x00")),
    _bad("not an object", "json", b"[1, 2]"),
    _bad("null", "json", b"null"),
    _bad("two objects", "json", event() + b"\n" + event()),
    _bad("not a number of JSON", "json", event(extra=float("nan"))),
    *(
        _bad(f"no {name}", name, event(**{name: ...}))
        for name in ("specversion", "id", "source", "subject", "time", "partitionkey", "data")
    ),
    _bad("no type", "type", event(type=...)),
    *(
        _bad(f"{name} is a number", name, event(**{name: 7}))
        for name in ("specversion", "id", "source", "type", "subject", "time", "partitionkey")
    ),
    _bad("data is a list", "data", event(data=[])),
    _bad("an empty id", "id", event(id="")),
    _bad("revision is text", "revision", event(revision="1")),
    _bad("revision is negative", "revision", event(revision=-1)),
    _bad("revision is true", "revision", event(revision=True)),
    _bad("another specversion", "specversion", event(specversion="0.3")),
    _bad("an unknown type", "type", event(type="case.exploded")),
    _bad("a type of another topic", "type", event(type="population.published")),
    _bad("no offset", "time", event(time="2015-06-01T10:00:00")),
    _bad("a date without a time", "time", event(time="2015-06-01")),
    _bad("30 February", "time", event(time="2015-02-30T10:00:00Z")),
    _bad("25 o'clock", "time", event(time="2015-06-01T25:00:00Z")),
    _bad("the year 0", "time", event(time="0000-06-01T10:00:00Z")),
    _bad("no outcome", "data", event(data={})),
    _bad("an outcome that is a number", "data", event(data={"outcome": 7})),
    _bad(
        "evidence as text",
        "data",
        event(data={"outcome": "x", "troubled_families_evidence": "yes"}),
    ),
    _bad("an unknown service", "data", event(type="case.allocated", data={"service": "units"})),
    _bad(
        "born on 31 June",
        "data",
        event(
            type="notification.received",
            data={"notification_type": "EHN", "date_of_birth": "2010-06-31"},
        ),
    ),
    _bad("a retraction of nothing", "data", event(type="event.retracted", data={"retracts": ""})),
    Bad("another key", "key", Sent(b"P2", event())),
    Bad("no key", "key", Sent(None, event())),
    Bad("a key that is not UTF-8", "key", Sent(b"\xff\x00", event())),
    _bad("headers of its own", "json", b"\x00", OWN_HEADERS),
    _bad(
        "headers of a dead letter",
        "json",
        b"again",
        (("__connect.errors.offset", b"\xff"), ("__connect.errors.stage", None)),
    ),
    Bad("binary: data is not JSON", "headers", binary(b"{")),
    Bad("binary: no data", "data", binary(None)),
    Bad("binary: no id", "id", binary(b'{"outcome": "x"}', id=None)),
    Bad("binary: an id that is not UTF-8", "headers", binary(b'{"outcome": "x"}', id=b"\xff")),
    Bad("binary: no offset", "time", binary(b'{"outcome": "x"}', time=b"2015-06-01T10:00:00")),
    Bad("binary: revision is no number", "headers", binary(b'{"outcome": "x"}', revision=b"one")),
]
# Nearly as large as a broker takes: the dead letter, with its headers, is larger.
LARGE = _bad("large", "json", b"x" * 1_048_400)
