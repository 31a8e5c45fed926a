"""Servers that a test starts for itself: on free ports, until it ends."""

import random
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.patience import wait_for


def free_ports(count: int) -> list[int]:
    """So many ports that nobody listens at, nor at the one 10,000 above it, where a Cluster would.

    They lie below the range that outgoing connections take theirs from.
    """
    found: set[int] = set()
    while len(found) < count:
        port = random.randrange(10_000, 20_000)
        if _is_free(port) and _is_free(port + 10_000):
            found.add(port)
    return list(found)


def _is_free(port: int) -> bool:
    with socket.socket() as it:
        return it.connect_ex(("127.0.0.1", port)) != 0


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
