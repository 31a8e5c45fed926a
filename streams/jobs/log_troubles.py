"""Whether logs are those that the state was made from, and what else is odd about them."""

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import NamedTuple

from redis.asyncio import Redis

from processors.rules import Rules
from schemas.events.registry import VALIDATORS
from streams.kafka.batches import TP
from streams.kafka.deadletters import dead_letter_topic
from streams.kafka.logreading import LogReader
from streams.kafka.private import Described
from streams.state.integrity import Incomplete
from streams.state.quarantine import all_quarantined
from streams.state.reading import known_shards
from streams.state.sources import (
    Source,
    known_counts,
    name_of,
    other_log,
    other_partitions,
    other_record,
)
from streams.state.store import Head, ShardStore, shard_of


class LogTrouble(NamedTuple):
    """Something that is not as it should be; what is wrong stops partitions, the rest is odd."""

    what: str
    text: str
    is_wrong: bool


async def log_troubles(
    redis: Redis, deployment: str, rules: Rules, reader: LogReader
) -> AsyncIterator[LogTrouble]:
    """What is wrong with the logs, each said once; what `other_logs` says first.

    Raises redis.RedisError, aiokafka.errors.KafkaError, streams.kafka.logreading.ReadTimedOut.
    """
    async for trouble in other_logs(redis, deployment, rules, reader):
        yield trouble
    described = await reader.describe()
    for topic, found in described.logs.items():
        letters = described.logs.get(dead_letter_topic(topic))
        if letters and letters.partitions < found.partitions:
            text = f"{letters.partitions} partitions, but {topic} has {found.partitions}"
            yield LogTrouble(dead_letter_topic(topic), text, is_wrong=False)
    heads = await _heads(redis, deployment, rules)
    for it in await all_quarantined(redis, deployment, rules):
        if it.since > heads.get(shard_of(it.tp), Head()).generation:
            text = (
                f"the message at offset {it.offset} is to be passed over and is in the figures: "
                "run `caseline rebuild`"
            )
            yield LogTrouble(name_of(it.tp), text, is_wrong=True)


async def other_logs(
    redis: Redis, deployment: str, rules: Rules, reader: LogReader
) -> AsyncIterator[LogTrouble]:
    """Which of the reader's topics are not the logs that the state was made from, and why.

    Raises as `log_troubles` does.
    """
    described = await reader.describe()
    heads = await _heads(redis, deployment, rules)
    counts = await known_counts(redis, deployment)
    groups = {shard_of(TP(topic, 0)).topic for topic in described.logs if topic in VALIDATORS}
    for group in sorted(groups):
        stored = {head.partitions for shard, head in heads.items() if shard.topic == group}
        for known in sorted({counts.get(group, 0), *stored}):
            reason = other_partitions(group, known, described)
            if reason:
                yield LogTrouble(group, reason, is_wrong=True)
                break
    sources = {
        TP(topic, shard.partition): source
        for shard, head in heads.items()
        for topic, source in head.sources.items()
    }
    async for trouble in _others(sources, described, reader):
        yield trouble


async def _others(
    sources: dict[TP, Source], described: Described, reader: LogReader
) -> AsyncIterator[LogTrouble]:
    marks: dict[TP, int] = {}
    for tp, source in sorted(sources.items()):
        reason = other_log(tp, source, described)
        if reason:
            yield LogTrouble(name_of(tp), reason.removeprefix(f"{name_of(tp)}: "), is_wrong=True)
        elif source.mark:
            marks[tp] = source.mark.offset
    records = await reader.first_records(marks)
    for tp in marks:
        reason = other_record(tp, sources[tp], records.get(tp))
        if reason:
            yield LogTrouble(name_of(tp), reason.removeprefix(f"{name_of(tp)}: "), is_wrong=True)


async def _heads(redis: Redis, deployment: str, rules: Rules) -> dict[TP, Head]:
    """The heads that can be read: one that cannot is said where states are looked at."""
    heads: dict[TP, Head] = {}
    for shard in await known_shards(redis, deployment):
        with suppress(Incomplete):
            head = await ShardStore(redis, deployment, shard, rules).head(any_layout=True)
            if head:
                heads[shard] = head
    return heads
