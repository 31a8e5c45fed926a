"""`caseline serve` as a user runs it, for tests that need a socket."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from schemas.settings import Settings
from tests.support.commands import Command
from tests.support.patience import wait_for
from tests.support.workers import check_log


@contextmanager
def serving(
    settings: Settings, now: datetime, folder: Path, port: str = "0", **others: str
) -> Iterator[tuple[Command, str]]:
    """The process, whose clock showed `now` when it started, and where it answers.

    Without a port it takes one that is free.
    `others` are settings besides: `sign_in="token"`. What it logs may name no child.
    """
    log = folder / "serve.log"
    log.touch()
    environment = {
        "CASELINE_REDIS_URL": settings.redis_url,
        "CASELINE_KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
        "CASELINE_DEPLOYMENT": settings.deployment,
        "CASELINE_CLOCK_FROM": now.isoformat(),
        **{f"CASELINE_{name.upper()}": value for name, value in others.items()},
    }
    command = Command(["serve", "--port", port], folder, environment, log)

    def check() -> None:
        assert command.poll() is None, log.read_text()

    wait_for(lambda: '"serving"' in log.read_text(), "it serves", check)
    try:
        address = next(it for it in log.read_text().split() if it.startswith("http://"))
        yield command, address.rstrip("/")
        check_log(log)
    finally:
        command.kill()
        command.wait()
