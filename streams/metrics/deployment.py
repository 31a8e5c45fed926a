"""Metrics of a whole deployment, looked up now and then by the one process that is elected to.

Prometheus is served what the last look found, so that no scrape waits for Redis or Kafka, and no
number of scrapes makes work. With all that ships there are at most 13,000 series: three a cell, two
for a count, whatever the number of cases.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from datetime import date, datetime
from datetime import time as time_of_day
from typing import NamedTuple

import numpy as np
from aiokafka.errors import KafkaError
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.asyncio import Redis
from redis.exceptions import RedisError

from processors.days.calendar import LONDON, calendar, day_number
from processors.rules import Rules
from schemas.alerts import AlertState
from schemas.events.registry import VALIDATORS
from schemas.places import PROVIDER, SITE_LEVELS
from schemas.release import ReleaseKind
from schemas.settings import Settings
from snapshots.making.schedule import latest_due
from snapshots.releases.chain import standing
from snapshots.releases.folder import ReleaseFolder
from snapshots.releases.release_failures import ReleaseError
from streams.failures import Understood
from streams.kafka.batches import TP
from streams.kafka.logreading import log_reader
from streams.metrics.families import FAMILIES, Found
from streams.state.held_tables import HeldTables
from streams.state.nights import read_outcome
from streams.state.open_alerts import active_counts, judged
from streams.state.reading import read_scorecard
from streams.state.store import Head, OtherLayout, ShardStore, shard_of

log = logging.getLogger(__name__)

ANSWER_SECONDS = 10.0  # for Redis, and for Kafka, before one counts as down
OPENS, CLOSES = 9, 17  # hours in London within which events are to be expected
ACTIVE_STATES: tuple[AlertState, ...] = ("due-soon", "breached")


class Latest(NamedTuple):
    """What is shown of the latest release."""

    period: str
    kind: ReleaseKind
    released_on: date


class LiveMetrics(Collector):
    """The deployment as last looked at. `now` is the process's clock, with a time zone."""

    def __init__(
        self,
        settings: Settings,
        rules: Rules,
        redis: Redis,
        registry: CollectorRegistry,
        now: Callable[[], datetime],
    ) -> None:
        self._settings, self._rules, self._redis = settings, rules, redis
        self._now = now
        self._held = HeldTables()
        self._releases = ReleaseFolder(settings.releases)
        self._latest: dict[str, Latest | None] = {}
        self._families: list[GaugeMetricFamily] = []
        registry.register(self)

    def describe(self) -> list[Metric]:
        """The metrics without values."""
        return [GaugeMetricFamily(name, text) for name, (text, _) in FAMILIES.items()]

    def collect(self) -> list[GaugeMetricFamily]:
        """What the last refresh found."""
        return self._families

    async def refresh(self) -> None:
        """Look at Redis, Kafka and the releases; what does not answer is told, never raised."""
        found, now = Found(), self._now().astimezone(LONDON)
        await self._look_at_redis(found, now.date())
        await self._look_at_shards(found, await self._look_at_kafka(found))
        await asyncio.to_thread(self._look_at_releases, found, now)
        found.add("caseline_is_working_time", _is_working_time(now))
        found.add("caseline_refreshed_timestamp_seconds", time.time())
        self._families = found.families

    async def _look_at_redis(self, found: Found, today: date) -> None:
        has_redis = has_scorecard = False
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._add_alerts(found)
                await self._add_judged(found, today)
                await self._add_night(found)
                has_redis = True
                await self._add_scorecard(found, today)
                has_scorecard = True
        except (RedisError, OSError) as error:  # a timeout is an OSError
            log.warning("Redis does not answer: %s", error)
        except Understood as error:
            log.warning("the scorecard cannot be read: %s", error)
        found.add("caseline_redis_up", has_redis)
        found.add("caseline_scorecard_up", has_scorecard)

    async def _add_night(self, found: Found) -> None:
        """What came of the last night's comparison with the log."""
        night = await read_outcome(self._redis, self._settings.deployment)
        if night is not None and night.known_from is not None:
            found.add("caseline_reconciled_timestamp_seconds", night.known_from)
        if night is not None and night.at is not None:
            found.add("caseline_reconciled_wrong_shards", len(night.wrong))

    async def _add_scorecard(self, found: Found, today: date) -> None:
        deployment = self._settings.deployment
        levels = [*self._rules.areas.levels, PROVIDER, *SITE_LEVELS]
        live = await read_scorecard(self._redis, deployment, self._rules, today, levels, self._held)
        found.add_rules(self._rules)
        found.add_rows(self._rules, live.rows)
        if live.latest is not None:
            found.add("caseline_latest_event_timestamp_seconds", live.latest / 1_000_000)

    async def _add_alerts(self, found: Found) -> None:
        standards = self._rules.standards
        codes = [it.code for it in standards.standard]
        codes += [it.code for it in standards.indicator_standard]
        active = {(code, state): 0 for code in codes for state in ACTIVE_STATES}
        active |= await active_counts(self._redis, self._settings.deployment)
        for (standard, state), count in active.items():
            found.add("caseline_alerts_active", count, standard, state)

    async def _add_judged(self, found: Found, today: date) -> None:
        """Of which day alerts are; nothing of those that were never judged."""
        when = await judged(self._redis, self._settings.deployment)
        for kind, at in (("cases", when.cases), ("indicators", when.indicators)):
            if at is not None:
                found.add("caseline_alerts_unjudged_midnights", (today - at.date()).days, kind)

    async def _look_at_kafka(self, found: Found) -> dict[TP, tuple[int, int]]:
        """The bounds of every partition's log; of none if Kafka does not answer."""
        bounds: dict[TP, tuple[int, int]] = {}
        try:
            async with (
                asyncio.timeout(ANSWER_SECONDS),
                log_reader(self._settings.kafka, VALIDATORS) as reader,
            ):
                bounds = await reader.bounds()
            found.add("caseline_kafka_up", 1)
        except (KafkaError, OSError) as error:
            log.warning("Kafka does not answer: %r", error)
            found.add("caseline_kafka_up", 0)
        return bounds

    async def _look_at_shards(self, found: Found, bounds: Mapping[TP, tuple[int, int]]) -> None:
        """Where the state of each partition of the log stands, also of those that have none."""
        heads: dict[TP, Head | None] = {}
        for shard in sorted({shard_of(tp) for tp in bounds}):
            store = ShardStore(self._redis, self._settings.deployment, shard, self._rules)
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    look, heads[shard] = await store.look(every_month=True)
            except (RedisError, OSError, OtherLayout) as error:
                log.warning("a shard cannot be looked at: %s", error)
                continue
            is_whole = look.trouble() is None
            found.add("caseline_state_complete", is_whole, shard.topic, str(shard.partition))
        for tp, (first, end) in bounds.items():
            if shard_of(tp) in heads:
                head = heads[shard_of(tp)] or Head()
                offset = head.offset(tp.topic)
                labels = tp.topic, str(tp.partition)
                found.add("caseline_table_lag_events", max(end - max(offset, first), 0), *labels)
                found.add("caseline_table_offset_events", offset, *labels)

    def _look_at_releases(self, found: Found, now: datetime) -> None:
        settings = self._settings
        due = latest_due(now, settings.snapshot_working_days, settings.snapshot_hour)
        try:
            release = self._latest_release()
            has_due = bool(self._standing(due.period))
        except (ReleaseError, OSError) as error:
            log.warning("releases cannot be read: %s", error)
            found.add("caseline_releases_up", 0)
            return
        found.add("caseline_releases_up", 1)
        overdue = 0.0 if has_due else (now - due.at).total_seconds()
        found.add("caseline_snapshot_overdue_seconds", overdue)
        if release:
            began = datetime.combine(release.released_on, time_of_day(), LONDON)
            found.add("caseline_snapshot_age_seconds", (now - began).total_seconds())
            found.add("caseline_snapshot_released_info", 1, release.period, release.kind)

    def _latest_release(self) -> Latest | None:
        """The last release that stands, of the last period that has one."""
        for period in reversed(self._releases.periods()):
            release = self._standing(period)
            if release:
                return release
        return None

    def _standing(self, period: str) -> Latest | None:
        """The last release of a period, unless it is withdrawn or from before the month was over.

        Read once, because it never changes.
        """
        names = self._releases.names(period)
        if not names:
            return None
        if names[-1] not in self._latest:
            chain = standing(self._releases.read(period))
            last = chain[-1].release if chain and not chain[-1].release.is_premature else None
            self._latest[names[-1]] = (
                Latest(last.period, last.kind, last.released_on) if last else None
            )
        return self._latest[names[-1]]


def _is_working_time(now: datetime) -> bool:
    """Whether it is a working day in England, and a working hour, by a time in London."""
    today = np.array([day_number(now.date())])
    is_working_day = bool(calendar().working_days(today - 1, today)[0])
    return is_working_day and OPENS <= now.hour < CLOSES
