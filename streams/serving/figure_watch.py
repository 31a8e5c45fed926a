"""Told when figures change: one reader for every listener of the process.

While anyone listens, it asks Redis where the state stands four times a second, whatever the number
of listeners; with none it asks nothing. They are told twice a second at most.
"""

import asyncio
import hashlib
import logging
from collections.abc import AsyncGenerator, Callable

from streams.serving.live_figures import LiveFigures
from streams.serving.problems import Problem

LOOK_SECONDS = 0.25
# Of a state that goes on moving, what is told in between would cost the most and help nobody.
REST_SECONDS = 0.5
# What keeps proxies from taking a stream for dead.
HEARTBEAT_SECONDS = 15.0
# How long a browser waits before it connects again, in milliseconds.
RETRY_MS = 3_000
# Listeners of one process.
MOST_LISTENERS = 5_000

log = logging.getLogger(__name__)


class FigureWatch:
    """Watches the figures of a deployment for as long as somebody listens."""

    def __init__(self, figures: LiveFigures) -> None:
        self._figures = figures
        self._listeners = 0
        self._task: asyncio.Task[None] | None = None
        self._version = ""
        self._moved = asyncio.Event()
        self.is_stopping: Callable[[], bool] = lambda: False

    @property
    def listeners(self) -> int:
        """How many listen now."""
        return self._listeners

    @property
    def is_full(self) -> bool:
        """Whether nobody more is listened to."""
        return self._listeners >= MOST_LISTENERS

    async def events(self, last_id: str) -> AsyncGenerator[bytes]:
        """What a listener is sent, who has seen the version `last_id` if any, until told to stop.

        The first says which version there is, and that figures changed if it is another one than
        the listener has seen.
        """
        self._listeners += 1
        try:
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._look())
            yield f"retry: {RETRY_MS}\n\n".encode()
            seen = last_id
            while not self.is_stopping():
                version, moved = self._version, self._moved
                if version and version != seen:
                    kind = "changed" if seen else "version"
                    yield f"id: {version}\nevent: {kind}\ndata: {version}\n\n".encode()
                    seen = version
                elif not await _within(moved, HEARTBEAT_SECONDS):
                    yield b": still here\n\n"
        finally:
            self._listeners -= 1
            if not self._listeners and self._task is not None:
                self._task.cancel()
                self._task, self._version = None, ""

    async def _look(self) -> None:
        """Look again and again; wake every listener when the state has moved, and at the end."""
        now, told_at = asyncio.get_running_loop().time, -REST_SECONDS
        while not self.is_stopping():
            try:
                day = self._figures.clock.today()
                moment = await self._figures.moment(day)
            except Problem:
                log.debug("where the state stands is not known now")
            else:
                version = hashlib.sha256(f"{day} {moment.version}".encode()).hexdigest()[:16]
                if version != self._version and now() - told_at >= REST_SECONDS:
                    self._version, told_at = version, now()
                    self._wake()
            await asyncio.sleep(LOOK_SECONDS)
        self._wake()

    def _wake(self) -> None:
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()


async def _within(moved: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await moved.wait()
    except TimeoutError:
        return False
    return True
