"""Every kind of message that is no event is rejected, and nothing of the child's is said of it."""

import json

import pytest

from schemas.events.registry import CASE_TOPIC, REFERENCE_TOPIC
from tests.support.messages import (
    ABSENT,
    CHILD,
    ESTIMATE,
    NOTIFICATION,
    SECRET,
    accepted,
    changed,
    message,
    of_type,
    rejection,
    with_data,
)
from tests.support.strategies import Fields

NOT_JSON = [
    b"",
    b"Secret",
    b'{"id": "Secret"',
    b"\xff\xfe",
    json.dumps(NOTIFICATION).encode() + b"}",
    b"\xef\xbb\xbf" + json.dumps(NOTIFICATION).encode(),
    json.dumps(NOTIFICATION).encode("utf-16"),
    json.dumps({**NOTIFICATION, "unread": float("nan")}).encode(),
    json.dumps(with_data(NOTIFICATION, unread=[float("-inf")])).encode(),
    json.dumps({**NOTIFICATION, "subject": "Secret \ud800"}).encode(),
    json.dumps(NOTIFICATION).encode()[:-1] + b', "unread": "\xff"}',
    json.dumps({**NOTIFICATION, "unread": 1}).encode().replace(b"1}", b"[" * 5000 + b"]" * 5000),
    b"null",
    b"[]",
    b'["Secret"]',
    b'"Secret"',
    b"12",
]


@pytest.mark.parametrize("value", NOT_JSON)
def test_what_is_no_json_object_is_rejected(value: bytes) -> None:
    assert rejection((CHILD.encode(), value, ())).reason == "json"


def test_a_message_without_a_value_is_rejected() -> None:
    assert rejection((CHILD.encode(), None, ())).reason == "json"


@pytest.mark.parametrize("value", [ABSENT, None, "", 5, True, [SECRET], {"a": SECRET}])
@pytest.mark.parametrize("name", ["id", "source", "subject", "partitionkey", "time", "specversion"])
def test_a_required_attribute_must_be_there_and_be_text(name: str, value: object) -> None:
    assert rejection(message(changed(NOTIFICATION, **{name: value}))).reason == name


@pytest.mark.parametrize("version", ["0.3", "1", "1.0 ", SECRET])
def test_another_version_of_cloudevents_is_rejected(version: str) -> None:
    assert rejection(message({**NOTIFICATION, "specversion": version})).reason == "specversion"


@pytest.mark.parametrize(
    "kind", [ABSENT, None, "", 5, [SECRET], SECRET, "Case.Closed", "scs.opened", "session.held"]
)
def test_an_unknown_type_is_rejected(kind: object) -> None:
    assert rejection(message(changed(NOTIFICATION, type=kind))).reason == "type"


def test_a_type_of_another_topic_is_rejected() -> None:
    assert rejection(message(ESTIMATE), CASE_TOPIC).reason == "type"
    assert rejection(message(NOTIFICATION), REFERENCE_TOPIC).reason == "type"
    assert accepted(message(ESTIMATE), REFERENCE_TOPIC).data["count"] == 3


@pytest.mark.parametrize(
    "time",
    [
        SECRET,
        "2015-06-30",
        "2015-06-30T23:30:00",
        "2015-06-30T23:30Z",
        "2015-06-30 23:30:00Z",
        "2015-06-30T23:30:00+0100",
        "2015-06-30T23:30:00+01",
        "2015-06-30T23:30:00+01:60",
        "2015-06-30T23:30:00+24:00",
        "2015-06-30T24:00:00Z",
        "2015-06-30T23:60:00Z",
        "2015-06-30T23:59:60Z",
        "2015-06-31T12:00:00Z",
        "2015-02-29T12:00:00Z",
        "2015-13-01T12:00:00Z",
        "0000-01-01T00:00:00Z",
        "15-06-30T23:30:00Z",
        "20150630T233000Z",
        "2015-W27-2T23:30:00Z",
        " 2015-06-30T23:30:00Z",
        "2015-06-30T23:30:00Z\n",
        "2015-06-30T23:30:00.Z",
        "2015-06-30T23:30:00,5Z",
        "201\u0665-06-30T23:30:00Z",
        1435707000,
    ],
)
def test_a_time_without_offset_or_that_does_not_exist_is_rejected(time: object) -> None:
    assert rejection(message({**NOTIFICATION, "time": time})).reason == "time"


@pytest.mark.parametrize(
    ("time", "is_in_range"),
    [
        ("1900-01-01T23:59:59.999999Z", False),
        ("1900-01-02T00:00:00Z", True),
        ("1900-01-02T00:00:00+00:01", False),
        ("2199-12-31T00:00:00Z", True),
        ("2199-12-31T00:00:00.000001Z", False),
        ("2199-12-31T12:00:00+12:00", True),
        ("0001-01-01T00:00:00+23:59", False),
        ("9999-12-31T23:59:59-23:59", False),
    ],
)
def test_years_before_1900_and_after_2199_are_rejected(time: str, is_in_range: bool) -> None:
    if is_in_range:
        assert accepted(message({**NOTIFICATION, "time": time})).day
    else:
        assert rejection(message({**NOTIFICATION, "time": time})).reason == "time"


@pytest.mark.parametrize("revision", [-1, 1.0, 1.5, "1", True, [1], 2**53, 10**400])
def test_a_revision_that_is_no_whole_number_is_rejected(revision: object) -> None:
    assert rejection(message({**NOTIFICATION, "revision": revision})).reason == "revision"


BAD_DATA = [
    changed(NOTIFICATION, data=ABSENT),
    changed(NOTIFICATION, data=None),
    changed(NOTIFICATION, data=[SECRET]),
    changed(NOTIFICATION, data=SECRET),
    with_data(NOTIFICATION, notification_type=ABSENT),
    with_data(NOTIFICATION, notification_type=None),
    with_data(NOTIFICATION, notification_type=5),
    with_data(NOTIFICATION, district=[SECRET]),
    with_data(NOTIFICATION, primary_reason={"a": SECRET}),
    with_data(NOTIFICATION, date_of_birth="2015-02-29"),
    with_data(NOTIFICATION, date_of_birth="2015-2-9"),
    with_data(NOTIFICATION, date_of_birth="2015-02-09T00:00:00Z"),
    with_data(NOTIFICATION, date_of_birth="20150209"),
    with_data(NOTIFICATION, date_of_birth="0000-01-01"),
    with_data(NOTIFICATION, date_of_birth=SECRET),
    with_data(NOTIFICATION, date_of_birth=20150209),
    of_type("case.allocated"),
    of_type("case.allocated", service=SECRET),
    of_type("case.allocated", service="Unit"),
    of_type("case.allocated", service="unit", provider=5),
    of_type("case.allocated", service="unit", team=[SECRET]),
    of_type("worker.assigned", worker=5),
    of_type("case.closed"),
    of_type("case.closed", outcome=None),
    of_type("case.closed", outcome=5),
    of_type("case.closed", outcome=SECRET, troubled_families_evidence="yes"),
    of_type("case.closed", outcome=SECRET, troubled_families_evidence=1),
    of_type("destination.started"),
    of_type("destination.sustained", kind=SECRET),
    of_type("event.retracted"),
    of_type("event.retracted", retracts=""),
    of_type("event.retracted", retracts=5),
    changed(NOTIFICATION, type="contact.made", data=[]),
    changed(NOTIFICATION, type="contact.made", data=SECRET),
]


@pytest.mark.parametrize("event", BAD_DATA)
def test_data_that_does_not_fit_its_type_is_rejected(event: Fields) -> None:
    assert rejection(message(event)).reason == "data"


@pytest.mark.parametrize(
    "fields",
    [
        {"area": ABSENT},
        {"area": ""},
        {"age_band": SECRET},
        {"age_band": "unknown"},
        {"year": "2015"},
        {"year": 1899},
        {"year": 2200},
        {"count": -1},
        {"count": 1.5},
        {"count": 2**53},
        {"count": True},
    ],
)
def test_a_population_that_does_not_fit_is_rejected(fields: Fields) -> None:
    assert rejection(message(with_data(ESTIMATE, **fields)), REFERENCE_TOPIC).reason == "data"


MEASURE = changed(
    ESTIMATE,
    type="measure.supplied",
    data={
        "code": SECRET,
        "area": SECRET,
        "age_band": "all",
        "period": "2017-06",
        "status": "supplied",
        "provenance": SECRET,
    },
)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"numerator": 1},
        {"denominator": 1},
        {"value": 1, "denominator": 1},
        {"value": 1, "numerator": 1, "denominator": 1},
        {"numerator": 1, "denominator": -1},
        {"value": "1"},
        {"value": 1, "period": "June"},
        {"value": 1, "age_band": "11-5"},
        {"value": 1, "status": "given"},
        {"status": "not-available", "numerator": 1},
    ],
)
def test_a_measure_that_does_not_fit_is_rejected(fields: Fields) -> None:
    assert rejection(message(with_data(MEASURE, **fields)), REFERENCE_TOPIC).reason == "data"


@pytest.mark.parametrize(
    "fields",
    [
        {"value": -1.5},
        {"numerator": 1, "denominator": 0},
        {"value": 1, "numerator": None},
        {"status": "not-available"},
        {"status": "to-be-supplied", "value": 1, "period": "2017-T1", "age_band": "5-11"},
    ],
)
def test_a_measure_is_a_value_or_a_pair_and_need_be_neither_where_none_is_supplied(
    fields: Fields,
) -> None:
    assert accepted(message(with_data(MEASURE, **fields)), REFERENCE_TOPIC)


@pytest.mark.parametrize("key", [None, b"", b"Secret other", CHILD.encode() + b" ", b"\xff"])
def test_a_key_that_is_not_the_partition_key_is_rejected(key: bytes | None) -> None:
    assert rejection((key, message(NOTIFICATION)[1], ())).reason == "key"


def test_rejections_say_which_rule_was_broken() -> None:
    assert rejection(message(changed(NOTIFICATION, subject=ABSENT))).message == "subject: missing"
    found = rejection(message({**NOTIFICATION, "time": "2015-06-30T23:30:00"}))
    assert found.message.startswith("time: ")
    assert "offset" in found.message
    found = rejection(message(with_data(NOTIFICATION, date_of_birth="2015-02-30")))
    assert found.message == "data.date_of_birth: no such date"
