"""Steps of Redis that take place as a whole, or not at all if what they rest on has changed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import WatchError


class Overtaken(Exception):  # noqa: N818 - named for the condition
    """Another process wrote what was watched, and nothing of the step took place."""


@asynccontextmanager
async def fenced(redis: Redis, key: str) -> AsyncIterator[Any]:
    """A pipeline for one step that rests on a key, and is executed in the end.

    Until its `multi()` it reads at once; what follows is queued. An error within leaves everything
    as it was. Raises Overtaken; after any other error of executing it, only Redis knows whether the
    step took place.
    """
    async with redis.pipeline(transaction=True) as pipe:
        await pipe.watch(key)
        yield pipe
        try:
            await pipe.execute()
        except WatchError as error:
            raise Overtaken(key) from error
