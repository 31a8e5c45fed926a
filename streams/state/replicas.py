"""Whether what was read from Redis would outlive its master: it is with a replica as well.

A replica that takes over may lack what the master has just confirmed. The state then goes back, and
workers count again from there. What has gone to Kafka meanwhile does not go back: an alert would be
told otherwise a second time under the version that it was told by already. Nor does a message go
back that a receiver has taken. So nothing is taken to Kafka, or to a receiver, before a replica has
it.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoPermissionError

from schemas.connection_settings import RedisConnection
from streams.failures import Understood

# How long a replica is given to confirm.
WAIT_MS = 1_000
# After so many seconds without any replica, what there is goes out without: there is none to take
# over. Longer than Sentinels take to make a master that came back a replica of the one that is.
PATIENCE = 30.0

log = logging.getLogger(__name__)


class NotReplicated(Understood):
    """No replica has yet what the master has."""


class Replicas:
    """The replicas of a deployment's Redis; of a Cluster nothing is known, and nothing waited for.

    `key` is one to write, so that there is something to be confirmed.
    """

    def __init__(self, redis: Redis, connection: RedisConnection, key: str) -> None:
        self._redis: Any = redis
        self._key = key
        self._is_possible = connection.kind != "cluster"
        # When there was a replica last; None where there never was one.
        self._seen_at = time.monotonic() if connection.kind == "sentinel" else None
        self._history: object = None

    async def read(self, ask: Callable[[Any], None]) -> list[Any]:
        """What a server says that a replica has as well; `ask` puts questions on a pipeline.

        It is asked what it has and whether a replica has that in one go, by one connection: another
        server, which has become the master meanwhile, would confirm what it lacks itself. Raises
        NotReplicated or redis.RedisError.
        """
        is_awaited = await self._is_awaited()
        async with self._redis.pipeline(transaction=False) as pipe:
            ask(pipe)
            if not is_awaited:
                return list(await pipe.execute())
            pipe.set(self._key, int(time.time()))
            pipe.execute_command("WAIT", 1, WAIT_MS)
            try:
                answers: list[Any] = await pipe.execute()
            except NoPermissionError:
                self._is_possible = False
                log.warning(
                    "the user of Redis may not WAIT: alerts may be told twice after a failover"
                )
                return await self.read(ask)
        if not answers[-1]:
            raise NotReplicated("no replica of Redis has confirmed what is to be told of alerts")
        return answers[:-2]

    async def _is_awaited(self) -> bool:
        """Whether there is a replica to wait for, or was one of late."""
        if not self._is_possible:
            return False
        now, said = time.monotonic(), await self._redis.info("replication")
        count, history = int(said.get("connected_slaves", 0)), said.get("master_replid")
        # A master that has just become one took over from another, which will follow it.
        is_new, self._history = history != self._history, history
        if count or (is_new and self._seen_at is not None):
            self._seen_at = now
        return self._seen_at is not None and (bool(count) or now - self._seen_at <= PATIENCE)
