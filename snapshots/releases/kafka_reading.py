"""Reading the log up to exactly the offsets of a cut, with a client of its own.

kafka-python reads here, where workers read with aiokafka: the second computation shares as little
as it can with the first. It reads committed records alone, as workers do.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from processors.record.erased import erasure_at
from schemas.connection_settings import Brokers
from schemas.release import PassedOver, Position
from snapshots.recount.disk import LogRecord
from snapshots.releases.any_headers import read_any_header
from snapshots.releases.log_clients import for_kafka_python
from snapshots.releases.release_failures import LogUnreadable

POLL_MS = 1_000
POLL_RECORDS = 5_000
# As much as the broker gives at once, of all partitions together, but for a message that is larger.
FETCH_BYTES = 4 << 20
# How many times in a row the broker may have nothing, though there is something.
MOST_SILENCES = 30


@contextmanager
def _reader(brokers: Brokers) -> Iterator[KafkaConsumer]:
    """A consumer outside of any group. Raises LogUnreadable for what Kafka says of itself."""
    read_any_header()
    try:
        consumer = KafkaConsumer(
            **for_kafka_python(brokers),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_poll_records=POLL_RECORDS,
            fetch_max_bytes=FETCH_BYTES,
        )
        try:
            yield consumer
        finally:
            consumer.close()
    except KafkaError as error:
        raise LogUnreadable(f"Kafka at {brokers} cannot be read: {error}") from error


def log_ends(brokers: Brokers, topics: Sequence[str]) -> list[Position]:
    """Where each partition of the topics ends now, in order: before that no transaction is open.

    Raises LogUnreadable.
    """
    with _reader(brokers) as consumer:
        partitions = [
            TopicPartition(topic, number)
            for topic in topics
            for number in sorted(_partitions(consumer, topic))
        ]
        ends = consumer.end_offsets(partitions)
    return [Position(topic=tp.topic, partition=tp.partition, offset=ends[tp]) for tp in partitions]


def read_log(
    brokers: Brokers,
    cut: Sequence[Position],
    passed_over: Sequence[PassedOver] = (),
    erased: Counter[str] | None = None,
) -> Iterator[list[LogRecord]]:
    """All records before the cut's offsets but those passed over, some at a time.

    Each partition's are in order. How many messages of each erasure are gone is added to `erased`,
    by its number. Raises LogUnreadable when the broker cannot be reached or falls silent, when the
    log does not go that far, or when it no longer begins where it is known to.
    """
    ends = {TopicPartition(it.topic, it.partition): it.offset for it in cut if it.offset}
    known = {TopicPartition(it.topic, it.partition): it.begins for it in cut}
    with _reader(brokers) as consumer:
        first, last = consumer.beginning_offsets(list(ends)), consumer.end_offsets(list(ends))
        for tp, end in ends.items():
            if first[tp] > known[tp] or last[tp] < end:
                raise LogUnreadable(
                    f"{tp.topic}[{tp.partition}]: the log has offsets {first[tp]} to {last[tp]}, "
                    f"but {known[tp]} to {end} are needed: events are gone, or this is another "
                    "Kafka"
                )
        left_out = {(it.topic, it.partition, it.offset) for it in passed_over}
        for records in _read(consumer, ends, erased):
            yield [it for it in records if it[:3] not in left_out] if left_out else records


def read_committed(brokers: Brokers, topic: str) -> Iterator[list[LogRecord]]:
    """All that transactions have written to a topic. Raises LogUnreadable."""
    with _reader(brokers) as consumer:
        tps = [TopicPartition(topic, number) for number in _partitions(consumer, topic)]
        ends = {tp: end for tp, end in consumer.end_offsets(tps).items() if end}
        yield from _read(consumer, ends)


def _partitions(consumer: KafkaConsumer, topic: str) -> set[int]:
    found: set[int] | None = consumer.partitions_for_topic(topic)
    if not found:
        raise LogUnreadable(f"there is no topic {topic}: run `caseline topics create`")
    return found


def _read(
    consumer: KafkaConsumer, ends: dict[TopicPartition, int], erased: Counter[str] | None = None
) -> Iterator[list[LogRecord]]:
    consumer.assign(list(ends))
    for tp in ends:
        consumer.seek_to_beginning(tp)
    silences = 0
    while waiting := {tp: consumer.position(tp) for tp in ends if consumer.position(tp) < ends[tp]}:
        consumer.pause(*(ends.keys() - waiting.keys() - consumer.paused()))
        found = consumer.poll(timeout_ms=POLL_MS)
        has_moved = any(consumer.position(tp) > before for tp, before in waiting.items())
        silences = 0 if has_moved else silences + 1
        if silences > MOST_SILENCES:
            names = ", ".join(f"{tp.topic}[{tp.partition}]" for tp in sorted(waiting))
            raise LogUnreadable(f"Kafka fell silent before it had given all of {names}")
        records = list[LogRecord]()
        for (topic, partition), of_partition in found.items():
            end = ends[TopicPartition(topic, partition)]
            for it in of_partition:
                if it.offset >= end:
                    break
                key, value, headers = it.key, it.value, it.headers
                place = erasure_at(key, value, headers) if value is None else None
                if place is None:
                    at = topic, partition, it.offset
                    records.append(LogRecord(*at, key, value, tuple(headers)))
                elif place and erased is not None:
                    erased[place] += 1
        yield records
