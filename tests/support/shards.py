"""A shard's state in memory and in a real Redis, without a worker or Kafka."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from redis.asyncio import Redis

from examples.workload import case_events
from processors.fold import Partition, Settlement
from processors.record.decoding import decode
from processors.rules import Rules
from streams.kafka.batches import TP
from streams.state.store import Advance, Head, ShardStore

T = TypeVar("T")
SHARD = TP("case-events", 0)
Messages = list[tuple[bytes, bytes]]


class Shard:
    """A shard as one worker holds it: in memory, its store, and the head it believes in."""

    def __init__(self, redis: Redis, deployment: str, rules: Rules) -> None:
        self.store = ShardStore(redis, deployment, SHARD, rules)
        self.memory = Partition(rules)
        self.head = Head()

    async def take_over(self) -> None:
        """What a worker does that gets the shard."""
        head, tables = await self.store.load()
        self.head = head or Head()
        self.memory = Partition(self.memory.rules, tables, self.head.kept.records)

    async def fold(self, messages: Messages) -> tuple[Settlement, Advance]:
        """Fold messages in memory; what a commit takes."""
        events = decode(SHARD.topic, [(key, value, ()) for key, value in messages]).events
        missing = self.memory.missing(child for child, _ in events)
        stored = await self.store.children(self.head, missing)
        for child, found in zip(missing, stored, strict=True):
            self.memory.admit(child, *found)
        known = self.memory.fold(events)
        offset = self.head.offset(SHARD.topic) + len(messages)
        tallies = {"messages": len(messages), "duplicates": known}
        return self.memory.settle(), Advance({SHARD.topic: offset}, events[-1][1].instant, tallies)

    async def commit(self, settlement: Settlement, advance: Advance) -> None:
        """Store it and move the head."""
        self.head = await self.store.commit(self.head, settlement, self.memory.tables, advance)

    async def fold_and_commit(self, messages: Messages) -> None:
        """One batch from beginning to end."""
        await self.commit(*await self.fold(messages))


def batches(count: int, seed: int = 1, size: int = 60) -> list[Messages]:
    """Messages in so many batches, shuffled so that every batch touches many months."""
    messages: Iterable[tuple[bytes, bytes]] = case_events(size * count, seed=seed)
    shuffled = list(messages)
    random.Random(seed).shuffle(shuffled)
    return [shuffled[start::count] for start in range(count)]


def in_redis(url: str, work: Callable[[Redis], Awaitable[T]]) -> T:
    """Run something with a client."""

    async def run() -> T:
        async with Redis.from_url(url) as redis:
            return await work(redis)

    return asyncio.run(run())
