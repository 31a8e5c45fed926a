"""Writing to Kafka in transactions: all of some messages or none, by one process at a time.

Whoever begins with a transactional id has the brokers refuse all who had it before, and undo what
they had not finished.
"""

from collections.abc import Iterable, Sequence

from confluent_kafka import KafkaException, Message, Producer

from schemas.connection_settings import Brokers
from snapshots.releases.log_clients import for_confluent

SECONDS = 30.0

Headers = Sequence[tuple[str, str | bytes | None]]


class NotCommitted(Exception):  # noqa: N818 - named for the condition
    """Kafka did not take it: the text is why, the cause what the client said."""


def transactional(brokers: Brokers, transactional_id: str, **settings: int) -> Producer:
    """A producer that has begun with a transactional id; settings have `_` for `.` in their names.

    Raises NotWritten.
    """
    producer = Producer(
        {
            **for_confluent(brokers),
            "transactional.id": transactional_id,
            "transaction.timeout.ms": int(SECONDS * 1000),
            "compression.type": "lz4",
            "error_cb": lambda _: None,  # what matters of it comes back with the transaction
            "log_level": 2,
            **{name.replace("_", "."): value for name, value in settings.items()},
        }
    )
    try:
        producer.init_transactions(SECONDS)
    except KafkaException as error:
        raise NotCommitted(str(error)) from error
    return producer


def write(
    producer: Producer,
    topic: str,
    messages: Iterable[tuple[str, bytes]],
    headers: Headers = (),
) -> None:
    """Write messages, by key, in one transaction. Raises NotWritten."""
    failed: list[str] = []

    def told(error: object, _: Message) -> None:
        if error is not None:
            failed.append(str(error))

    try:
        producer.begin_transaction()
        for key, value in messages:
            producer.produce(topic, value, key, headers=list(headers), on_delivery=told)
            producer.poll(0)
        producer.commit_transaction(SECONDS)
    except (KafkaException, BufferError) as error:
        raise NotCommitted(failed[0] if failed else str(error)) from error
