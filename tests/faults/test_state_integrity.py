"""State lost in part or as a whole, gone back, or not to be written, under workers that run."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from redis import Redis

from streams.kafka.batches import TP
from streams.state.reading import known_shards
from tests.support.examples import DATES, LOGS, good_lines, log_file
from tests.support.servers import Server
from tests.support.workers import CommandLine, RunningWorker, cells, wait_until

pytestmark = [pytest.mark.services, pytest.mark.long]

SHARD = TP("case-events", 2)


@contextmanager
def client(caseline: CommandLine) -> Iterator[Any]:
    with Redis.from_url(caseline.settings.redis_url) as redis:
        yield redis


def key(caseline: CommandLine, part: str, shard: TP = SHARD) -> str:
    """The key of a part of a shard's state."""
    return f"caseline:{{{caseline.settings.deployment}:{shard.topic}:{shard.partition}}}:{part}"


def all_keys(caseline: CommandLine) -> list[bytes]:
    with client(caseline) as redis:
        found: list[bytes] = redis.keys(f"caseline:{{{caseline.settings.deployment}*")
    return sorted(found)


def copied(caseline: CommandLine) -> dict[bytes, bytes]:
    """A copy of the state, as a replica or a backup has it."""
    with client(caseline) as redis:
        return {name: redis.dump(name) for name in all_keys(caseline) if b"}:" in name}


def restored(caseline: CommandLine, copy: dict[bytes, bytes]) -> None:
    """Put a copy in the place of the state, in one step."""
    with client(caseline) as redis, redis.pipeline(transaction=True) as pipe:
        pipe.delete(*all_keys(caseline))
        for name, value in copy.items():
            pipe.restore(name, 0, value)
        pipe.execute()


def halves(caseline: CommandLine) -> list[str]:
    """The files of the first and of the second half of a log's good lines."""
    lines = good_lines(log_file(LOGS[0]))
    names = []
    for name, part in (("first", lines[::2]), ("second", lines[1::2])):
        path = caseline.folder / f"{name}.jsonl"
        path.write_bytes(b"".join((line.message[1] or b"") + b"\n" for line in part))
        names.append(str(path))
    return names


def stops(worker: RunningWorker) -> list[TP]:
    """The partitions that a worker said it stopped, in order."""
    return [
        TP(line["topic"], line["partition"])
        for line in worker.lines
        if line["message"].startswith("partition stopped") and line["level"] == "error"
    ]


def as_replayed(caseline: CommandLine, paths: list[str]) -> bool:
    """Whether the live figures are those of the files."""
    options = ("--as-of", f"{DATES[0]}", "--format", "csv")
    live = caseline.run("scorecard", *options).stdout
    return live == caseline.run("replay", *paths, *options).stdout


def test_duplicates_are_not_counted_where_records_are_gone_until_a_rebuild_brings_them_back(
    caseline: CommandLine,
) -> None:
    paths = halves(caseline)
    caseline.run("ingest", paths[0])
    with caseline.worker() as worker:
        caseline.wait_for_the_end([worker])
        with client(caseline) as redis:
            assert redis.delete(key(caseline, "0:records"))
        wait_until(lambda: bool(stops(worker)), "the shard is stopped", [worker])
        assert set(stops(worker)) <= {
            TP(topic, SHARD.partition) for topic in ("case-events", "scs-events", "activity-events")
        }
        assert any("`caseline rebuild`" in line["message"] for line in worker.lines)
        stood = caseline.offsets()
        caseline.run("ingest", paths[0])  # all of it again: duplicates
        ends = caseline.ends()
        others = {tp for tp in ends if tp.partition != SHARD.partition}
        wait_until(
            lambda: all(caseline.offsets()[tp] == ends[tp] for tp in others),
            "the others go on",
            [worker],
        )
        assert caseline.offsets()[SHARD] == stood[SHARD] < ends[SHARD]
        told = caseline.run("doctor", code=4).stdout
        assert "caseline rebuild" in told
        shown = caseline.run("scorecard", "--as-of", f"{DATES[0]}").stderr
        assert "case-events[2]" in shown
        assert "incomplete" in shown.lower()

        caseline.run("rebuild", "--yes")

        caseline.wait_for_the_end([worker])
        assert as_replayed(caseline, paths[:1])
        assert "incomplete" not in caseline.run("scorecard").stderr.lower()


def test_an_idle_worker_notices_a_state_that_went_back_and_takes_the_rest_in_again(
    caseline: CommandLine,
) -> None:
    paths = halves(caseline)
    caseline.run("ingest", paths[0])
    with caseline.worker() as worker:
        caseline.wait_for_the_end([worker])
        copy, then = copied(caseline), caseline.offsets()
        caseline.run("ingest", paths[1])
        caseline.wait_for_the_end([worker])
        now = caseline.offsets()
        restored(caseline, copy)
        assert then[SHARD] < now[SHARD]
        wait_until(lambda: caseline.offsets() == now, "it is read again", [worker])
        assert as_replayed(caseline, paths)


def test_an_idle_worker_notices_that_all_is_gone_and_makes_everything_anew(
    caseline: CommandLine,
) -> None:
    paths = halves(caseline)
    caseline.run("ingest", paths[0])
    with caseline.worker() as worker:
        ends = caseline.wait_for_the_end([worker])
        before = cells(caseline.rows(DATES[0]))
        with client(caseline) as redis:
            redis.flushall()
        wait_until(
            lambda: all(caseline.offsets().get(tp) == end for tp, end in ends.items()),
            "it is read again",
            [worker],
        )
        assert cells(caseline.rows(DATES[0])) == before
        wait_until(lambda: len(shards(caseline)) == 7, "the shards are known again", [worker])


def shards(caseline: CommandLine) -> list[TP]:
    from redis.asyncio import Redis as AsyncRedis

    async def read() -> list[TP]:
        async with AsyncRedis.from_url(caseline.settings.redis_url) as redis:
            return await known_shards(redis, caseline.settings.deployment)

    return asyncio.run(read())


@contextmanager
def full(redis: Any) -> Iterator[None]:
    """Redis has no memory left."""
    redis.config_set("maxmemory", 1)
    try:
        yield
    finally:
        redis.config_set("maxmemory", 0)


@contextmanager
def read_only(redis: Any) -> Iterator[None]:
    """Redis is a replica, of a master that does not answer, and serves what it has."""
    redis.replicaof("127.0.0.1", 1)
    try:
        yield
    finally:
        redis.replicaof("NO", "ONE")


@pytest.mark.parametrize("unwritable", [full, read_only])
def test_a_redis_that_takes_no_writes_ends_no_worker_not_even_when_another_starts(
    caseline: CommandLine, redis_server: Server, unwritable: Any
) -> None:
    del redis_server
    paths = halves(caseline)
    with client(caseline) as redis, caseline.worker() as worker:
        caseline.run("ingest", paths[0])
        caseline.wait_for_the_end([worker])
        with unwritable(redis), caseline.worker() as other:
            wait_until(lambda: bool(other.holds()), "another has shards", [worker, other])
            caseline.run("ingest", paths[1])
            wait_until(
                lambda: "commit failed" in worker.text + other.text,
                "a commit is refused",
                [worker, other],
            )
            told = caseline.run("doctor", code=4).stdout
            assert "wrong  Redis" in told
            assert "and it does not go on: see CaselinePartitionStuck" in told
            other.kill()
        caseline.wait_for_the_end([worker])
    assert as_replayed(caseline, paths)
