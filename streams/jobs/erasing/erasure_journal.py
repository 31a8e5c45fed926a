"""An erasure under way: what it is to do, and how far it is, in a topic that goes with its end.

The topic names the children, who have to be known for as long as something of them is left to
erase. That it is there says that an erasure is under way; whatever dies, the next run goes on.
"""

import asyncio
from datetime import date

from aiokafka import AIOKafkaProducer
from pydantic import AwareDatetime, BaseModel

from schemas.connection_settings import Brokers
from streams.kafka.batches import TP
from streams.kafka.clients import acknowledged_producer
from streams.kafka.deadletters import LARGEST_BYTES
from streams.kafka.logreading import log_reader
from streams.kafka.rewriting import RewrittenTopic, TopicAdmin, delete_topic

ERASING_TOPIC = "erasing"
UNDER_WAY = (
    "an erasure is under way: `caseline erase --resume` goes on with it, and until it is done "
    "topics take no events"
)
PARTITION = TP(ERASING_TOPIC, 0)
CONFIGS = {
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "max.message.bytes": str(LARGEST_BYTES),
}


class Erasure(BaseModel):
    """An erasure: of whom, by whom, why and when; the topics, and what was found in them.

    `closed_before` where it is of all who were over by then. `is_searched` once `topics` say what
    goes; `alerts` and `cases` are the children's, by their ids. `other` has where messages of
    others name one of the children: they stay. `no_child` is a type of event that is keyed by
    something else, and was found under one of them.
    """

    number: str
    deployment: str
    children: tuple[str, ...]
    by: str
    reason: str
    at: AwareDatetime
    cluster: str
    topics: tuple[RewrittenTopic, ...]
    closed_before: date | None = None
    is_searched: bool = False
    alerts: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    counts: dict[str, int] = {}
    no_child: str = ""
    other: tuple[tuple[str, int, int], ...] = ()

    def with_topic(self, changed: RewrittenTopic) -> "Erasure":
        """The same with a topic further on."""
        topics = tuple(changed if it.name == changed.name else it for it in self.topics)
        return self.model_copy(update={"topics": topics})


class ErasureJournal:
    """Keeps how far an erasure is. Raises aiokafka.errors.KafkaError or kafka's KafkaError."""

    def __init__(self, brokers: Brokers, admin: TopicAdmin) -> None:
        self._brokers, self._admin = brokers, admin

    async def read(self) -> Erasure | None:
        """The erasure under way; None where there is none."""
        found: Erasure | None = None
        async with log_reader(self._brokers, [ERASING_TOPIC]) as reader:
            first, end = (await reader.bounds()).get(PARTITION, (0, 0))
            async for _, records in reader.read(PARTITION, first, end):
                for record in records:
                    found = Erasure.model_validate_json(record.value or b"")
        return found

    async def write(self, erasure: Erasure, replicas: int) -> None:
        """Keep where it stands; returns once brokers have that."""
        if ERASING_TOPIC not in await asyncio.to_thread(self._admin.names):
            await asyncio.to_thread(self._admin.create, ERASING_TOPIC, 1, replicas, CONFIGS)
        producer: AIOKafkaProducer = acknowledged_producer(
            self._brokers, max_request_size=LARGEST_BYTES
        )
        await producer.start()
        try:
            text = erasure.model_dump_json().encode()
            await producer.send_and_wait(ERASING_TOPIC, text, partition=PARTITION.partition)
        finally:
            await producer.stop()

    async def end(self) -> None:
        """Let the topic go, and with it whom it names."""
        await delete_topic(self._admin, ERASING_TOPIC)
