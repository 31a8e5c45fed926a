"""Texts that a commit writes, in a real Redis: whole or at the end of what is there."""

from typing import Any

import pytest
from redis.asyncio import Redis

from streams.state import written_texts
from streams.state.written_texts import WrittenTexts
from tests.support.servers import Server
from tests.support.stored import in_redis

pytestmark = pytest.mark.services

WHOLE = {"{it}:a": b"short\x00\r\n", "{it}:b": b"a longer one", "{it}:c": b""}
MORE = {"{it}:d": b"\xff", "{it}:e": b"of many bytes", "{it}:new": b"1"}


@pytest.mark.parametrize("long", [0, 10, 1_000])
def test_texts_are_set_or_appended_to_what_is_there_however_long_they_are(
    redis_server: Server, monkeypatch: pytest.MonkeyPatch, long: int
) -> None:
    monkeypatch.setattr(written_texts, "LONG", long)

    async def work(redis: Redis) -> Any:
        before = dict.fromkeys([*WHOLE, *MORE][:-1], b"before ")
        await redis.delete(*WHOLE, *MORE)
        await redis.mset(before)
        async with redis.pipeline(transaction=True) as pipe:
            WrittenTexts(WHOLE, MORE).queue(pipe)
            await pipe.execute()
        return await redis.mget([*WHOLE, *MORE])

    found = in_redis(redis_server.address, work)
    assert found == [*WHOLE.values(), b"before \xff", b"before of many bytes", b"1"]


def test_nothing_is_queued_where_there_is_nothing(redis_server: Server) -> None:
    async def work(redis: Redis) -> int:
        async with redis.pipeline(transaction=True) as pipe:
            WrittenTexts({}, {}).queue(pipe)
            return len(pipe)

    assert in_redis(redis_server.address, work) == 0
