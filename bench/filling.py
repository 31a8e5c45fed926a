"""State made directly, without Kafka: by the processors and the store that a worker uses."""

from zlib import crc32

from redis.asyncio import Redis

from bench.bed import Messages
from bench.progress import Show
from processors.fold import Partition
from processors.record.decoding import Message, decode
from processors.rules import Rules
from schemas.events.registry import CASE_TOPIC, REFERENCE_TOPIC
from streams.kafka.batches import TP
from streams.state.reading import partitions_key
from streams.state.store import Advance, Head, ShardStore

COMMIT_EVENTS = 10_000


class Filling:
    """A topic's state in a number of partitions, in memory and in Redis."""

    def __init__(
        self, redis: Redis, deployment: str, rules: Rules, topic: str, partitions: int
    ) -> None:
        self._redis, self._deployment, self._topic = redis, deployment, topic
        tps = [TP(topic, number) for number in range(partitions)]
        self._stores = [ShardStore(redis, deployment, tp, rules) for tp in tps]
        self._states = [Partition(rules) for _ in tps]
        self._heads = [Head() for _ in tps]
        self._waiting: list[list[Message]] = [[] for _ in tps]

    async def fill(self, messages: Messages, show: Show) -> int:
        """Fold and store messages; how many there were."""
        total = 0
        for total, (key, value) in enumerate(messages, start=1):
            number = crc32(key) % len(self._stores)
            self._waiting[number].append((key, value, ()))
            if len(self._waiting[number]) >= COMMIT_EVENTS:
                await self._commit(number)
                show(total)
        for number in range(len(self._stores)):
            await self._commit(number)
            name = f"{self._topic}:{number}"
            await self._redis.sadd(partitions_key(self._deployment), name)
        return total

    async def _commit(self, number: int) -> None:
        messages, self._waiting[number] = self._waiting[number], []
        state, head = self._states[number], self._heads[number]
        events = decode(self._topic, messages).events
        state.fold_unstored(events)
        latest = max([head.latest, *(event.instant for _, event in events)])
        offset = head.offset(self._topic) + len(messages)
        advance = Advance({self._topic: offset}, latest, {"messages": len(messages)})
        self._heads[number] = await self._stores[number].commit(
            head, state.settle(), state.tables, advance
        )


def case_filling(redis: Redis, deployment: str, rules: Rules, partitions: int) -> Filling:
    """For case events."""
    return Filling(redis, deployment, rules, CASE_TOPIC, partitions)


def reference_filling(redis: Redis, deployment: str, rules: Rules) -> Filling:
    """For population estimates, in one partition."""
    return Filling(redis, deployment, rules, REFERENCE_TOPIC, 1)
