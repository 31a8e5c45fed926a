"""A connection to Redis that breaks, or waits, at a chosen point of what passes through it."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")
CHUNK = 1 << 16


@dataclass(frozen=True)
class Cut:
    """Where the connection breaks, or waits: at the first command that has the word in it."""

    word: bytes
    how: Literal["break before", "break after", "wait before"]

    @classmethod
    def before(cls, word: bytes) -> "Cut":
        """Break: what comes before the word arrives, and nothing else."""
        return cls(word, "break before")

    @classmethod
    def answers_after(cls, word: bytes) -> "Cut":
        """Break: all arrives, and no answer comes back."""
        return cls(word, "break after")

    @classmethod
    def hold_before(cls, word: bytes) -> "Cut":
        """Wait before the word until the link is released."""
        return cls(word, "wait before")


class Link:
    """Passes bytes between clients and Redis, once armed doing what the cut says; then no more."""

    def __init__(self, url: str, cut: Cut) -> None:
        self._to, self._cut = urlsplit(url), cut
        self._armed = True
        self._broken = False
        self.reached, self.release = asyncio.Event(), asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = self._to._replace(netloc=f"127.0.0.1:{port}").geturl()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def unharmed(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do something with the connection whole, whatever passes through it."""
        self._armed = False
        try:
            return await work()
        finally:
            self._armed = True

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._broken:
            writer.close()
            return
        back, there = await asyncio.open_connection(self._to.hostname, self._to.port)
        pairs = ((reader, there, True), (back, writer, False))
        tasks = [asyncio.create_task(self._pass(*pair)) for pair in pairs]
        self._tasks.update(tasks)
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if self._broken and self._cut.how == "break after":
            # Redis has done all that arrived once it closes; only then does the client hear of it.
            await asyncio.wait(tasks)
        for each in (writer, there):
            each.close()

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_command: bool
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(CHUNK):
                if not is_command and self._broken:
                    if self._cut.how == "break after":
                        continue
                    return
                found = data.find(self._cut.word) if is_command and self._armed else -1
                if found >= 0 and not self.reached.is_set():
                    data = await self._at_the_word(data, found)
                writer.write(data)
                await writer.drain()
                if self._broken and is_command:
                    if self._cut.how == "break after":
                        writer.write_eof()
                    return

    async def _at_the_word(self, data: bytes, found: int) -> bytes:
        """What still arrives of the bytes that have the word in them."""
        self.reached.set()
        if self._cut.how == "wait before":
            await self.release.wait()
            return data
        self._broken = True
        return data[:found] if self._cut.how == "break before" else data
