"""Electing one worker for a job, with a lock in Redis that only its holder can keep or give up.

The lock keeps workers from doing the same work; that it is done once is not left to it. A holder
that was paused past the lock's end is told so by `check`, and is refused by Kafka in any case,
because its successor has begun a newer epoch of the same transactional id
(snapshots.releases.topic).
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple

from redis.asyncio import Redis
from redis.exceptions import RedisError

from streams import keys
from streams.failures import Understood

SECONDS = 15.0
RENEW_SECONDS = 4.0
# Longer than a lock that nobody renews lasts.
PATIENCE = SECONDS + 5
POLL_SECONDS = 0.2
# How long giving the lock up may take.
END_SECONDS = 2.0
# Each answers 1 if the lock is still the caller's.
RENEW = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end"


class Office(NamedTuple):
    """A job that one process at a time is elected for, and what is said when it is not."""

    name: str
    is_held: str
    was_lost: str


RELEASING = Office(
    "release",
    "another process is making a release of this deployment",
    "the lock on making releases was lost meanwhile; nothing was released",
)


ALERTING = Office(
    "alerts",
    "another process is telling of this deployment's alerts",
    "the lock on telling of alerts was lost meanwhile",
)
ERASING = Office(
    "erase",
    "another process is erasing children of this deployment",
    "the lock on erasing was lost meanwhile; `caseline erase --resume` goes on",
)


class Elsewhere(Understood):
    """Another process is doing the job."""


class TermOver(Understood):
    """The lock was lost before the job was done; another process may have taken over."""


class Term:
    """One holder's time in office, numbered: a later term has a greater number."""

    def __init__(self, redis: Redis, key: str, number: int, office: Office) -> None:
        self._redis: Any = redis
        self._key = key
        self._office = office
        self.number = number
        self._renew = redis.register_script(RENEW)
        self._release = redis.register_script(RELEASE)

    async def begin(self) -> None:
        """Take the lock, waiting for that of a holder that died to end. Raises Elsewhere."""
        deadline = time.monotonic() + PATIENCE
        while not await self._redis.set(self._key, self.number, nx=True, px=int(SECONDS * 1000)):
            if time.monotonic() > deadline:
                raise Elsewhere(self._office.is_held)
            await asyncio.sleep(POLL_SECONDS)

    async def check(self) -> None:
        """Make sure that the lock is still ours, and renew it. Raises TermOver."""
        if not await self._renew(keys=[self._key], args=[self.number, int(SECONDS * 1000)]):
            raise TermOver(self._office.was_lost)

    async def end(self) -> None:
        """Give the lock up, if it is still ours."""
        await self._release(keys=[self._key], args=[self.number])

    async def keep(self) -> None:
        """Renew until cancelled; what cannot be renewed is noticed by `check`."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            with suppress(RedisError, TermOver):
                await self.check()


@asynccontextmanager
async def elected(redis: Redis, deployment: str, office: Office = RELEASING) -> AsyncIterator[Term]:
    """A term, for as long as the context lasts. Raises Elsewhere or redis.RedisError."""
    prefix = f"{keys.of_deployment(deployment)}:{office.name}"
    number: int = await redis.incr(f"{prefix}-term")
    term = Term(redis, f"{prefix}-lock", number, office)
    await term.begin()
    keeping = asyncio.create_task(term.keep())
    try:
        yield term
    finally:
        keeping.cancel()
        # A lock that cannot be given up ends by itself.
        with suppress(RedisError, TimeoutError):
            async with asyncio.timeout(END_SECONDS):
                await term.end()
