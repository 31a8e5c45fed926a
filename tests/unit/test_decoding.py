"""What messages that are events are read as, in both modes of CloudEvents."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.record.decoding import Message, decode
from schemas.events.registry import CASE_TOPIC, VALIDATORS
from tests.reference import parse
from tests.reference.topics import TOPICS, parse_any
from tests.support.messages import (
    ABSENT,
    CHILD,
    NOTIFICATION,
    SECRET,
    accepted,
    changed,
    message,
    rejection,
    with_data,
)
from tests.support.strategies import Fields, History, histories


@pytest.mark.parametrize(
    ("time", "instant"),
    [
        ("2015-06-30T23:30:00Z", datetime(2015, 6, 30, 23, 30, tzinfo=UTC)),
        ("2015-07-01t00:30:00+01:00", datetime(2015, 6, 30, 23, 30, tzinfo=UTC)),
        ("2015-06-30T23:30:00.5z", datetime(2015, 6, 30, 23, 30, 0, 500_000, tzinfo=UTC)),
        ("2015-06-30T23:30:00.1234567Z", datetime(2015, 6, 30, 23, 30, 0, 123_456, tzinfo=UTC)),
        ("2015-06-30T18:00:00-05:30", datetime(2015, 6, 30, 23, 30, tzinfo=UTC)),
    ],
)
def test_an_instant_is_the_same_however_it_is_written(time: str, instant: datetime) -> None:
    event = accepted(message({**NOTIFICATION, "time": time}))
    assert event.instant == round(instant.timestamp() * 1_000_000)
    assert event.day == (datetime(2015, 7, 1) - datetime(1970, 1, 1)).days


def test_null_is_absent_and_what_is_not_known_is_left_out() -> None:
    event = with_data(NOTIFICATION, district=None, date_of_birth=None, unread=SECRET)
    found = accepted(message({**event, "revision": None, "datacontenttype": None, "x": [1]}))
    assert found.revision == 0
    assert found.data == {"notification_type": f"{SECRET} type"}


@pytest.mark.parametrize(
    "kind",
    ["worker.assigned", "contact.made", "plan.completed", "case.reopened", "case.stepped-up"],
)
@pytest.mark.parametrize("data", [ABSENT, None, {}, {"unread": 1}])
def test_data_may_be_absent_where_no_field_is_required(kind: str, data: object) -> None:
    assert accepted(message(changed(NOTIFICATION, type=kind, data=data))).data == {}


def test_bad_messages_in_a_batch_leave_the_good_ones_in_order() -> None:
    good = [message({**NOTIFICATION, "id": name}) for name in "abc"]
    bad: Message = (CHILD.encode(), b"{}", ())
    decoded = decode(CASE_TOPIC, [bad, good[0], good[1], bad, good[2], bad])
    assert [event.id for _, event in decoded.events] == ["a", "b", "c"]
    assert [position for position, _ in decoded.rejected] == [0, 3, 5]


def in_binary_mode(event: Fields, *headers: tuple[str, bytes | None]) -> Message:
    attributes = [(f"ce_{name}", str(it).encode()) for name, it in event.items() if name != "data"]
    data = json.dumps(event["data"]).encode() if event.get("data") is not None else None
    return CHILD.encode(), data, [*attributes, ("content-type", b"application/json"), *headers]


@pytest.mark.parametrize("event", [NOTIFICATION, {**NOTIFICATION, "revision": 7}])
def test_both_modes_of_cloudevents_give_the_same_event(event: Fields) -> None:
    key, value, _ = message(event)
    content_type = ("Content-Type", b"application/cloudevents+json; charset=UTF-8")
    structured = accepted((key, value, [content_type, ("ce_specversion", b"1.0")]))
    assert accepted(in_binary_mode(event)) == structured == accepted(message(event))


def test_in_binary_mode_names_of_headers_are_read_in_any_case() -> None:
    key, value, headers = in_binary_mode(NOTIFICATION)
    shouted = [(name.upper(), text) for name, text in headers]
    assert accepted((key, value, shouted)) == accepted(message(NOTIFICATION))


def test_in_binary_mode_data_may_be_absent() -> None:
    event = changed(NOTIFICATION, type="contact.made", data=ABSENT)
    assert accepted(in_binary_mode(event)) == accepted(message(event))


def test_other_headers_and_headers_without_a_value_are_ignored() -> None:
    others = [("traceparent", b"00-1"), ("x", None), ("content-type", None), ("ce_revision", None)]
    assert accepted((*message(NOTIFICATION)[:2], others)) == accepted(message(NOTIFICATION))
    assert accepted(in_binary_mode(NOTIFICATION, *others)) == accepted(message(NOTIFICATION))


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (in_binary_mode(changed(NOTIFICATION, time="2015-06-30T23:30:00")), "time"),
        (in_binary_mode(changed(NOTIFICATION, subject=ABSENT)), "subject"),
        (in_binary_mode(changed(NOTIFICATION, type=SECRET)), "type"),
        (in_binary_mode({**NOTIFICATION, "data": None}), "data"),
        (in_binary_mode({**NOTIFICATION, "data": [SECRET]}), "data"),
        (in_binary_mode(NOTIFICATION, ("ce_subject", b"Secret \xff")), "headers"),
        (in_binary_mode(NOTIFICATION, ("ce_revision", b"Secret")), "headers"),
        (in_binary_mode(NOTIFICATION, ("ce_revision", b"1_0")), "headers"),
        (in_binary_mode(NOTIFICATION, ("ce_revision", b"-1")), "headers"),
        (in_binary_mode(NOTIFICATION, ("ce_revision", "²".encode())), "headers"),
        ((CHILD.encode(), b"{Secret", in_binary_mode(NOTIFICATION)[2]), "headers"),
        ((CHILD.encode(), b'{"x": NaN}', in_binary_mode(NOTIFICATION)[2]), "headers"),
        ((b"Secret other", *in_binary_mode(NOTIFICATION)[1:]), "key"),
    ],
)
def test_bad_messages_in_binary_mode_are_rejected(message: Message, reason: str) -> None:
    assert rejection(message).reason == reason


def test_an_attribute_of_data_named_nan_is_nothing_bad() -> None:
    event = with_data(NOTIFICATION, district="NaN, or Infinity")
    assert accepted(message(event)).data["district"] == "NaN, or Infinity"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
SPOILT = st.fixed_dictionaries(
    {},
    optional={name: JSON for name in NOTIFICATION if name != "partitionkey"}
    | {"revision": JSON | st.integers(-2, 2**54)},
)
SPOILT_DATA = st.fixed_dictionaries({}, optional=dict.fromkeys(NOTIFICATION["data"], JSON))


@given(SPOILT, SPOILT_DATA)
def test_any_json_in_any_attribute_is_judged_as_the_reference_judges_it(
    attributes: Fields, data: Fields
) -> None:
    event = changed(with_data(NOTIFICATION, **data), **attributes)
    decoded = decode(CASE_TOPIC, [message(event)])
    judged = parse(message(event)[1] or b"")
    assert bool(decoded.events) == (judged is not None)
    assert len(decoded.events) + len(decoded.rejected) == 1


# What some field of some type takes, and what comes near it.
LIKELY: st.SearchStrategy[object] = st.sampled_from(
    [
        *("cin", "CIN", "referral", "step-down", "unit", "child", "carer", "group", "all", ""),
        *("0-4", "16+", "5-11", "11-5", "0-1000", "0-", "unknown", "0-18", "18", " 0-4"),
        *("2017", "2017-06", "2017-13", "2017-T1", "2017-T0", "2017-06-01", "2015-02-29"),
        *("supplied", "not-available", "to-be-supplied", "education", "x", "deprived", "bme"),
        *([], ["bme"], ["bme", "bme"], ["tall"], "bme", [None], {}, None, True, False),
        *(0, 1, -1, 0.5, -0.5, 2015, 1899, 2200, 2**53 - 1, 2**53, 1e300, 5.0, "1"),
    ]
)
SAID: dict[str, object] = {
    "name": "x",
    "text": "x",
    "flag": True,
    "number": 1.5,
    "amount": 1.5,
    "month": "2017-06",
    "year": 2017,
    "count": 3,
    "band": "0-4",
    "ages": "0-18",
    "service": "unit",
    "day": "2015-01-31",
    "destination": "training",
    "origin": "referral",
    "status": "cin",
    "registered": "child",
    "characteristics": ["sen"],
    "group": "bme",
    "supply": "supplied",
    "period": "2017-06",
}
KINDS = [(topic, kind) for topic, kinds in TOPICS.items() for kind in kinds]


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[str, Fields]:
    """A topic, and an event of one of its types of which some fields are other than they were."""
    topic, kind = draw(st.sampled_from(KINDS))
    fields = TOPICS[topic][kind]
    data = {name.rstrip("?"): SAID[of] for name, of in fields.items()}
    for name in [*data]:
        fate = draw(st.integers(0, 7))
        if fate == 0:
            del data[name]
        elif fate == 1:
            data[name] = draw(LIKELY | JSON)
    return topic, {**NOTIFICATION, "type": kind, "data": data}


@settings(max_examples=300)
@given(spoilt())
def test_what_any_type_says_is_judged_and_read_as_the_reference_does(
    given: tuple[str, Fields],
) -> None:
    topic, event = given
    decoded = decode(topic, [message(event)])
    judged = parse_any(message(event)[1] or b"")
    assert bool(decoded.events) == (judged is not None)
    assert len(decoded.events) + len(decoded.rejected) == 1
    if judged is not None:
        assert decoded.events[0][1].data == judged["data"]


@given(st.binary(max_size=40), st.sampled_from(sorted(VALIDATORS)))
def test_any_bytes_at_all_are_judged_without_an_error(value: bytes, topic: str) -> None:
    headers = [("ce_specversion", value), ("content-type", value), ("ce_time", value)]
    for given_headers in ((), headers):
        decoded = decode(topic, [(value, value, given_headers)])
        assert (len(decoded.events), len(decoded.rejected)) == (0, 1)


@settings(max_examples=40)
@given(histories())
def test_every_event_of_a_history_is_read_as_the_reference_reads_it(history: History) -> None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    for line in history.lines:
        ((child, event),) = decode(line.topics[-1], [line.message]).events
        read = parse(line.message[1] or b"")
        assert read is not None
        assert (child, event.source, event.id) == (
            read["partitionkey"],
            read["source"],
            read["id"],
        )
        assert (event.type, event.subject, event.data) == (
            read["type"],
            read["subject"],
            read["data"],
        )
        assert event.revision == read["revision"]
        assert event.instant == round((read["time"] - epoch).total_seconds() * 1_000_000)
        assert event.day == (read["day"] - epoch.date()).days
