"""Whether it all runs, and how fast: what `caseline doctor` finds, and rates, for operators.

To look takes a second or two of Kafka and Redis, so all who ask at once are told the same, and
whoever asks soon afterwards is too, with the moment of it.
"""

import asyncio
import logging
import time
from datetime import datetime
from typing import NamedTuple

from aiokafka.errors import KafkaError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from processors.rules import Rules
from schemas.settings import Settings
from streams.clock import Clock
from streams.failures import Understood, described
from streams.jobs.doctor import Doctor
from streams.jobs.findings import Finding
from streams.jobs.message_rates import Reached, TopicRate, rates, reached
from streams.serving.shared_work import SharedWork
from streams.state.redis_clients import connect_redis

log = logging.getLogger(__name__)

# Rates are of a second at least; a look takes about as long anyway.
LEAST_SECONDS = 1.0
# For how long what was found is told to whoever does not ask to look again.
GOOD_SECONDS = 30.0


class Running(NamedTuple):
    """What is found, and how fast events came and were taken in meanwhile, for so many seconds.

    There are no rates where Kafka or Redis does not answer. `at` is when it was looked.
    """

    at: datetime
    found: list[Finding]
    rates: list[TopicRate]
    seconds: float | None


class Examinations:
    """Looks whether it all runs, at one time only once."""

    def __init__(self, settings: Settings, rules: Rules, clock: Clock) -> None:
        self._settings, self._rules, self._clock = settings, rules, clock
        self._looks = SharedWork[Running]()
        self._last: Running | None = None
        self._good_until = 0.0

    async def aclose(self) -> None:
        """Look no more."""
        await self._looks.aclose()

    async def last(self) -> Running:
        """What was found of late, or is found now."""
        if self._last is not None and time.monotonic() < self._good_until:
            return self._last
        return await self._looks.joined(None, self._look)

    async def now(self) -> Running:
        """What is found from now on."""
        return await self._looks.begun_from_now(None, self._look)

    async def _look(self) -> Running:
        # Clients of Kafka for administration block, so a thread with a loop of its own waits.
        self._last = await asyncio.to_thread(
            _examined, self._settings, self._rules, self._clock.now()
        )
        self._good_until = time.monotonic() + GOOD_SECONDS
        return self._last


def _examined(settings: Settings, rules: Rules, at: datetime) -> Running:
    async def examine() -> Running:
        async with connect_redis(settings) as redis:
            before = await _reached(settings, rules, redis)
            found = [it async for it in Doctor(settings, rules, redis, None).findings()]
            if before is None:
                return Running(at, found, [], None)
            await asyncio.sleep(before.at + LEAST_SECONDS - time.monotonic())
            after = await _reached(settings, rules, redis)
            if after is None:
                return Running(at, found, [], None)
            return Running(at, found, rates(before, after), round(after.at - before.at, 1))

    return asyncio.run(examine())


async def _reached(settings: Settings, rules: Rules, redis: Redis) -> Reached | None:
    try:
        return await reached(settings, rules, redis)
    except (KafkaError, RedisError, OSError, Understood) as error:
        log.warning("rates cannot be worked out", extra={"error": described(error)})
        return None
