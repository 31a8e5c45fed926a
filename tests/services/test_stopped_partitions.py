"""What a worker looks at while partitions are stopped, on a real Redis."""

import asyncio
from collections.abc import Iterable

import pytest
from redis.asyncio import Redis

from processors.fold import Partition
from processors.rules import Rules
from streams.kafka.batches import TP
from streams.kafka.private import Described, TopicLog
from streams.metrics.exposition import new_registry
from streams.metrics.workers import WorkerMetrics
from streams.state.store import Head, ShardStore
from streams.worker.held import Held, Read
from streams.worker.logwatch import LogWatch
from streams.worker.stops import Stopped, Stops
from streams.worker.watching import Watching
from tests.support.parts_of_worker import held as shard_held
from tests.support.servers import Server
from tests.support.shards import in_redis

pytestmark = pytest.mark.services
TOPIC = "case-events"
TPS = [TP(TOPIC, 0), TP(TOPIC, 1)]


class Stopping:
    """A worker both of whose partitions are stopped."""

    def __init__(self, redis: Redis, deployment: str, rules: Rules) -> None:
        metrics, self.shards, stops = WorkerMetrics(new_registry()), dict[TP, Held](), Stops()
        for tp in TPS:
            store = ShardStore(redis, deployment, tp, rules)
            reads = {TOPIC: Read(metrics.meter(tp), 0)}
            self.shards[tp] = shard_held(tp, Partition(rules), reads, store)
            stops.of[tp] = Stopped(7, "a reason")
        logs = LogWatch(redis, deployment, "nowhere:9092", rules, self.describe)
        self.watching = Watching(logs, redis, self.shards, stops)

    async def describe(self, topics: Iterable[str]) -> Described:
        """Logs that nothing is wrong with."""
        return Described("", {topic: TopicLog("log", len(TPS)) for topic in topics})

    async def look(self) -> None:
        """Look once, from beginning to end."""
        self.watching.look()
        await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})
        self.watching.look()


def test_a_shard_may_go_to_another_worker_while_stopped_ones_are_looked_at(
    redis_server: Server, deployment: str, rules: Rules
) -> None:
    async def work(redis: Redis) -> None:
        worker = Stopping(redis, deployment, rules)

        class Leaving(ShardStore):
            async def head(self, *, any_layout: bool = False) -> Head | None:
                worker.shards.clear()
                return await super().head(any_layout=any_layout)

        for tp, held in worker.shards.items():
            held.store = Leaving(redis, deployment, tp, rules)
        await worker.look()
        assert not worker.shards

    in_redis(redis_server.address, work)


def test_a_stopped_shard_whose_head_is_damaged_is_taken_anew_and_the_worker_goes_on(
    redis_server: Server, deployment: str, rules: Rules
) -> None:
    async def work(redis: Redis) -> None:
        worker = Stopping(redis, deployment, rules)
        damaged, whole = worker.shards.values()
        await redis.set(damaged.store.head_key, "no head")
        await worker.look()
        assert damaged.trouble.is_broken
        assert not whole.trouble.is_broken

    in_redis(redis_server.address, work)
