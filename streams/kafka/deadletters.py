"""Dead letters: what is no event, kept byte for byte with where it was and why it is none.

A dead letter goes to the partition of `<topic>.dead-letter` that it had in its own topic, in
order, so that the last one there tells a new owner of the partition which were written before it.
"""

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from aiokafka import AIOKafkaProducer

from processors.record.decoding import Rejection
from schemas.connections import Brokers
from schemas.events.registry import DEAD_LETTER_SUFFIX, VALIDATORS
from streams.kafka.batches import TP, Record
from streams.kafka.logreading import log_reader

# Kafka Connect's header names, which dead-letter tools know.
PREFIX = "__connect.errors."
TOPIC, PARTITION, OFFSET = (f"{PREFIX}{name}" for name in ("topic", "partition", "offset"))
STAGE, CLASS, EXCEPTION, MESSAGE = (
    f"{PREFIX}{name}"
    for name in ("stage", "class.name", "exception.class.name", "exception.message")
)
ADDED = (TOPIC, PARTITION, OFFSET, STAGE, CLASS, EXCEPTION, MESSAGE)
# A dead letter is larger than its message by the headers added, and may be many times larger than
# what brokers took, since that may have been compressed.
LARGEST_BYTES = 16 << 20


def dead_letter_topic(topic: str) -> str:
    """Where a topic's dead letters go."""
    return topic + DEAD_LETTER_SUFFIX


def headers_of(
    tp: TP,
    record: Record,
    rejection: Rejection,
    stage: str = "VALUE_CONVERTER",
    by: str = "processors.decoding",
) -> list[tuple[str, bytes]]:
    """The record's own headers, and after them where it was and why, and by what, it was rejected.

    `stage` is one of Kafka Connect's.
    """
    added = {
        TOPIC: tp.topic,
        PARTITION: str(tp.partition),
        OFFSET: str(record.offset),
        STAGE: stage,
        CLASS: by,
        EXCEPTION: rejection.reason,
        MESSAGE: rejection.message,
    }
    return [*record.headers, *((name, text.encode()) for name, text in added.items())]


def offset_of(headers: Sequence[tuple[str, bytes]]) -> int:
    """The offset a dead letter had in its own topic, -1 where it does not say."""
    return int(dict(headers).get(OFFSET, b"-1"))


class DeadLetter(NamedTuple):
    """A dead letter as it was read back: the record as it came, and what its headers add."""

    tp: TP
    offset: int
    reason: str
    message: str
    record: Record


async def read_dead_letters(
    brokers: Brokers, topics: Sequence[str] = tuple(VALIDATORS)
) -> AsyncIterator[DeadLetter]:
    """Every dead letter of the topics, by topic, partition and offset in its own topic.

    One that a worker wrote again, because it died before the state was stored, comes once. What
    other programs may have put there is passed over.
    """
    seen: set[tuple[object, ...]] = set()
    async with log_reader(brokers, [dead_letter_topic(topic) for topic in topics]) as reader:
        for letters, (first, end) in (await reader.bounds()).items():
            async for _, records in reader.read(letters, first, end):
                for letter in filter(None, map(_dead_letter, records)):
                    told = (letter.tp, letter.offset, letter.record.key, letter.record.headers)
                    if told not in seen:
                        seen.add(told)
                        yield letter


def _dead_letter(record: Record) -> DeadLetter | None:
    """Take the headers added off the end; None for a record without them."""
    own, last = record.headers[: -len(ADDED)], record.headers[-len(ADDED) :]
    if tuple(name for name, _ in last) != ADDED:
        return None
    added = {name: text.decode() for name, text in last}
    return DeadLetter(
        TP(added[TOPIC], int(added[PARTITION])),
        int(added[OFFSET]),
        added[EXCEPTION],
        added[MESSAGE],
        record._replace(headers=own),
    )


class DeadLetters:
    """Writes dead letters, each once as long as one worker at a time owns a partition."""

    def __init__(self, producer: AIOKafkaProducer, brokers: Brokers) -> None:
        self._producer = producer
        self._brokers = brokers
        self._written: dict[TP, int] = {}

    async def take_over(self, tp: TP) -> None:
        """Find out up to which offset the partition's dead letters were written already."""
        letters = TP(dead_letter_topic(tp.topic), tp.partition)
        self._written[tp] = -1
        async with log_reader(self._brokers, [letters.topic]) as reader:
            first, end = (await reader.bounds()).get(letters, (0, 0))
            if end > first:
                async for _, records in reader.read(letters, end - 1, end):
                    self._written[tp] = max(offset_of(record.headers) for record in records)

    async def write(self, tp: TP, record: Record, rejection: Rejection) -> None:
        """Write one dead letter and wait until it is safe; nothing if it was written before."""
        if record.offset <= self._written.get(tp, -1):
            return
        await self._producer.send_and_wait(
            dead_letter_topic(tp.topic),
            key=record.key,
            value=record.value,
            headers=headers_of(tp, record, rejection),
            partition=tp.partition,
            timestamp_ms=record.timestamp if record.timestamp >= 0 else None,
        )
        self._written[tp] = record.offset
