"""Many who listen for changes, in a process of their own: plain sockets, read as they speak.

    python -m bench.listeners ADDRESS COUNT      (CASELINE_BENCH_TOKEN in the environment)

Writes a line `listening` when each was told the version there is, and then, of each version that
all of them were told, a line of the moment when the last of them was: seconds of the clock that
all processes of the machine share.
"""

import asyncio
import os
import resource
import sys
from collections import Counter
from time import monotonic
from urllib.parse import urlsplit

BESIDE = 200  # Files that the process has open besides.
AT_ONCE = 50  # Connections that are made at a time.
TOKEN = "CASELINE_BENCH_TOKEN"  # noqa: S105 - the name of a variable


class Crowd:
    """All who listen, and how many of them have been told which version."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._told = Counter[str]()
        self._is_listening = False

    def hear(self, version: str) -> str:
        """One is told a version; what there is to say once all are, else nothing."""
        self._told[version] += 1
        if self._told[version] < self._count:
            return ""
        if self._is_listening:
            return f"{monotonic()}"
        self._is_listening = True
        return "listening"


def version_in(line: bytes) -> str:
    """The version that a line of the stream names; none for any other line."""
    return line[3:].strip().decode() if line.startswith(b"id:") else ""


async def listen(address: str, count: int) -> None:
    """Listen until the server ends it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = count + BESIDE
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if hard < 0 else min(wanted, hard), hard))
    crowd, connecting, there = Crowd(count), asyncio.Semaphore(AT_ONCE), urlsplit(address)
    request = (
        f"GET /api/v1/stream HTTP/1.1\r\nHost: {there.netloc}\r\nAccept: text/event-stream\r\n"
        f"Authorization: Bearer {os.environ[TOKEN]}\r\n\r\n"
    )

    async def one() -> None:
        async with connecting:
            reader, writer = await asyncio.open_connection(there.hostname, there.port)
            writer.write(request.encode())
            status = await reader.readline()
        if b" 200 " not in status:
            raise ConnectionError(f"a listener was refused: {status.decode().strip()}")
        while line := await reader.readline():
            if (version := version_in(line)) and (said := crowd.hear(version)):
                print(said, flush=True)

    await asyncio.gather(*(one() for _ in range(count)))


if __name__ == "__main__":
    asyncio.run(listen(sys.argv[1], int(sys.argv[2])))
