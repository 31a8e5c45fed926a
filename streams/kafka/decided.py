"""The topic of decisions: what people decided, under `<deployment>/<kind>/<number>`.

It is compacted: of each the latest message is kept, and nothing of what is forgotten.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from typing import NamedTuple

from aiokafka import AIOKafkaProducer

from schemas.alerts import DECISIONS_TOPIC
from schemas.connection_settings import Brokers
from streams.failures import Understood
from streams.kafka import private
from streams.kafka.batches import TP
from streams.kafka.clients import acknowledged_producer
from streams.kafka.logreading import log_reader

DEPLOYMENT_HEADER = "caseline-deployment"
PARTITION = TP(DECISIONS_TOPIC, 0)
# What is decided is taken, or said not to be, within so many seconds.
WRITE_SECONDS = 10.0
# Seconds that a new topic may take to be known.
PATIENCE = 5.0
POLL_SECONDS = 0.2


class OtherDecisions(Understood):
    """The topic is not there, or not the one that was read before."""


class NotConfirmed(Understood):
    """Kafka did not take a decision now."""


class Decision(NamedTuple):
    """A decision as a message: what it is, of which, and its JSON; None of what is forgotten."""

    kind: str
    number: str
    text: str | None


async def write(
    brokers: Brokers, deployment: str, decisions: Collection[Decision]
) -> AsyncIterator[tuple[int, Decision]]:
    """Write decisions one after another, each with the offset that it has.

    Raises OtherLog, NotConfirmed or aiokafka.errors.KafkaError.
    """
    headers = [(DEPLOYMENT_HEADER, deployment.encode())]
    async with _producer(brokers) as producer:
        for it in decisions:
            sending = producer.send_and_wait(
                PARTITION.topic,
                key="/".join((deployment, it.kind, it.number)).encode(),
                value=None if it.text is None else it.text.encode(),
                headers=headers,
                partition=PARTITION.partition,
            )
            try:
                written = await asyncio.wait_for(sending, WRITE_SECONDS)
            except TimeoutError as error:
                raise NotConfirmed(
                    f"Kafka did not confirm it within {WRITE_SECONDS:.0f} s: try again"
                ) from error
            yield written.offset, it


async def decisions_of(brokers: Brokers, deployment: str, kind: str) -> list[Decision]:
    """All of a kind that were taken and not forgotten; none where there is no such topic.

    Raises aiokafka.errors.KafkaError or streams.kafka.logreading.ReadTimedOut.
    """
    found: dict[str, Decision] = {}
    async with log_reader(brokers, [PARTITION.topic]) as reader:
        first, end = (await reader.bounds()).get(PARTITION, (0, 0))
        async for _, records in reader.read(PARTITION, first, end):
            for record in records:
                it = decision(deployment, record.key, record.value)
                if it is not None and it.kind == kind:
                    found[it.number] = it
    return [it for it in found.values() if it.text is not None]


def decision(deployment: str, key: bytes | None, value: bytes | None) -> Decision | None:
    """What a message decides; None for one of another deployment."""
    whose, _, rest = (key or b"").decode("utf-8", "replace").partition("/")
    if whose != deployment:
        return None
    kind, _, number = rest.partition("/")
    return Decision(kind, number, value.decode("utf-8", "replace") if value else None)


async def find_topic(topic: str, partitions: Callable[[], Awaitable[Collection[int]]]) -> None:
    """Wait a moment for the topic, which may have been created just now. Raises OtherLog."""
    deadline = time.monotonic() + PATIENCE
    while not await partitions():
        if time.monotonic() > deadline:
            raise OtherDecisions(f"there is no topic {topic}: run `caseline topics create`")
        await asyncio.sleep(POLL_SECONDS)


@asynccontextmanager
async def _producer(brokers: Brokers) -> AsyncIterator[AIOKafkaProducer]:
    """A producer, where there is the topic. Raises OtherLog or aiokafka.errors.KafkaError."""
    producer = acknowledged_producer(brokers)
    try:
        await producer.start()
        topic = PARTITION.topic
        await find_topic(topic, lambda: private.partitions_of_known(producer, topic))
        yield producer
    finally:
        await producer.stop()
