"""Messages that an operator has told everything to pass over, each with the reason, for good.

They are kept with the state of their shard, outlive its rebuilds, and are honoured by workers, by
rebuilds and by the recount of a release, which names them.
"""

import json
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple

from redis.asyncio import Redis

from processors.rules import Rules
from streams.failures import Understood
from streams.kafka.batches import TP
from streams.state.fence import Overtaken, fenced
from streams.state.reading import known_shards, partitions_key
from streams.state.store import Head, ShardStore, shard_of

TRIES = 100


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


def _key(store: ShardStore) -> str:
    return f"{store.head_key.removesuffix('head')}quarantine"


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
            )
        )
    return sorted(found)


async def all_quarantined(redis: Redis, deployment: str, rules: Rules) -> list[Quarantined]:
    """What is quarantined of a deployment, by topic, partition and offset."""
    found: list[Quarantined] = []
    for shard in await known_shards(redis, deployment):
        found += await quarantined_in(redis, ShardStore(redis, deployment, shard, rules))
    return sorted(found)


async def quarantine(
    redis: Redis,
    deployment: str,
    rules: Rules,
    tp: TP,
    offset: int,
    reason: str,
    by: str,
    at: datetime,
) -> Quarantined:
    """Have a message passed over. Raises NotQuarantined.

    The head's number of commits goes up in the same step, so that a worker that has the message in
    memory and not yet stored is refused, and reads on from the stored state without it.
    """
    shard = shard_of(tp)
    store = ShardStore(redis, deployment, shard, rules)
    await redis.sadd(partitions_key(deployment), f"{shard.topic}:{shard.partition}")
    for _ in range(TRIES):
        with suppress(Overtaken):
            async with fenced(redis, store.head_key) as pipe:
                head = await store.head(any_layout=True)
                is_folded = head is not None and head.offset(tp.topic) > offset
                since = (head or Head()).generation + is_folded
                entry = Quarantined(tp, offset, reason, by, at.isoformat(timespec="seconds"), since)
                pipe.multi()
                text = json.dumps({"reason": reason, "by": by, "at": entry.at, "since": since})
                pipe.hset(_key(store), f"{tp.topic}:{tp.partition}:{offset}", text)
                if head is not None:
                    pipe.hincrby(store.head_key, "commits", 1)
            return entry
    raise NotQuarantined("the state changes too fast: stop its worker, and try again")
