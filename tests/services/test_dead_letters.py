"""Bad messages among good ones: right tables, and each in the dead-letter topic byte for byte."""

import asyncio
import json
import os
import random
import signal
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from examples.workload import case_events
from processors.record.decoding import Rejection, decode
from streams.kafka.batches import TP, KafkaRecord
from streams.kafka.deadletters import (
    DeadLetters,
    NotWrittenNow,
    dead_letter_topic,
    headers_of,
    transactional_id,
)
from streams.kafka.eventfiles import EventLine
from streams.kafka.private import give_up
from tests.support.bad_messages import BAD, KEY, LARGE, Bad, event
from tests.support.examples import DATES, LOGS, answered, answers, good_lines, log_file, replayed
from tests.support.servers import Server
from tests.support.topics import Sent, everything, send
from tests.support.workers import CommandLine, cells, wait_until

pytestmark = pytest.mark.services

TOPIC = "case-events"
DAY = date(2015, 10, 31)
CONNECT = "__connect.errors."
ADDED = ["topic", "partition", "offset", "stage", "class.name"]
ADDED += ["exception.class.name", "exception.message"]


def mixture(events: int, seed: int) -> tuple[list[EventLine], list[Sent], list[Bad]]:
    """Good events, the same with one bad message in a hundred among them, and those, in order."""
    rng = random.Random(seed)
    good = [
        EventLine(number, (key, value, ()), (TOPIC,))
        for number, (key, value) in enumerate(case_events(events, seed=seed))
    ]
    messages: list[Sent] = []
    bad: list[Bad] = []
    for line in good:
        messages.append(Sent(line.message[0], line.message[1]))
        if rng.random() < 0.01:
            bad.append(BAD[len(bad) % len(BAD)])
            messages.append(bad[-1].sent)
    return good, messages, bad


def letters(caseline: CommandLine) -> dict[TP, list[KafkaRecord]]:
    return everything(caseline.settings.kafka_bootstrap, dead_letter_topic(TOPIC))


def assert_dead_letters(caseline: CommandLine, bad: list[Bad]) -> None:
    """Every message of the topic that is none of an event lies in the dead-letter topic, in order
    and once, as it came, with where it was and why it is none."""
    sources = everything(caseline.settings.kafka_bootstrap, TOPIC)
    found = letters(caseline)
    reasons: Counter[str] = Counter()
    for tp, records in sources.items():
        rejected = decode(TOPIC, [(it.key, it.value, it.headers) for it in records]).rejected
        expected = [records[position] for position, _ in rejected]
        written = found[TP(dead_letter_topic(TOPIC), tp.partition)]
        assert len(written) == len(expected), tp
        for source, letter in zip(expected, written, strict=True):
            own = len(source.headers)
            assert (letter.key, letter.value) == (source.key, source.value)
            assert letter.headers[:own] == source.headers
            assert letter.timestamp == source.timestamp
            assert [name for name, _ in letter.headers[own:]] == [CONNECT + name for name in ADDED]
            added = [text.decode() for _, text in letter.headers[own:]]
            assert added[:3] == [tp.topic, str(tp.partition), str(source.offset)]
            assert all(added)
            reasons[added[5]] += 1
    assert reasons == Counter(each.reason for each in bad)


def redis_pid(server: Server) -> int:
    return int((server.folder / "redis.pid").read_text())


REJECTED = [
    (KafkaRecord(b"K", b"{%d" % at, (), 1_000 + at, at), Rejection("json", "not JSON"))
    for at in range(4)
]
OF, LETTERS_OF = TP(TOPIC, 0), TP(dead_letter_topic(TOPIC), 0)


def test_a_worker_that_goes_on_after_a_pause_doubles_no_dead_letter_of_its_successor(
    caseline: CommandLine,
) -> None:
    kafka = caseline.settings.kafka

    async def write() -> None:
        async with DeadLetters(kafka, "same") as paused, DeadLetters(kafka, "same") as successor:
            await paused.write(OF, REJECTED[:1], 0, 0)
            await successor.write(OF, REJECTED[:3], 0, 0)
            with pytest.raises(NotWrittenNow):
                await paused.write(OF, REJECTED[1:], 0, 0)
            await paused.write(OF, REJECTED[1:], 0, 0)
            with pytest.raises(NotWrittenNow):
                await successor.write(OF, REJECTED[3:], 0, 0)
            await successor.write(OF, REJECTED[3:], 0, 0)

    asyncio.run(write())
    assert [it.value for it in letters(caseline)[LETTERS_OF]] == [it.value for it, _ in REJECTED]


def test_what_a_worker_sent_and_had_not_finished_when_another_took_over_is_undone(
    caseline: CommandLine,
) -> None:
    kafka = caseline.settings.kafka

    async def write() -> None:
        dying = AIOKafkaProducer(
            bootstrap_servers=caseline.settings.kafka_bootstrap,
            transactional_id=transactional_id("same", OF),
        )
        await dying.start()
        await dying.begin_transaction()
        for record, rejection in REJECTED[:2]:
            headers = headers_of(OF, record, rejection)
            await dying.send_and_wait(
                LETTERS_OF.topic,
                record.value,
                record.key,
                LETTERS_OF.partition,
                record.timestamp,
                headers,
            )
        async with DeadLetters(kafka, "same") as successor:
            end = await successor.write(OF, REJECTED, 0, 0)
            assert await successor.write(OF, REJECTED, 0, end) == end
        with pytest.raises(KafkaError):
            await dying.commit_transaction()
        await give_up(dying)

    asyncio.run(write())
    assert [it.value for it in letters(caseline)[LETTERS_OF]] == [it.value for it, _ in REJECTED]


def write_lines(path: Path, values: list[bytes]) -> Path:
    path.write_bytes(b"\n".join(values) + b"\n")
    return path


def test_one_message_in_a_hundred_bad_leaves_the_tables_right_and_loses_no_bad_one(
    caseline: CommandLine,
) -> None:
    good, messages, bad = mixture(12_000, seed=3)
    assert {each.name for each in bad} == {each.name for each in BAD}
    half = len(messages) // 2
    brokers = caseline.settings.kafka_bootstrap
    with caseline.worker(session_timeout=2) as first:
        send(brokers, TOPIC, messages[:half])
        wait_until(lambda: sum(caseline.offsets().values()) > 0, "a first commit", [first])
        first.kill()
    with caseline.worker(session_timeout=2) as second:
        send(brokers, TOPIC, messages[half:])
        caseline.wait_for_the_end([second])
    assert cells(caseline.rows(DAY)) == cells(replayed(caseline.rules, good, [DAY])[0])
    assert_dead_letters(caseline, bad)
    assert caseline.tally("messages") == len(messages)
    tallies = Counter({r: caseline.tally(f"rejected:{r}") for r in {b.reason for b in bad}})
    assert tallies == Counter(each.reason for each in bad)


def test_a_worker_killed_after_writing_dead_letters_and_before_storing_writes_none_again(
    caseline: CommandLine, redis_server: Server
) -> None:
    brokers = caseline.settings.kafka_bootstrap
    # Long enough that a busy machine does not put it out of its group: Redis is away then.
    with caseline.worker(session_timeout=10) as first:
        first.wait_to_hold(7)
        os.kill(redis_pid(redis_server), signal.SIGSTOP)
        try:
            send(brokers, TOPIC, [each.sent for each in BAD])
            wait_until(
                lambda: sum(map(len, letters(caseline).values())) == len(BAD),
                "dead letters are written while the state cannot be",
                [first],
            )
            first.kill()
        finally:
            os.kill(redis_pid(redis_server), signal.SIGCONT)
    assert sum(caseline.offsets().values()) == 0
    with caseline.worker(session_timeout=2) as second:
        caseline.wait_for_the_end([second])
    assert_dead_letters(caseline, BAD)
    assert caseline.tally("messages") == len(BAD)


def test_a_message_as_large_as_the_broker_takes_is_a_dead_letter_too(
    caseline: CommandLine,
) -> None:
    send(caseline.settings.kafka_bootstrap, TOPIC, [LARGE.sent])
    with caseline.worker() as worker:
        caseline.wait_for_the_end([worker])
    assert_dead_letters(caseline, [LARGE])


def test_events_in_binary_mode_count_as_in_structured_mode(caseline: CommandLine) -> None:
    messages = []
    for line in good_lines(log_file(LOGS[0])):
        key, value, _ = line.message
        attributes = json.loads(value or b"")
        data = attributes.pop("data", None)
        headers = [(f"ce_{name}", str(text).encode()) for name, text in attributes.items()]
        body = None if data is None else json.dumps(data).encode()
        messages.append(Sent(key, body, (("content-type", b"application/json"), *headers)))
    send(caseline.settings.kafka_bootstrap, TOPIC, messages)
    with caseline.worker() as worker:
        caseline.wait_for_the_end([worker])
    for day in DATES:
        shown = caseline.run("scorecard", "--as-of", f"{day}", "--format", "csv").stdout
        assert answered(shown) == answers(LOGS[0], day)
    assert sum(map(len, letters(caseline).values())) == 0


def test_dead_letters_are_listed_without_a_childs_data_exported_corrected_and_sent_again(
    caseline: CommandLine,
) -> None:
    brokers, folder = caseline.settings.kafka_bootstrap, caseline.folder
    with caseline.worker() as worker:
        send(brokers, TOPIC, [each.sent for each in BAD])
        caseline.wait_for_the_end([worker])

        listed = caseline.run("dead-letters", "list")
        assert f"{len(BAD)} dead letters." in listed.stderr
        assert listed.stdout.count(f" {TOPIC} ") + listed.stdout.count(f"\n{TOPIC} ") == len(BAD)
        assert "Outcomes achieved" not in listed.stdout

        late = [each for each in BAD if each.name == "no offset"]
        out = folder / "export.jsonl"
        caseline.run("dead-letters", "export", out, "--reason", "time")
        timed = [each for each in BAD if each.reason == "time"]
        assert len(out.read_bytes().splitlines()) == len(timed)
        wrong = late[0].sent.value or b""
        assert wrong in out.read_bytes().splitlines()
        right = write_lines(
            folder / "right.jsonl",
            [wrong.replace(b"10:00:00", b"10:00:00Z"), event(**notification())],
        )
        caseline.run("ingest", right)

        resent = caseline.run("dead-letters", "resend", "--reason", "json")
        again = [each for each in BAD if each.reason == "json"]
        assert f"{len(again)} dead letters sent again" in resent.stderr
        caseline.wait_for_the_end([worker])

    assert_dead_letters(caseline, BAD + again)
    shown = {row["code"]: row for row in cells(caseline.rows(date(2015, 6, 30))) if is_whole(row)}
    # One notification, and its case is no longer open: the corrected closure counts.
    assert (shown["EH01"]["numerator"], shown["EH06"]["numerator"]) == (1, 0)


def notification() -> dict[str, object]:
    data = {"notification_type": "EHN", "district": "Dover"}
    return {"id": "n", "type": "notification.received", "data": data, "partitionkey": KEY.decode()}


def is_whole(row: dict[str, object]) -> bool:
    return (row["area"], row["age_band"]) == ("Kent", "all")
