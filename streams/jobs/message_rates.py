"""How fast events come and are taken in: how far logs and states went between two looks."""

import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from redis.asyncio import Redis

from processors.rules import Rules
from schemas.events.registry import TOPICS
from schemas.settings import Settings
from streams.kafka.batches import TP
from streams.kafka.logreading import log_reader
from streams.state.store import Head, ShardStore, shard_of


class Reached(NamedTuple):
    """The first offset, the end and the state's offset of each partition, at a time in seconds."""

    at: float
    partitions: Mapping[TP, tuple[int, int, int]]


class TopicRate(NamedTuple):
    """Of a topic: messages written and taken in, a second, and those that wait to be taken in."""

    topic: str
    written: float
    taken_in: float
    waiting: int


async def reached(settings: Settings, rules: Rules, redis: Redis) -> Reached:
    """How far every topic of events has come, and the state of it.

    Raises aiokafka.errors.KafkaError, redis.RedisError, OSError, or
    streams.state.integrity.Incomplete for a state that cannot be read.
    """
    topics = [topic.name for topic in TOPICS]
    async with log_reader(settings.kafka, topics) as reader:
        bounds = await reader.bounds()
        heads = {
            shard: await ShardStore(redis, settings.deployment, shard, rules).head(any_layout=True)
            for shard in {shard_of(tp) for tp in bounds}
        }
        at = time.monotonic()
    found = {
        tp: (first, end, (heads[shard_of(tp)] or Head()).offset(tp.topic))
        for tp, (first, end) in bounds.items()
    }
    return Reached(at, found)


def rates(before: Reached, after: Reached) -> list[TopicRate]:
    """What went on between two looks, by topic; a partition that went back did nothing."""
    seconds = after.at - before.at
    found: dict[str, list[tuple[int, int, int]]] = {}
    for tp, (first, end, offset) in after.partitions.items():
        _, end_before, offset_before = before.partitions.get(tp, (first, end, offset))
        moved = (max(end - end_before, 0), max(offset - offset_before, 0))
        waiting = max(end - max(offset, first), 0)
        found.setdefault(tp.topic, []).append((*moved, waiting))
    return [_rate(topic, rows, seconds) for topic, rows in found.items()]


def _rate(topic: str, rows: Sequence[tuple[int, int, int]], seconds: float) -> TopicRate:
    written, taken_in, waiting = (sum(column) for column in zip(*rows, strict=True))
    return TopicRate(topic, written / seconds, taken_in / seconds, waiting)
