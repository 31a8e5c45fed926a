"""Ingest: event files into Kafka through an idempotent, keyed producer."""

from collections import Counter
from collections.abc import Iterable

from confluent_kafka import KafkaError, Message, Producer

from schemas.connection_settings import Brokers
from streams.failures import Understood
from streams.kafka.clients import for_confluent
from streams.kafka.deadletters import LARGEST_BYTES, DeadLetter
from streams.kafka.eventfiles import EventLine

# Java's default partitioner, so that every producer puts a child into the same partition.
PARTITIONER = "murmur2_random"
FLUSH_SECONDS = 60.0


class NotDelivered(Understood):
    """Some events were not acknowledged by Kafka; sending them again is safe."""


class Sender:
    """Sends lines of event files and counts what the brokers acknowledge.

    The producer is idempotent: a retry after a lost acknowledgement writes nothing twice. A whole
    file sent twice is harmless as well, since the same event again changes nothing.
    """

    def __init__(self, brokers: Brokers) -> None:
        self._failures: list[str] = []
        self.acknowledged: Counter[str] = Counter()
        self._producer = Producer(
            {
                **for_confluent(brokers),
                "enable.idempotence": True,
                "partitioner": PARTITIONER,
                "linger.ms": 20,
                "compression.type": "lz4",
                "message.timeout.ms": 20_000,
                "message.max.bytes": LARGEST_BYTES,  # what is too large is for the brokers to say
                "error_cb": _ignore,  # what matters of it comes back with each message
                "log_level": 2,
            }
        )

    def send(self, lines: Iterable[EventLine]) -> None:
        """Hand lines to the producer, waiting when its queue is full. Raises NotDelivered."""
        for line in lines:
            key, value, _ = line.message
            for topic in line.topics:
                self._produce(topic, key, value, [])
        self._producer.poll(0)
        self._check()

    def send_again(self, letter: DeadLetter) -> None:
        """Hand a dead letter to the producer as it first came, for its own topic."""
        record = letter.record
        self._produce(letter.tp.topic, record.key, record.value, list(record.headers))

    def finish(self) -> None:
        """Wait until every message is acknowledged. Raises NotDelivered."""
        waiting = self._producer.flush(FLUSH_SECONDS)
        if waiting:
            self._failures.append(f"{waiting} messages were not acknowledged in time")
        self._check()

    def _produce(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: list[tuple[str, str | bytes | None]],
    ) -> None:
        while True:
            try:
                self._producer.produce(
                    topic, value, key, on_delivery=self._delivered, headers=headers
                )
                return
            except BufferError:
                self._producer.poll(0.1)
                self._check()

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self.acknowledged[str(message.topic())] += 1
        else:
            self._failures.append(error.str())

    def _check(self) -> None:
        if self._failures:
            raise NotDelivered(
                f"Kafka did not take {len(self._failures)} events, first because: "
                f"{self._failures[0]}. Run the same command again once that is mended: "
                "events that were taken already change nothing"
            )


def _ignore(_: KafkaError) -> None:
    """Broker-level errors recur while a broker is away; see NotDelivered for the outcome."""
