"""The state that events make, put into a Redis as workers do, without a Kafka."""

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from redis.asyncio import Redis

from processors.fold import Partition
from processors.record.decoding import Message, decode
from processors.rules import Rules
from schemas.events.registry import GROUPS, group_of, topic_names
from schemas.settings import Settings
from streams.kafka.batches import TP
from streams.kafka.eventfiles import EventLine, read_events
from streams.state.reading import partitions_key
from streams.state.store import Advance, Head, ShardStore


class StoredState:
    """A deployment's state, of one shard a group, to which events are added."""

    def __init__(self, settings: Settings, rules: Rules) -> None:
        self._settings, self._rules = settings, rules
        self._shards = {group: Partition(rules) for group in GROUPS}
        self._heads = {group: Head() for group in GROUPS}

    def add_file(self, path: Path) -> None:
        """Commit the events of a file."""
        self.add([line for judged in read_events(path) for line in judged.good])

    def add(self, lines: Iterable[EventLine]) -> None:
        """Commit events, wherever this is called: a browser's driver has a loop of its own."""
        with ThreadPoolExecutor(max_workers=1) as pool:
            pool.submit(asyncio.run, self._add(list(lines))).result()

    async def _add(self, lines: list[EventLine]) -> None:
        messages: dict[str, list[Message]] = {topic: [] for topic in topic_names()}
        for line in lines:
            for topic in line.topics:
                messages[topic].append(line.message)
        async with Redis.from_url(self._settings.redis_url) as redis:
            for topic, batch in messages.items():
                await self._commit(redis, topic, batch)

    async def _commit(self, redis: Redis, topic: str, batch: list[Message]) -> None:
        group, name = group_of(topic), self._settings.deployment
        shard, head = self._shards[group], self._heads[group]
        events = decode(topic, batch).events
        shard.fold_unstored(events)
        await redis.sadd(partitions_key(name), f"{group}:0")
        store = ShardStore(redis, name, TP(group, 0), self._rules)
        latest = max([head.latest, *(event.instant for _, event in events)])
        offsets = {topic: head.offset(topic) + len(batch)}
        advance = Advance(offsets, latest, {"messages": len(batch)})
        self._heads[group] = await store.commit(head, shard.settle(), shard.tables, advance)
