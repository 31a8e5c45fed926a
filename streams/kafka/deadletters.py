"""Dead letters: what is no event, kept byte for byte with where it was and why it is none.

A dead letter goes to the partition of `<topic>.dead-letter` that it had in its own topic, in
order. A worker that takes over from one that died between writing dead letters and storing its
state finds those that are there, byte for byte, and writes them no second time. Nothing else that
lies in the topic is believed: others may write to it, whatever they like.
"""

import hashlib
import json
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)

from processors.record.decoding import Rejection
from schemas.connection_settings import Brokers
from schemas.events.registry import DEAD_LETTER_SUFFIX, VALIDATORS
from streams.failures import Understood
from streams.kafka import private
from streams.kafka.batches import TP, KafkaRecord, hash_of_content
from streams.kafka.clients import acknowledged_producer
from streams.kafka.logreading import ReadTimedOut, log_reader

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
# The content type of what stands in the place of a message too large for the topic.
STUB = b"application/vnd.caseline.stub+json"
# Dead letters whose hashes are kept before those that are stored with the state are forgotten.
HASHES_KEPT = 10_000
# A worker that wrote none for longer may have been paused, and another may have written since.
UNWATCHED_SECONDS = 0.5


class NotWritten(Understood):
    """A dead letter cannot be written, and trying again does not help."""


class NotWrittenNow(Exception):  # noqa: N818 - named for the condition
    """A dead letter could not be written; trying again may help."""


def dead_letter_topic(topic: str) -> str:
    """Where a topic's dead letters go."""
    return topic + DEAD_LETTER_SUFFIX


def headers_of(
    tp: TP,
    record: KafkaRecord,
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


def stub_of(tp: TP, record: KafkaRecord, rejection: Rejection) -> KafkaRecord:
    """What stands for a record too large for the dead-letter topic: where it lies, and a hash."""
    about = {
        "topic": tp.topic,
        "partition": tp.partition,
        "offset": record.offset,
        "bytes": _size(record),
        "value_sha256": hashlib.sha256(record.value or b"").hexdigest(),
        "key_sha256": hashlib.sha256(record.key or b"").hexdigest(),
    }
    text = f"{rejection.message} (too large for the dead-letter topic: this stands for it)"
    return record._replace(
        key=None,
        value=json.dumps(about).encode(),
        headers=tuple(
            headers_of(
                tp,
                record._replace(headers=(("content-type", STUB),)),
                rejection._replace(message=text),
            )
        ),
    )


def _size(record: KafkaRecord) -> int:
    parts = [record.key, record.value, *(text for _, text in record.headers)]
    return sum(map(len, filter(None, parts)))


class DeadLetter(NamedTuple):
    """A dead letter as it was read back: the record as it came, and what its headers add."""

    tp: TP
    offset: int
    reason: str
    message: str
    record: KafkaRecord

    @property
    def is_stub(self) -> bool:
        """Whether it only stands for a message, which was too large."""
        return self.record.headers == (("content-type", STUB),)


async def read_dead_letters(
    brokers: Brokers, topics: Sequence[str] = tuple(VALIDATORS)
) -> AsyncIterator[DeadLetter]:
    """Every dead letter of the topics, by topic, partition and offset in its own topic.

    One that a worker wrote again, because it died before the state was stored, comes once. What
    other programs may have put there is passed over, unless it looks like one in every way.
    """
    seen: set[tuple[object, ...]] = set()
    async with log_reader(brokers, [dead_letter_topic(topic) for topic in topics]) as reader:
        for letters, (first, end) in (await reader.bounds()).items():
            async for _, records in reader.read(letters, first, end):
                for letter in filter(None, map(dead_letter, records)):
                    if dead_letter_topic(letter.tp.topic) != letters.topic:
                        continue
                    told = (letter.tp, letter.offset, letter.record.key, letter.record.headers)
                    if told not in seen:
                        seen.add(told)
                        yield letter


def dead_letter(record: KafkaRecord) -> DeadLetter | None:
    """Take the headers added off the end; None for a record that has none or odd ones."""
    own, last = record.headers[: -len(ADDED)], record.headers[-len(ADDED) :]
    if tuple(name for name, _ in last) != ADDED:
        return None
    try:
        added = {name: text.decode() for name, text in last}
        tp, offset = TP(added[TOPIC], _number(added[PARTITION])), _number(added[OFFSET])
    except (AttributeError, ValueError):  # no value, no UTF-8, no number
        return None
    return DeadLetter(tp, offset, added[EXCEPTION], added[MESSAGE], record._replace(headers=own))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise ValueError("not an offset or partition")
    return int(text)


def dead_letter_producer(brokers: Brokers) -> AIOKafkaProducer:
    """The producer of dead letters, not started."""
    return acknowledged_producer(brokers, max_request_size=LARGEST_BYTES)


class DeadLetters:
    """Writes dead letters, each once as long as one worker at a time owns a partition.

    A worker that was paused, and does not know yet that another has its partitions, looks again at
    what is there before it writes. `clock` tells seconds that go on while a process is paused.
    """

    def __init__(
        self,
        producer: AIOKafkaProducer,
        brokers: Brokers,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._producer = producer
        self._brokers = brokers
        self._clock = clock
        # When the last dead letter of each partition was about to be written.
        self._wrote: dict[TP, float] = {}
        # Of each partition whose dead letters were looked for: hashes of those that are there.
        self._there: dict[TP, dict[int, set[bytes]]] = {}

    def take_over(self, tp: TP) -> None:
        """The partition is ours now; another worker may have written dead letters of it."""
        self._there.pop(tp, None)

    async def write(
        self, tp: TP, record: KafkaRecord, rejection: Rejection, stored: int, since: int
    ) -> int:
        """Write one dead letter and wait until it is safe; nothing if it was written before.

        `stored` is the partition's next offset that is stored, and `since` how far its
        dead-letter partition was known then, which moves on to what this returns. Raises
        NotWritten or NotWrittenNow.
        """
        where = TP(dead_letter_topic(tp.topic), tp.partition)
        try:
            # A topic made by hand may lack partitions; what it has will do.
            partitions = sorted(await private.partitions_of_known(self._producer, where.topic))
            if not partitions:
                raise NotWritten(f"there is no topic {where.topic}: run `caseline topics create`")
            where = where._replace(partition=partitions[tp.partition % len(partitions)])
            now = self._clock()
            if tp not in self._there or now - self._wrote[tp] > UNWATCHED_SECONDS:
                self._there[tp] = await self._written(tp, where, stored, since)
            self._wrote[tp] = now
            return max(since, await self._write(tp, where, record, rejection))
        except (KafkaError, OSError, ReadTimedOut) as error:
            text = f"{where.topic}[{where.partition}] does not take it: {error!r}"
            is_final = isinstance(error, KafkaError) and not (
                error.retriable or isinstance(error, KafkaTimeoutError)
            )
            raise (NotWritten if is_final else NotWrittenNow)(text) from error

    async def _write(self, tp: TP, where: TP, record: KafkaRecord, rejection: Rejection) -> int:
        whole = record._replace(headers=tuple(headers_of(tp, record, rejection)))
        stub = stub_of(tp, record, rejection)
        there = self._there[tp].get(record.offset, set())
        if {hash_of_content(whole), hash_of_content(stub)} & there:
            return 0
        try:
            written, end = whole, await self._send(where, whole)
        except (MessageSizeTooLargeError, RecordListTooLargeError):
            written, end = stub, await self._send(where, stub)
        self._there[tp].setdefault(record.offset, set()).add(hash_of_content(written))
        return end

    def stored(self, tp: TP, offset: int) -> None:
        """The state is stored up to the offset: what was written before will not come again."""
        there = self._there.get(tp, {})
        if len(there) > HASHES_KEPT:
            self._there[tp] = {at: hashes for at, hashes in there.items() if at >= offset}

    async def _send(self, where: TP, letter: KafkaRecord) -> int:
        """Write a letter; the offset after it."""
        sent = await self._producer.send_and_wait(
            where.topic,
            key=letter.key,
            value=letter.value,
            headers=list(letter.headers),
            partition=where.partition,
            timestamp_ms=letter.timestamp if letter.timestamp >= 0 else None,
        )
        return int(sent.offset) + 1

    async def _written(self, tp: TP, where: TP, stored: int, since: int) -> dict[int, set[bytes]]:
        """Hashes of the dead letters that are there, of messages that the state has not yet."""
        found: dict[int, set[bytes]] = {}
        async with log_reader(self._brokers, [where.topic]) as reader:
            first, end = (await reader.bounds()).get(where, (0, 0))
            start = since if first <= since <= end else first
            async for _, records in reader.read(where, start, end):
                for record, letter in _letters(records):
                    if letter.tp == tp and letter.offset >= stored:
                        found.setdefault(letter.offset, set()).add(hash_of_content(record))
        return found


def _letters(records: Iterable[KafkaRecord]) -> Iterable[tuple[KafkaRecord, DeadLetter]]:
    for record in records:
        letter = dead_letter(record)
        if letter is not None:
            yield record, letter
