"""Ports for what tests start, each chosen by one test process at a time until that ends.

A port is chosen before a program listens at it, and has to stay its own while the program is killed
and started again. So it is held by a lock on a file, which goes with the process that has it.
"""

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

# Below the range that outgoing connections take theirs from; a Redis Cluster takes as well the one
# that is 10,000 above.
PORTS = range(10_000, 20_000)
ABOVE = 10_000


def free_ports(count: int) -> list[int]:
    """So many ports that nobody listens at, nor at the one 10,000 above it, nor has chosen."""
    found: list[int] = []
    while len(found) < count:
        port = random.choice(PORTS)
        if hold(port) and not _answers(port) and not _answers(port + ABOVE):
            found.append(port)
    return found


def free_port() -> int:
    """One of them."""
    return free_ports(1)[0]


def hold(port: int) -> bool:
    """Whether the port is ours from now on; what is held already is not given again."""
    folder = Path(tempfile.gettempdir()) / f"caseline-test-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    file = os.open(folder / str(port), os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return False
    return True  # and the file stays open until the process ends


def _answers(port: int) -> bool:
    with socket.socket() as it:
        return it.connect_ex(("127.0.0.1", port)) == 0
