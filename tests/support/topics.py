"""Kafka's topics as tests need them: removed, filled, and read back byte for byte."""

from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import NamedTuple, cast

from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition
from kafka import errors
from kafka.admin import KafkaAdminClient

from streams.kafka.batches import TP, KafkaRecord
from tests.support.patience import SECONDS
from tests.support.workers import log_ends, wait_until

Headers = tuple[tuple[str, bytes | None], ...]


class Sent(NamedTuple):
    """A message as a producer sends it."""

    key: bytes | None
    value: bytes | None
    headers: Headers = ()


def remove_topics(brokers: str) -> None:
    """Remove every topic that tests make; returns when they are gone.

    One may be made while others are removed, by what was asked of the broker before.
    """
    admin = KafkaAdminClient(bootstrap_servers=brokers)

    def are_gone() -> bool:
        left = [name for name in admin.list_topics() if not name.startswith("__")]
        if left:
            with suppress(errors.KafkaError):  # such as that one is gone already
                admin.delete_topics(left)
        return not left

    try:
        wait_until(are_gone, "the topics are gone")
    finally:
        admin.close()


def send(brokers: str, topic: str, messages: Iterable[Sent]) -> list[TP]:
    """Send messages as any producer might; where each went, when all are acknowledged."""
    places: dict[int, TP] = {}
    producer = Producer(
        {
            "bootstrap.servers": brokers,
            "enable.idempotence": True,
            "partitioner": "murmur2_random",
            "message.max.bytes": 2_000_000,
            "linger.ms": 5,
        }
    )

    def noted(number: int, error: KafkaError | None, message: Message) -> None:
        assert error is None, error
        places[number] = TP(str(message.topic()), message.partition() or 0)

    for number, sent in enumerate(messages):
        headers: list[tuple[str, str | bytes | None]] = list(sent.headers)
        producer.produce(
            topic, sent.value, sent.key, headers=headers, on_delivery=partial(noted, number)
        )
        producer.poll(0)
    assert producer.flush(SECONDS) == 0
    return [places[number] for number in sorted(places)]


def everything(brokers: str, topic: str) -> dict[TP, list[KafkaRecord]]:
    """All records of a topic by partition, as the broker has them, that no transaction undid."""
    ends = log_ends(brokers, [topic])
    found: dict[TP, list[KafkaRecord]] = {tp: [] for tp in ends}
    waiting = {tp for tp, end in ends.items() if end}
    consumer = Consumer(
        {"bootstrap.servers": brokers, "group.id": "tests", "enable.partition.eof": True}
    )
    try:
        consumer.assign([TopicPartition(*tp, 0) for tp in waiting])
        while waiting:
            message = consumer.poll(SECONDS)
            assert message is not None, f"{topic} fell silent"
            tp, error = TP(str(message.topic()), message.partition() or 0), message.error()
            if error is not None:
                assert error.code() == KafkaError._PARTITION_EOF, error
                waiting.discard(tp)
                continue
            found[tp].append(
                KafkaRecord(
                    message.key(),
                    message.value(),
                    cast(tuple[tuple[str, bytes], ...], tuple(message.headers() or ())),
                    message.timestamp()[1],
                    message.offset() or 0,
                )
            )
    finally:
        consumer.close()
    return found
