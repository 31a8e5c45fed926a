"""What the elected process does besides telling of alerts: it watches indicators, and measures."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from processors.rules import Rules
from schemas.settings import Settings
from streams.alerts.elected_jobs import Job
from streams.alerts.indicator_alerts import LOOK_SECONDS, Indicators
from streams.clock import Clock
from streams.metrics.deployment import LiveMetrics
from streams.state.reconcile import Nightly

# How often what Prometheus is served is brought up to date.
REFRESH_SECONDS = 15.0
# How often it is looked whether the night's comparison with the log is due.
NIGHT_SECONDS = 60.0


class ElectedDuties:
    """The further duties of one process, whenever it is elected."""

    def __init__(
        self, settings: Settings, rules: Rules, clock: Clock, registry: CollectorRegistry
    ) -> None:
        self._settings, self._rules, self._clock = settings, rules, clock
        self._registry = registry

    @asynccontextmanager
    async def duties(self, redis: Redis) -> AsyncIterator[Sequence[Job]]:
        """The jobs of a term; what it measured is shown no longer than it lasts."""
        settings, rules = self._settings, self._rules
        indicators = Indicators(redis, settings, rules, self._clock)
        metrics = LiveMetrics(settings, rules, redis, self._registry, self._clock.now)

        nightly = Nightly(redis, settings, rules, self._clock)

        async def measure() -> bool:
            await metrics.refresh()
            return False

        jobs = [Job("watch indicators", indicators.turn, pause=LOOK_SECONDS, once=indicators.once)]
        jobs.append(Job("reconcile", nightly.turn, pause=NIGHT_SECONDS))
        if settings.metrics_port:
            jobs.append(Job("measure", measure, pause=REFRESH_SECONDS))
        try:
            yield jobs
        finally:
            self._registry.unregister(metrics)
