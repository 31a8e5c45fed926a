"""Rebuild: state made anew from the log while it is in use, safe to interrupt, never with less."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import date
from importlib.resources import files
from itertools import islice
from typing import Any, cast

import pytest
from kafka import TopicPartition
from kafka.admin import KafkaAdminClient
from redis import Redis as PlainRedis
from redis.asyncio import Redis

from examples.workload import case_events
from schemas.events.registry import VALIDATORS
from streams.jobs.rebuild.making import Progress
from streams.jobs.rebuild.rebuild import Rebuild
from streams.kafka.batches import TP
from streams.kafka.logreading import log_reader
from tests.support.examples import DATES, LOGS, good_lines, log_file
from tests.support.feeder import feeding
from tests.support.patience import SECONDS
from tests.support.servers import Server
from tests.support.workers import CommandLine, cells, wait_until

pytestmark = [pytest.mark.services, pytest.mark.long]

TOPIC = "case-events"
DAY = date(2015, 10, 31)
EVENTS = 30_000


def filled(caseline: CommandLine) -> None:
    """Ingest the smaller example log and have a worker take it in."""
    caseline.run("ingest", log_file(LOGS[0]), code=3)
    with caseline.worker() as worker:
        caseline.wait_for_the_end([worker])


def stored(caseline: CommandLine) -> dict[bytes, Any]:
    """Every key of the deployment's partitions, with its value."""
    with PlainRedis.from_url(caseline.settings.redis_url) as redis:
        keys: Any = redis.keys(f"caseline:{{{caseline.settings.deployment}:*")
        kinds = {key: cast(bytes, redis.type(key)) for key in sorted(keys)}
        read = {b"hash": redis.hgetall, b"zset": lambda key: redis.zrange(key, 0, -1)}
        return {key: read.get(kind, redis.dump)(key) for key, kind in kinds.items()}


def generations(caseline: CommandLine) -> dict[TP, tuple[int, set[int]]]:
    """By partition the generation of the head, and those that anything is stored of."""
    parts = [key.decode().split(":") for key in stored(caseline)]
    return {
        tp: (
            head.generation,
            {
                int(p[4])
                for p in parts
                if p[2:4] == [tp.topic, f"{tp.partition}}}"] and p[4].isdigit()
            },
        )
        for tp, head in caseline.heads().items()
    }


def gone_before(caseline: CommandLine, offsets: dict[TP, int]) -> None:
    """Delete a log's records before an offset, as retention would."""
    admin = KafkaAdminClient(bootstrap_servers=caseline.settings.kafka_bootstrap)
    try:
        admin.delete_records({TopicPartition(*tp): offset for tp, offset in offsets.items()})
    finally:
        admin.close()


async def interrupted_after(caseline: CommandLine, reports: int) -> list[Progress]:
    """Run a rebuild until it has reported so often, and end it there."""
    settings = caseline.settings
    async with (
        Redis.from_url(settings.redis_url) as redis,
        log_reader(settings.kafka_bootstrap, VALIDATORS) as reader,
    ):
        rebuild = Rebuild(redis, settings.deployment, caseline.rules, reader, 1000, 10**9)
        running = cast(AsyncGenerator[Progress], rebuild.run())
        seen: list[Progress] = []
        async with aclosing(running):
            async for progress in running:
                seen.append(progress)
                if len(seen) == reports:
                    break
        return seen


def test_a_rebuild_cut_short_changes_no_figure_and_the_next_one_completes(
    caseline: CommandLine,
) -> None:
    filled(caseline)
    before, heads = [cells(caseline.rows(day)) for day in DATES], caseline.heads()

    seen = asyncio.run(interrupted_after(caseline, 7))  # one partition done, one only written

    assert seen[-1].offset == seen[-1].target > 0
    half = generations(caseline)
    assert [half[tp] for tp in sorted(half)][:2] == [(1, {1}), (0, {0, 1})]
    assert [cells(caseline.rows(day)) for day in DATES] == before

    caseline.run("rebuild", "--yes")

    whole = generations(caseline)
    assert whole == {tp: (was + 1, {was + 1}) for tp, (was, _) in half.items()}
    assert [cells(caseline.rows(day)) for day in DATES] == before
    for tp, head in caseline.heads().items():
        assert (head.offsets, head.latest) == (heads[tp].offsets, heads[tp].latest), tp
        assert Counter(head.tallies) == Counter(heads[tp].tallies), tp


def test_a_rebuild_under_a_worker_at_work_ends_in_the_same_tables(
    caseline: CommandLine, kafka: Server
) -> None:
    messages = list(islice(case_events(EVENTS * 2, seed=4), EVENTS))
    with feeding(kafka.address, TOPIC, messages) as feeder, caseline.worker() as worker:
        feeder.burst(EVENTS // 3).result()
        wait_until(lambda: sum(caseline.offsets().values()) > 0, "a first commit", [worker])
        rebuild = caseline.start("rebuild", "--yes")
        while rebuild.poll() is None and feeder.sent < EVENTS - 500:
            feeder.burst(500).result()
        _, told = rebuild.communicate(timeout=SECONDS)
        assert rebuild.returncode == 0, told
        feeder.burst().result()
        caseline.wait_for_the_end([worker])
        assert {generation for generation, _ in generations(caseline).values()} == {1}
        assert "shard taken anew" in worker.text
    path = caseline.folder / "events.jsonl"
    path.write_bytes(b"".join(value + b"\n" for _, value in messages))
    options = ("--as-of", f"{DAY}", "--format", "csv")
    live = caseline.run("scorecard", *options).stdout
    assert live == caseline.run("replay", path, *options).stdout
    assert caseline.tally("messages") == EVENTS


def test_a_rebuild_not_confirmed_or_of_a_log_whose_beginning_is_gone_changes_nothing(
    caseline: CommandLine,
) -> None:
    filled(caseline)
    before = stored(caseline)
    caseline.run("rebuild", code=1)  # asked, and there is nobody to say yes
    assert stored(caseline) == before
    gone_before(caseline, {TP(TOPIC, 2): 5})

    told = caseline.run("rebuild", "--yes", code=1).stderr

    assert "case-events[2]" in told
    assert "nothing was changed" in told
    assert stored(caseline) == before


def test_another_catalogue_is_refused_until_a_rebuild_has_made_its_tables(
    caseline: CommandLine,
) -> None:
    filled(caseline)
    text = (files("schemas") / "data" / "catalogue.toml").read_text()
    other = caseline.folder / "catalogue.toml"
    other.write_text(text.replace('any_of = ["SCS step-down"]', 'any_of = ["EHN"]'))
    options = ("--as-of", f"{DATES[1]}", "--format", "csv")

    for command in (["scorecard"], ["worker"]):
        told = caseline.run(*command, code=1, catalogue_file=other).stderr
        assert "`caseline rebuild`" in told.splitlines()[-1]
    assert "case-events[0]" in caseline.run("doctor", code=4, catalogue_file=other).stdout

    caseline.run("rebuild", "--yes", catalogue_file=other)

    live = caseline.run("scorecard", *options, catalogue_file=other).stdout
    expected = caseline.run("replay", log_file(LOGS[0]), *options, catalogue_file=other).stdout
    assert live == expected
    assert live != caseline.run("replay", log_file(LOGS[0]), *options).stdout


def test_a_partition_with_a_hole_stops_loudly_and_the_others_go_on(caseline: CommandLine) -> None:
    lines = good_lines(log_file(LOGS[0]))
    half = len(lines) // 2
    first, second = caseline.folder / "first.jsonl", caseline.folder / "second.jsonl"
    for path, part in ((first, lines[:half]), (second, lines[half:])):
        path.write_bytes(b"".join((line.message[1] or b"") + b"\n" for line in part))
    hole = TP(TOPIC, 1)

    with caseline.worker() as worker:
        caseline.run("ingest", first)
        before = caseline.wait_for_the_end([worker])
    caseline.run("ingest", second)
    gone_before(caseline, {hole: before[hole] + 1})

    with caseline.worker() as worker:
        ends = caseline.ends()
        others = {tp: end for tp, end in ends.items() if tp != hole}
        wait_until(
            lambda: {tp: caseline.offsets()[tp] for tp in others} == others,
            "the other partitions are at their ends",
            [worker],
        )
        errors = [line for line in worker.lines if line["level"] == "error"]
        assert [(it["topic"], it["partition"]) for it in errors if "stopped" in it["message"]] == [
            hole
        ]
        assert f"position {before[hole]} is outside" in errors[-1]["message"]
        wrong = caseline.run("doctor", code=4).stdout
        assert [line for line in wrong.splitlines() if " wrong " in line and "[1]" in line]
        assert worker.is_running
    assert caseline.offsets()[hole] == before[hole]
