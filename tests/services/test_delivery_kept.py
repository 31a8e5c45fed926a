"""What delivery keeps and takes at a time is bounded, however long it runs and much there is."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from redis.asyncio import Redis

from schemas.events.registry import CASE_TOPIC
from streams.alerts.delivery.receiver_state import (
    FORGET_SECONDS,
    FORGOTTEN_AT_ONCE,
    KEPT_SECONDS,
    ReceiverState,
)
from streams.alerts.topic.publishing import MOST_AT_ONCE, Outboxes, Publisher
from streams.state.reading import partitions_key
from tests.support.alerting import change
from tests.support.servers import Server

pytestmark = pytest.mark.services

NOW = 1_500_000_000.0
OLD = FORGOTTEN_AT_ONCE + 500


def on_redis(server: Server, work: Callable[[Any], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        async with Redis.from_url(server.address) as redis:
            await work(redis)

    asyncio.run(run())


def test_what_has_long_been_over_is_forgotten_while_a_process_runs(
    redis_server: Server, deployment: str
) -> None:
    async def work(redis: Any) -> None:
        state = ReceiverState(redis, deployment, "hook", 1)
        await state.take_over()
        over = {f"old-{number}": NOW - KEPT_SECONDS - 1 for number in range(OLD)}
        over |= {f"new-{number}": NOW - KEPT_SECONDS + FORGET_SECONDS / 2 for number in range(10)}
        await redis.zadd(state.key("over"), over)
        await redis.hset(state.key("versions"), mapping=dict.fromkeys(over, 3))

        async def kept() -> int:
            count: int = await redis.hlen(state.key("versions"))
            assert count == await redis.zcard(state.key("over"))
            return count

        await state.forget(NOW)
        assert await kept() == OLD - FORGOTTEN_AT_ONCE + 10
        await state.forget(NOW)
        assert await kept() == 10
        await state.forget(NOW + FORGET_SECONDS - 1)  # looks only now and then
        assert await kept() == 10
        await state.forget(NOW + FORGET_SECONDS)
        assert await kept() == 0

    on_redis(redis_server, work)


def test_no_more_is_published_in_one_transaction_than_a_producer_takes(
    redis_server: Server, deployment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    partitions, each = 50, 500
    taken: list[int] = []
    monkeypatch.setattr(Publisher, "publish", lambda _, changes: taken.append(len(changes)))

    async def work(redis: Any) -> None:
        names = [f"{CASE_TOPIC}:{number}" for number in range(partitions)]
        await redis.sadd(partitions_key(deployment), *names)
        text = change().model_dump_json()
        async with redis.pipeline(transaction=False) as pipe:
            for name in names:
                for _ in range(each):
                    pipe.xadd(f"caseline:{{{deployment}:{name}}}:alerts:outbox", {"change": text})
            await pipe.execute()
        outboxes = Outboxes(redis, deployment, Publisher("nowhere", deployment))
        while await outboxes.turn():
            pass

    on_redis(redis_server, work)
    assert sum(taken) == partitions * each
    assert max(taken) <= MOST_AT_ONCE
