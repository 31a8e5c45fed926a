"""`caseline erase` on a real Kafka and Redis: a child leaves both, and nothing else changes."""

import asyncio
import json
import subprocess
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from kafka.admin import KafkaAdminClient
from redis import Redis

from processors.days.calendar import LONDON
from processors.figures.figure_text import as_json
from streams.alerts.messages.message import Item, Message
from streams.jobs.erasing.erased_state import ErasedState
from streams.jobs.subject_access import receivers
from streams.kafka.batches import TP
from streams.kafka.eventfiles import EventLine
from streams.state.redis_clients import connect_redis
from tests.support.agreement import expected, parsed, shown
from tests.support.alerting import NOON, Recorder, asked, change
from tests.support.dying import command_dies
from tests.support.examples import replayed
from tests.support.opencases import line, open_case, pushed
from tests.support.patience import SECONDS
from tests.support.servers import Server
from tests.support.topics import Sent, send
from tests.support.workers import CommandLine, log_ends, wait_until

pytestmark = [pytest.mark.services, pytest.mark.long]

OVER = NOON - timedelta(days=10)
CHILD, CASE = "child-3", "case-3"
DAY = NOON.date()
# Two of each case: first contact, and the plan.
ALERTS = 14
REASON = ("--by", "D. Officer", "--reason", "asked for on 19 October")
ERASE = ("erase", "--child", CHILD, *REASON, "--yes")
RESUME = ("erase", "--resume")
TAKEN_AWAY = "after streams.kafka.rewriting:Rewriter.take_away"
# In the order in which an erasure comes to them.
STRIKES = (
    "after streams.kafka.rewriting:Rewriter.hold",
    TAKEN_AWAY,
    "at streams.kafka.rewriting:TopicAdmin.delete_before",
    "at streams.jobs.erasing.erased_state:ErasedState.forget",
)


def received(number: int) -> datetime:
    return datetime(2015, 9, 1 + number, 9, tzinfo=LONDON)


def cases(numbers: Iterable[int]) -> list[EventLine]:
    return [it for number in numbers for it in open_case(number, received(number))]


def committed(brokers: str) -> dict[TP, list[tuple[Any, ...]]]:
    """All that lies in all topics, what transactions undid too, by partition."""
    admin = KafkaAdminClient(bootstrap_servers=brokers)
    names = [it for it in admin.list_topics() if not it.startswith("__")]
    admin.close()
    ends = log_ends(brokers, names)
    found: dict[TP, list[tuple[Any, ...]]] = {tp: [] for tp in ends}
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": "tests",
            "enable.partition.eof": True,
            "isolation.level": "read_uncommitted",
        }
    )
    try:
        consumer.assign([TopicPartition(tp.topic, tp.partition, 0) for tp in ends])
        left = len(ends)
        while left:
            message = consumer.poll(SECONDS)
            assert message is not None
            if message.error():
                left -= 1
                continue
            what = message.key(), message.value(), tuple(message.headers() or ())
            tp = TP(str(message.topic()), message.partition() or 0)
            found[tp].append((message.timestamp()[1], message.offset(), *what))
    finally:
        consumer.close()
    return found


def naming(texts: Iterable[bytes], name: str) -> bool:
    return any(name.encode() in text for text in texts)


def in_redis(url: str) -> list[bytes]:
    """Every key of Redis with what it has, as it is dumped, and in the clear."""
    client: Any = Redis.from_url(url)
    found: list[bytes] = []
    for key in client.scan_iter():
        found += [key, client.dump(key) or b""]
        kind = client.type(key)
        if kind == b"hash":
            found += [part for pair in client.hgetall(key).items() for part in pair]
        elif kind == b"stream":
            found += [text for _, it in client.xrange(key) for text in it.values()]
        elif kind == b"list":
            found += client.lrange(key, 0, -1)
        elif kind == b"zset":
            found += client.zrange(key, 0, -1)
    client.close()
    return found


def backed_up(url: str) -> dict[bytes, bytes]:
    """Every key of Redis as it is dumped."""
    client: Any = Redis.from_url(url)
    found = {key: client.dump(key) for key in client.scan_iter()}
    client.close()
    return found


def put_back(url: str, backup: dict[bytes, bytes]) -> None:
    """Have Redis be as it was."""
    client: Any = Redis.from_url(url)
    client.flushdb()
    for key, text in backup.items():
        client.restore(key, 0, text)
    client.close()


def expire_locks(url: str) -> None:
    """Have the locks of a process that died end now rather than in 15 seconds."""
    client: Any = Redis.from_url(url)
    for key in client.scan_iter(match="*-lock"):
        client.delete(key)
    client.close()


def in_files(folder: Path) -> list[bytes]:
    found = []
    for path in folder.rglob("*"):
        try:
            found.append(path.read_bytes())
        except (FileNotFoundError, IsADirectoryError):
            continue
    return found


@pytest.fixture(autouse=True)
def nobody_else_in_redis(redis_server: Server) -> None:
    """Other tests, of other deployments, know children of the same names."""
    with Redis.from_url(redis_server.address) as redis:
        redis.flushall()


@pytest.fixture
def key(tmp_path: Path) -> dict[str, Any]:
    path = tmp_path / "erasure.key"
    path.write_bytes(bytes(range(32)))
    return {
        "clock_from": NOON.isoformat(),
        "alert_calm_seconds": 0,
        "erasure_key_file": path,
        "releases": tmp_path / "releases",
    }


def test_a_child_leaves_log_and_state_whatever_dies_and_nothing_else_changes(
    caseline: CommandLine, kafka: Server, redis_server: Server, key: dict[str, Any]
) -> None:
    def run(*arguments: str, code: int = 0) -> "subprocess.CompletedProcess[str]":
        return caseline.run(*arguments, code=code, **key)

    theirs, others = cases([3]), cases([1, 2, 4, 5, 6, 12])
    late = line("child-6", "case-6", "contact.made", NOON - timedelta(hours=4))
    bad = [
        Sent(CHILD.encode(), b"no event"),
        Sent(b"x", json.dumps([{"partitionkey": CHILD}, {"partitionkey": "child-4"}]).encode()),
        Sent(b"child-4", b"no event either"),
    ]
    with caseline.worker(**key) as worker:
        pushed(kafka, [*others[:6], *theirs, *others[6:]])
        send(kafka.address, "case-events", bad)
        caseline.wait_for_the_end([worker])
        wait_until(lambda: len(told(caseline, key)) == ALERTS, "alerts are raised", [worker])
        run("alerts", "run", "--once")
        alerts = [it["alert"] for it in told(caseline, key) if it["child"] == CHILD]
        decide = ("--by", "T. Lead", "--reason", "Visit booked", "--for", "3d")
        asked(caseline, "ack", alerts[0], *decide, **key)
        run("snapshot", "freeze", "--period", "2015-09", "--by", "analyst")
        refused = run(*ERASE, code=1)
        assert "workers of deployment" in " ".join(refused.stderr.split())
    verified = run("snapshot", "verify", "--recompute").stdout
    assert "nothing wrong" in verified
    before = committed(kafka.address)
    files = caseline.folder / "releases"
    released = {it: it.read_bytes() for it in files.rglob("*") if it.is_file()}
    assert naming(in_files(kafka.folder / "kafka"), CHILD)
    assert naming(in_redis(redis_server.address), CHILD)

    assert "names no child" in squeezed(run("erase", "--child", " ", *REASON, code=2).stderr)
    assert "say why" in squeezed(run("erase", "--child", CHILD, code=2).stderr)
    unknown = run("erase", "--child", "child-99", *REASON, "--yes", code=1).stderr
    assert "nothing is known" in squeezed(unknown)
    assert committed(kafka.address) == before
    seen = squeezed(run("erase", "--child", CHILD, "--preview").stderr)
    assert "4 of case-events" in seen
    assert "2 of case-events.dead-letter" in seen

    for number, strike in enumerate(STRIKES):
        command_dies(caseline, strike, *(RESUME if number > 1 else ERASE), **key)
        expire_locks(redis_server.address)
        assert "an erasure is under way" in squeezed(run(*ERASE, code=1).stderr)
        if not number:
            producers_are_refused(kafka.address)
            run("erase", "--give-up")
            assert committed(kafka.address) == before
        if strike == TAKEN_AWAY:
            # A producer that makes topics makes this one, and writes to it.
            run("topics", "create")
            pushed(kafka, [late])
            assert "was deleted" in squeezed(run("erase", "--give-up", code=1).stderr)
    said = run(*RESUME)
    assert CHILD not in said.stdout + said.stderr
    assert "no erasure is under way" in squeezed(run(*RESUME, code=1).stderr)

    after = committed(kafka.address)
    for name in (CHILD, CASE, *alerts):
        texts = (text for it in chain.from_iterable(after.values()) for text in _texts(it))
        assert not naming(texts, name), name
        assert not naming(in_redis(redis_server.address), name), name
        assert not naming(in_files(files), name), name
        wait_until(
            partial(are_without, kafka.folder / "kafka", name),
            "the files of deleted topics are gone",
        )
    # Everyone else's messages are where they were, as they were.
    for tp, records in before.items():
        if tp.topic in {"audit-log", "releases"}:
            continue
        places = {it[1]: it for it in after[tp]}
        for it in records:
            if not any(naming(_texts(it), name) for name in (CHILD, *alerts)):
                assert places[it[1]] == it, tp
    ends = {tp: max((it[1] for it in records), default=-1) for tp, records in before.items()}
    assert all(max((it[1] for it in after[tp]), default=-1) >= end for tp, end in ends.items())
    entries = [json.loads(it[3]) for it in after[TP("audit-log", 0)]]
    (entry,) = (it for it in entries if it["result"] == "erased")
    assert (entry["who"], entry["route"]) == ("D. Officer", "caseline erase")
    assert "asked for on 19 October" in entry["query"]

    agrees(caseline, others)
    others.append(late)
    with caseline.worker(**key) as worker:
        closed = line("child-5", "case-5", "case.closed", OVER, outcome="Disengaged")
        more = [line("child-4", "case-4", "contact.made", NOON - timedelta(hours=3)), closed]
        # As from a copy of the log from before: what is known for erased counts no more.
        pushed(kafka, [*more, *theirs])
        caseline.wait_for_the_end([worker])
        wait_until(partial(are_told, caseline, key, 5), "child-5 has no alert", [worker])
        looked = caseline.start("doctor", **key).communicate()[0]
        assert "not the log" not in looked
        assert "erasure" not in looked
        again = run(*ERASE[:3], "--preview").stderr
        assert "To go: 2 of case-events; alerts: 0" in squeezed(again)
    assert not naming(in_redis(redis_server.address), CHILD)
    agrees(caseline, [*others, *more])
    run("rebuild", "--yes")
    agrees(caseline, [*others, *more])
    assert {it: it.read_bytes() for it in files.rglob("*") if it.is_file()} == released
    checked = squeezed(run("snapshot", "verify", "--recompute").stdout)
    assert "2015-09/001: 4 messages of its cut were erased since" in checked


def test_who_is_over_goes_by_rule_and_a_redis_of_before_brings_nobody_back(
    caseline: CommandLine, kafka: Server, redis_server: Server, key: dict[str, Any]
) -> None:
    closed = line("child-5", "case-5", "case.closed", OVER, outcome="Disengaged")
    left = cases([1, 2])
    over = ("erase", "--closed-before", f"{DAY}")
    with caseline.worker(**key) as worker:
        pushed(kafka, [*left, *cases([5]), closed])
        caseline.wait_for_the_end([worker])
        caseline.run("snapshot", "freeze", "--period", "2015-09", "--by", "analyst", **key)
    backup = backed_up(redis_server.address)
    assert caseline.run(*over, "--preview", **key).stdout.split() == ["child-5"]
    assert "1 children" in caseline.run(*over, *REASON, "--yes", **key).stderr
    assert not naming(in_redis(redis_server.address), "child-5")
    agrees(caseline, left)
    # A release made since has what is left, and is what the log gives.
    made = ("snapshot", "freeze", "--period", "2015-09", "--by", "analyst", "--kind", "final")
    caseline.run(*made, **key)
    checked = squeezed(caseline.run("snapshot", "verify", "--recompute", **key).stdout)
    assert "2015-09/001: 3 messages of its cut" in checked
    assert "2 releases, nothing wrong" in checked

    put_back(redis_server.address, backup)
    assert naming(in_redis(redis_server.address), "child-5")
    caseline.run("rebuild", "--yes", **key)
    assert not naming(in_redis(redis_server.address), "child-5")
    agrees(caseline, left)


def test_what_receivers_are_told_of_a_child_is_found_and_forgotten_and_nobody_elses(
    caseline: CommandLine, recorder: Recorder
) -> None:
    theirs, others = change(1), change(2)
    recorder.record(theirs, others)
    base = f"caseline:{{{caseline.settings.deployment}}}"
    hook, mail = f"{base}:delivery:hook", f"{base}:delivery:mail"
    both, alone = (
        Message(
            key="k",
            owner_kind="team",
            owner="Unit A",
            items=tuple(Item(offset=1, change=it) for it in told),
        ).model_dump_json()
        for told in ((theirs, others), (theirs,))
    )
    redis = recorder.redis
    for key in (hook, mail):
        redis.hset(key, mapping={"next": 7, "waiting": 3})
    redis.rpush(f"{hook}:pending", both, alone)
    redis.rpush(f"{mail}:pending", f'{{"key": "l", "text": "C1", "told": ["{theirs.key}"]}}')
    for it in (theirs, others):
        for part in ("versions", "told", "held", "taken"):
            redis.hset(f"{hook}:{part}", it.alert, it.model_dump_json())
        redis.zadd(f"{hook}:over", {it.alert: 1})
        redis.hset(f"{base}:alerts:acks", it.alert, "{}")
    for name, about in (("1", [theirs.alert]), ("2", [theirs.alert, others.alert]), ("3", [])):
        redis.hset(f"{base}:alerts:silences", name, json.dumps({"alerts": about}))

    async def found() -> list[Any]:
        async with connect_redis(caseline.settings) as client:
            return await receivers(client, caseline.settings.deployment, "P1", {theirs.alert})

    async def forgotten() -> list[str]:
        async with connect_redis(caseline.settings) as client:
            of = client, caseline.settings.deployment, caseline.rules, ["P1"], set[str]()
            state = ErasedState(*of)
            assert await state.find()
            await state.forget()
            return [key async for key in state.named()]

    assert Counter(it["part"] for it in asyncio.run(found())) == Counter(
        pending=3, versions=1, told=1, held=1, taken=1, over=1
    )
    assert asyncio.run(forgotten()) == []
    assert asyncio.run(found()) == []
    (left,) = redis.lrange(f"{hook}:pending", 0, -1)
    assert [it.change for it in Message.model_validate_json(left).items] == [others]
    # The letter and one message of one change went, and one of the two changes of the other.
    assert (redis.hget(hook, "waiting"), redis.hget(mail, "waiting")) == (b"1", b"2")
    assert recorder.waiting() == 1
    for part in ("versions", "told", "held", "taken"):
        assert redis.hkeys(f"{hook}:{part}") == [others.alert.encode()]
    assert redis.zrange(f"{hook}:over", 0, -1) == [others.alert.encode()]
    assert redis.hkeys(f"{base}:alerts:acks") == [others.alert.encode()]
    assert sorted(redis.hkeys(f"{base}:alerts:silences")) == [b"2", b"3"]


def producers_are_refused(brokers: str) -> None:
    """What is sent is refused, and whoever sends it is told."""
    ends, said = log_ends(brokers), list[KafkaError | None]()
    producer = Producer({"bootstrap.servers": brokers, "compression.type": "lz4"})
    text = cases([4])[0].message[1]
    producer.produce("case-events", text, b"x", on_delivery=lambda error, _: said.append(error))
    assert producer.flush(SECONDS) == 0
    (error,) = said
    assert error is not None
    assert log_ends(brokers) == ends


def are_without(folder: Path, name: str) -> bool:
    return not naming(in_files(folder), name)


def told(caseline: CommandLine, key: dict[str, Any]) -> list[dict[str, Any]]:
    out = caseline.start("alerts", "list", "--format", "json", **key).communicate()[0]
    return [it for it in json.loads(out or "[]") if it["child"]]


def are_told(caseline: CommandLine, key: dict[str, Any], children: int) -> bool:
    """Whether so many children have alerts."""
    return len({it["child"] for it in told(caseline, key)}) == children


def agrees(caseline: CommandLine, lines: list[EventLine]) -> None:
    """The live scorecard is that of these events alone, by replay and by brute force."""
    rows = caseline.rows(DAY)
    (replay,) = replayed(caseline.rules, lines, [DAY])
    assert json.loads(as_json(rows)) == json.loads(as_json(replay))
    assert shown(rows) == expected(parsed(lines), DAY)


def squeezed(text: str) -> str:
    return " ".join(text.replace("│", " ").split())


def _texts(record: tuple[Any, ...]) -> list[bytes]:
    _, _, key, value, headers = record
    return [it for it in (key, value, *(text for _, text in headers)) if it is not None]
