"""Alerts as the pages and the API show and decide them: by the use cases of the command line."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress
from datetime import date, datetime, timedelta
from http import HTTPStatus
from typing import TypeVar

from aiokafka.errors import KafkaError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from processors.alerts.overview import Overview, WantedAlerts, day_begins, overview
from processors.rules import Rules
from schemas.alerts import CaseChange, IndicatorChange
from schemas.receivers import named_receivers
from schemas.settings import Settings
from streams.alerts.account import Account, account
from streams.alerts.actions import NotPossible, Silence, new_id
from streams.alerts.alert_lists import WHOLE, Listing, listing
from streams.alerts.alert_names import KnownNames, names_known
from streams.alerts.decisions import Decisions
from streams.clock import Clock
from streams.failures import Understood, described
from streams.serving.last_asked import LastAsked
from streams.serving.live_figures import answered
from streams.serving.problems import Problem, away
from streams.serving.shared_work import SharedWork
from streams.state.open_alerts import ActiveAlerts, HeldAlerts, open_change

T = TypeVar("T")
Sees = Callable[[CaseChange | IndicatorChange], bool]

# The whole topic of alerts is read for the history of one, so few are at a time.
AT_ONCE = 2
# What is kept of whom alerts were shown to: some who see different ones, by what they ask for.
KEPT_OVERVIEWS = 16
HISTORY_SECONDS = 60.0
DECIDE_SECONDS = 20.0

log = logging.getLogger(__name__)
_reading = asyncio.Semaphore(AT_ONCE)


class LiveAlerts:
    """The alerts of a deployment."""

    def __init__(self, redis: Redis, settings: Settings, rules: Rules, clock: Clock) -> None:
        self._redis, self._settings, self._rules, self._clock = redis, settings, rules, clock
        self._held = HeldAlerts(redis, settings.deployment)
        self._overviews = LastAsked[Overview](KEPT_OVERVIEWS)
        self._readings = SharedWork[ActiveAlerts]()
        self._making = SharedWork[Overview]()
        self._kinds: tuple[object, list[CaseChange | IndicatorChange]] | None = None

    @property
    def _now(self) -> datetime:
        return self._clock.now()

    async def names(self) -> KnownNames:
        """What alerts may be asked for by. Raises Problem."""

        async def read() -> KnownNames:
            some = await self._unlike()
            return await names_known(self._redis, self._settings, self._rules, some)

        return await answered(read())

    async def titles(self) -> dict[str, str]:
        """What the standards of active alerts are called, by their codes. Raises Problem."""
        return {it.standard: it.title for it in await answered(self._unlike())}

    async def _unlike(self) -> list[CaseChange | IndicatorChange]:
        """One active alert of each standard, owner and provider, found once while none changes."""
        version, changes = await self._active()
        if self._kinds is None or self._kinds[0] != version:
            kinds = {(it.standard, it.owner, it.provider): it for it in changes}
            self._kinds = version, [*kinds.values()]
        return self._kinds[1]

    async def listed(
        self,
        wanted: WantedAlerts,
        sees: Sees,
        whose: Hashable,
        part: slice = WHOLE,
        *,
        of_due_first: bool = False,
    ) -> Listing:
        """The active alerts that are asked for, of those that one sees. Raises Problem.

        `whose` tells apart who sees the same; what they saw is kept while no alert changes. What
        was decided is known of `part`, or of the cases that are due first alone.
        """

        async def make(wanted: WantedAlerts, today: date) -> Overview:
            version, changes = await self._active()
            key = whose, wanted, today, version
            found = self._overviews.get(key)
            if found is None:

                def look() -> Overview:
                    seen = (it for it in changes if sees(it))
                    return overview(seen, wanted, today, wanted.since or day_begins(today))

                async def made() -> Overview:
                    # Of many alerts it takes long enough for others to have a turn meanwhile.
                    return self._overviews.keep(key, await asyncio.to_thread(look))

                found = await self._making.joined(key, made)
            return found

        deployment = self._settings.deployment
        asked = listing(
            *(self._redis, deployment, wanted, self._now, part, make), of_due_first=of_due_first
        )
        return await answered(asked)

    def _active(self) -> Awaitable[ActiveAlerts]:
        """The alerts that are active now, read once for all who ask meanwhile."""
        return self._readings.begun_from_now(None, self._held.now)

    async def active(self, alert: str) -> CaseChange | IndicatorChange | None:
        """An alert as it stands; None unless it is active. Raises Problem."""
        return await answered(open_change(self._redis, self._settings.deployment, alert))

    async def account(self, alert: str) -> Account | None:
        """An alert's account; None where nothing is known of it. Raises Problem."""
        settings = self._settings
        names: list[str] = []
        with suppress(ValueError, OSError):  # who tells of alerts says what is wrong with the file
            names = [it.name for it in named_receivers(settings.receivers_file)]
        async with _reading:
            return await _on_kafka(
                account(settings.kafka, self._redis, settings.deployment, alert, names, self._now),
                HISTORY_SECONDS,
            )

    async def acknowledge(
        self, alert: str, by: str, reason: str, lasts: timedelta, version: int | None
    ) -> datetime:
        """Say that someone sees to an alert; until when that holds. Raises Problem."""
        now = self._now
        work = self._decisions.acknowledge(alert, by, reason, now, now + lasts, version)
        return (await _on_kafka(work, DECIDE_SECONDS)).until

    async def silence(
        self, alert: str, by: str, reason: str, lasts: timedelta, version: int | None
    ) -> datetime:
        """Have an alert not be told for a time; until when. Raises Problem."""
        del version  # it is withheld whatever becomes of it
        now = self._now
        made = Silence(
            id=new_id(), by=by, reason=reason, at=now, until=now + lasts, alerts=(alert,)
        )
        await _on_kafka(self._decisions.silence(made), DECIDE_SECONDS)
        return made.until

    @property
    def _decisions(self) -> Decisions:
        return Decisions(self._settings.kafka, self._redis, self._settings.deployment)


async def _on_kafka(work: Awaitable[T], seconds: float) -> T:
    """What the work gives in time. Raises Problem."""
    try:
        async with asyncio.timeout(seconds):
            return await work
    except NotPossible as error:
        raise Problem(HTTPStatus.CONFLICT, str(error)) from error
    except Understood as error:
        raise away(str(error)) from error
    except (KafkaError, RedisError, TimeoutError, OSError) as error:
        log.warning("alerts cannot be read or decided", extra={"error": described(error)})
        raise away(
            "the log or the store of alerts does not answer, so nothing of this is sure to have "
            "been done: ask again; the operator's `caseline doctor` looks closer"
        ) from error
