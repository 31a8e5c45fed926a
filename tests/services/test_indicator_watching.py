"""Indicators watched on a real Redis: told once, when it has lasted, and counted rightly."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from processors.fold import Partition
from processors.record.decoding import Message, decode
from processors.rules import Rules
from schemas.alerts import CHANGE, IndicatorChange
from schemas.events.registry import CASE_TOPIC
from schemas.settings import Settings
from streams.alerts.indicator_alerts import Indicators
from streams.clock import Clock
from streams.kafka.batches import TP
from streams.state.election import TermOver
from streams.state.reading import partitions_key
from streams.state.store import Advance, Head, ShardStore
from tests.support.servers import Server

pytestmark = pytest.mark.services

CALM_SECONDS = 0.4
OCTOBER = datetime(2015, 10, 20, 12, tzinfo=UTC)
NOVEMBER = datetime(2015, 11, 1, 0, 0, 1, tzinfo=UTC)
GOOD, BAD = "Outcomes achieved", "Disengaged"
Told = tuple[str | None, str, str, int, str | None]


def at(time: datetime) -> Clock:
    """A clock that shows a time now."""
    return Clock(time - datetime.now(UTC))


def closed(number: int, outcome: str) -> list[Message]:
    """A unit's case in Dover that was closed in October."""
    case = f"C{number}"
    happened: list[tuple[str, str, dict[str, str]]] = [
        ("notification.received", "2015-09-01", {"notification_type": "EHN", "district": "Dover"}),
        ("case.allocated", "2015-09-02", {"service": "unit"}),
        ("case.closed", "2015-10-05", {"outcome": outcome}),
    ]
    return [
        (
            case.encode(),
            json.dumps(
                {
                    "specversion": "1.0",
                    "id": f"{case} {kind}",
                    "source": "urn:a",
                    "type": kind,
                    "subject": case,
                    "time": f"{day}T12:00:00Z",
                    "partitionkey": case,
                    "data": data,
                }
            ).encode(),
            (),
        )
        for kind, day, data in happened
    ]


class Deployment:
    """A deployment whose one partition a test folds cases into."""

    def __init__(self, redis: Redis, settings: Settings, rules: Rules) -> None:
        self.redis: Any = redis
        self.settings, self.rules = settings, rules
        self._store = ShardStore(redis, settings.deployment, TP(CASE_TOPIC, 0), rules)
        self._state, self._head, self._cases = Partition(rules), Head(), 0

    def indicators(self, time: datetime = OCTOBER) -> Indicators:
        """A process that watches, by a clock that shows a time now."""
        return Indicators(self.redis, self.settings, self.rules, at(time))

    async def close(self, *outcomes: str) -> None:
        """Cases are closed with outcomes."""
        for outcome in outcomes:
            self._cases += 1
            events = decode(CASE_TOPIC, closed(self._cases, outcome)).events
            self._state.fold_unstored(events)
        advance = Advance({CASE_TOPIC: self._head.offset(CASE_TOPIC) + 1}, 0, {})
        settlement = self._state.settle()
        self._head = await self._store.commit(self._head, settlement, self._state.tables, advance)

    async def outbox(self) -> list[Told]:
        """What is to be told, the oldest first."""
        entries = await self.redis.xrange(self._key("outbox"))
        return [_told(fields[b"change"]) for _, fields in entries]

    async def check(self) -> None:
        """What is open is what was told last, and counted rightly."""
        latest = {it[0]: it for it in map(_with_id, await self._changes())}
        active = {name for name, change in latest.items() if change[1].is_active}
        assert {key.decode() for key in await self.redis.hkeys(self._key("open"))} == active
        counts = await self.redis.hgetall(self._key("counts"))
        found = {name.decode(): int(count) for name, count in counts.items() if int(count)}
        changes = [latest[name][1] for name in active]
        assert found == Counter(f"{it.standard} {it.state}" for it in changes)

    async def remembered(self) -> int:
        """How many alerts are kept as they were told."""
        count: int = await self.redis.hlen(self._key("told"))
        return count

    async def _changes(self) -> list[bytes]:
        return [it[b"change"] for _, it in await self.redis.xrange(self._key("outbox"))]

    def _key(self, name: str) -> str:
        return f"caseline:{{{self.settings.deployment}}}:alerts:{name}"


def _change(text: bytes) -> IndicatorChange:
    change = CHANGE.validate_json(text)
    assert isinstance(change, IndicatorChange)
    return change


def _with_id(text: bytes) -> tuple[str, IndicatorChange]:
    return _change(text).alert, _change(text)


def _told(text: bytes) -> Told:
    it = _change(text)
    return it.period, it.area, it.state, it.version, it.reason


def everywhere(period: str, state: str, version: int, reason: str | None = None) -> set[Told]:
    """The same of every area in which there are cases."""
    return {(period, area, state, version, reason) for area in ("Kent", "South", "Dover")}


async def looks(indicators: Indicators) -> None:
    """It looks, and again after what it saw has lasted."""
    await indicators.turn()
    await asyncio.sleep(CALM_SECONDS)
    await indicators.turn()


@pytest.fixture
def on(
    redis_server: Server, deployment: str, rules: Rules
) -> Callable[[Callable[[Deployment], Awaitable[None]]], None]:
    """Runs a test on a new deployment."""
    settings = Settings(
        redis_url=redis_server.address, deployment=deployment, alert_calm_seconds=CALM_SECONDS
    )

    @asynccontextmanager
    async def begun() -> AsyncIterator[Deployment]:
        async with Redis.from_url(settings.redis_url) as redis:
            await redis.sadd(partitions_key(deployment), f"{CASE_TOPIC}:0")
            yield Deployment(redis, settings, rules)

    def run(work: Callable[[Deployment], Awaitable[None]]) -> None:
        async def whole() -> None:
            async with begun() as it:
                await work(it)

        asyncio.run(whole())

    return run


On = Callable[[Callable[[Deployment], Awaitable[None]]], None]


def test_a_breach_is_told_once_it_has_lasted_and_resolved_on_recovery(on: On) -> None:
    async def work(it: Deployment) -> None:
        indicators = it.indicators()
        await it.close(*[GOOD] * 4, *[BAD] * 5)
        await looks(indicators)
        assert await it.outbox() == []  # nine cases are too few
        await it.close(BAD)
        await indicators.turn()
        assert await it.outbox() == []
        await asyncio.sleep(CALM_SECONDS)
        await indicators.turn()
        breached = everywhere("2015-10", "breached", 1)
        assert set(await it.outbox()) == breached
        await it.check()
        await looks(indicators)
        await looks(it.indicators())  # another process takes over
        assert len(await it.outbox()) == len(breached)
        await it.close(*[GOOD] * 100)
        await looks(indicators)
        found = await it.outbox()
        assert set(found[3:]) == everywhere("2015-10", "resolved", 2, "recovered")
        assert len(found) == 6
        await it.check()

    on(work)


def test_figures_in_motion_raise_nothing(on: On) -> None:
    async def work(it: Deployment) -> None:
        indicators = it.indicators()
        await it.close(*[BAD] * 10)
        await indicators.turn()
        await asyncio.sleep(CALM_SECONDS)
        await it.close(*[GOOD] * 100)
        await indicators.turn()
        await it.close(*[BAD] * 100)
        await indicators.turn()
        assert await it.outbox() == []
        await it.check()

    on(work)


def test_the_months_end_ends_its_alerts_and_the_next_begins_anew(on: On) -> None:
    async def work(it: Deployment) -> None:
        await it.close(*[BAD] * 10)
        await looks(it.indicators())
        await looks(it.indicators(NOVEMBER))
        found = await it.outbox()
        assert set(found[3:]) == everywhere("2015-10", "resolved", 2, "period-ended")
        assert len(found) == 6
        await it.check()
        assert await it.remembered() == 3
        await it.indicators(NOVEMBER + timedelta(days=1)).turn()
        assert await it.remembered() == 0  # of a month that is over nothing is needed any more
        assert len(await it.outbox()) == 6

    on(work)


class Overtaken(Indicators):
    """A process that another overtakes between its look and its writing."""

    other: Indicators | None = None

    async def _told(self) -> dict[str, IndicatorChange]:
        told = await super()._told()
        other, self.other = self.other, None
        if other:
            await other.turn()
        return told


def test_of_two_processes_one_tells_and_the_other_stands_back(on: On) -> None:
    async def work(it: Deployment) -> None:
        await it.close(*[BAD] * 10)
        first = it.indicators()
        second = Overtaken(it.redis, it.settings, it.rules, at(OCTOBER))
        for process in (first, second):
            await process.turn()
        await asyncio.sleep(CALM_SECONDS)
        second.other = first
        with pytest.raises(TermOver):
            await second.turn()
        assert set(await it.outbox()) == everywhere("2015-10", "breached", 1)
        assert len(await it.outbox()) == 3
        await it.check()
        await second.turn()
        assert len(await it.outbox()) == 3

    on(work)
