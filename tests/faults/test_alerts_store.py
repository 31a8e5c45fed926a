"""Alerts in a real Redis when an answer is lost: each change once, with what it follows from."""

from collections import Counter
from datetime import date
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from processors.alerts.judging import Judgement
from processors.days.calendar import day_number
from processors.fold import Settlement
from processors.record.decoding import decode
from processors.rules import Rules
from schemas.alerts import CHANGE
from schemas.events.registry import CASE_TOPIC
from streams.state.store import Advance, Refused
from tests.support.cutting import Cut
from tests.support.servers import Server
from tests.support.stored import State, batches, in_redis, linked

pytestmark = pytest.mark.services

BATCHES = 8
JUDGEMENT = Judgement(day_number(date(2015, 9, 30)))


class Judging(State):
    """A worker that judges alerts as of one day."""

    async def fold(self, messages: list[tuple[bytes, bytes]]) -> tuple[Settlement, Advance]:
        events = decode(CASE_TOPIC, [(key, value, ()) for key, value in messages]).events
        missing = self.memory.missing(child for child, _ in events)
        stored = await self.store.children(self.head, missing)
        for child, found in zip(missing, stored, strict=True):
            self.memory.admit(child, *found)
        self.memory.fold(events)
        return self.memory.settle(JUDGEMENT), self.advance(messages, events[-1][1].instant, {})


@pytest.mark.parametrize(
    ("cut", "is_stored"),
    [
        pytest.param(Cut.before(b"outbox"), False, id="half of the changes are queued"),
        pytest.param(Cut.before(b"EXEC"), False, id="nothing is executed"),
        pytest.param(Cut.answers_after(b"EXEC"), True, id="the answer is lost"),
    ],
)
def test_a_worker_that_loses_its_answer_takes_the_partition_anew_and_tells_each_change_once(
    redis_server: Server, deployment: str, rules: Rules, cut: Cut, is_stored: bool
) -> None:
    work_to_do = batches(BATCHES)

    async def work(redis: Redis) -> None:
        state = Judging(redis, deployment, rules)
        for batch in work_to_do[: BATCHES // 2]:
            await state.fold_and_commit(batch)
        async with linked(redis_server.address, cut) as (link, cut_off):
            broken = Judging(cut_off, deployment, rules)
            await link.unharmed(broken.take_over)
            folded = await link.unharmed(lambda: broken.fold(work_to_do[BATCHES // 2]))
            with pytest.raises((RedisError, OSError, Refused)):
                await broken.commit(*folded)
        await state.take_over()
        read = sum(map(len, work_to_do[: BATCHES // 2]))
        assert (state.head.offset(CASE_TOPIC) > read) == is_stored
        for batch in work_to_do[BATCHES // 2 + is_stored :]:
            await state.fold_and_commit(batch)
        await _check(redis, state)

    in_redis(redis_server.address, work)


async def _check(redis: Any, state: State) -> None:
    """No version is missing or repeated, and what is open and counted follows from them."""
    entries = await redis.xrange(state.store.alerts_key("outbox"))
    changes = [CHANGE.validate_json(fields[b"change"]) for _, fields in entries]
    versions: Counter[str] = Counter()
    for change in changes:
        versions[change.alert] += 1
        assert change.version == versions[change.alert]
    active = {it.alert: it for it in {it.alert: it for it in changes}.values() if it.is_active}
    stored = await redis.hgetall(state.store.alerts_key("open"))
    assert {name.decode(): CHANGE.validate_json(it) for name, it in stored.items()} == active
    counts = await redis.hgetall(state.store.alerts_key("counts"))
    found = {name.decode(): int(count) for name, count in counts.items() if int(count)}
    assert found == Counter(f"{it.standard} {it.state}" for it in active.values())
    assert len(active) > 10
