"""Events over HTTP on a real Kafka: each is answered for, and what is said to be taken is there."""

import json
from datetime import UTC, datetime

import httpx
import pytest

from processors.rules import Rules
from schemas.audit_entries import AUDIT_TOPIC, AuditEntry
from schemas.events.registry import topics_of
from streams.kafka.eventfiles import EventLine
from streams.serving.roles import BATCH, MOST_EVENTS, ONE, Role
from tests.support.opencases import line, open_case
from tests.support.served import Asks, Served, one_with
from tests.support.servers import Server
from tests.support.topics import everything
from tests.support.workers import CommandLine

pytestmark = pytest.mark.services

FEED = one_with(Role.INTAKE)
AT = datetime(2015, 10, 1, 9, tzinfo=UTC)


def post(kind: str, body: bytes) -> Asks:
    return Asks("/api/v1/events", FEED, "POST", {"content-type": kind}, body)


def value(it: EventLine) -> bytes:
    return it.message[1] or b""


def batch(*values: bytes) -> bytes:
    return b"[" + b",".join(values) + b"]"


@pytest.fixture(scope="module")
def served(shared: CommandLine, rules: Rules) -> Served:
    return Served(shared.settings, rules)


def committed(kafka: Server, topic: str) -> list[bytes]:
    """The values that lie in a topic."""
    found = everything(kafka.address, topic).values()
    return [record.value or b"" for records in found for record in records]


def results(answer: httpx.Response) -> list[str]:
    return [it["result"] for it in answer.json()["events"]]


def test_what_is_said_to_be_taken_is_in_kafka_and_what_is_refused_is_not(
    served: Served, kafka: Server
) -> None:
    one, *others = map(value, [*open_case(1, AT), *open_case(2, AT)])
    retraction = value(line("child-9", "case-9", "event.retracted", AT, retracts="x"))
    bad = [b'{"specversion": "1.0"}', b"7", others[0].replace(b"+00:00", b"")]
    answers = served.ask_all(
        [
            post(ONE, one),
            post(BATCH, batch(*others, *bad, retraction)),
            post(ONE, bad[0]),
            post(BATCH, batch(*bad)),
        ]
    )
    assert [it.status_code for it in answers] == [200, 207, 422, 422]
    assert results(answers[0]) == ["accepted"]
    assert results(answers[1]) == [*["accepted"] * 3, *["refused"] * 3, "accepted"]
    refused = [it for it in answers[1].json()["events"] if it["result"] == "refused"]
    assert [it["index"] for it in refused] == [3, 4, 5]
    assert all(it["reason"] and it["detail"] for it in refused)
    assert not any("child" in json.dumps(it) for it in refused)
    entries = [AuditEntry.model_validate_json(it) for it in committed(kafka, AUDIT_TOPIC)]
    counted = [(it.cases, it.total) for it in entries if it.result == "refused"]
    assert counted == [(3, 7), (1, 1), (3, 3)]
    there = committed(kafka, "case-events")
    sent = [json.loads(it) for it in (one, *others, retraction)]
    assert sorted(json.dumps(json.loads(it)) for it in there) == sorted(map(json.dumps, sent))
    for topic in topics_of("event.retracted")[1:]:
        assert list(map(json.loads, committed(kafka, topic))) == [json.loads(retraction)]


def test_what_is_no_event_at_all_is_refused_as_a_whole(served: Served) -> None:
    many = batch(*[b"{}"] * (MOST_EVENTS + 1))
    answers = served.ask_all(
        [
            post("application/json", b"{}"),
            post("text/plain", b"{}"),
            post("", b"{}"),
            post(BATCH, b"{"),
            post(BATCH, b"{}"),
            post(BATCH, b"[]"),
            post(BATCH, b"[NaN]"),
            post(BATCH, many),
            post(ONE, b""),
            post(ONE, b"\xff\x00"),
            post(ONE, b"[" * 100_000),
            post(BATCH, b"[" * 100_000),
            post(ONE, b"x" * 2_000_000),
        ]
    )
    assert [it.status_code for it in answers] == [*[415] * 3, *[400] * 5, *[422] * 3, 400, 413]


def test_an_event_that_kafka_does_not_acknowledge_is_not_said_to_be_taken(
    served: Served, kafka: Server
) -> None:
    event = value(open_case(1, AT)[0])
    kafka.stop()
    answer = served.ask_all([post(BATCH, batch(event, b"{}"))])[0]
    assert answer.status_code == 503
    assert results(answer) == ["unknown", "refused"]
    kafka.start()
    assert served.ask_all([post(ONE, event)])[0].status_code == 200


def test_only_a_feed_may_send_events(served: Served) -> None:
    event = value(open_case(1, AT)[0])
    asked = [
        Asks("/api/v1/events", one_with(role), "POST", {"content-type": ONE}, event)
        for role in Role
        if role is not Role.INTAKE
    ]
    assert {it.status_code for it in served.ask_all(asked)} == {403}
