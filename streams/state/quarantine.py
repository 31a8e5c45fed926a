"""Messages that an operator has told everything to pass over, each with the reason, for good.

They go to the topic of decisions first, and from there to the state of their shard, where workers,
rebuilds and the recount of a release, which names them, find them. What of them is lost with the
state is put back from the topic: by a rebuild before it begins, and by a worker that finds none.
"""

import json
import logging
from collections.abc import Collection
from contextlib import suppress
from typing import Any, NamedTuple

from redis.asyncio import Redis

from processors.rules import Rules
from schemas.connection_settings import Brokers
from streams.failures import Understood
from streams.kafka.batches import TP
from streams.kafka.decided import Decision, decisions_of, write
from streams.kafka.private import Described
from streams.state.fence import Overtaken, fenced
from streams.state.integrity import Incomplete
from streams.state.reading import known_shards, partitions_key
from streams.state.sources import log_name
from streams.state.store import Head, ShardStore, shard_of

TRIES = 100
KIND = "quarantine"

log = logging.getLogger(__name__)


class NotQuarantined(Understood):
    """The state changes too fast to be told."""


class Quarantined(NamedTuple):
    """A message that is passed over: where it lies, since when, by whom, and why.

    The state leaves it out from its generation `since` on: one that was folded before it was
    quarantined is in the present generation, until a rebuild.
    """

    tp: TP
    offset: int
    reason: str
    by: str
    at: str
    since: int
    log: str = ""

    @property
    def order(self) -> "Order":
        """As it was ordered."""
        return Order(self.tp, self.offset, self.reason, self.by, self.at, self.log)


def _key(store: ShardStore) -> str:
    return f"{store.head_key.removesuffix('head')}quarantine"


def queue_quarantined(pipe: Any, store: ShardStore, it: Quarantined) -> None:
    """Queue that a message is quarantined."""
    said = {"reason": it.reason, "by": it.by, "at": it.at, "since": it.since, "log": it.log}
    pipe.hset(_key(store), it.order.name, json.dumps(said))


async def quarantined_in(redis: Redis, store: ShardStore) -> list[Quarantined]:
    """What is quarantined of a shard, by topic and offset."""
    stored: Any = await redis.hgetall(_key(store))
    found = []
    for name, value in stored.items():
        topic, partition, offset = name.decode().rsplit(":", 2)
        it = json.loads(value)
        found.append(
            Quarantined(
                TP(topic, int(partition)),
                int(offset),
                it["reason"],
                it["by"],
                it["at"],
                it["since"],
                it.get("log", ""),
            )
        )
    return sorted(found)


async def forget_others(
    redis: Redis, store: ShardStore, described: Described, others: Collection[str]
) -> None:
    """Forget what was said of logs that topics are no more; `others` were not those before."""
    for it in await quarantined_in(redis, store):
        is_other = it.tp.topic in others if not it.log else not it.order.is_of(described)
        if is_other:
            client: Any = redis
            await client.hdel(_key(store), it.order.name)


async def all_quarantined(redis: Redis, deployment: str, rules: Rules) -> list[Quarantined]:
    """What is quarantined of a deployment, by topic, partition and offset."""
    found: list[Quarantined] = []
    for shard in await known_shards(redis, deployment):
        found += await quarantined_in(redis, ShardStore(redis, deployment, shard, rules))
    return sorted(found)


class Order(NamedTuple):
    """That a message is to be passed over: where it lies, why, and who said so when.

    `log` has the IDs of the cluster and the topic it lies in, "" where they are not known: in
    another log there is another message at its offset.
    """

    tp: TP
    offset: int
    reason: str
    by: str
    at: str
    log: str = ""

    @property
    def name(self) -> str:
        """Where the message lies, as a key."""
        return f"{self.tp.topic}:{self.tp.partition}:{self.offset}"

    def is_of(self, described: Described) -> bool:
        """Whether it may be about the log that its topic is now."""
        return not self.log or self.log == log_name(described, self.tp.topic)


class Quarantine:
    """The orders of a deployment, in the log and with the state."""

    def __init__(self, redis: Redis, brokers: Brokers, deployment: str, rules: Rules) -> None:
        self._redis, self._brokers = redis, brokers
        self._deployment, self._rules = deployment, rules

    async def order(self, order: Order) -> Quarantined:
        """Have a message passed over, for good.

        Raises NotQuarantined, streams.kafka.decided.OtherLog or NotConfirmed, redis.RedisError,
        aiokafka.errors.KafkaError.
        """
        await self._log([order])
        return await quarantine(self._redis, self._deployment, self._rules, order)

    async def put_back(self, described: Described) -> int:
        """Have Redis have all that the log has of the logs that there are; how many it lacked.

        A shard that is damaged is left to whoever takes it, and to the rebuild that it needs.

        Raises NotQuarantined, redis.RedisError, aiokafka.errors.KafkaError or
        streams.kafka.logreading.ReadTimedOut.
        """
        there = await all_quarantined(self._redis, self._deployment, self._rules)
        known = {(it.tp, it.offset) for it in there}
        decided = await decisions_of(self._brokers, self._deployment, KIND)
        orders = [order for order in map(_order, decided) if order]
        lost = [it for it in orders if (it.tp, it.offset) not in known and it.is_of(described)]
        for it in lost:
            try:
                await quarantine(self._redis, self._deployment, self._rules, it)
            except Incomplete as error:
                log.error("that a message is to be passed over is not put back: %s", error)
        return len(lost)

    async def adopt(self) -> None:
        """Bring to the log what was ordered before it was kept there."""
        logged = {it.number for it in await decisions_of(self._brokers, self._deployment, KIND)}
        found = await all_quarantined(self._redis, self._deployment, self._rules)
        await self._log([it.order for it in found if it.order.name not in logged])

    async def _log(self, orders: list[Order]) -> None:
        decided = [
            Decision(
                KIND,
                it.name,
                json.dumps({"reason": it.reason, "by": it.by, "at": it.at, "log": it.log}),
            )
            for it in orders
        ]
        if decided:
            async for _ in write(self._brokers, self._deployment, decided):
                pass


def _order(it: Decision) -> Order | None:
    """An order as the log has it; None for what is none."""
    topic, _, rest = it.number.partition(":")
    try:
        partition, offset = map(int, rest.split(":"))
        said = json.loads(it.text or "")
        log_of = said.get("log", "")
        return Order(TP(topic, partition), offset, said["reason"], said["by"], said["at"], log_of)
    except (ValueError, KeyError, TypeError):
        log.error("no order to pass a message over, itself passed over")
        return None


async def quarantine(redis: Redis, deployment: str, rules: Rules, order: Order) -> Quarantined:
    """Put an order into the state. Raises NotQuarantined.

    The head's number of commits goes up in the same step, so that a worker that has the message in
    memory and not yet stored is refused, and reads on from the stored state without it.
    """
    tp, offset, reason, by, at, log_of = order
    shard = shard_of(tp)
    store = ShardStore(redis, deployment, shard, rules)
    await redis.sadd(partitions_key(deployment), f"{shard.topic}:{shard.partition}")
    for _ in range(TRIES):
        with suppress(Overtaken):
            async with fenced(redis, store.head_key) as pipe:
                head = await store.head(any_layout=True)
                is_folded = head is not None and head.offset(tp.topic) > offset
                since = (head or Head()).generation + is_folded
                entry = Quarantined(tp, offset, reason, by, at, since, log_of)
                pipe.multi()
                queue_quarantined(pipe, store, entry)
                if head is not None:
                    pipe.hincrby(store.head_key, "commits", 1)
            return entry
    raise NotQuarantined("the state changes too fast: stop its worker, and try again")
