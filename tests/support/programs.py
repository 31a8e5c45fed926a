"""Servers that a test starts for itself, until it ends."""

import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.patience import wait_for


@contextmanager
def program(
    command: Sequence[str | Path], log: Path, answers: Callable[[], bool]
) -> Iterator["subprocess.Popen[bytes]"]:
    """A running program, once it answers; killed in the end."""
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream)

    def is_running() -> None:
        ended = process.poll()
        assert ended is None, f"{command[0]} ended with {ended}: {log.read_text()[-3000:]}"

    try:
        wait_for(answers, f"{command[0]} answers; its log is {log}", is_running)
        yield process
    finally:
        process.kill()
        process.wait()
