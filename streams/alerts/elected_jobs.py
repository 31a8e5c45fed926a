"""Jobs of one elected process: each goes on by itself, and none holds up another."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from aiokafka.errors import KafkaError
from confluent_kafka import KafkaException
from redis.exceptions import RedisError

from streams.failures import Understood, described, given_up
from streams.state.election import RENEW_SECONDS, Term, TermOver

# What passes: the job begins again after a while.
TROUBLE = (Understood, RedisError, KafkaError, KafkaException, OSError)
TROUBLE_SECONDS = 2.0

log = logging.getLogger(__name__)


async def _nothing() -> None:
    """A job that needs no beginning."""


@dataclass(frozen=True)
class Job:
    """A job: `turn` does a part of it, and says whether there may be more to do at once.

    Where there is not, the next turn is `pause` seconds later. `begin` comes before the first, and
    again after trouble. Where all is to be done once, `once` is what does it, `turn` without one.
    """

    name: str
    turn: Callable[[], Awaitable[bool]]
    pause: float = 0.2
    begin: Callable[[], Awaitable[None]] = _nothing
    once: Callable[[], Awaitable[bool]] | None = None


async def keep_doing(jobs: Sequence[Job], term: Term) -> None:
    """Do all jobs until cancelled, or until the term is over: then raises TermOver."""
    tasks = [asyncio.create_task(_keep(job)) for job in jobs]
    tasks.append(asyncio.create_task(_guard(term)))
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def do_once(jobs: Sequence[Job]) -> None:
    """Do all there is to do of each job, in order. Raises the first trouble, after the last."""
    troubles: list[Exception] = []
    for job in jobs:
        try:
            await job.begin()
            while await (job.once or job.turn)():
                pass
        except TermOver:
            raise
        except TROUBLE as error:
            log.error("not done", extra={"job": job.name, "reason": described(error)})
            troubles.append(error)
    if troubles:
        raise troubles[0]


async def _keep(job: Job) -> None:
    while True:
        try:
            with given_up():
                await job.begin()
                while True:
                    if not await job.turn():
                        await asyncio.sleep(job.pause)
        except TermOver:
            raise
        except TROUBLE as error:
            log.warning("in trouble, goes on", extra={"job": job.name, "reason": described(error)})
            await asyncio.sleep(TROUBLE_SECONDS)


async def _guard(term: Term) -> None:
    """Raise TermOver as soon as another process may be in office."""
    while True:
        with suppress(RedisError, OSError):  # nobody can be elected without Redis
            await term.check()
        await asyncio.sleep(RENEW_SECONDS)
