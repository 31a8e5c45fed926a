"""`caseline serve` as a user runs it, for tests that need a socket."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from schemas.settings import Settings
from tests.support.commands import Command
from tests.support.patience import wait_for


@contextmanager
def serving(
    settings: Settings, now: datetime, folder: Path, more: Mapping[str, str] | None = None
) -> Iterator[tuple[Command, str]]:
    """The process, whose clock showed `now` when it started, and where it answers."""
    log = folder / "serve.log"
    log.touch()
    environment = {
        "CASELINE_REDIS_URL": settings.redis_url,
        "CASELINE_DEPLOYMENT": settings.deployment,
        "CASELINE_CLOCK_FROM": now.isoformat(),
        **(more or {}),
    }
    command = Command(["serve", "--port", "0"], folder, environment, log)

    def check() -> None:
        assert command.poll() is None, log.read_text()

    wait_for(lambda: '"serving"' in log.read_text(), "it serves", check)
    try:
        address = next(it for it in log.read_text().split() if it.startswith("http://"))
        yield command, address.rstrip("/")
    finally:
        command.kill()
        command.wait()
