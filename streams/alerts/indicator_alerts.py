"""Watching indicators: the elected process judges them now and then, and writes what is news.

    caseline:{<deployment>}:alerts:told     HASH    alert -> its latest change, unless its period
                                                    is over and so is it
    ...:alerts:judged                       ZSET    `at`, when they were looked at last
    ...:alerts:open, :outbox, :counts       as workers write them (streams.state.alert_outbox)

A change is told only when it was true at every look for a while, so that figures in motion, as
while a backlog is read, raise nothing.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import Redis

from processors.figures.rating import targets
from processors.places.indicator_places import figures, is_over, news
from processors.rules import Rules
from schemas.alerts import CHANGE, IndicatorChange
from schemas.settings import Settings
from streams import keys
from streams.clock import Clock
from streams.state.alert_outbox import Outgoing, queue_changes
from streams.state.election import TermOver
from streams.state.fence import Overtaken, fenced
from streams.state.held_tables import HeldTables
from streams.state.reading import read_reference, read_stocks

# How often indicators are looked at, in seconds.
LOOK_SECONDS = 5.0

log = logging.getLogger(__name__)


@dataclass
class Indicators:
    """The indicators of a deployment, looked at turn by turn."""

    redis: Redis
    settings: Settings
    rules: Rules
    clock: Clock
    _held: HeldTables = field(default_factory=HeldTables)
    # When each change that is not told yet was first found, by the event loop's time.
    _found: dict[tuple[str, str], float] = field(default_factory=dict)

    async def turn(self) -> bool:
        """Look at every figure, and write what is news and has lasted; there is never more to do.

        Raises streams.state.reading.NothingYet, redis.RedisError, or
        streams.state.election.TermOver.
        """
        rules, deployment, today = self.rules, self.settings.deployment, self.clock.today()
        stocks = await read_stocks(self.redis, deployment, rules, [today], self._held)
        reference = await read_reference(self.redis, deployment, rules, self._held)
        goals = targets(reference.events, rules.areas, today, rules.catalogue.target)
        told = await self._told()
        changes = news(figures(rules, stocks.by_date[0], goals), told, today, self.clock.now())
        lasting = self._lasting(changes)
        over = {name for name, it in told.items() if is_over(it.period, today)}
        forgotten = {name for name in over - changes.keys() if not told[name].is_active}
        if lasting or forgotten:
            await self._write(told, lasting, forgotten)
        client: Any = self.redis
        await client.zadd(self._key("judged"), {"at": self.clock.seconds()}, gt=True)
        return False

    async def once(self) -> bool:
        """Look until what was found has lasted, and write it; there is never more to do.

        What is in motion all the while is left for the next time. Raises as `turn` does.
        """
        calm, loop = self.settings.alert_calm_seconds, asyncio.get_running_loop()
        await self.turn()
        ends = loop.time() + calm
        if self._found and calm:
            log.info("waits to see whether what it found lasts", extra={"seconds": calm})
        while self._found and (left := ends - loop.time()) > 0:
            await asyncio.sleep(min(left, LOOK_SECONDS))
            await self.turn()
        return False

    def _lasting(self, changes: Mapping[str, IndicatorChange]) -> dict[str, IndicatorChange]:
        """Those of the changes that have been true for long enough."""
        now = asyncio.get_running_loop().time()
        found = {(name, it.state): now for name, it in changes.items()}
        self._found = {key: self._found.get(key, since) for key, since in found.items()}
        lasting = {
            name: it
            for name, it in changes.items()
            if now - self._found[name, it.state] >= self.settings.alert_calm_seconds
        }
        for name, it in lasting.items():
            del self._found[name, it.state]
        return lasting

    def _key(self, name: str) -> str:
        return f"{keys.of_deployment(self.settings.deployment)}:alerts:{name}"

    async def _told(self) -> dict[str, IndicatorChange]:
        client: Any = self.redis
        stored = await client.hgetall(self._key("told"))
        changes = {name.decode(): CHANGE.validate_json(text) for name, text in stored.items()}
        return {name: it for name, it in changes.items() if isinstance(it, IndicatorChange)}

    async def _write(
        self,
        told: Mapping[str, IndicatorChange],
        changes: Mapping[str, IndicatorChange],
        forgotten: set[str],
    ) -> None:
        """Write changes in one step, or nothing if another process wrote meanwhile."""
        try:
            async with fenced(self.redis, self._key("told")) as pipe:
                if await self._told() != told:
                    raise TermOver("another process watches the indicators")
                pipe.multi()
                texts = {name: CHANGE.dump_json(change) for name, change in changes.items()}
                outgoing = [
                    Outgoing(
                        name,
                        change.standard,
                        told[name].state if name in told else None,
                        change.state,
                        texts[name],
                    )
                    for name, change in changes.items()
                ]
                queue_changes(pipe, self._key, outgoing)
                for name, text in texts.items():
                    pipe.hset(self._key("told"), name, text)
                for name in forgotten:
                    pipe.hdel(self._key("told"), name)
        except Overtaken as error:
            raise TermOver("another process watches the indicators") from error
