"""A receiver's state in Redis: how far it was told, what it is being sent, what it knows.

    caseline:{<deployment>}:delivery:<receiver>   HASH  next: the offset to read on from; term;
                                                        waiting: changes in pending messages
    ...:pending       LIST  messages fixed and not yet taken, the oldest first
    ...:versions      HASH  alert -> the version seen last
    ...:told          HASH  alert -> what it was told, of those it believes to be active
    ...:held          HASH  alert -> what a silence withholds
    ...:over          ZSET  alerts that are over, by when that was seen
    ...:taken         HASH  alert -> when each version of it was taken, or refused, first

A message is fixed, with its key, in the step that moves `next`: whatever dies, the same message
goes out again under the same key until it is taken. Only the process in office may write.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from redis.asyncio import Redis

from streams import keys
from streams.alerts.messages.message import Item
from streams.alerts.messages.planning import KnownAlert
from streams.failures import Understood
from streams.state.election import TermOver
from streams.state.fence import Overtaken, fenced
from streams.state.open_alerts import parsed

Write = Callable[[Any], None]

# Repetitions come within moments, or after Redis has lost its last second: versions of what has
# been over for a month are forgotten, so many at a time.
KEPT_SECONDS = 30 * 24 * 3600
FORGOTTEN_AT_ONCE = 1_000
FORGET_SECONDS = 3600.0


class WentBack(Understood):
    """Redis has lost what it had confirmed of a receiver, as at a failover it may."""


class ReceiverState:
    """What is stored of one receiver. Raises redis.RedisError, and TermOver when it writes."""

    def __init__(self, redis: Redis, deployment: str, receiver: str, term: int) -> None:
        self._redis: Any = redis
        self._term = term
        self._base = f"{keys.of_deployment(deployment)}:delivery:{receiver}"
        self._forgets_at = 0.0

    def key(self, name: str) -> str:
        """The key of a part."""
        return f"{self._base}:{name}"

    async def take_over(self) -> None:
        """Refuse whoever was in office before."""
        stored = int(await self._redis.hget(self._base, "term") or 0)
        if stored > self._term:
            raise TermOver("another process has begun to tell of alerts")
        await self._redis.hset(self._base, "term", self._term)

    async def fields(self) -> dict[str, str]:
        """The fields that tell how far the receiver is."""
        stored = await self._redis.hgetall(self._base)
        return {name.decode(): text.decode() for name, text in stored.items()}

    async def begun(self) -> dict[str, str]:
        """The same of one that has begun, such as `next`: where to read on. Raises WentBack."""
        fields = await self.fields()
        if "next" not in fields:
            raise WentBack("what was kept of this receiver is gone: it begins anew")
        return fields

    def queue_next(self, pipe: Any) -> None:
        """Queue the question which message is to go out next."""
        pipe.lindex(self.key("pending"), 0)

    async def pending_count(self) -> int:
        """How many messages are to go out."""
        count: int = await self._redis.llen(self.key("pending"))
        return count

    async def known(self, alerts: Collection[str]) -> dict[str, KnownAlert]:
        """What stands of alerts."""
        if not alerts:
            return {}
        names = list(alerts)
        async with self._redis.pipeline(transaction=False) as pipe:
            for part in ("versions", "told", "held"):
                pipe.hmget(self.key(part), names)
            answers = await pipe.execute()
        return {
            alert: KnownAlert(
                int(version or 0), parsed(told) if told else None, _item(held) if held else None
            )
            for alert, version, told, held in zip(names, *answers, strict=True)
        }

    async def told(self) -> dict[str, bytes]:
        """What the receiver believes to be active: alert -> change."""
        stored = await self._redis.hgetall(self.key("told"))
        return {alert.decode(): text for alert, text in stored.items()}

    async def held(self) -> list[Item]:
        """What silences withhold."""
        return [_item(text) for text in await self.values("held")]

    async def values(self, name: str) -> list[bytes]:
        """The values of a part that is a hash."""
        found: list[bytes] = await self._redis.hvals(self.key(name))
        return found

    async def taken(self, alerts: Collection[str]) -> dict[str, dict[str, str]]:
        """When each version of alerts was taken, or refused, first."""
        names = list(alerts)
        stored = await self._redis.hmget(self.key("taken"), names) if names else []
        return {
            alert: json.loads(text) if text else {}
            for alert, text in zip(names, stored, strict=True)
        }

    async def write(self, queue: Write) -> None:
        """Write all that is queued, or nothing."""
        try:
            async with fenced(self._redis, self._base) as pipe:
                stored = int(await pipe.hget(self._base, "term") or 0)
                if stored != self._term:
                    raise TermOver("another process has begun to tell of alerts")
                pipe.multi()
                queue(pipe)
        except Overtaken as error:
            raise TermOver("another process has begun to tell of alerts") from error

    async def done(
        self, message: bytes, changes: int, told: Collection[str] = (), at: datetime | None = None
    ) -> None:
        """The message, of so many changes, was taken or refused: it does not go out again.

        `told` has the keys of the changes that it told of.
        """
        taken = await self.taken({key.partition(":")[0] for key in told})
        for key in told:
            alert, _, version = key.partition(":")
            taken[alert].setdefault(version, at.isoformat(timespec="seconds") if at else "")

        def queue(pipe: Any) -> None:
            if taken:
                texts = {alert: json.dumps(times) for alert, times in taken.items()}
                pipe.hset(self.key("taken"), mapping=texts)
            pipe.lrem(self.key("pending"), 1, message)
            pipe.hincrby(self._base, "waiting", -changes)

        await self.write(queue)

    def queue_fields(self, pipe: Any, fields: Mapping[str, str | int]) -> None:
        """Queue how far the receiver is."""
        pipe.hset(self._base, mapping=dict(fields))

    def queue_pending(self, pipe: Any, messages: Sequence[str], changes: int) -> None:
        """Queue messages that are to go out, in order, of so many changes in all."""
        if messages:
            pipe.rpush(self.key("pending"), *messages)
            pipe.hincrby(self._base, "waiting", changes)

    def queue_known(self, pipe: Any, known: Mapping[str, KnownAlert], seconds: float) -> None:
        """Queue what stands of alerts; `seconds` is the time now, from 1970."""
        if not known:
            return
        pipe.hset(self.key("versions"), mapping={alert: it.version for alert, it in known.items()})
        told = {alert: it.told.model_dump_json() for alert, it in known.items() if it.told}
        held = {alert: it.held.model_dump_json() for alert, it in known.items() if it.held}
        _queue(pipe, self.key("told"), told, known.keys() - told.keys())
        _queue(pipe, self.key("held"), held, known.keys() - held.keys())
        on = told.keys() | held.keys()
        if on:
            pipe.zrem(self.key("over"), *on)
        if over := known.keys() - on:
            pipe.zadd(self.key("over"), dict.fromkeys(over, seconds))

    async def forget(self, seconds: float) -> None:
        """Forget the versions of alerts that have long been over; looks for such now and then.

        To be called often, with the time now in seconds from 1970.
        """
        if seconds < self._forgets_at:
            return
        before = seconds - KEPT_SECONDS
        over = self.key("over")
        alerts = await self._redis.zrangebyscore(
            over, "-inf", before, start=0, num=FORGOTTEN_AT_ONCE
        )

        is_all = len(alerts) < FORGOTTEN_AT_ONCE
        self._forgets_at = seconds + (FORGET_SECONDS if is_all else 0.0)

        def queue(pipe: Any) -> None:
            pipe.zrem(over, *alerts)
            pipe.hdel(self.key("versions"), *alerts)
            pipe.hdel(self.key("taken"), *alerts)

        if alerts:
            await self.write(queue)


def _item(text: bytes) -> Item:
    return Item.model_validate(json.loads(text))


def _queue(pipe: Any, key: str, fields: Mapping[str, str], gone: Collection[str]) -> None:
    if fields:
        pipe.hset(key, mapping=fields)
    if gone:
        pipe.hdel(key, *gone)
