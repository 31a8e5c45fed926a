"""Reading the `alerts` topic: this deployment's changes, as transactions have committed them."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from schemas.alerts import ALERTS_TOPIC, CaseChange, IndicatorChange
from schemas.connection_settings import Brokers
from streams.kafka import private
from streams.kafka.clients import for_aiokafka
from streams.kafka.decided import DEPLOYMENT_HEADER, OtherDecisions, find_topic
from streams.state.open_alerts import parsed

PARTITION = TopicPartition(ALERTS_TOPIC, 0)
# Changes that are read at a time where nothing is done about them.
CHANGES_READ = 5_000

# Kafka's clients log each attempt to reach a broker that is away.
RETRY_MS = 1_000

log = logging.getLogger(__name__)


class ChangeInTopic(NamedTuple):
    """A change and where it lies in the topic; and since when, by Kafka's clock, if it does."""

    offset: int
    change: CaseChange | IndicatorChange
    at: datetime | None = None


class TopicReader:
    """A reader of one partition, in no consumer group. Raises aiokafka.errors.KafkaError."""

    def __init__(self, consumer: AIOKafkaConsumer, partition: TopicPartition) -> None:
        self._consumer = consumer
        self._partition = partition
        self._stands_at = -1

    async def end(self) -> int:
        """The offset after the last message that is committed."""
        ends: dict[TopicPartition, int] = await self._consumer.end_offsets([self._partition])
        return ends[self._partition]

    @property
    def behind(self) -> int:
        """How many offsets are yet to be read, those of transactions under way included.

        At least 1 until the broker has said how many there are.
        """
        end = self._consumer.highwater(self._partition)
        return 1 if end is None else max(0, end - self._stands_at)

    async def records(
        self, start: int, most: int, wait_ms: int
    ) -> tuple[list[ConsumerRecord], int]:
        """At most so many messages from an offset on, and the offset to go on from.

        Waits a little where there are none. Raises OtherLog when the topic does not go so far.
        """
        partition = self._partition
        if start != self._stands_at:  # to seek is to forget what was fetched ahead
            self._consumer.seek(partition, start)
        try:
            found = await self._consumer.getmany(partition, timeout_ms=wait_ms, max_records=most)
        except OffsetOutOfRangeError as error:
            raise OtherDecisions(
                f"{partition.topic}: there is no offset {start}: this is another Kafka than the "
                "one that alerts were told from before"
            ) from error
        # Markers of transactions take offsets without being records.
        self._stands_at = await self._consumer.position(partition)
        return found.get(partition, []), self._stands_at


class AlertLog(TopicReader):
    """A reader of the topic of alerts."""

    def __init__(self, consumer: AIOKafkaConsumer, deployment: str) -> None:
        super().__init__(consumer, PARTITION)
        self._deployment = deployment.encode()

    async def read(self, start: int, most: int, wait_ms: int) -> tuple[list[ChangeInTopic], int]:
        """The changes among what `records` gives."""
        found, after = await self.records(start, most, wait_ms)
        return [it for it in map(self._published, found) if it], after

    def _published(self, record: ConsumerRecord) -> ChangeInTopic | None:
        """A change of this deployment's; None for anything else."""
        if dict(record.headers).get(DEPLOYMENT_HEADER) != self._deployment:
            return None
        change = parsed(record.value or b"")
        if change is None:
            log.error("no change, passed over", extra={"offset": record.offset})
            return None
        at = datetime.fromtimestamp(record.timestamp / 1000, UTC)
        return ChangeInTopic(record.offset, change, at)


@asynccontextmanager
async def alert_log(brokers: Brokers, deployment: str, wait_ms: int) -> AsyncIterator[AlertLog]:
    """A reader, for as long as the context lasts. Raises OtherLog when there is no topic.

    The broker is asked again after `wait_ms` without anything new.
    """
    async with _consumer(brokers, PARTITION, wait_ms) as consumer:
        yield AlertLog(consumer, deployment)


@asynccontextmanager
async def topic_reader(
    brokers: Brokers, partition: TopicPartition, wait_ms: int
) -> AsyncIterator[TopicReader]:
    """A reader of any partition, as `alert_log` is one of alerts."""
    async with _consumer(brokers, partition, wait_ms) as consumer:
        yield TopicReader(consumer, partition)


@asynccontextmanager
async def _consumer(
    brokers: Brokers, partition: TopicPartition, wait_ms: int
) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        **for_aiokafka(brokers),
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        fetch_max_wait_ms=wait_ms,
        retry_backoff_ms=RETRY_MS,
    )
    try:
        await consumer.start()
        topic = partition.topic
        await find_topic(topic, lambda: private.partitions_of(consumer, topic))
        consumer.assign([partition])
        yield consumer
    finally:
        await consumer.stop()
