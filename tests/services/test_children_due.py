"""Who falls due by the clock: read into memory before that, and judged when it is time."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from processors.alerts.judging import Judgement
from processors.fold import Partition
from processors.record.decoding import decode
from processors.rules import Rules
from streams.clock import Clock
from streams.state.store import Advance
from streams.worker.due_children import (
    AHEAD_AT_ONCE,
    AHEAD_SECONDS,
    LOOK_SECONDS,
    DueChildren,
)
from streams.worker.given import Limits
from streams.worker.held import Held
from streams.worker.holdback import Calm
from streams.worker.memory import Memory
from streams.worker.stops import Stops
from tests.support.opencases import open_case
from tests.support.parts_of_worker import given_to
from tests.support.patience import POLL_SECONDS, SECONDS
from tests.support.servers import Server
from tests.support.stored import TP0, State, in_redis

pytestmark = pytest.mark.services

RECEIVED = datetime(2015, 10, 1, 9, tzinfo=UTC)
# An alert on the first contact breaches after ten working days.
DAY_BEFORE, MIDNIGHT = datetime(2015, 10, 15), datetime(2015, 10, 15, 23, tzinfo=UTC)
CHILDREN = 2 * AHEAD_AT_ONCE + 1
LIMITS = Limits(records_in_memory=10 * CHILDREN, bytes_in_memory=10**9, calm_seconds=0.0)


def at(time: datetime) -> Clock:
    """A clock that shows a time now."""
    return Clock(time - datetime.now(UTC))


async def judged_the_day_before(state: State) -> list[str]:
    """Children with an open case each, of whom alerts were told as of the day before."""
    lines = [it for number in range(CHILDREN) for it in open_case(number, RECEIVED)]
    events = decode(TP0.topic, [it.message for it in lines]).events
    state.memory.fold_unstored(events)
    day = (DAY_BEFORE - datetime(1970, 1, 1)).days
    settlement = state.memory.settle(Judgement(day))
    await state.commit(settlement, Advance({TP0.topic: len(lines)}, events[-1][1].instant, {}))
    assert set(settlement.telling.deadlines.values()) == {day + 1}
    return sorted({child for child, _ in events})


async def held_by_a_worker_that_begins(state: State) -> Held:
    """The shard in the hands of a worker that has none of its records in memory."""
    head, tables = await state.store.load()
    assert head is not None
    memory = Partition(state.memory.rules, tables, head.kept.records)
    memory.unread = head.kept.records + await state.store.told()
    return Held(TP0, state.store, head, memory, {}, Calm(0.0, 0.0, 0.0), head.latest)


async def held_since_the_day_before(
    redis: Redis, deployment: str, rules: Rules
) -> tuple[list[str], Held]:
    """Children judged the day before, and their shard held by a worker that begins."""
    state = State(redis, deployment, rules)
    children = await judged_the_day_before(state)
    return children, await held_by_a_worker_that_begins(state)


def looking(redis: Redis, rules: Rules, held: Held, clock: Clock, limits: Limits) -> DueChildren:
    """What looks who is due, by a clock."""
    given = given_to(rules, limits, redis=redis, clock=clock)
    return DueChildren(given, Memory(given, {TP0: held}), Stops())


async def look_until(due: DueChildren, held: Held, holds: Any) -> None:
    """Look as a worker does that has nothing else to do."""
    async with asyncio.timeout(SECONDS):
        while not holds():
            await due.look(held)
            assert not held.trouble.is_broken
            await asyncio.sleep(POLL_SECONDS)


def test_who_falls_due_before_long_is_in_memory_by_then_and_judged_no_sooner(
    redis_server: Server, deployment: str, rules: Rules
) -> None:
    async def work(redis: Redis) -> None:
        children, held = await held_since_the_day_before(redis, deployment, rules)
        early = at(MIDNIGHT - timedelta(seconds=2 * AHEAD_SECONDS))
        before = looking(redis, rules, held, early, LIMITS)
        await look_until(before, held, lambda: held.lookups.ahead > 0)
        assert held.state.missing(children) == children
        soon = looking(redis, rules, held, at(MIDNIGHT - timedelta(minutes=1)), LIMITS)
        held.lookups.due = 0.0
        await look_until(soon, held, lambda: not held.state.missing(children))
        assert not held.state.is_due
        after = looking(redis, rules, held, at(MIDNIGHT), LIMITS)
        held.lookups.due = 0.0
        await look_until(after, held, lambda: held.state.is_due)
        telling = held.state.settle(Judgement(at(MIDNIGHT).day())).telling
        assert {it.child for it in telling.changes} == set(children)
        assert {it.alert.state for it in telling.changes} == {"breached"}

    in_redis(redis_server.address, work)


def test_no_more_are_read_ahead_than_half_of_what_memory_holds(
    redis_server: Server, deployment: str, rules: Rules
) -> None:
    async def work(redis: Redis) -> None:
        children, held = await held_since_the_day_before(redis, deployment, rules)
        few = replace(LIMITS, records_in_memory=CHILDREN // 2)
        soon = looking(redis, rules, held, at(MIDNIGHT - timedelta(minutes=1)), few)
        await look_until(soon, held, lambda: held.lookups.ahead > 0 and not held.lookups.coming)
        assert CHILDREN - len(held.state.missing(children)) == CHILDREN // 4

    in_redis(redis_server.address, work)


def test_it_is_looked_as_soon_as_a_day_begins(
    redis_server: Server, deployment: str, rules: Rules
) -> None:
    async def work(redis: Redis) -> None:
        _, held = await held_since_the_day_before(redis, deployment, rules)
        left = LOOK_SECONDS / 10
        just_before = at(MIDNIGHT - timedelta(seconds=left))
        await looking(redis, rules, held, just_before, LIMITS).look(held)
        assert held.lookups.due <= asyncio.get_running_loop().time() + left
        held.let_go()

    in_redis(redis_server.address, work)
