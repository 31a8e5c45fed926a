"""The clock: what time it is for a deployment, in London.

A training system on old data runs as if it were then: its clock showed the `clock_from` setting
when the first of its processes asked for the time, and has gone on at the usual pace ever since,
for all of them and whatever restarts.

    caseline:{<deployment>}:clock     HASH  `clock_from` -> when the clock showed it

Another `clock_from` begins anew.
"""

import logging
import time
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from processors.days.calendar import LONDON, date_of, day_number
from schemas.settings import Settings
from streams import keys
from streams.connections import plain_redis_client

log = logging.getLogger(__name__)


class Clock:
    """A clock that is so much ahead of the real one."""

    def __init__(self, ahead: timedelta = timedelta(0)) -> None:
        self.ahead = ahead

    def now(self) -> datetime:
        """The time in London."""
        return (datetime.now(UTC) + self.ahead).astimezone(LONDON)

    def seconds(self) -> float:
        """The time in seconds from 1970 UTC."""
        return time.time() + self.ahead.total_seconds()

    def today(self) -> date:
        """The civil date in London."""
        return self.now().date()

    def day(self) -> int:
        """The civil date in London as a day number."""
        return day_number(self.today())


def clock_of(settings: Settings) -> Clock:
    """The clock of a deployment. Raises redis.RedisError where it is set otherwise."""
    if settings.clock_from is None:
        return Clock()
    clock = Clock(settings.clock_from - _began(settings, settings.clock_from))
    log.info("the clock is set otherwise", extra={"clock": clock.now().isoformat()})
    return clock


def _began(settings: Settings, shown: datetime) -> datetime:
    """When the deployment's clock showed a time: now, unless that was before."""
    key = f"{keys.of_deployment(settings.deployment)}:clock"
    field = shown.astimezone(UTC).isoformat()
    with plain_redis_client(settings.redis) as redis:
        stored = redis.hget(key, field)
        if stored is None:  # else nothing is written, which a Redis that is full would refuse
            redis.hsetnx(key, field, datetime.now(UTC).isoformat())
            stored = redis.hget(key, field)
    assert isinstance(stored, bytes)
    return datetime.fromisoformat(stored.decode())


@lru_cache(maxsize=4096)
def midnight(day: int) -> float:
    """When a day number begins in London, in seconds from 1970 UTC."""
    return datetime.combine(date_of(day), datetime.min.time(), LONDON).timestamp()
