"""Dead letters: what is no event, kept byte for byte with where it was and why it is none.

A dead letter goes to the partition of `<topic>.dead-letter` that it had in its own topic, in
order, with the others of its batch in one transaction. Each partition of a deployment has a
transactional id: who begins with it has brokers refuse whoever had it before, and undo what they
had not finished (KIP-98). So a worker that takes over from one that died, or that was paused and
does not know yet, finds for good what is there of messages that the state has not yet, byte for
byte, and writes it no second time. Nothing else that lies in the topic is believed: others may
write to it, whatever they like.
"""

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, NamedTuple, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    InvalidProducerEpoch,
    InvalidTxnState,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    OutOfOrderSequenceNumber,
    ProducerClosed,
    ProducerFenced,
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
# To begin with a transactional id, and to write all of a batch, take at most so long.
BEGIN_SECONDS, WRITE_SECONDS = 30.0, 60.0
# Brokers undo by themselves what has not been finished for so long.
TRANSACTION_MS = 60_000
# A writer of a partition that had no dead letters for so long is let go.
IDLE_SECONDS = 60.0
TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)
# Somebody else has begun with the transactional id, the brokers have undone what was begun, or it
# was given up here meanwhile.
OVERTAKEN = (
    *(ProducerFenced, InvalidProducerEpoch, InvalidTxnState, OutOfOrderSequenceNumber),
    ProducerClosed,
)


class NotWritten(Understood):
    """A dead letter cannot be written, and trying again does not help: that of `offset`."""

    def __init__(self, offset: int, text: str) -> None:
        super().__init__(text)
        self.offset = offset


class NotWrittenNow(Exception):  # noqa: N818 - named for the condition
    """A dead letter could not be written; trying again may help."""


def dead_letter_topic(topic: str) -> str:
    """Where a topic's dead letters go."""
    return topic + DEAD_LETTER_SUFFIX


def transactional_id(deployment: str, tp: TP) -> str:
    """By what a deployment writes the dead letters of a partition, one process at a time."""
    return f"caseline-dead-letters-{deployment}-{tp.topic}-{tp.partition}"


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


Rejected = tuple[KafkaRecord, Rejection]


class _TooLargeError(Exception):
    """The topic does not take the letter at this position as it is."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


@dataclass
class _LetterWriter:
    """What writes the dead letters of a partition, since it has begun with its transactional id.

    `there` are hashes of those that are there, by the offset of their messages.
    """

    producer: AIOKafkaProducer
    where: TP
    there: dict[int, set[bytes]]
    used: float = field(default_factory=time.monotonic)

    def has(self, letter: KafkaRecord, offset: int) -> bool:
        """Whether a letter of the message at an offset is there."""
        return hash_of_content(letter) in self.there.get(offset, ())

    async def write(self, letters: Sequence[KafkaRecord]) -> int:
        """Write letters in one transaction; the offset after the last.

        Raises _TooLargeError or aiokafka.errors.KafkaError.
        """
        await self.producer.begin_transaction()
        sending: list[asyncio.Future[Any]] = []
        try:
            for position, letter in enumerate(letters):
                try:
                    sending.append(await self._send(letter))
                except TOO_LARGE as error:
                    raise _TooLargeError(position) from error
        finally:
            sent = await asyncio.gather(*sending, return_exceptions=True)
        end = 0
        for position, it in enumerate(sent):
            if isinstance(it, TOO_LARGE):
                raise _TooLargeError(position) from it
            if isinstance(it, BaseException):
                # One that was given up is no reason for its reader to end.
                raise it if isinstance(it, Exception) else KafkaTimeoutError
            end = max(end, int(it.offset) + 1)
        await self.producer.commit_transaction()
        return end

    async def _send(self, letter: KafkaRecord) -> asyncio.Future[Any]:
        sending: asyncio.Future[Any] = await self.producer.send(
            self.where.topic,
            key=letter.key,
            value=letter.value,
            headers=list(letter.headers),
            partition=self.where.partition,
            timestamp_ms=letter.timestamp if letter.timestamp >= 0 else None,
        )
        return sending


class DeadLetters:
    """Writes the dead letters of a deployment, each once, whoever else believes that they should.

    To be left at the end.
    """

    def __init__(self, brokers: Brokers, deployment: str) -> None:
        self._brokers, self._deployment = brokers, deployment
        self._writers: dict[TP, _LetterWriter] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.leave()

    async def leave(self) -> None:
        """Let go of all that is held."""
        for tp in [*self._writers]:
            self.take_over(tp)
        if self._leaving:
            await asyncio.wait(self._leaving)

    def take_over(self, tp: TP) -> None:
        """The partition is ours anew, or no more: what is there is to be looked for."""
        writer = self._writers.pop(tp, None)
        if writer is not None:
            self._let_go(writer.producer)

    async def write(self, tp: TP, rejected: Sequence[Rejected], stored: int, since: int) -> int:
        """Write dead letters and wait until they are safe; but for those written before.

        All of them or none. `stored` is the partition's next offset that is stored, and `since` how
        far its dead-letter partition was known then, which moves on to what this returns. Raises
        NotWritten or NotWrittenNow.
        """
        if not rejected:
            return since
        self._let_idle_go()
        stubs: set[int] = set()
        while True:
            try:
                return max(since, await self._write(tp, rejected, stubs, stored, since))
            except _TooLargeError as error:
                self.take_over(tp)  # what was begun is undone by beginning anew
                offset = rejected[error.position][0].offset
                if offset in stubs:
                    text = f"{dead_letter_topic(tp.topic)} does not take it, nor a stub of it"
                    raise NotWritten(offset, f"{text}: {error.__cause__!r}") from error
                stubs.add(offset)
            except (KafkaError, OSError, ReadTimedOut) as error:
                self.take_over(tp)
                text = f"{dead_letter_topic(tp.topic)} does not take dead letters: {error!r}"
                if _is_final(error):
                    raise NotWritten(rejected[0][0].offset, text) from error
                raise NotWrittenNow(text) from error
            except BaseException:
                self.take_over(tp)
                raise

    async def _write(
        self, tp: TP, rejected: Sequence[Rejected], stubs: set[int], stored: int, since: int
    ) -> int:
        """Write those that are not there; the offset after the last, 0 for none."""
        writer = self._writers.get(tp) or await self._begin(tp, rejected[0][0], stored, since)
        missing: list[tuple[int, KafkaRecord]] = []
        for position, (record, rejection) in enumerate(rejected):
            stub = stub_of(tp, record, rejection)
            whole = record._replace(headers=tuple(headers_of(tp, record, rejection)))
            if not writer.has(whole, record.offset) and not writer.has(stub, record.offset):
                missing.append((position, stub if record.offset in stubs else whole))
        writer.used = time.monotonic()
        if not missing:
            return 0
        try:
            async with asyncio.timeout(WRITE_SECONDS):
                end = await writer.write([letter for _, letter in missing])
        except _TooLargeError as error:
            raise _TooLargeError(missing[error.position][0]) from error.__cause__
        for position, letter in missing:
            hashes = writer.there.setdefault(rejected[position][0].offset, set())
            hashes.add(hash_of_content(letter))
        return end

    async def _begin(self, tp: TP, first: KafkaRecord, stored: int, since: int) -> _LetterWriter:
        """Have all who wrote dead letters of the partition be refused, and look what is there."""
        topic = dead_letter_topic(tp.topic)
        producer = acknowledged_producer(
            self._brokers,
            transactional_id=transactional_id(self._deployment, tp),
            transaction_timeout_ms=TRANSACTION_MS,
            max_request_size=LARGEST_BYTES,
        )
        try:
            async with asyncio.timeout(BEGIN_SECONDS):
                await producer.start()
            # A topic made by hand may lack partitions; what it has will do.
            partitions = sorted(await private.partitions_of_known(producer, topic))
            if not partitions:
                text = f"there is no topic {topic}: run `caseline topics create`"
                raise NotWritten(first.offset, text)
            where = TP(topic, partitions[tp.partition % len(partitions)])
            writer = _LetterWriter(producer, where, await self._written(tp, where, stored, since))
        except BaseException:
            self._let_go(producer)
            raise
        self._writers[tp] = writer
        return writer

    def stored(self, tp: TP, offset: int) -> None:
        """The state is stored up to the offset: what was written before will not come again."""
        writer = self._writers.get(tp)
        if writer is not None and len(writer.there) > HASHES_KEPT:
            writer.there = {at: hashes for at, hashes in writer.there.items() if at >= offset}

    def _let_idle_go(self) -> None:
        idle = time.monotonic() - IDLE_SECONDS
        for tp in [tp for tp, writer in self._writers.items() if writer.used < idle]:
            self.take_over(tp)

    def _let_go(self, producer: AIOKafkaProducer) -> None:
        """Give a producer up, without waiting for it."""
        task = asyncio.ensure_future(_given_up(producer))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

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


def _is_final(error: Exception) -> bool:
    """Whether trying again does not help."""
    if not isinstance(error, KafkaError) or isinstance(error, (KafkaTimeoutError, *OVERTAKEN)):
        return False
    return not error.retriable


async def _given_up(producer: AIOKafkaProducer) -> None:
    with suppress(KafkaError, OSError):
        await private.give_up(producer)


def _letters(records: Iterable[KafkaRecord]) -> Iterable[tuple[KafkaRecord, DeadLetter]]:
    for record in records:
        letter = dead_letter(record)
        if letter is not None:
            yield record, letter
