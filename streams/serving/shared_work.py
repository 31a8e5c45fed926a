"""Work that many ask for at once, and that is done once for them.

Of what changes, each is given what begins after they asked. So whoever asks sees what there was
when they asked, or later; and however many ask while the state moves on, no more than two of them
are waited for: that which is under way, and the next. Of what does not change, all who ask are
given what is under way.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class SharedWork(Generic[T]):
    """Pieces of work by what each is of."""

    def __init__(self) -> None:
        self._running: dict[Hashable, asyncio.Task[T]] = {}
        self._next: dict[Hashable, asyncio.Task[T]] = {}

    def under_way(self, key: Hashable) -> "asyncio.Future[T] | None":
        """What began before now, and has not ended."""
        return self._running.get(key)

    def is_at_work(self, key: Hashable) -> bool:
        """Whether it is under way, or about to begin."""
        return key in self._running or key in self._next

    def joined(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> "asyncio.Future[T]":
        """What the work gives, for what does not change: who asks while it is under way joins."""
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.ensure_future(_awaited(work))
            task.add_done_callback(lambda it: self._ended(key, it))
        return asyncio.shield(task)

    def begun_from_now(
        self, key: Hashable, work: Callable[[], Awaitable[T]]
    ) -> "asyncio.Future[T]":
        """What the work gives that is begun from now on; it goes on when nobody waits any more."""
        task = self._next.get(key)
        if task is None:
            task = asyncio.ensure_future(self._in_turn(key, work, self._running.get(key)))
            self._next[key] = task
            task.add_done_callback(lambda it: self._ended(key, it))
        return asyncio.shield(task)

    async def aclose(self) -> None:
        """Work no more."""
        tasks = [*self._running.values(), *self._next.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _in_turn(
        self,
        key: Hashable,
        work: Callable[[], Awaitable[T]],
        before: "asyncio.Task[T] | None",
    ) -> T:
        if before is not None:
            await asyncio.wait([before])
        self._running[key] = self._next.pop(key)
        return await work()

    def _ended(self, key: Hashable, task: "asyncio.Task[Any]") -> None:
        for tasks in (self._running, self._next):
            if tasks.get(key) is task:
                del tasks[key]
        if not task.cancelled():
            task.exception()  # of which everyone who asked may be gone


async def _awaited(work: Callable[[], Awaitable[T]]) -> T:
    return await work()
