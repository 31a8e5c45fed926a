"""The schedule of releases: every month that is due is made in its turn, and none twice."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date, datetime

from aiokafka.errors import KafkaError
from confluent_kafka import KafkaException
from redis.exceptions import RedisError

from schemas.settings import Settings
from snapshots.making.schedule import Due, due_since, next_due
from snapshots.releases import topic
from snapshots.releases.chain import Request, already, requested
from snapshots.releases.folder import ReleaseFolder
from snapshots.releases.release_failures import ReleaseError
from streams.failures import Understood
from streams.jobs.releasing import Released
from streams.state.election import Elsewhere

AUTHOR = "scheduled job"
# What may keep one month from being released, and must not keep the others.
FAILURES = (Understood, ReleaseError, RedisError, KafkaError, KafkaException, OSError)
# Makes a release on a day, or finds that it was made.
Make = Callable[[Request, date], Awaitable[Released]]


@dataclass(frozen=True)
class Schedule:
    """The months of one deployment, and how to make a release, tell of it, and of a failure."""

    settings: Settings
    make: Make
    tell: Callable[[Released], None]
    tell_failure: Callable[[str, Exception], None]

    async def run(self, now: datetime) -> Exception | None:
        """Make what is due by now and was not made, oldest first; the first failure, if any.

        A month that fails is told and does not keep the others; the next run tries it again. What
        another process is making is left to it.
        """
        failed: Exception | None = None
        for due in self.asked_for(now):
            try:
                self.tell(await self.make(self._request(due.period), now.date()))
            except Elsewhere as elsewhere:
                self.tell_failure(due.period, elsewhere)
            except FAILURES as error:
                self.tell_failure(due.period, error)
                failed = failed or error
        return failed

    def asked_for(self, now: datetime) -> list[Due]:
        """The months to ask for: those due since the oldest release that have none, in order.

        The latest is asked for in any case, so that what a run that died has left is completed.
        """
        *missed, latest = due_since(now, *self._hours, self._oldest())
        return [*(due for due in missed if not self._is_made(due.period)), latest]

    def next_due(self, now: datetime) -> datetime:
        """When the next month becomes due."""
        return next_due(now, *self._hours).at

    @property
    def _hours(self) -> tuple[int, int]:
        return self.settings.snapshot_working_days, self.settings.snapshot_hour

    @property
    def _folder(self) -> ReleaseFolder:
        return ReleaseFolder(self.settings.releases)

    def _oldest(self) -> str | None:
        """The first period that was ever released; by the topic where the folder is empty."""
        periods = [period for period in self._folder.periods() if self._folder.names(period)]
        if not periods:
            names = topic.published(self.settings.kafka)
            periods = [name.partition("/")[0] for name in names]
        return min(periods, default=None)

    def _is_made(self, period: str) -> bool:
        return already(self._folder.read(period), self._request(period)) is not None

    def _request(self, period: str) -> Request:
        asked = requested(period, self.settings.snapshot_kind, AUTHOR, None)
        return replace(asked, is_scheduled=True)
