"""A producer in the background that a test has send burst after burst, and asks how far it is."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice

from confluent_kafka import KafkaError, Message, Producer

from streams.kafka.batches import TP
from tests.support.patience import SECONDS
from tests.support.workers import Offsets


class Feeder:
    """Sends (topic, key, value) messages in order, each burst in the background."""

    def __init__(self, brokers: str, messages: Iterable[tuple[str, bytes, bytes]]) -> None:
        self._messages = iter(messages)
        self._ends: Offsets = {}
        self._failures: list[str] = []
        self._thread = ThreadPoolExecutor(1)
        self._producer = Producer(
            {
                "bootstrap.servers": brokers,
                "enable.idempotence": True,
                "partitioner": "murmur2_random",
                "message.timeout.ms": int(SECONDS * 1000),
                "linger.ms": 5,
                "error_cb": lambda _: None,
            }
        )
        self.sent = 0

    @property
    def acknowledged(self) -> Offsets:
        """How far the broker is known to have each partition; no more than what is there."""
        return dict(self._ends)

    def burst(self, size: int | None = None) -> Future[None]:
        """Send so many more messages, or all that are left; done when all are acknowledged."""
        return self._thread.submit(self._send, size)

    def close(self) -> None:
        """Wait for what is being sent."""
        self._thread.shutdown()

    def _send(self, size: int | None) -> None:
        before = self.sent
        for topic, key, value in islice(self._messages, size):
            self._producer.produce(topic, value, key, on_delivery=self._delivered)
            self._producer.poll(0)
            self.sent += 1
            if len(self._producer) > 5_000:  # what lies in this process is of no use to workers
                self._producer.poll(0.01)
        assert self._producer.flush(SECONDS) == 0, "not all was acknowledged"
        assert not self._failures, self._failures[0]
        assert size is None or self.sent == before + size, "no messages are left"

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failures.append(error.str())
            return
        tp = TP(str(message.topic()), message.partition() or 0)
        self._ends[tp] = (message.offset() or 0) + 1


@contextmanager
def feeding(brokers: str, topic: str, messages: Iterable[tuple[bytes, bytes]]) -> Iterator[Feeder]:
    """A feeder of one topic, for as long as the context lasts."""
    with feeding_topics(brokers, ((topic, key, value) for key, value in messages)) as feeder:
        yield feeder


@contextmanager
def feeding_topics(brokers: str, messages: Iterable[tuple[str, bytes, bytes]]) -> Iterator[Feeder]:
    """A feeder of several topics, for as long as the context lasts."""
    feeder = Feeder(brokers, messages)
    try:
        yield feeder
    finally:
        feeder.close()
