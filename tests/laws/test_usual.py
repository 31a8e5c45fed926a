"""What is read the quick way is what the schemas' validator makes of it; all else is left to it.

Messages are put together as text, so that attributes may come twice, and are then spoilt byte by
byte.
"""

import json
import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from processors.record.decoding import decode
from processors.record.instants import FEWEST
from processors.record.usual import MOST_BYTES, MOST_REMEMBERED, Envelope, Usual
from schemas.events.attributes import RFC3339
from schemas.events.registry import CASE_TOPIC, REFERENCE_TOPIC, VALIDATORS, types_on
from tests.support.messages import ESTIMATE, NOTIFICATION, changed, with_data

# Values as they are written in JSON, right in some place and odd in any other.
ODD = st.sampled_from(
    [
        *('"1.0"', '"x"', '""', '"e1"', '"P1"', '"urn:x"', '" "', '"\\u0041"', '"\\ud800"', '"é"'),
        *(
            '"2015-06-30T23:30:00Z"',
            '"2015-06-30t23:30:00.1234567+01:00"',
            '"2015-06-30 23:30:00Z"',
        ),
        *('"2015-06-30T23:30:60Z"', '"2015-06-30T24:00:00Z"', '"2015-06-30T23:30:00"'),
        *('"2015-02-30T00:00:00Z"', '"0000-01-01T00:00:00Z"', '"2015-W01-1T00:00:00Z"'),
        *('"2015-06-30T23:30:00Z\\n"', '"2015-06-30T23:30:00+24:00"', '"2015-06-30"'),
        *("0", "-0", "1", "-1", "1.0", "1e0", "01", "true", "null", "NaN", "-Infinity", "[]", "{}"),
        *("9007199254740991", "9007199254740992", "18446744073709551616", "1e999"),
        *('{"service":"unit"}', '{"service":"UNIT"}', '{"service":null}', '{"service":"unit",}'),
        *('{"outcome":"closed"}', '{"outcome":"a","outcome":1}', '{"kind":"training","x":[1,{}]}'),
        *('{"notification_type":"EHN","district":null,"date_of_birth":"2015-02-29"}',),
        *('{"date_of_birth":"2010-06-01","notification_type":"EHN"}', "[" * 90 + "]" * 90),
        *(json.dumps(kind) for kind in sorted(types_on(CASE_TOPIC))),
    ]
)
NAMES = [*NOTIFICATION, "revision", "datacontenttype", "tracestate", "unread", "Data", "da\\u0074a"]
SPACE = st.sampled_from(["", "", "", " ", "\n\t", "\x0b"])


@st.composite
def texts(draw: st.DrawFn) -> bytes:
    """A message's value: an event, of which attributes are left out, other, or there twice."""
    pairs = [(name, json.dumps(value)) for name, value in NOTIFICATION.items()]
    pairs += draw(st.lists(st.tuples(st.sampled_from(NAMES), ODD), max_size=3))
    if draw(st.booleans()):
        pairs = draw(st.permutations(pairs))
    if draw(st.booleans()):
        del pairs[draw(st.integers(0, len(pairs) - 1))]
    space = draw(SPACE)
    text = f",{space}".join(f'"{name}"{space}:{value}' for name, value in pairs)
    value = bytearray(f"{{{text}{space}}}".encode())
    for place, byte in draw(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)))):
        if draw(st.booleans()):
            value[place : place + 1] = bytes([byte])
        else:
            value.insert(place, byte)
    return bytes(value)


def said(found: Envelope) -> dict[str, Any]:
    """What an envelope says, with the fields of its data in order."""
    names = [*NOTIFICATION, "revision"]
    return {name: getattr(found, name) for name in names} | {"data": [*found.data.items()]}


def judged(topic: str, text: bytes) -> dict[str, Any]:
    """What the validator makes of a valid event, in the same form."""
    valid = VALIDATORS[topic].validator.validate_json(text)
    data = [(name, it) for name, it in (valid.get("data") or {}).items() if it is not None]
    return {**valid, "revision": valid.get("revision") or 0, "data": data}


def written(event: Any) -> bytes:
    """An event as most senders write it."""
    return json.dumps(event, separators=(",", ":")).encode()


TWICE = written(NOTIFICATION).decode()
BEFORE = TWICE.replace('"data":', '"data":[[[[[]]]],{"x":"\x7f","y":-1e5}],"data":').encode()


@settings(max_examples=500)
def read(usual: Usual, text: bytes) -> Envelope | None:
    (found,) = usual.read([text])
    return found


@given(texts())
@example(BEFORE)
@example(BEFORE.replace(b"\x7f", b"\xff"))
@example(BEFORE.replace(b"\x7f", b"\\ud800"))
@example(BEFORE.replace(b"[[[[[]]]]", b"[" * 201 + b"]" * 200))
def test_what_is_read_the_quick_way_is_what_the_validator_makes_of_it(text: bytes) -> None:
    usual = Usual(CASE_TOPIC)
    for _ in range(2):  # the second time the data are known
        found = read(usual, text)
        if found is not None and re.fullmatch(RFC3339, found.time):
            assert said(found) == judged(CASE_TOPIC, text)


@given(texts())
@example(written(NOTIFICATION))
def test_a_message_is_judged_the_same_alone_and_among_many(text: bytes) -> None:
    key = str(NOTIFICATION["partitionkey"]).encode()
    alone = decode(CASE_TOPIC, [(key, text, ())])
    plain = key, written({**NOTIFICATION, "id": "plain"}), ()
    among = decode(CASE_TOPIC, [(key, text, ()), *[plain] * FEWEST])
    assert among.rejected == alone.rejected
    assert among.events[: len(alone.events)] == alone.events
    assert {event.id for _, event in among.events[len(alone.events) :]} == {"plain"}
    assert len(among.events) == len(alone.events) + FEWEST
    if alone.events:
        assert judged(CASE_TOPIC, text)


PLAIN = [NOTIFICATION, {**NOTIFICATION, "revision": 3, "traceparent": "00-1"}] + [
    changed(NOTIFICATION, type=kind, data=data)
    for kind, data in [
        ("case.allocated", {"service": "unit", "provider": "Porchlight", "team": "A"}),
        ("case.closed", {"outcome": "achieved", "troubled_families_evidence": True}),
        ("contact.made", {}),
        ("plan.completed", None),
        ("event.retracted", {"retracts": "e1"}),
    ]
]


@pytest.mark.parametrize("event", PLAIN)
def test_a_plain_event_is_read_the_quick_way(event: dict[str, Any]) -> None:
    found = read(Usual(CASE_TOPIC), written(event))
    assert found is not None
    assert said(found) == judged(CASE_TOPIC, written(event))


@pytest.mark.parametrize(
    "text",
    [
        written({**NOTIFICATION, "unread": 1}),
        written({**NOTIFICATION, "revision": None}),
        written(with_data(NOTIFICATION, district="x" * MOST_BYTES)),
        written(with_data(NOTIFICATION, district="x\\y")),
        written(with_data(NOTIFICATION, district="é")),
        json.dumps(with_data(NOTIFICATION, district="é"), ensure_ascii=False).encode(),
    ],
)
def test_a_valid_event_that_is_somehow_other_is_left_to_the_validator(text: bytes) -> None:
    assert judged(CASE_TOPIC, text)
    assert read(Usual(CASE_TOPIC), text) is None


def test_a_type_of_another_topic_is_not_read() -> None:
    assert read(Usual(CASE_TOPIC), written(ESTIMATE)) is None
    assert read(Usual(REFERENCE_TOPIC), written(ESTIMATE)) is not None
    assert read(Usual(REFERENCE_TOPIC), written(NOTIFICATION)) is None


def test_data_that_are_equal_are_kept_once_and_what_is_remembered_has_a_bound() -> None:
    usual = Usual(CASE_TOPIC)
    events = [with_data(NOTIFICATION, district=str(number)) for number in range(MOST_REMEMBERED)]
    first, again = read(usual, written(events[0])), read(usual, written(events[0]))
    assert first is not None
    assert again is not None
    assert first.data is again.data
    for event in [*events, NOTIFICATION]:
        assert read(usual, written(event)) is not None
    anew = read(usual, written(events[0]))
    assert anew is not None
    assert anew.data is not first.data
    assert anew.data == first.data


def test_subjects_that_are_equal_are_kept_once_as_many_as_are_asked_for() -> None:
    usual = Usual(CASE_TOPIC, subjects=2)

    def subject(text: str) -> str:
        event = read(usual, written({**NOTIFICATION, "subject": text}))
        assert event is not None
        return event.subject

    first = subject("C-1")
    assert subject("C-1") is first
    subject("C-2")
    assert subject("C-1") is not first
