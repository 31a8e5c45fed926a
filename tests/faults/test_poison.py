"""Messages that must never stop a worker, and the one way past those that stop a partition."""

import json
import sys
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer
from kafka.admin import ConfigResource, KafkaAdminClient, NewTopic
from redis import Redis

from examples.workload import case_events
from processors.record.decoding import decode
from snapshots.releases.kafka_reading import log_ends, read_log
from streams.kafka.batches import TP, KafkaRecord
from streams.kafka.deadletters import dead_letter_topic
from streams.kafka.eventfiles import EventLine
from streams.kafka.topics import KEPT_FOR_EVER
from tests.support.bad_messages import BAD, LARGE
from tests.support.examples import replayed
from tests.support.servers import Server
from tests.support.topics import Sent, everything, send
from tests.support.workers import CommandLine, RunningWorker, cells, wait_until

pytestmark = [pytest.mark.services, pytest.mark.long]

TOPIC = "case-events"
LETTERS = dead_letter_topic(TOPIC)
DAY = date(2015, 10, 31)
FAILING_WORKER = Path(__file__).parents[1] / "support/failing_worker.py"

Messages = list[tuple[bytes, bytes]]


def some(count: int, seed: int) -> Messages:
    return list(islice(case_events(count * 2, seed=seed), count))


def feed(kafka: Server, messages: Messages) -> None:
    send(kafka.address, TOPIC, [Sent(key, value) for key, value in messages])


def expected(caseline: CommandLine, messages: Messages) -> list[dict[str, object]]:
    lines = [
        EventLine(number, (key, value, ()), (TOPIC,))
        for number, (key, value) in enumerate(messages)
    ]
    return cells(replayed(caseline.rules, lines, [DAY])[0])


class Odd(str):
    """A header's name that is written as bytes of its own."""

    __slots__ = ()

    def encode(self, *_: Any) -> bytes:
        return b"odd \xff\xfe name"


def letters(kafka: Server) -> dict[int, list[KafkaRecord]]:
    found = everything(kafka.address, LETTERS)
    return {tp.partition: records for tp, records in found.items() if records}


def assert_each_once(kafka: Server, topic: str = TOPIC) -> None:
    """Every message that is no event has one dead letter of ours, and no event has one."""
    known = [
        (it.value, dict(it.headers).get("__connect.errors.offset"))
        for records in letters(kafka).values()
        for it in records
        if dict(it.headers).get("__connect.errors.class.name") == b"processors.decoding"
    ]
    wanted = []
    for records in everything(kafka.address, topic).values():
        rejected = decode(topic, [(it.key, it.value, it.headers) for it in records]).rejected
        wanted += [(records[at].value, str(records[at].offset).encode()) for at, _ in rejected]
    assert sorted(known, key=repr) == sorted(wanted, key=repr)


def test_a_header_name_that_is_not_utf_8_stops_nothing_and_is_read_by_the_recount_too(
    caseline: CommandLine, kafka: Server
) -> None:
    messages = some(400, seed=31)
    producer = KafkaProducer(bootstrap_servers=kafka.address, linger_ms=50)
    for key, value in messages:
        headers = [("plain", b"1"), (Odd("odd"), b"2")]
        producer.send(TOPIC, key=key, value=value, headers=headers)
    producer.send(TOPIC, key=b"x", value=b"no event", headers=[(Odd("odd"), b"2")])
    producer.flush()
    producer.close()
    with caseline.worker() as worker:
        caseline.wait_for_the_end([worker])
        assert cells(caseline.rows(DAY)) == expected(caseline, messages)
    ends = log_ends(kafka.address, [TOPIC])
    values = [it.value for records in read_log(kafka.address, ends) for it in records]
    assert sorted(filter(None, values)) == sorted([value for _, value in messages] + [b"no event"])
    told = caseline.run("dead-letters", "list")
    assert "1 dead letters." in told.stderr


def test_a_state_that_goes_back_under_a_worker_doubles_no_dead_letter(
    caseline: CommandLine, kafka: Server
) -> None:
    send(kafka.address, TOPIC, [each.sent for each in BAD])
    with caseline.worker() as worker:
        caseline.wait_for_the_end([worker])
    send(kafka.address, TOPIC, [each.sent for each in BAD])
    with caseline.worker() as worker:
        caseline.wait_for_the_end([worker])
        with Redis.from_url(caseline.settings.redis_url) as redis:
            redis.flushall()
        caseline.wait_for_the_end([worker])
    assert_each_once(kafka)


def foreign(offset: bytes | None) -> tuple[tuple[str, bytes | None], ...]:
    return (("__connect.errors.offset", offset), ("__connect.errors.topic", TOPIC.encode()))


def test_what_others_write_to_the_dead_letter_topic_is_not_believed(
    caseline: CommandLine, kafka: Server
) -> None:
    odd = (b"abc", b"999999", b"", None, b"\xff", b"-1", b"9" * 40)
    with caseline.worker() as worker:
        feed(kafka, some(60, seed=32))
        caseline.wait_for_the_end([worker])
    theirs = [Sent(b"%d" % it, b"theirs", foreign(odd[it % len(odd)])) for it in range(60)]
    send(kafka.address, LETTERS, theirs)
    send(kafka.address, TOPIC, [each.sent for each in BAD])
    with caseline.worker() as worker:
        caseline.wait_for_the_end([worker])
    assert_each_once(kafka)
    told = caseline.run("dead-letters", "list")
    assert f"{len(BAD)} dead letters." in told.stderr
    # Copies of what is there, and of what would be there, with other offsets, change nothing.
    copies = [
        Sent(it.key, it.value, tuple(it.headers)[:-7] + renumbered(it))
        for records in letters(kafka).values()
        for it in records
        if it.value != b"theirs"
    ]
    send(kafka.address, LETTERS, copies)
    send(kafka.address, TOPIC, [each.sent for each in BAD])
    with caseline.worker() as worker:
        caseline.wait_for_the_end([worker])
    tally = sum(caseline.tally(f"rejected:{reason}") for reason in {each.reason for each in BAD})
    assert tally == 2 * len(BAD)


def renumbered(letter: KafkaRecord) -> tuple[tuple[str, bytes], ...]:
    added = [(name, text) for name, text in letter.headers[-7:]]
    return tuple(
        (name, b"100000" if name == "__connect.errors.offset" else text) for name, text in added
    )


def test_a_message_too_large_for_the_dead_letter_topic_leaves_a_stub(
    caseline: CommandLine, kafka: Server
) -> None:
    admin = KafkaAdminClient(bootstrap_servers=kafka.address)
    try:
        small = {"max.message.bytes": "20000"}
        admin.alter_configs([ConfigResource("TOPIC", LETTERS, configs=small)])
    finally:
        admin.close()
    messages = some(60, seed=33)
    send(kafka.address, TOPIC, [LARGE.sent, BAD[0].sent])
    feed(kafka, messages)
    with caseline.worker() as worker:
        caseline.wait_for_the_end([worker])
    assert cells(caseline.rows(DAY)) == expected(caseline, messages)
    (stub,) = [
        json.loads(it.value or b"{}")
        for records in letters(kafka).values()
        for it in records
        if it.value and it.value.startswith(b"{")
    ]
    assert (stub["topic"], stub["offset"]) == (TOPIC, 0)
    assert stub["bytes"] > 1_000_000
    assert len(stub["value_sha256"]) == 64
    told = caseline.run("dead-letters", "list")
    assert "2 dead letters." in told.stderr
    assert "too large for the dead-letter topic" in told.stdout
    resent = caseline.run("dead-letters", "resend").stderr
    assert "1 dead letters sent again" in resent
    assert "1 left out" in resent


def dead_letter_topic_with(kafka: Server, partitions: int) -> None:
    """Make the dead-letter topic anew with so many partitions, or none of it."""
    admin = KafkaAdminClient(bootstrap_servers=kafka.address)
    try:
        admin.delete_topics([LETTERS])
        wait_until(lambda: LETTERS not in admin.list_topics(), "the topic is gone")
        if partitions:
            kept = dict(KEPT_FOR_EVER)
            admin.create_topics([NewTopic(LETTERS, partitions, 1, topic_configs=kept)])
    finally:
        admin.close()


def test_a_dead_letter_topic_with_fewer_partitions_takes_all_dead_letters(
    caseline: CommandLine, kafka: Server
) -> None:
    dead_letter_topic_with(kafka, 1)
    bad = [Sent(b"%d" % number, b"no event %d" % number) for number in range(40)]
    send(kafka.address, TOPIC, bad)
    with caseline.worker() as worker:
        caseline.wait_for_the_end([worker])
    assert_each_once(kafka)
    told = " ".join(caseline.run("doctor").stdout.split())
    assert "1 partitions, but case-events has 6" in told


def stopped(worker: RunningWorker) -> dict[TP, int]:
    """The partitions that the worker says it has stopped, and at which offset."""
    return {
        TP(line["topic"], line["partition"]): line["offset"]
        for line in worker.lines
        if line["message"].startswith("partition stopped: ")
    }


def wait_for_all_but(caseline: CommandLine, tp: TP, worker: RunningWorker) -> None:
    ends = {at: end for at, end in caseline.ends().items() if at != tp}
    wait_until(
        lambda: all(caseline.offsets().get(at, 0) == end for at, end in ends.items()),
        "all others are at their ends",
        [worker],
    )


def assert_stops_alone(caseline: CommandLine, tp: TP, offset: int, worker: RunningWorker) -> None:
    """Wait until a partition is stopped, and all others are read; and see at which offset it is."""
    wait_until(lambda: tp in stopped(worker), "the partition stops", [worker])
    wait_for_all_but(caseline, tp, worker)
    assert stopped(worker) == {tp: offset}
    assert caseline.offsets()[tp] == offset


def test_a_dead_letter_that_cannot_be_written_stops_its_partition_alone_until_it_is_passed_over(
    caseline: CommandLine, kafka: Server
) -> None:
    dead_letter_topic_with(kafka, 0)
    messages = some(300, seed=34)
    feed(kafka, messages)
    (tp,) = send(kafka.address, TOPIC, [BAD[0].sent])
    offset = caseline.ends()[tp] - 1
    feed(kafka, more := some(600, seed=34)[300:])
    with caseline.worker() as worker:
        assert_stops_alone(caseline, tp, offset, worker)
        place = f"{TOPIC}:{tp.partition}:{offset}"
        assert f"{TOPIC}[{tp.partition}]: the message at offset {offset}" in worker.text
        assert f"caseline dead-letters quarantine {place}" in worker.text
        assert f"there is no topic {LETTERS}" in worker.text

        refused = caseline.run("dead-letters", "quarantine", place, code=2)
        assert "--reason" in refused.stderr
        caseline.run("dead-letters", "quarantine", place, "--reason", "no letters", "--by", "A. B.")
        caseline.wait_for_the_end([worker])
    assert cells(caseline.rows(DAY)) == expected(caseline, messages + more)
    listed = caseline.run("dead-letters", "quarantine", "--list")
    assert [str(offset), "A.", "B.", "no", "letters"] == [
        part for part in listed.stdout.split("\n")[1].split() if ":" not in part
    ][-5:]
    assert "1 messages are passed over" in caseline.run("dead-letters", "list").stderr


def with_poison(seed: int) -> tuple[Messages, bytes, str]:
    """Messages with one that is to fail, that one, and the case that it is of."""
    messages = some(1_500, seed)
    poison = next(value for _, value in messages[700:] if b"notification.received" in value)
    subject = json.loads(poison)["subject"]
    # The first event of the case is the one that fails; those after it would as well.
    kept = [it for it in messages if json.loads(it[1])["subject"] != subject or it[1] == poison]
    return kept, poison, subject


def place_of(kafka: Server, message: bytes) -> tuple[TP, int]:
    (place,) = [
        (at, it.offset)
        for at, records in everything(kafka.address, TOPIC).items()
        for it in records
        if it.value == message
    ]
    return place


def test_a_message_that_cannot_be_folded_stops_its_partition_and_all_pass_over_it_when_told(
    caseline: CommandLine, kafka: Server
) -> None:
    kept, poison, subject = with_poison(seed=35)
    feed(kafka, kept)
    tp, offset = place_of(kafka, poison)
    launcher = [sys.executable, str(FAILING_WORKER), "fold", subject]
    with caseline.worker(launcher=launcher) as worker:
        assert_stops_alone(caseline, tp, offset, worker)
        assert "ZeroDivisionError in failing_worker.py" in worker.text
        assert subject not in worker.text

        place = f"{TOPIC}:{tp.partition}:{offset}"
        caseline.run("dead-letters", "quarantine", place, "--reason", "a bug of ours")
        caseline.wait_for_the_end([worker])
        without = [it for it in kept if it[1] != poison]
        assert cells(caseline.rows(DAY)) == expected(caseline, without)
        assert caseline.tally("quarantined") == 1

        caseline.run("snapshot", "freeze", "--period", "2015-10", "--by", "Test")
    told = json.loads(caseline.run("snapshot", "show", "2015-10", "--format", "json").stdout)
    assert told["passed_over"] == [
        {
            "topic": TOPIC,
            "partition": tp.partition,
            "offset": offset,
            "reason": "a bug of ours",
        }
    ]
    caseline.run("snapshot", "verify", "--recompute")
    caseline.run("rebuild", "--yes")
    assert cells(caseline.rows(DAY)) == expected(caseline, without)
    assert caseline.tally("quarantined") == 1


def test_a_message_that_cannot_be_settled_stops_its_partition_and_none_that_are_settled_with_it(
    caseline: CommandLine, kafka: Server
) -> None:
    kept, poison, subject = with_poison(seed=37)
    feed(kafka, kept)
    tp, offset = place_of(kafka, poison)
    launcher = [sys.executable, str(FAILING_WORKER), "settle", subject]
    with caseline.worker(launcher=launcher) as worker:
        assert_stops_alone(caseline, tp, offset, worker)
        assert "ZeroDivisionError in failing_worker.py" in worker.text
        more = [it for it in some(3_000, seed=38) if json.loads(it[1])["subject"] != subject]
        feed(kafka, more)
        wait_for_all_but(caseline, tp, worker)
        assert stopped(worker) == {tp: offset}

        place = f"{TOPIC}:{tp.partition}:{offset}"
        caseline.run("dead-letters", "quarantine", place, "--reason", "a bug of ours")
        caseline.wait_for_the_end([worker])
        without = [it for it in kept if it[1] != poison]
        assert cells(caseline.rows(DAY)) == expected(caseline, without + more)


def test_a_message_that_is_in_the_state_is_out_of_it_after_a_rebuild(
    caseline: CommandLine, kafka: Server
) -> None:
    messages = some(300, seed=36)
    feed(kafka, messages)
    with caseline.worker() as worker:
        caseline.wait_for_the_end([worker])
        record = everything(kafka.address, TOPIC)[TP(TOPIC, 0)][4]
        told = caseline.run(
            "dead-letters", "quarantine", f"{TOPIC}:0:4", "--reason", "sent in error"
        ).stderr
        assert "It is in the state already: run `caseline rebuild`" in told
        told = " ".join(caseline.run("doctor", code=4).stdout.split())
        assert "run `caseline rebuild`" in told
        assert cells(caseline.rows(DAY)) == expected(caseline, messages)
        caseline.run("rebuild", "--yes")
        without = [it for it in messages if it[1] != record.value]
        assert cells(caseline.rows(DAY)) == expected(caseline, without)
        caseline.run("snapshot", "freeze", "--period", "2015-10", "--by", "Test")
        assert "Nothing wrong." in caseline.run("doctor").stdout
    with Redis.from_url(caseline.settings.redis_url) as redis:
        redis.delete(f"caseline:{{{caseline.settings.deployment}:{TOPIC}:0}}:quarantine")
        caseline.run("rebuild", "--yes")  # the log of decisions has it still
        assert cells(caseline.rows(DAY)) == expected(caseline, without)
        redis.flushall()
    with caseline.worker() as worker:
        caseline.wait_for_the_end([worker])
    assert cells(caseline.rows(DAY)) == expected(caseline, without)
    listed = caseline.run("dead-letters", "quarantine", "--list").stdout
    assert "sent in error" in listed
    missing = caseline.run(
        "dead-letters", "quarantine", f"{TOPIC}:0:99999", "--reason", "typo", code=2
    )
    assert "there is no message" in missing.stderr
