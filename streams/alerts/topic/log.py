"""Reading the `alerts` topic: this deployment's changes, as transactions have committed them."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from schemas.alerts import ALERTS_TOPIC, CaseChange, IndicatorChange
from streams.alerts.topic.publishing import DEPLOYMENT_HEADER
from streams.failures import Understood
from streams.kafka import private
from streams.state.open_alerts import parsed

PARTITION = TopicPartition(ALERTS_TOPIC, 0)
# Changes that are read at a time where nothing is done about them.
CHANGES_READ = 5_000

# Kafka's clients log each attempt to reach a broker that is away.
RETRY_MS = 1_000
# Seconds that a new topic may take to be known.
PATIENCE = 5.0
POLL_SECONDS = 0.2

log = logging.getLogger(__name__)


class OtherLog(Understood):
    """The topic is not there, or not the one that was read before."""


class Published(NamedTuple):
    """A change and where it lies in the topic."""

    offset: int
    change: CaseChange | IndicatorChange


class AlertLog:
    """A reader of the topic, in no consumer group. Raises aiokafka.errors.KafkaError."""

    def __init__(self, consumer: AIOKafkaConsumer, deployment: str) -> None:
        self._consumer = consumer
        self._deployment = deployment.encode()
        self._stands_at = -1

    async def end(self) -> int:
        """The offset after the last change that is committed."""
        ends: dict[TopicPartition, int] = await self._consumer.end_offsets([PARTITION])
        return ends[PARTITION]

    @property
    def behind(self) -> int:
        """How many offsets are yet to be read, those of transactions under way included.

        At least 1 until the broker has said how many there are.
        """
        end = self._consumer.highwater(PARTITION)
        return 1 if end is None else max(0, end - self._stands_at)

    async def read(self, start: int, most: int, wait_ms: int) -> tuple[list[Published], int]:
        """At most so many changes from an offset on, and the offset to go on from.

        Waits a little where there are none. Raises OtherLog when the topic does not go so far.
        """
        if start != self._stands_at:  # to seek is to forget what was fetched ahead
            self._consumer.seek(PARTITION, start)
        try:
            found = await self._consumer.getmany(PARTITION, timeout_ms=wait_ms, max_records=most)
        except OffsetOutOfRangeError as error:
            raise OtherLog(
                f"{ALERTS_TOPIC}: there is no offset {start}: this is another Kafka than the one "
                "that alerts were told from before"
            ) from error
        records = found.get(PARTITION, [])
        changes = [it for it in map(self._published, records) if it]
        # Markers of transactions take offsets without being records.
        self._stands_at = await self._consumer.position(PARTITION)
        return changes, self._stands_at

    def _published(self, record: ConsumerRecord) -> Published | None:
        """A change of this deployment's; None for anything else."""
        if dict(record.headers).get(DEPLOYMENT_HEADER) != self._deployment:
            return None
        change = parsed(record.value or b"")
        if change is None:
            log.error("no change, passed over", extra={"offset": record.offset})
            return None
        return Published(record.offset, change)


@asynccontextmanager
async def alert_log(brokers: str, deployment: str, wait_ms: int) -> AsyncIterator[AlertLog]:
    """A reader, for as long as the context lasts. Raises OtherLog when there is no topic.

    The broker is asked again after `wait_ms` without anything new.
    """
    consumer = AIOKafkaConsumer(
        bootstrap_servers=brokers,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        fetch_max_wait_ms=wait_ms,
        retry_backoff_ms=RETRY_MS,
    )
    try:
        await consumer.start()
        await _find_topic(consumer)
        consumer.assign([PARTITION])
        yield AlertLog(consumer, deployment)
    finally:
        await consumer.stop()


async def _find_topic(consumer: AIOKafkaConsumer) -> None:
    """Wait a moment for the topic, which may have been created just now. Raises OtherLog."""
    deadline = time.monotonic() + PATIENCE
    while not await private.partitions_of(consumer, ALERTS_TOPIC):
        if time.monotonic() > deadline:
            raise OtherLog(f"there is no topic {ALERTS_TOPIC}: run `caseline topics create`")
        await asyncio.sleep(POLL_SECONDS)
