"""Transactions of producers: what was aborted counts nowhere, what is open holds nothing up."""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from itertools import islice

import pytest
from confluent_kafka import Producer

from examples.workload import case_events
from streams.kafka.batches import TP
from streams.kafka.eventfiles import EventLine
from tests.support.examples import replayed
from tests.support.patience import SECONDS
from tests.support.servers import Server
from tests.support.topics import Sent, send
from tests.support.workers import CommandLine, cells

pytestmark = pytest.mark.services

TOPIC = "case-events"
DAY = date(2015, 10, 31)

Messages = list[tuple[bytes, bytes]]


@contextmanager
def transaction(kafka: Server, messages: Messages) -> Iterator[Producer]:
    """A transaction that has written messages and is open; aborted in the end if it still is."""
    producer = Producer(
        {
            "bootstrap.servers": kafka.address,
            "transactional.id": uuid.uuid4().hex,
            "transaction.timeout.ms": 600_000,
            "partitioner": "murmur2_random",
        }
    )
    producer.init_transactions(SECONDS)
    producer.begin_transaction()
    for key, value in messages:
        producer.produce(TOPIC, value, key)
        producer.poll(0)
    assert producer.flush(SECONDS) == 0
    yield producer


def aborted(kafka: Server, messages: Messages) -> None:
    with transaction(kafka, messages) as producer:
        producer.abort_transaction(SECONDS)


def committed(kafka: Server, messages: Messages) -> None:
    with transaction(kafka, messages) as producer:
        producer.commit_transaction(SECONDS)


def plain(kafka: Server, messages: Messages) -> None:
    send(kafka.address, TOPIC, [Sent(key, value) for key, value in messages])


def expected(caseline: CommandLine, messages: Messages) -> list[dict[str, object]]:
    lines = [
        EventLine(number, (key, value, ()), (TOPIC,))
        for number, (key, value) in enumerate(messages)
    ]
    return cells(replayed(caseline.rules, lines, [DAY])[0])


def test_aborted_transactions_count_nowhere_and_open_ones_hold_nothing_up(
    caseline: CommandLine, kafka: Server
) -> None:
    messages = list(islice(case_events(4_000, seed=21), 3_600))
    first, wrong, right, undecided, last = (
        messages[start : start + 600] for start in range(0, 3_000, 600)
    )
    with caseline.worker() as worker:
        plain(kafka, first)
        aborted(kafka, wrong)
        committed(kafka, right)
        aborted(kafka, wrong)
        caseline.wait_for_the_end([worker])
        assert cells(caseline.rows(DAY)) == expected(caseline, first + right)

        with transaction(kafka, undecided) as producer:
            plain(kafka, last)  # behind what is undecided: not to be read yet
            stable = caseline.wait_for_the_end([worker])
            assert cells(caseline.rows(DAY)) == expected(caseline, first + right)
            assert "lag 0 in all" in caseline.run("doctor").stdout

            caseline.run("snapshot", "freeze", "--period", "2015-10", "--by", "Test")
            told = caseline.run("snapshot", "show", "2015-10", "--format", "json").stdout
            cut = {TP(it["topic"], it["partition"]): it["offset"] for it in json.loads(told)["cut"]}
            assert {tp: offset for tp, offset in cut.items() if offset} == stable

            producer.commit_transaction(SECONDS)
        caseline.wait_for_the_end([worker])
        everything = first + right + undecided + last
        assert cells(caseline.rows(DAY)) == expected(caseline, everything)
    assert caseline.tally("messages") == len(everything)

    caseline.run("rebuild", "--yes")
    assert cells(caseline.rows(DAY)) == expected(caseline, everything)
    assert caseline.tally("messages") == len(everything)
