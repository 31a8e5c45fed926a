"""Whether the logs that a worker is given are those that its shards' states were made from."""

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import NamedTuple

from aiokafka.errors import TopicAuthorizationFailedError
from redis.asyncio import Redis

from processors.rules import Rules
from schemas.connection_settings import Brokers
from schemas.events.registry import group_of, topics_in
from streams.kafka.batches import TP
from streams.kafka.logreading import log_reader
from streams.kafka.private import Described
from streams.state.quarantine import Quarantine
from streams.state.sources import (
    Source,
    keep_counts,
    known_counts,
    other_log,
    other_partitions,
    other_record,
)
from streams.state.store import Head

log = logging.getLogger(__name__)

Describe = Callable[[Iterable[str]], Awaitable[Described]]


class Watched(NamedTuple):
    """What is wrong by partition, and which logs there are."""

    wrong: dict[TP, str]
    described: Described


class LogWatch:
    """Looks at the logs of a deployment; `describe` asks which they are now."""

    def __init__(
        self, redis: Redis, deployment: str, brokers: Brokers, rules: Rules, describe: Describe
    ) -> None:
        self._redis, self._deployment, self._brokers = redis, deployment, brokers
        self._quarantine = Quarantine(redis, brokers, deployment, rules)
        self._describe = describe

    async def look(
        self, heads: Mapping[TP, Head], topics: Mapping[TP, Iterable[str]], *, marks: bool
    ) -> Watched:
        """What is wrong with the topics of shards, by their heads; with `marks` records are read.

        With `marks`, what is quarantined is put back where a shard has no state: it may be lost
        with it. Raises redis.RedisError, aiokafka.errors.KafkaError,
        streams.kafka.logreading.ReadTimedOut, streams.state.quarantine.NotQuarantined.
        """
        groups = {group_of(shard.topic) for shard in heads}
        described = await self._describe(topic for group in groups for topic in topics_in(group))
        if marks and any(head.place == Head().place for head in heads.values()):
            await self._put_back(described)
        wrong: dict[TP, str] = {}
        for shard, head in heads.items():
            reason = other_partitions(shard.topic, head.partitions, described)
            for topic in topics[shard]:
                tp = TP(topic, shard.partition)
                why = reason or other_log(tp, head.sources.get(topic, Source()), described)
                if why:
                    wrong[tp] = why
        counts = (
            await known_counts(self._redis, self._deployment)
            if wrong
            else await keep_counts(self._redis, self._deployment, groups, described)
        )
        for shard in heads:
            reason = other_partitions(shard.topic, counts.get(shard.topic), described)
            if reason:
                wrong |= {TP(topic, shard.partition): reason for topic in topics[shard]}
        if marks:
            wrong |= await self._by_records(heads, topics, wrong.keys())
        return Watched(wrong, described)

    async def _put_back(self, described: Described) -> None:
        try:
            await self._quarantine.put_back(described)
        except TopicAuthorizationFailedError:
            log.warning("the topic of decisions may not be read: nothing quarantined is put back")

    async def _by_records(
        self,
        heads: Mapping[TP, Head],
        topics: Mapping[TP, Iterable[str]],
        known: Iterable[TP],
    ) -> dict[TP, str]:
        sources = {
            TP(topic, shard.partition): head.sources.get(topic, Source())
            for shard, head in heads.items()
            for topic in topics[shard]
        }
        marks = {tp: it.mark.offset for tp, it in sources.items() if it.mark and tp not in known}
        if not marks:
            return {}
        async with log_reader(self._brokers, {tp.topic for tp in marks}) as reader:
            records = await reader.first_records(marks)
        reasons = {tp: other_record(tp, sources[tp], records.get(tp)) for tp in marks}
        return {tp: reason for tp, reason in reasons.items() if reason}
