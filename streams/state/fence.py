"""Steps of Redis that take place as a whole, or not at all if what they rest on has changed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import WatchError

from streams.sent_together import WATCH_WITH_NEXT


class Overtaken(Exception):  # noqa: N818 - named for the condition
    """Another process wrote what was watched, and nothing of the step took place."""


@asynccontextmanager
async def fenced(redis: Redis, key: str, *, reads_first: bool = False) -> AsyncIterator[Any]:
    """A pipeline for one step that rests on a key, and is executed in the end.

    Until its `multi()` it reads at once; what follows is queued. An error within leaves everything
    as it was. `reads_first`: all that the step rests on is read through the pipeline, so that the
    key may be watched on the way to the first of it. Raises Overtaken; after any other error of
    executing it, only Redis knows whether the step took place.
    """
    async with redis.pipeline(transaction=True) as pipe:
        if reads_first:
            await pipe.execute_command(WATCH_WITH_NEXT, key)
        else:
            await pipe.watch(key)
        yield pipe
        try:
            await pipe.execute()
        except WatchError as error:
            raise Overtaken(key) from error
