"""Reading a stretch of the log outside of any consumer group."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.connections import Brokers
from streams.failures import Understood
from streams.kafka.batches import TP, Record
from streams.kafka.clients import for_aiokafka

# How long to wait for records that the broker says are there.
READ_TIMEOUT_MS = 30_000
RECORDS_AT_ONCE = 20_000


class ReadTimedOut(Understood):
    """The broker did not give records that it says are there."""


class LogReader:
    """Reads what lies in Kafka between offsets. Raises aiokafka.errors.KafkaError."""

    def __init__(self, consumer: AIOKafkaConsumer, partitions: list[TopicPartition]) -> None:
        self._consumer = consumer
        self._partitions = partitions

    async def bounds(self) -> dict[TP, tuple[int, int]]:
        """First offset and end of every partition of the reader's topics that are there."""
        first = await self._consumer.beginning_offsets(self._partitions)
        end = await self._consumer.end_offsets(self._partitions)
        return {TP(*tp): (first[tp], end[tp]) for tp in self._partitions}

    async def read(self, tp: TP, start: int, end: int) -> AsyncIterator[tuple[int, list[Record]]]:
        """Records from `start` up to, not including, `end`, with the offset after each batch.

        Raises ReadTimedOut when the broker falls silent before the end.
        """
        partition = TopicPartition(*tp)
        self._consumer.assign([partition])
        self._consumer.seek(partition, start)
        position = start
        while position < end:
            found = await self._consumer.getmany(
                timeout_ms=READ_TIMEOUT_MS, max_records=RECORDS_AT_ONCE
            )
            # Markers and compacted records take offsets without being records.
            reached = min(await self._consumer.position(partition), end)
            if reached == position:
                raise ReadTimedOut(f"{tp.topic}[{tp.partition}]: no answer at offset {position}")
            position = reached
            yield (
                position,
                [
                    Record(it.key, it.value, tuple(it.headers), it.timestamp, it.offset)
                    for it in found.get(partition, ())
                    if it.offset < end
                ],
            )


@asynccontextmanager
async def log_reader(brokers: Brokers, topics: Iterable[str]) -> AsyncIterator[LogReader]:
    """A reader of those of the topics that are there, for as long as the context lasts."""
    consumer = AIOKafkaConsumer(
        **for_aiokafka(brokers), enable_auto_commit=False, auto_offset_reset="none"
    )
    try:
        await consumer.start()
        # All that is there, as `consumer.topics` learns it: to ask for one topic that is not
        # there is to wait for it.
        cluster = await consumer._client.fetch_all_metadata()
        partitions = [
            TopicPartition(topic, partition)
            for topic in topics
            for partition in sorted(cluster.partitions_for_topic(topic) or ())
        ]
        yield LogReader(consumer, partitions)
    finally:
        await consumer.stop()
