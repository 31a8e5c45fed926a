"""A `caseline serve` process, and what it takes of the machine."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep

from bench.bed import Bed, BenchError
from bench.workers import end, environment_of
from schemas.settings import Settings
from streams.serving.roles import Role
from streams.serving.tokens import Tokens
from streams.state.redis_clients import connect_redis

START_SECONDS = 120.0
LOOK_SECONDS = 0.05
TICKS = os.sysconf("SC_CLK_TCK")
# Where a process's time in its own code and in the system's stands, after its name.
TIMES = slice(11, 13)
KIB_A_MEGABYTE = 1024


class Server:
    """A running server, where it answers, and the token of one who may see everything."""

    def __init__(self, bed: Bed, settings: Settings) -> None:
        self.token = asyncio.run(_token(settings))
        self._log = bed.folder / f"serve-{settings.deployment}.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [Path(sys.executable).with_name("caseline"), "serve", "--port", "0"],
                cwd=bed.folder,
                env=environment_of(settings),
                stdout=subprocess.DEVNULL,
                stderr=log,
                text=True,
            )
        self.address = self._await_address()

    @property
    def headers(self) -> dict[str, str]:
        """What one sends who may see everything."""
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def processor_seconds(self) -> float:
        """Processor time that it has taken so far."""
        told = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, told[TIMES])) / TICKS

    @property
    def megabytes(self) -> float:
        """Memory that it has now."""
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / KIB_A_MEGABYTE**2

    def check(self) -> None:
        """Make sure that it runs. Raises BenchError."""
        if self._process.poll() is not None:
            raise BenchError(f"the server ended: {self._log.read_text()[-2_000:]}")

    def _await_address(self) -> str:
        deadline = monotonic() + START_SECONDS
        while True:
            for word in self._log.read_text().replace('"', " ").split():
                if word.startswith("http://"):
                    return word.rstrip("/")
            self.check()
            if monotonic() > deadline:
                self.stop()
                raise BenchError(f"the server did not start in {START_SECONDS:.0f} s")
            sleep(LOOK_SECONDS)

    def stop(self) -> None:
        """Ask it to stop and wait until it has."""
        end(self._process)


async def _token(settings: Settings) -> str:
    async with connect_redis(settings) as redis:
        tokens, now = Tokens(redis, settings.deployment), datetime.now(UTC)
        # The clock of what is measured may be set otherwise.
        at = settings.clock_from or now
        made = await tokens.create("bench", [*Role], [], at, timedelta(days=366))
        return made.text


@contextmanager
def running_server(bed: Bed, settings: Settings) -> Iterator[Server]:
    """A server for as long as the context lasts."""
    server = Server(bed, settings)
    try:
        yield server
    finally:
        server.stop()
