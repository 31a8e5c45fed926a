"""Events that come over HTTP, on their way into Kafka: each is there, or said not to be."""

import asyncio
import logging
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas.connection_settings import Brokers
from streams.failures import described
from streams.kafka.clients import acknowledged_producer, stop_within
from streams.kafka.eventfiles import EventLine

# Brokers have what they were sent within so many seconds, or are taken to be away.
INTAKE_SECONDS = 20.0

log = logging.getLogger(__name__)


class Intake:
    """Sends events with an idempotent producer, whose partitioner is that of other producers."""

    def __init__(self, brokers: Brokers) -> None:
        self._brokers = brokers
        self._starting = asyncio.Lock()
        self._producer: AIOKafkaProducer | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        producer, self._producer = self._producer, None
        await stop_within(INTAKE_SECONDS, producer, "intake")

    async def send(self, lines: list[EventLine]) -> list[bool]:
        """Send events; of each whether brokers have said that they have it, wherever it belongs.

        Of one that they have not it is unknown; to send it again is safe.
        """
        sent = await asyncio.gather(*(self._send(line) for line in lines), return_exceptions=True)
        for failed in sent:
            if isinstance(failed, BaseException):
                if not isinstance(failed, (KafkaError, OSError, TimeoutError)):
                    raise failed
                log.error("an event was not acknowledged", extra={"error": described(failed)})
        return [not isinstance(it, BaseException) for it in sent]

    async def _send(self, line: EventLine) -> None:
        key, value, _ = line.message
        async with asyncio.timeout(INTAKE_SECONDS):
            producer = await self._started()
            waiting = [await producer.send(topic, value, key=key) for topic in line.topics]
            await asyncio.gather(*waiting)

    async def _started(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                producer = acknowledged_producer(self._brokers)
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer
