"""Reading a stretch of the log outside of any consumer group."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from schemas.connection_settings import Brokers
from streams.failures import Understood
from streams.kafka import private
from streams.kafka.batches import TP, KafkaRecord, is_message
from streams.kafka.clients import for_aiokafka

# How long to wait for records that the broker says are there.
READ_TIMEOUT_MS = 30_000
RECORDS_AT_ONCE = 20_000


class ReadTimedOut(Understood):
    """The broker did not give records that it says are there."""


class LogReader:
    """Reads what is committed in Kafka between offsets. Raises aiokafka.errors.KafkaError.

    Places that erasures left empty are no records, unless they are asked for.
    """

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        partitions: list[TopicPartition],
        *,
        with_places: bool = False,
    ) -> None:
        self._consumer = consumer
        self._partitions = partitions
        self._with_places = with_places

    async def bounds(self) -> dict[TP, tuple[int, int]]:
        """First offset and end of every partition of the reader's topics that are there.

        The end is the last stable offset: before it no transaction is open.
        """
        first = await self._consumer.beginning_offsets(self._partitions)
        end = await self._consumer.end_offsets(self._partitions)
        return {TP(*tp): (first[tp], end[tp]) for tp in self._partitions}

    async def offsets_at(self, moment: datetime) -> dict[TP, int]:
        """Of each partition the first offset that was written at a moment or later, by the log.

        The end of one that nothing was written to since.
        """
        since = max(0, int(moment.timestamp() * 1_000))
        found = await self._consumer.offsets_for_times(dict.fromkeys(self._partitions, since))
        end = await self._consumer.end_offsets(self._partitions)
        return {
            TP(*tp): found[tp].offset if found.get(tp) is not None else end[tp]
            for tp in self._partitions
        }

    async def read(
        self, tp: TP, start: int, end: int
    ) -> AsyncIterator[tuple[int, list[KafkaRecord]]]:
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
                    _record(it)
                    for it in found.get(partition, ())
                    if it.offset < end and (self._with_places or is_message(it))
                ],
            )

    async def describe(self) -> private.Described:
        """Which logs the reader's topics are."""
        return await private.describe(self._consumer, {tp.topic for tp in self._partitions})

    async def first_records(self, offsets: Mapping[TP, int]) -> dict[TP, KafkaRecord]:
        """Of each partition the record at an offset; none for one that is not there (any more).

        Raises ReadTimedOut when the broker falls silent.
        """
        waiting = {TopicPartition(*tp): offset for tp, offset in offsets.items()}
        found: dict[TP, KafkaRecord] = {}
        if not waiting:
            return found
        first = await self._consumer.beginning_offsets(list(waiting))
        end = await self._consumer.end_offsets(list(waiting))
        waiting = {tp: it for tp, it in waiting.items() if first[tp] <= it < end[tp]}
        self._consumer.assign(list(waiting))
        for tp, offset in waiting.items():
            self._consumer.seek(tp, offset)
        while waiting:
            before = {tp: await self._consumer.position(tp) for tp in waiting}
            for tp, records in (
                await self._consumer.getmany(*waiting, timeout_ms=READ_TIMEOUT_MS)
            ).items():
                found |= {
                    TP(*tp): _record(it)
                    for it in records
                    if it.offset == waiting[tp] and is_message(it)
                }
            arrived = [tp for tp in waiting if await self._consumer.position(tp) > before[tp]]
            if not arrived:
                raise ReadTimedOut(f"no answer for {', '.join(map(str, waiting))}")
            for tp in arrived:
                del waiting[tp]
                self._consumer.pause(tp)
        return found


def _record(it: ConsumerRecord) -> KafkaRecord:
    return KafkaRecord(it.key, it.value, tuple(it.headers), it.timestamp, it.offset)


@asynccontextmanager
async def log_reader(
    brokers: Brokers, topics: Iterable[str], *, with_places: bool = False
) -> AsyncIterator[LogReader]:
    """A reader of those of the topics that are there, for as long as the context lasts.

    `with_places` also gives the places that erasures left empty.
    """
    private.check()
    consumer = AIOKafkaConsumer(
        **for_aiokafka(brokers),
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
    )
    try:
        await consumer.start()
        partitions = [
            TopicPartition(topic, partition)
            for topic in topics
            for partition in sorted(await private.partitions_of(consumer, topic))
        ]
        yield LogReader(consumer, partitions, with_places=with_places)
    finally:
        await consumer.stop()
