"""What travels with a WATCH is fenced by it, and an answer is of the command that it came after."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from redis import Redis as PlainRedis
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import NoPermissionError, WatchError

from schemas.connection_settings import RedisConnection
from streams.connections import redis_client
from streams.sent_together import WATCH_WITH_NEXT
from streams.state.fence import Overtaken, fenced
from tests.support.servers import Server

pytestmark = pytest.mark.services

KEY = f"sending-{uuid4().hex}"
LARGE = 40_000_000


@asynccontextmanager
async def client(url: str) -> AsyncIterator[Redis]:
    redis = redis_client(RedisConnection.parsed(url))
    try:
        await redis.ping()  # what is sent later is sent on a connection that is there
        yield redis
    finally:
        await redis.aclose()


@asynccontextmanager
async def watching(redis: Redis) -> AsyncIterator[Any]:
    async with redis.pipeline(transaction=True) as pipe:
        await pipe.execute_command(WATCH_WITH_NEXT, KEY)
        yield pipe


def run(url: str, step: Callable[[Redis], Awaitable[None]]) -> None:
    async def all_of_it() -> None:
        async with client(url) as redis:
            await step(redis)

    asyncio.run(all_of_it())


@pytest.fixture
def plain(redis_server: Server) -> Any:
    with PlainRedis.from_url(redis_server.address, decode_responses=True) as redis:
        redis.set(KEY, "before")
        yield redis
        redis.delete(KEY)


def sent(plain: Any) -> int:
    """How many times commands came to Redis together, by all of its clients."""
    return int(plain.info("stats")["total_reads_processed"])


def calls(plain: Any, command: str) -> int:
    """How often Redis was given a command, by all of its clients."""
    return int(plain.info("commandstats").get(f"cmdstat_{command}", {"calls": 0})["calls"])


def test_what_changes_after_it_was_watched_and_read_refuses_the_step(
    redis_server: Server, plain: Any
) -> None:
    async def step(redis: Redis) -> None:
        async with watching(redis) as pipe:
            assert await pipe.get(KEY) == b"before"
            plain.set(KEY, "meanwhile")
            pipe.multi()
            pipe.set(KEY, "after")
            with pytest.raises(WatchError):
                await pipe.execute()
        assert await redis.get(KEY) == b"meanwhile"

    run(redis_server.address, step)


def test_a_step_that_nothing_comes_between_takes_place_in_two_writes(
    redis_server: Server, plain: Any
) -> None:
    async def step(redis: Redis) -> None:
        before = sent(plain)
        async with watching(redis) as pipe:
            assert await pipe.get(KEY) == b"before"
            pipe.multi()
            pipe.set(KEY, "after")
            pipe.get(KEY)
            assert await pipe.execute() == [True, b"after"]
        # That of this step, and the one that asks.
        assert sent(plain) - before == 2 + 1

    run(redis_server.address, step)


def test_what_is_read_on_another_connection_is_watched_by_then(
    redis_server: Server, plain: Any
) -> None:
    async def overtaken(redis: Redis) -> None:
        async with fenced(redis, KEY) as pipe:
            assert await redis.get(KEY) == b"before"
            plain.set(KEY, "meanwhile")
            pipe.multi()
            pipe.set(KEY, "after")

    async def step(redis: Redis) -> None:
        with pytest.raises(Overtaken):
            await overtaken(redis)
        assert await redis.get(KEY) == b"meanwhile"

    run(redis_server.address, step)


def test_a_step_that_reads_nothing_watches_all_the_same(redis_server: Server, plain: Any) -> None:
    async def step(redis: Redis) -> None:
        before = calls(plain, "watch")
        async with watching(redis) as pipe:
            pipe.multi()
            pipe.set(KEY, "after")
            assert await pipe.execute() == [True]
        assert calls(plain, "watch") == before + 1
        assert await redis.get(KEY) == b"after"

    run(redis_server.address, step)


def test_a_step_given_up_before_anything_was_sent_leaves_nothing_watched(
    redis_server: Server, plain: Any
) -> None:
    async def step(redis: Redis) -> None:
        before = calls(plain, "unwatch")
        async with watching(redis):
            pass
        assert calls(plain, "unwatch") == before + 1
        plain.set(KEY, "meanwhile")
        async with redis.pipeline(transaction=True) as pipe:
            pipe.set(KEY, "after")
            pipe.get(KEY)
            assert await pipe.execute() == [True, b"after"]

    run(redis_server.address, step)


@pytest.mark.parametrize("is_read", [False, True], ids=["reading nothing", "reading"])
def test_whoever_may_not_watch_changes_nothing_and_later_answers_are_of_their_own_commands(
    redis_server: Server, plain: Any, is_read: bool
) -> None:
    name = f"u{uuid4().hex}"
    plain.execute_command("ACL", "SETUSER", name, "on", ">pass", "~*", "+@all", "-watch")

    async def refused(redis: Redis) -> None:
        async with watching(redis) as pipe:
            if is_read:
                await pipe.get(KEY)
            pipe.multi()
            pipe.set(KEY, "after")
            await pipe.execute()

    async def step(redis: Redis) -> None:
        with pytest.raises(NoPermissionError):
            await refused(redis)
        assert await redis.get(KEY) == b"before"
        assert await redis.echo("same") == b"same"

    try:
        run(redis_server.address.replace("://", f"://{name}:pass@"), step)
    finally:
        plain.execute_command("ACL", "DELUSER", name)


def test_a_connection_closed_here_before_the_watch_was_sent_refuses_the_step(
    redis_server: Server, plain: Any
) -> None:
    async def closed(redis: Redis) -> None:
        async with watching(redis) as pipe:
            await redis.connection_pool.disconnect()
            await pipe.get(KEY)

    async def step(redis: Redis) -> None:
        with pytest.raises(WatchError):
            await closed(redis)
        assert await redis.get(KEY) == b"before"

    run(redis_server.address, step)


@pytest.mark.parametrize("is_read", [False, True], ids=["before it was sent", "after"])
def test_a_connection_that_goes_while_watching_refuses_the_step_and_the_next_has_another(
    redis_server: Server, plain: Any, is_read: bool
) -> None:
    async def interrupted(redis: Redis, number: int) -> None:
        async with watching(redis) as pipe:
            if is_read:
                await pipe.get(KEY)
            plain.client_kill_filter(_id=number)
            if not is_read:
                await pipe.get(KEY)
            pipe.multi()
            pipe.set(KEY, "after")
            await pipe.execute()

    async def step(redis: Redis) -> None:
        number = await redis.client_id()
        with pytest.raises((WatchError, NoConnection)):
            await interrupted(redis, number)
        assert await redis.get(KEY) == b"before"
        assert await redis.client_id() != number

    run(redis_server.address, step)


def test_more_than_a_socket_takes_at_once_arrives_whole(redis_server: Server, plain: Any) -> None:
    async def step(redis: Redis) -> None:
        async with watching(redis) as pipe:
            await pipe.get(KEY)
            pipe.multi()
            pipe.set(KEY, b"x" * LARGE)
            pipe.strlen(KEY)
            assert await pipe.execute() == [True, LARGE]

    run(redis_server.address, step)
