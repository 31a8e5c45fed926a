"""A topic written anew without some of its messages, every other one at the offset that it had.

Kafka takes no message out of the middle of a topic that keeps all. So a topic is copied to another
beside it, its *staging*; then it is deleted, which is what takes bytes off a broker's disk; then it
is made again under its name, and copied back. In the copy a place holder stands where a message was
erased, and where there was none, such as at the marker of a transaction: so offsets, times, keys
and headers of all others are as they were, and whatever keeps an offset still means the same.

Meanwhile nobody else may write to the topic. Until it is deleted it takes no message as large as
the smallest event; while it is filled again nothing keeps others out, since Kafka has no means to,
so producers are to be stopped. What one wrote all the same is found when the copy is compared, and
comes behind all the rest.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaError, Message, Producer
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, OffsetSpec
from kafka.errors import UnknownTopicOrPartitionError
from kafka.structs import TopicPartition
from pydantic import BaseModel

from processors.record.erased import ERASED_HEADER
from schemas.connection_settings import Brokers
from streams.failures import Understood
from streams.kafka.batches import TP, KafkaRecord, hash_of_content
from streams.kafka.clients import admin_of, for_confluent
from streams.kafka.deadletters import LARGEST_BYTES
from streams.kafka.ingest import PARTITIONER
from streams.kafka.logreading import LogReader, log_reader

STAGING = ".erasing"
# What keeps producers out: smaller than any batch with an event in it, and larger than the marker
# of a transaction that ends.
HELD_BACK = {"max.message.bytes": "100"}
# As a copy is filled: nothing goes by itself, and each message keeps the time that it had.
FILLED = {
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "message.timestamp.type": "CreateTime",
    # What was taken in compressed may be larger as it is copied.
    "max.message.bytes": str(2 * LARGEST_BYTES),
}
OWN_TIMES = "message.timestamp."
# What Kafka says of a setting that was made for the topic itself.
OF_TOPIC = "DYNAMIC_TOPIC_CONFIG"
WAIT_SECONDS = 60.0
POLL_SECONDS = 0.2
FLUSH_SECONDS = 120.0

# Times that a topic is filled again because others wrote to it meanwhile.
TRIES = 10
BY_KEY = -1
# To the client that writes, 0 is no time, and means now.
EARLIEST_MS = 1

# Told how a topic is to be from now on.
Keep = Callable[["RewrittenTopic"], Awaitable[None]]
# Told how many offsets were copied or compared since the last time.
Told = Callable[[int], None]


class Interfered(Understood):
    """Someone else wrote to a topic while it was written anew."""


class NotCopied(Understood):
    """A copy is not what it is a copy of."""


class NotDeleted(Understood):
    """A topic that was to be deleted is still there."""


class OpenTransaction(Understood):
    """A producer's transaction is open, so where a topic ends is not decided."""


class SettingRefused(Understood):
    """The brokers did not change a topic's settings."""


class RewrittenTopic(BaseModel):
    """A topic that is to be written anew, and how far that is.

    `spans` has the first offset and the end of each partition, `offsets` those of the messages that
    go. `digests` are of what the copy has to be, once the staging is that. `after` is the topic's
    ID once it is written anew.
    """

    name: str
    before: str
    partitions: int
    replicas: int
    configs: dict[str, str]
    spans: dict[int, tuple[int, int]] = {}
    offsets: dict[int, list[int]] = {}
    digests: dict[int, str] = {}
    after: str = ""

    @property
    def staging(self) -> str:
        """The topic that the copy is made in."""
        return self.name + STAGING

    @property
    def filled(self) -> dict[str, str]:
        """Its settings while it is filled."""
        own = {name: it for name, it in self.configs.items() if not name.startswith(OWN_TIMES)}
        return {**own, **FILLED, "min.insync.replicas": "1"}

    @property
    def messages(self) -> int:
        """How many messages go."""
        return sum(map(len, self.offsets.values()))

    @property
    def total(self) -> int:
        """How many offsets it has."""
        return sum(end for _, end in self.spans.values())


class TopicAdmin:
    """What is asked of Kafka about topics as a whole. Raises kafka.errors.KafkaError."""

    def __init__(self, brokers: Brokers) -> None:
        self._admin: KafkaAdminClient = admin_of(brokers)

    def close(self) -> None:
        """Let the connection go."""
        self._admin.close()

    def names(self) -> set[str]:
        """The topics that there are."""
        return set(self._admin.list_topics())

    def configs(self, topic: str) -> dict[str, str]:
        """The settings that were made for the topic itself."""
        found = self._admin.describe_configs([_resource(topic, None)], config_filter="all")
        settings: Mapping[str, Any] = found["topic"][topic]
        return {
            name: str(it["value"])
            for name, it in settings.items()
            if it["config_source"] == OF_TOPIC
        }

    def shape(self, topic: str) -> tuple[int, int]:
        """How many partitions it has, and the replicas of each."""
        (described,) = self._admin.describe_topics([topic])
        partitions = described["partitions"]
        return len(partitions), len(partitions[0]["replica_nodes"])

    def create(self, topic: str, partitions: int, replicas: int, configs: dict[str, str]) -> None:
        """Make a topic, and wait until brokers know it."""
        shape = {"num_partitions": partitions, "replication_factor": replicas, "configs": configs}
        self._admin.create_topics({topic: shape}, wait_for_metadata=True)

    def set_configs(self, topic: str, configs: dict[str, str]) -> None:
        """Have a topic have these settings of its own, and no others."""
        if gone := self.configs(topic).keys() - configs.keys():
            _check(topic, self._admin.reset_configs([_resource(topic, dict.fromkeys(gone))]))
        self.add_configs(topic, configs)

    def add_configs(self, topic: str, configs: dict[str, str]) -> None:
        """Have a topic have these settings beside its others."""
        if configs:
            _check(topic, self._admin.alter_configs([_resource(topic, dict(configs))]))

    def delete(self, topic: str) -> None:
        """Delete a topic, if it is there; brokers let its files go soon after."""
        if topic in self.names():
            try:
                self._admin.delete_topics([topic])
            except UnknownTopicOrPartitionError:
                return

    def ends(self, tps: Sequence[TP]) -> dict[TP, int]:
        """The offset after the last record of partitions, of open transactions too."""
        if not tps:
            return {}
        asked = {TopicPartition(*tp): OffsetSpec.LATEST for tp in tps}
        found = self._admin.list_partition_offsets(asked)
        return {TP(*tp): it.offset for tp, it in found.items()}

    def delete_before(self, topic: str, firsts: Mapping[int, int]) -> None:
        """Have partitions begin at these offsets."""
        if firsts:
            offsets = {TopicPartition(topic, it): first for it, first in firsts.items()}
            self._admin.delete_records(offsets)


def _check(topic: str, answer: Mapping[str, Mapping[str, str]]) -> None:
    said = answer["topic"][topic]
    if said != "OK":
        raise SettingRefused(f"{topic}: the brokers do not change its settings: {said}")


def _resource(topic: str, configs: dict[str, Any] | None) -> ConfigResource:
    return ConfigResource(ConfigResourceType.TOPIC, topic, configs)


class Rewriter:
    """Writes topics anew, in steps that may each be done again.

    Raises Interfered, NotCopied, aiokafka.errors.KafkaError or kafka.errors.KafkaError.
    """

    def __init__(self, brokers: Brokers, admin: TopicAdmin, erasure: str, told: Told) -> None:
        self._brokers, self._admin = brokers, admin
        self._erasure, self._told = erasure, told

    async def look(self, topic: str) -> RewrittenTopic:
        """What a topic is."""
        (partitions, replicas), configs = await asyncio.gather(
            asyncio.to_thread(self._admin.shape, topic),
            asyncio.to_thread(self._admin.configs, topic),
        )
        configs = {name: it for name, it in configs.items() if (name, it) not in HELD_BACK.items()}
        return RewrittenTopic(
            name=topic,
            before=await self._id(topic),
            partitions=partitions,
            replicas=replicas,
            configs=configs,
        )

    async def hold(self, it: RewrittenTopic) -> None:
        """Have the topic take no more messages."""
        await asyncio.to_thread(self._admin.add_configs, it.name, HELD_BACK)

    async def release(self, it: RewrittenTopic) -> None:
        """Let producers write again, to a topic that nothing was done to."""
        await asyncio.to_thread(self._admin.set_configs, it.name, it.configs)

    async def is_untouched(self, it: RewrittenTopic) -> bool:
        """Whether the topic is still the one that it was."""
        return await self._id(it.name) == it.before

    async def stage(self, it: RewrittenTopic) -> RewrittenTopic:
        """Copy what is left of the topic to its staging; the topic is as it was."""
        await self._delete(it.staging)
        await self._make(it.staging, it)
        left_out = {number: frozenset(offsets) for number, offsets in it.offsets.items()}
        digests = await self._copy(it, it.name, it.staging, left_out)
        await self._compare(it, it.staging, digests)
        return it.model_copy(update={"digests": digests})

    async def has_grown(self, it: RewrittenTopic) -> bool:
        """Whether the topic, still as it was, ends elsewhere than when it was searched."""
        if not await self.is_untouched(it):
            return False
        async with log_reader(self._brokers, [it.name]) as reader:
            bounds = await bounds_of(reader, self._admin)
        return {tp.partition: span for tp, span in bounds.items()} != it.spans

    async def is_staged(self, it: RewrittenTopic) -> bool:
        """Whether the staging is what it was when it was made."""
        there = await digests_of(self._brokers, it.staging, it.spans, self._told)
        return bool(it.digests) and there == it.digests

    async def swap(self, it: RewrittenTopic, keep: Keep) -> RewrittenTopic:
        """Delete the topic, make it again, and fill it from its staging.

        What someone else wrote to it before it was filled is put behind all that there is, and
        `keep` told of how the topic is to be then, before it is filled once more.
        """
        if await self.is_untouched(it):
            await self.take_away(it)
        for _ in range(TRIES):
            if await self._id(it.name):
                if await digests_of(self._brokers, it.name, it.spans, self._told) == it.digests:
                    return await self._opened(it)
                it = await self._with_others(it)
                await keep(it)
                await self._delete(it.name)
            await self._make(it.name, it)
            if await self._copy(it, it.staging, it.name, {}) != it.digests:
                raise NotCopied(f"{it.staging} is not what was copied to it: nothing more was done")
        raise Interfered(
            f"{it.name}: others write to it while it is filled, {TRIES} times in a row. Stop "
            "producers, and run `caseline erase --resume`; nothing of theirs is lost"
        )

    async def _opened(self, it: RewrittenTopic) -> RewrittenTopic:
        """Have the topic be for everyone again, as it was set."""
        firsts = {number: first for number, (first, _) in it.spans.items() if first}
        await asyncio.to_thread(self._admin.delete_before, it.name, firsts)
        await asyncio.to_thread(self._admin.set_configs, it.name, it.configs)
        return it.model_copy(update={"after": await self._id(it.name)})

    async def take_away(self, it: RewrittenTopic) -> None:
        """Delete the topic as it was."""
        await self._delete(it.name)

    async def clear(self, it: RewrittenTopic) -> None:
        """Let the staging go."""
        await self._delete(it.staging)

    async def _id(self, topic: str) -> str:
        """The ID of a topic; "" where there is none, "?" where brokers give none."""
        async with log_reader(self._brokers, [topic]) as reader:
            found = (await reader.describe()).logs.get(topic) if await reader.bounds() else None
        return (found.id or "?") if found else ""

    async def _make(self, topic: str, it: RewrittenTopic) -> None:
        shape = topic, it.partitions, it.replicas, it.filled
        await asyncio.to_thread(self._admin.create, *shape)

    async def _delete(self, topic: str) -> None:
        await delete_topic(self._admin, topic)

    async def _with_others(self, it: RewrittenTopic) -> RewrittenTopic:
        """Put what others wrote to the topic behind all that is in its staging."""
        ours = Counter[bytes]()
        async for record in _messages(self._brokers, it.staging):
            ours[_of(record)] += 1
        filling = Filling(self._brokers, it.staging)
        async for record in _messages(self._brokers, it.name):
            if not ours[_of(record)]:
                # By its key: who made the topic meanwhile may have given it other partitions.
                filling.put(BY_KEY, None, record)
        await asyncio.to_thread(filling.finish)
        async with log_reader(self._brokers, [it.staging]) as reader:
            ends = {tp.partition: end for tp, (_, end) in (await reader.bounds()).items()}
        # Also of a try before this one, which died before it was kept.
        spans = {number: (first, ends[number]) for number, (first, _) in it.spans.items()}
        digests = await digests_of(self._brokers, it.staging, spans, self._told)
        return it.model_copy(update={"spans": spans, "digests": digests})

    async def _copy(
        self,
        it: RewrittenTopic,
        source: str,
        target: str,
        left_out: Mapping[int, Collection[int]],
    ) -> dict[int, str]:
        """Copy each partition, place by place; digests of what was written."""
        filling = Filling(self._brokers, target)
        digests: dict[int, str] = {}
        async with log_reader(self._brokers, [source], with_places=True) as reader:
            for number, (first, end) in it.spans.items():
                gone = left_out.get(number, frozenset())
                digest, place, at = hashlib.sha256(), first, 0
                for offset in range(first):  # the log begins later: these go again in the end
                    filling.put(number, None, _place(offset, at, ""))
                async for _, records in reader.read(TP(source, number), first, end):
                    for record in records:
                        for offset in range(place, record.offset):
                            filling.put(number, digest, _place(offset, at, ""))
                        if record.offset in gone:
                            # Nor when it came: it has the time of the one before it.
                            filling.put(number, digest, _place(record.offset, at, self._erasure))
                        else:
                            filling.put(number, digest, record)
                            at = record.timestamp
                        place = record.offset + 1
                    self._told(len(records))
                for offset in range(place, end):
                    filling.put(number, digest, _place(offset, at, ""))
                digests[number] = digest.hexdigest()
        await asyncio.to_thread(filling.finish)
        return digests

    async def _compare(self, it: RewrittenTopic, topic: str, digests: dict[int, str]) -> None:
        if await digests_of(self._brokers, topic, it.spans, self._told) != digests:
            raise NotCopied(
                f"{topic} is not what was copied to it: someone else writes to it, or the brokers "
                "lost some of it. Stop producers, and run `caseline erase --resume`"
            )


async def delete_topic(admin: TopicAdmin, topic: str) -> None:
    """Delete a topic, and wait until it is not there. Raises NotDeleted where it stays."""
    await asyncio.to_thread(admin.delete, topic)
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            while topic in await asyncio.to_thread(admin.names):
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError as error:
        raise NotDeleted(
            f"{topic}: the brokers do not delete it: is `delete.topic.enable` off, or a broker "
            "away? Then run `caseline erase --resume`"
        ) from error


class Filling:
    """Writes records to a topic, one after another in each partition. Raises NotCopied."""

    def __init__(self, brokers: Brokers, topic: str) -> None:
        self._topic = topic
        self._failures: list[str] = []
        self._producer = Producer(
            {
                **for_confluent(brokers),
                "acks": "all",
                # What is sent again is there once: twice would move all that follows.
                "enable.idempotence": True,
                "partitioner": PARTITIONER,
                "linger.ms": 20,
                "compression.type": "lz4",
                "message.max.bytes": 2 * LARGEST_BYTES,
                "message.timeout.ms": int(FLUSH_SECONDS * 1000),
                "error_cb": lambda _: None,  # what matters of it comes back with each message
                "log_level": 2,
            }
        )

    def put(self, partition: int, digest: Any, record: KafkaRecord) -> None:
        """Write a record, waiting where too many are on their way; its digest is added to."""
        if digest is not None:
            digest.update(_at(record))
        while True:
            try:
                self._producer.produce(
                    self._topic,
                    record.value,
                    record.key,
                    partition=partition,
                    timestamp=max(record.timestamp, EARLIEST_MS),
                    headers=list(record.headers),
                    on_delivery=self._delivered,
                )
            except BufferError:
                self._producer.poll(0.1)
            else:
                self._producer.poll(0)
                return

    def finish(self) -> None:
        """Wait until brokers have all of it."""
        waiting = self._producer.flush(FLUSH_SECONDS)
        if waiting or self._failures:
            why = self._failures[0] if self._failures else "they were not acknowledged in time"
            raise NotCopied(
                f"{self._topic}: Kafka did not take all of the copy ({why}). Run `caseline erase "
                "--resume`, which copies it again"
            )

    def _delivered(self, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            self._failures.append(error.str())


async def digests_of(
    brokers: Brokers, topic: str, spans: Mapping[int, tuple[int, int]], told: Told
) -> dict[int, str]:
    """A digest of each partition in its span; "" where it has not all of that."""
    digests: dict[int, str] = {}
    async with log_reader(brokers, [topic], with_places=True) as reader:
        bounds = await reader.bounds()
        for number, (first, end) in spans.items():
            tp = TP(topic, number)
            digest = hashlib.sha256()
            begins, ends = bounds.get(tp, (0, 0))
            if begins > first or ends < end:
                digests[number] = ""
                continue
            async for _, records in reader.read(tp, first, end):
                for record in records:
                    digest.update(_at(record))
                told(len(records))
            digests[number] = digest.hexdigest()
    return digests


async def _messages(brokers: Brokers, topic: str) -> AsyncIterator[KafkaRecord]:
    """All that lies in a topic, places that are empty too."""
    async with log_reader(brokers, [topic], with_places=True) as reader:
        for tp, (first, end) in (await reader.bounds()).items():
            async for _, records in reader.read(tp, first, end):
                for record in records:
                    yield record


async def bounds_of(reader: LogReader, admin: TopicAdmin) -> dict[TP, tuple[int, int]]:
    """Where each partition begins and ends. Raises OpenTransaction."""
    bounds = await reader.bounds()
    for tp, end in (await asyncio.to_thread(admin.ends, list(bounds))).items():
        if end != bounds[tp][1]:
            raise OpenTransaction(
                f"{tp.topic}[{tp.partition}]: a producer's transaction is open at offset "
                f"{bounds[tp][1]}: let it end, or abort it with Kafka's tools"
            )
    return bounds


def _place(offset: int, at: int, erasure: str) -> KafkaRecord:
    return KafkaRecord(None, None, ((ERASED_HEADER, erasure.encode()),), at, offset)


def _of(record: KafkaRecord) -> bytes:
    """A hash of all of a record but its offset."""
    return hash_of_content(record, b"%d" % max(record.timestamp, EARLIEST_MS))


def _at(record: KafkaRecord) -> bytes:
    """What a digest takes of a record: where it lies, and all of it."""
    return b"%d %s" % (record.offset, _of(record))
