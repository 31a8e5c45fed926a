"""A partition's state in a real Redis, as tests of the store drive it."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from redis.asyncio import Redis

from examples.workload import case_events
from processors.fold import Partition, Settlement
from processors.record.decoding import decode
from processors.rules import Rules
from streams.kafka.batches import TP
from streams.state.store import Advance, Head, ShardStore
from tests.support.cutting import Cut, Link

T = TypeVar("T")
TP0 = TP("case-events", 0)


class State:
    """A partition's state in memory, its store, and the head it believes in."""

    def __init__(self, redis: Redis, deployment: str, rules: Rules) -> None:
        self.store = ShardStore(redis, deployment, TP0, rules)
        self.memory = Partition(rules)
        self.head = Head()

    async def take_over(self) -> None:
        """What a worker does that gets the partition."""
        self.head = await self.store.head() or Head()
        tables, records = await self.store.tables(self.head), self.head.kept.records
        self.memory = Partition(self.memory.rules, tables, records)

    async def fold(self, messages: list[tuple[bytes, bytes]]) -> tuple[Settlement, Advance]:
        """Fold messages in memory; what a commit takes."""
        events = decode(TP0.topic, [(key, value, ()) for key, value in messages]).events
        missing = self.memory.missing(child for child, _ in events)
        stored = await self.store.children(self.head, missing)
        for child, (record, _, number) in zip(missing, stored, strict=True):
            self.memory.admit(child, record, None, number)
        known = self.memory.fold(events)
        tallies = {"messages": len(messages), "duplicates": known}
        return self.memory.settle(), self.advance(messages, events[-1][1].instant, tallies)

    def advance(
        self, messages: list[tuple[bytes, bytes]], latest: int, tallies: dict[str, int]
    ) -> Advance:
        """What messages add to the head."""
        topic = TP0.topic
        return Advance({topic: self.head.offset(topic) + len(messages)}, latest, tallies)

    async def commit(self, settlement: Settlement, advance: Advance) -> None:
        """Store it and move the head."""
        self.head = await self.store.commit(self.head, settlement, self.memory.tables, advance)

    async def fold_and_commit(self, messages: list[tuple[bytes, bytes]]) -> None:
        """One batch from beginning to end."""
        await self.commit(*await self.fold(messages))


def batches(count: int, seed: int = 1) -> list[list[tuple[bytes, bytes]]]:
    """Messages in so many batches, shuffled so that every batch touches many months."""
    messages = list(case_events(60 * count, seed=seed))
    random.Random(seed).shuffle(messages)
    return [messages[start::count] for start in range(count)]


def in_redis(url: str, work: Callable[[Redis], Awaitable[T]]) -> T:
    """Run something with a client."""

    async def run() -> T:
        async with Redis.from_url(url) as redis:
            return await work(redis)

    return asyncio.run(run())


@asynccontextmanager
async def linked(url: str, cut: Cut) -> AsyncIterator[tuple[Link, Redis]]:
    """A client whose connection breaks or waits where the cut says."""
    async with Link(url, cut) as link, Redis.from_url(link.url) as redis:
        yield link, redis
