"""The clock: what time it is for this process, in London.

A training system on old data runs as if it were then: its clock starts from the `clock_from`
setting when the process starts, and goes on at the usual pace.
"""

import logging
import time
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from processors.calendar import LONDON, date_of, day_number
from schemas.settings import Settings

log = logging.getLogger(__name__)


class Clock:
    """The process's clock."""

    def __init__(self, settings: Settings) -> None:
        now = datetime.now(UTC)
        self._shift = settings.clock_from - now if settings.clock_from else timedelta(0)
        if settings.clock_from:
            log.warning("the clock is set otherwise", extra={"clock": self.now().isoformat()})

    def now(self) -> datetime:
        """The time in London."""
        return (datetime.now(UTC) + self._shift).astimezone(LONDON)

    def seconds(self) -> float:
        """The time in seconds from 1970 UTC."""
        return time.time() + self._shift.total_seconds()

    def today(self) -> date:
        """The civil date in London."""
        return self.now().date()

    def day(self) -> int:
        """The civil date in London as a day number."""
        return day_number(self.today())


@lru_cache(maxsize=4096)
def midnight(day: int) -> float:
    """When a day number begins in London, in seconds from 1970 UTC."""
    return datetime.combine(date_of(day), datetime.min.time(), LONDON).timestamp()
