"""What people decide goes to the log first, and from there to where it is looked at.

An acknowledgement or a silence is a message of the compacted topic `alert-decisions`, under
`<deployment>/<kind>/<id>`; without a value once it is forgotten. Redis has the same, as far as it
was read; whatever of it is lost, also all of it, is put back from the topic.

    caseline:{<deployment>}:alerts:decided    HASH  next: the offset to read on from;
                                                    "<kind> <id>" -> the offset of its message
"""

import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from aiokafka import ConsumerRecord, TopicPartition
from redis.asyncio import Redis

from schemas.alerts import DECISIONS_TOPIC
from schemas.connection_settings import Brokers
from streams.alerts.actions import Ack, Actions, Decided, NotPossible, Silence, kind_of
from streams.alerts.topic.log import TopicReader, topic_reader
from streams.kafka.decided import Decision, decision, write
from streams.state.open_alerts import open_change

PARTITION = TopicPartition(DECISIONS_TOPIC, 0)
READ_AT_ONCE = 2_000
WAIT_MS = 500
# The kinds of decisions about alerts.
ALERTS = {"ack", "silence"}
# How often it is looked whether something expired so long ago that it is forgotten.
FORGET_SECONDS = 3600.0

log = logging.getLogger(__name__)


class Decisions:
    """Writes decisions of a deployment.

    Raises OtherLog, NotConfirmed, KafkaError or redis.RedisError.
    """

    def __init__(self, brokers: Brokers, redis: Redis, deployment: str) -> None:
        self._brokers, self._redis, self._deployment = brokers, redis, deployment
        self.actions = Actions(redis, deployment)

    async def ack(self, ack: Ack) -> None:
        """Acknowledge; one there was before of the same alert is replaced. Raises NotPossible."""
        ack.check()
        await self._write([_message(ack)])

    async def acknowledge(
        self,
        alert: str,
        by: str,
        reason: str,
        at: datetime,
        until: datetime,
        version: int | None = None,
    ) -> Ack:
        """Acknowledge an alert as it stands now: in the version that was seen, where it is said.

        Raises NotPossible unless it is active, and in that version.
        """
        change = await open_change(self._redis, self._deployment, alert)
        if change is None:
            raise NotPossible(f"no alert {alert} is active: see `caseline alerts list`")
        if version not in {None, change.version}:
            raise NotPossible(f"alert {alert} has changed since it was looked at: look again")
        ack = Ack(
            by=by,
            reason=reason,
            at=at,
            until=until,
            alert=change.alert,
            state=change.state,
            stand=change.stand,
            owner=change.owner,
        )
        await self.ack(ack)
        return ack

    async def silence(self, silence: Silence) -> None:
        """Begin to withhold. Raises NotPossible."""
        silence.check()
        await self._write([_message(silence)])

    async def end(self, number: str, by: str, now: datetime) -> Silence:
        """End a silence early. Raises NotPossible when there is none that holds."""
        there = {it.id: it for it in await self.actions.silences()}
        silence = there.get(number)
        if silence is None or not silence.holds(now):
            raise NotPossible(f"no silence {number} holds now: see `caseline alerts silences`")
        ended = silence.model_copy(update={"until": now, "ended_by": by})
        await self._write([_message(ended)])
        return ended

    async def forget(self, now: datetime) -> None:
        """Forget what expired long ago, here and in the log."""
        old = [_message(it)._replace(text=None) for it in await self.actions.expired(now)]
        if old:
            await self._write(old)

    async def adopt(self) -> None:
        """Bring to the log what was decided before it was kept there."""
        unknown = [_message(it) for it in await self.actions.unlogged()]
        if unknown:
            await self._write(unknown)

    async def _write(self, decisions: Sequence[Decision]) -> None:
        async for offset, it in write(self._brokers, self._deployment, decisions):
            await self.actions.take([Decided(offset, *it)])


class Keeping:
    """Keeps what Redis has of decisions as the log has it."""

    def __init__(
        self,
        reader: TopicReader,
        decisions: Decisions,
        deployment: str,
        now: Callable[[], datetime],
    ) -> None:
        self._reader, self._decisions = reader, decisions
        self._deployment, self._now = deployment, now
        self._forgets_at = 0.0

    async def turn(self) -> bool:
        """Take in what has come to the log, or all of it again; whether there may be more.

        Raises OtherLog, KafkaError or redis.RedisError.
        """
        actions = self._decisions.actions
        start, end = await actions.next_offset(), await self._reader.end()
        if start is not None and start > end:
            log.warning("the topic of decisions is another one: it is read from its start")
            await actions.begin_anew()
            start = None
        position = start or 0
        while position < end:
            records, position = await self._reader.records(position, READ_AT_ONCE, WAIT_MS)
            await actions.take([it for it in map(self._decided, records) if it])
        if start is None:
            await self._decisions.adopt()
        if position != start:
            await actions.read_to(position)
        if time.monotonic() >= self._forgets_at:
            self._forgets_at = time.monotonic() + FORGET_SECONDS
            await self._decisions.forget(self._now())
        return False

    def _decided(self, record: ConsumerRecord) -> Decided | None:
        it = decision(self._deployment, record.key, record.value)
        return Decided(record.offset, *it) if it and it.kind in ALERTS else None


@asynccontextmanager
async def keeping(
    brokers: Brokers, redis: Redis, deployment: str, now: Callable[[], datetime]
) -> AsyncIterator[Keeping]:
    """One that keeps decisions, for as long as the context lasts. Raises OtherLog."""
    async with topic_reader(brokers, PARTITION, WAIT_MS) as reader:
        yield Keeping(reader, Decisions(brokers, redis, deployment), deployment, now)


def _message(action: Ack | Silence) -> Decision:
    number = action.alert if isinstance(action, Ack) else action.id
    return Decision(kind_of(action), number, action.model_dump_json())
