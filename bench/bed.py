"""The servers that the benchmarks run on: a real Kafka and an append-only Redis, of their own."""

import subprocess
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from redis import Redis

from bench.progress import Show, stage, unseen
from schemas.events.registry import CASE_TOPIC
from schemas.settings import Settings
from streams.kafka.ingest import PARTITIONER
from streams.kafka.topics import create_topics, planned_topics

ROOT = Path(__file__).resolve().parents[1]
SERVICES = ROOT / "scripts" / "services"
PARTITIONS = 4
SHOWN_EVERY = 5_000
TOPIC_SECONDS = 30.0
FLUSH_SECONDS = 120.0

Messages = Iterable[tuple[bytes, bytes]]


class BenchError(Exception):
    """A benchmark could not be carried out; the text says why."""


@dataclass(frozen=True)
class Bed:
    """Running servers; `folder` holds their data and goes with them."""

    brokers: str
    redis_url: str
    folder: Path

    def settings(self) -> Settings:
        """Settings of a deployment that nothing else uses."""
        return Settings(
            kafka_bootstrap=self.brokers,
            redis_url=self.redis_url,
            deployment=f"bench-{uuid.uuid4().hex[:8]}",
            case_partitions=PARTITIONS,
        )

    def redis(self) -> Redis:
        """A client of its own."""
        return Redis.from_url(self.redis_url)

    def empty_redis(self) -> None:
        """Remove all state."""
        with self.redis() as redis:
            redis.flushall()

    def clean(self) -> None:
        """Remove all state and all topics, and make the deployment's topics anew."""
        self.empty_redis()
        admin = AdminClient({"bootstrap.servers": self.brokers})
        topics = [name for name in admin.list_topics().topics if not name.startswith("__")]
        for deletion in (admin.delete_topics(topics) if topics else {}).values():
            deletion.result()
        settings, deadline = self.settings(), monotonic() + TOPIC_SECONDS
        made: set[str] = set()
        while made < {plan.name for plan in planned_topics(settings)}:
            if monotonic() > deadline:
                raise BenchError("the broker did not remove and make topics in time")
            made |= {name for name, is_new in create_topics(settings).items() if is_new}
            sleep(0.1)

    def producer(self, linger: float) -> Producer:
        """An idempotent producer that partitions as every producer of case events does.

        `linger` is how long it may wait for a message to share its request, in milliseconds.
        """
        return Producer(
            {
                "bootstrap.servers": self.brokers,
                "enable.idempotence": True,
                "partitioner": PARTITIONER,
                "linger.ms": linger,
                "compression.type": "lz4",
                "log_level": 2,
            }
        )

    def preload(self, messages: Messages, about: int) -> int:
        """Put case events into their topic; how many it holds then, `about` so many."""
        with stage(f"sending about {about:,} events to Kafka", about) as show:
            return self.send(messages, show)

    def send(self, messages: Messages, show: Show = unseen) -> int:
        """Send case events and wait until Kafka has them; how many the topic holds then."""
        producer = self.producer(linger=20)
        for number, (key, value) in enumerate(messages):
            _produce(producer, key, value)
            if number % SHOWN_EVERY == 0:
                show(number)
        if producer.flush(FLUSH_SECONDS):
            raise BenchError("Kafka did not take the events in time")
        return sum(self.log_ends())

    def log_ends(self) -> list[int]:
        """The end of each partition of the case events."""
        consumer = Consumer({"bootstrap.servers": self.brokers, "group.id": "bench"})
        try:
            pairs = [TopicPartition(CASE_TOPIC, number) for number in range(PARTITIONS)]
            return [consumer.get_watermark_offsets(pair)[1] for pair in pairs]
        finally:
            consumer.close()


def _produce(producer: Producer, key: bytes, value: bytes) -> None:
    while True:
        try:
            producer.produce(CASE_TOPIC, value, key)
            return
        except BufferError:
            producer.poll(0.05)


@contextmanager
def running_bed() -> Iterator[Bed]:
    """Servers on free ports with their data in a temporary folder; both are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="caseline-bench-") as name:
        folder = Path(name)
        try:
            with stage("starting Kafka and Redis"):
                told = dict(line.split("=", 1) for line in _services("up", folder).splitlines())
            yield Bed(told["CASELINE_KAFKA_BOOTSTRAP"], told["CASELINE_REDIS_URL"], folder)
        finally:
            _services("down", folder)


def _services(command: str, folder: Path) -> str:
    options = ["--dir", str(folder / "services"), "--kafka-port", "0", "--redis-port", "0"]
    done = subprocess.run(
        [SERVICES, command, *options], capture_output=True, stdin=subprocess.DEVNULL, text=True
    )
    if done.returncode:
        raise BenchError(f"scripts/services {command}: {done.stderr.strip()}")
    return done.stdout
