"""From the outboxes to the `alerts` topic: each change once, in the order of its outbox.

Changes go out in transactions of one transactional id a deployment, so that a process that was
thought dead and comes back is refused. One that dies between Kafka and Redis has its changes
published again; they have the same alert and version, by which readers know them.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

from confluent_kafka import KafkaException, Producer
from redis.asyncio import Redis

from schemas.alerts import ALERTS_TOPIC
from schemas.connection_settings import Brokers
from snapshots.releases.transactions import NotCommitted, transactional, write
from streams.failures import Understood
from streams.kafka.decided import DEPLOYMENT_HEADER
from streams.state.election import TermOver
from streams.state.open_alerts import parsed, prefixes
from streams.state.replicas import Replicas

# In one transaction, of all outboxes and of one: the producer takes no more than 100,000 at a time.
MOST_AT_ONCE = 20_000
ENTRIES_AT_ONCE = 2_000

log = logging.getLogger(__name__)


class NotTaken(Understood):
    """Kafka did not take alerts now."""


class OutboxEntry(NamedTuple):
    """An entry of an outbox: its stream, its id there, and the change."""

    stream: str
    id: bytes
    alert: str
    change: bytes


class AlertPublisher:
    """The one process that may publish a deployment's alerts, from when it first does."""

    def __init__(self, brokers: Brokers, deployment: str) -> None:
        self._brokers = brokers
        self._deployment = deployment
        self._producer: Producer | None = None

    def publish(self, changes: Sequence[tuple[str, bytes]]) -> None:
        """Write changes, by alert: all of them or none.

        Raises NotTaken, or streams.state.election.TermOver when another process has begun to
        publish.
        """
        try:
            self._producer = self._producer or self._begin()
            write(self._producer, ALERTS_TOPIC, changes, [(DEPLOYMENT_HEADER, self._deployment)])
        except NotCommitted as error:
            self._give_up(error)
            raise NotTaken(
                f"Kafka at {self._brokers} does not take alerts: {error}. Is there a topic "
                f"{ALERTS_TOPIC}? `caseline topics create` makes it"
            ) from error

    def _begin(self) -> Producer:
        return transactional(
            self._brokers,
            f"caseline-{ALERTS_TOPIC}-{self._deployment}",
            linger_ms=1,
            # A topic that is not there is told soon, rather than waited for.
            topic_metadata_propagation_max_ms=2_000,
        )

    def _give_up(self, error: NotCommitted) -> None:
        """Leave the transaction; a new producer undoes it if nothing else does."""
        self._producer = None
        cause = error.__cause__
        if isinstance(cause, KafkaException) and cause.args[0].fatal():
            raise TermOver("another process has begun to publish alerts") from error


class Outboxes:
    """All outboxes of a deployment, emptied into the topic."""

    def __init__(
        self, redis: Redis, deployment: str, publisher: AlertPublisher, replicas: Replicas
    ) -> None:
        self._redis: Any = redis
        self._deployment = deployment
        self._publisher = publisher
        self._replicas = replicas

    async def turn(self) -> bool:
        """Publish what is there now and a replica has, then remove it; whether there was anything.

        Raises NotTaken, streams.state.replicas.NotReplicated, streams.state.election.TermOver or
        redis.RedisError.
        """
        names = await prefixes(self._redis, self._deployment)
        streams = [f"{prefix}:alerts:outbox" for prefix in names]
        async with self._redis.pipeline(transaction=False) as pipe:
            for stream in streams:
                pipe.xlen(stream)
            if not any(await pipe.execute()):
                return False
        most = max(1, min(ENTRIES_AT_ONCE, MOST_AT_ONCE // len(streams)))
        answers = await self._replicas.read(lambda pipe: _entries(pipe, streams, most))
        entries = [
            _entry(stream, number, fields)
            for stream, answer in zip(streams, answers, strict=True)
            for number, fields in answer
        ]
        changes = [(entry.alert, entry.change) for entry in entries if entry.alert]
        if changes:
            await asyncio.to_thread(self._publisher.publish, changes)
        for stream, last in {entry.stream: entry.id for entry in entries}.items():
            await self._redis.xtrim(stream, minid=_after(last), approximate=False)
        return bool(entries)


def _entries(pipe: Any, streams: Sequence[str], most: int) -> None:
    for stream in streams:
        pipe.xrange(stream, count=most)


def _entry(stream: str, number: bytes, fields: dict[bytes, bytes]) -> OutboxEntry:
    text = fields.get(b"change", b"")
    change = parsed(text)
    if change is None:
        log.error("no change, passed over", extra={"stream": stream, "entry": number.decode()})
    return OutboxEntry(stream, number, change.alert if change else "", text)


def _after(number: bytes) -> str:
    """The id next after one of a stream's."""
    milliseconds, _, sequence = number.decode().partition("-")
    return f"{milliseconds}-{int(sequence) + 1}"
