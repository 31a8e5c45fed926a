"""Logs that are not the one that the state was made from: refused, named, and the way out."""

import json
from datetime import date
from functools import partial
from itertools import islice

import pytest
from kafka.admin import KafkaAdminClient, NewPartitions
from redis import Redis

from examples.workload import case_events
from streams.kafka.batches import TP
from streams.kafka.eventfiles import EventLine
from streams.kafka.topics import create_topics
from tests.support.examples import replayed
from tests.support.servers import Server
from tests.support.topics import Sent, send
from tests.support.workers import CommandLine, RunningWorker, cells, wait_until

pytestmark = [pytest.mark.services, pytest.mark.long]

TOPIC = "case-events"
DAY = date(2015, 10, 31)
PARTITIONS = 6

Messages = list[tuple[bytes, bytes]]


def some(count: int, seed: int) -> Messages:
    messages = list(islice(case_events(count * 2, seed=seed), count))
    assert len(messages) == count
    return messages


def feed(kafka: Server, messages: Messages) -> None:
    send(kafka.address, TOPIC, [Sent(key, value) for key, value in messages])


def expected(caseline: CommandLine, messages: Messages) -> list[dict[str, object]]:
    lines = [
        EventLine(number, (key, value, ()), (TOPIC,))
        for number, (key, value) in enumerate(messages)
    ]
    return cells(replayed(caseline.rules, lines, [DAY])[0])


def taken_in(caseline: CommandLine, kafka: Server, messages: Messages) -> None:
    """Have a worker take these messages in, and end."""
    feed(kafka, messages)
    with caseline.worker() as worker:
        caseline.wait_for_the_end([worker])


def stopped(worker: RunningWorker, topic: str = TOPIC) -> set[TP]:
    """The partitions of a topic that the worker says it has stopped."""
    return {
        TP(line["topic"], line["partition"])
        for line in worker.lines
        if line["message"].startswith("partition stopped: ") and line["topic"] == topic
    }


def wait_to_stop(worker: RunningWorker, count: int, topic: str = TOPIC) -> None:
    wait_until(lambda: len(stopped(worker, topic)) >= count, f"{count} partitions stop", [worker])


def wrong(caseline: CommandLine) -> str:
    """What doctor says where something is wrong, on one line."""
    return " ".join(caseline.run("doctor", code=4).stdout.split())


CHILDREN = (TOPIC, "scs-events", "activity-events")


def delete(caseline: CommandLine) -> None:
    """Delete the topics that children are in, with Kafka's own tools."""
    names = [*CHILDREN, *(f"{name}.dead-letter" for name in CHILDREN)]
    admin = KafkaAdminClient(bootstrap_servers=caseline.settings.kafka_bootstrap)
    try:
        admin.delete_topics(names)
        wait_until(lambda: not set(names) & set(admin.list_topics()), "the topics are gone")
    finally:
        admin.close()


def make_again(caseline: CommandLine, partitions: int | None = None) -> None:
    """Delete the topics that children are in, and make them again."""
    delete(caseline)
    count = partitions or caseline.settings.case_partitions
    create_topics(caseline.settings.model_copy(update={"case_partitions": count}))


def change_partitions_by_the_runbook(caseline: CommandLine, partitions: int) -> None:
    """The steps 2 to 5 of "Partitions changed" in docs/runbook.md, by commands alone."""
    for name in CHILDREN:
        caseline.run("topics", "export", name, f"{name}.jsonl")
    delete(caseline)
    caseline.run("topics", "create", case_partitions=partitions)
    caseline.run("ingest", *(f"{name}.jsonl" for name in CHILDREN))


def head_fields(caseline: CommandLine, tp: TP) -> dict[str, str]:
    with redis_of(caseline) as redis:
        stored = redis.hgetall(head_key(caseline, tp))
    return {name.decode(): value.decode() for name, value in stored.items()}


def redis_of(caseline: CommandLine) -> Redis:
    return Redis.from_url(caseline.settings.redis_url)


def head_key(caseline: CommandLine, tp: TP) -> str:
    return f"caseline:{{{caseline.settings.deployment}:{tp.topic}:{tp.partition}}}:head"


@pytest.mark.parametrize("when", ["before the worker starts", "while it runs"])
def test_a_topic_made_again_is_refused_though_it_is_longer_and_rebuild_is_the_way_out(
    caseline: CommandLine, kafka: Server, when: str
) -> None:
    old, new = some(600, seed=1), some(1_500, seed=2)
    feed(kafka, old)
    with caseline.worker() as worker:
        caseline.wait_for_the_end([worker])
        before = caseline.offsets()
        if when == "while it runs":
            make_again(caseline)
            wait_to_stop(worker, PARTITIONS)
            feed(kafka, new)
    if when != "while it runs":
        make_again(caseline)
        feed(kafka, new)
    with caseline.worker() as worker:
        wait_to_stop(worker, PARTITIONS)
        found = wrong(caseline)
        assert caseline.offsets() == before
        assert cells(caseline.rows(DAY)) == expected(caseline, old)
        for text in (worker.text, found):
            assert "this is not the log that the state was made from" in text
            assert "case-events[0]" in text
            assert "the topic was deleted and made again under its name" in text
            assert "`caseline rebuild` makes the state anew" in text

        told = caseline.run("rebuild", "--yes").stderr
        assert "case-events[0]: another log than before" in told
        assert cells(caseline.rows(DAY)) == expected(caseline, new)
        more = some(1_800, seed=2)[1_500:]
        feed(kafka, more)  # the worker goes on by itself
        caseline.wait_for_the_end([worker])
        assert cells(caseline.rows(DAY)) == expected(caseline, new + more)
        assert "Nothing wrong." in caseline.run("doctor").stdout


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("log:case-events", "elsewhere/", "it is on another Kafka cluster"),
        ("mark:case-events", "5:0123", "the record at offset 5 is another one"),
    ],
    ids=["another cluster", "another record"],
)
def test_another_cluster_or_another_record_where_the_last_one_was_is_refused(
    caseline: CommandLine, kafka: Server, field: str, value: str, said: str
) -> None:
    taken_in(caseline, kafka, some(300, seed=3))
    tp = TP(TOPIC, 2)
    assert "/" in head_fields(caseline, tp)["log:case-events"]
    with redis_of(caseline) as redis:
        redis.hset(head_key(caseline, tp), field, value)
    before = caseline.offsets()
    feed(kafka, some(600, seed=3)[300:])
    with caseline.worker() as worker:
        others = {at: end for at, end in caseline.ends().items() if at != tp}
        wait_until(
            lambda: all(caseline.offsets()[at] == end for at, end in others.items()),
            "the others go on",
            [worker],
        )
        wait_to_stop(worker, 1)
        assert stopped(worker) == {tp}
        assert said in worker.text
        assert said in wrong(caseline)
        assert caseline.offsets()[tp] == before[tp]
        refused = caseline.run(
            "snapshot", "freeze", "--period", "2015-10", "--by", "Test", code=1
        ).stderr
        assert "nothing was released" in refused
        assert said in " ".join(refused.split())


def add_partitions(kafka: Server, topic: str, count: int) -> None:
    admin = KafkaAdminClient(bootstrap_servers=kafka.address)
    try:
        admin.create_partitions({topic: NewPartitions(count)})
    finally:
        admin.close()


@pytest.mark.parametrize("when", ["before the worker starts", "while it runs"])
def test_added_partitions_are_refused_and_nothing_is_folded_until_topics_are_made_again(
    caseline: CommandLine, kafka: Server, when: str
) -> None:
    messages = some(600, seed=4)
    if when == "while it runs":
        feed(kafka, messages)
        with caseline.worker() as worker:
            caseline.wait_for_the_end([worker])
            for topic in (TOPIC, "scs-events", "activity-events"):
                add_partitions(kafka, topic, PARTITIONS + 2)
            wait_to_stop(worker, PARTITIONS)
    else:
        taken_in(caseline, kafka, messages)
        for topic in (TOPIC, "scs-events", "activity-events"):
            add_partitions(kafka, topic, PARTITIONS + 2)
    before = caseline.offsets()
    feed(kafka, messages)  # each again, many in another partition than the first time
    with caseline.worker() as worker:
        wait_to_stop(worker, PARTITIONS + 2)
        assert "it has 8 partitions, but the state was made with 6" in worker.text
        assert "it has 8 partitions, but the state was made with 6" in wrong(caseline)
        assert {tp: offset for tp, offset in caseline.offsets().items() if offset} == {
            tp: offset for tp, offset in before.items() if offset
        }
        assert cells(caseline.rows(DAY)) == expected(caseline, messages)

        if when == "while it runs":
            make_again(caseline, PARTITIONS + 2)
            feed(kafka, messages)
        else:
            change_partitions_by_the_runbook(caseline, PARTITIONS + 2)
        told = caseline.run("rebuild", "--yes").stderr
        assert "case-events: 8 partitions instead of 6" in told
        feed(kafka, messages)
        caseline.wait_for_the_end([worker])
        assert cells(caseline.rows(DAY)) == expected(caseline, messages)
    assert caseline.tally("messages") == sum(caseline.ends().values()) >= 2 * len(messages)


def test_fewer_partitions_after_a_rebuild_leave_nothing_of_the_shards_that_are_gone(
    caseline: CommandLine, kafka: Server
) -> None:
    messages = some(600, seed=5)
    taken_in(caseline, kafka, messages)
    make_again(caseline, 2)
    feed(kafka, messages)
    assert "it has 2 partitions, but the state was made with 6" in wrong(caseline)
    caseline.run("rebuild", "--yes")
    assert {tp for tp in caseline.heads() if tp.topic == TOPIC} == {TP(TOPIC, 0), TP(TOPIC, 1)}
    assert cells(caseline.rows(DAY)) == expected(caseline, messages)
    with redis_of(caseline) as redis:
        left = redis.keys(f"caseline:{{{caseline.settings.deployment}:{TOPIC}:5}}*")
    assert left == []


def test_topics_of_a_group_with_different_numbers_of_partitions_are_refused(
    caseline: CommandLine, kafka: Server
) -> None:
    add_partitions(kafka, "scs-events", PARTITIONS + 1)
    feed(kafka, some(60, seed=6))
    with caseline.worker() as worker:
        wait_to_stop(worker, PARTITIONS)
        assert "case-events has 6, scs-events has 7" in worker.text
        assert "case-events has 6, scs-events has 7" in wrong(caseline)
        caseline.run("ingest", reference(caseline))  # another group, which goes on
        wait_until(partial(is_read, caseline), "reference events are read", [worker])
        assert not any(offset for tp, offset in caseline.offsets().items() if tp.topic == TOPIC)


def is_read(caseline: CommandLine) -> bool:
    return caseline.offsets().get(TP("reference-events", 0), 0) == 1


def reference(caseline: CommandLine):  # type: ignore[no-untyped-def]
    event = {
        "specversion": "1.0",
        "id": "p",
        "source": "urn:test",
        "type": "population.published",
        "subject": "Dover",
        "time": "2015-01-01T00:00:00Z",
        "partitionkey": "Dover",
        "data": {"area": "Dover", "age_band": "all", "year": 2015, "count": 100},
    }
    path = caseline.folder / "reference.jsonl"
    path.write_text(json.dumps(event) + "\n")
    return path
