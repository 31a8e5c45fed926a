"""The processes that a demonstration runs: commands of their own on its services."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep

from schemas.settings import Settings
from streams.failures import Understood

# Where pages are shown: for this machine alone, at the usual port if that is free.
HERE, PORT = "127.0.0.1", 8080
START_SECONDS = 60.0
POLL_SECONDS = 0.05


class ProcessGone(Understood):
    """A process of the demonstration ended by itself."""


@contextmanager
def command_process(
    settings: Settings, folder: Path, name: str, *options: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """A command's process on these settings; what it logs is shown if it ends by itself."""
    values = settings.model_dump(mode="json", exclude_none=True)
    environment = {f"CASELINE_{key.upper()}": str(value) for key, value in values.items()}
    log = folder / f"{name}.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "streams.cli", name, *options],
            env={**os.environ, **environment},
            stderr=errors,
        )
        try:
            yield process
        except ProcessGone:
            sys.stderr.write(log.read_text("utf-8"))
            raise
        finally:
            process.terminate()
            process.wait()


def check(name: str, process: "subprocess.Popen[bytes]") -> None:
    """See that a command still runs. Raises ProcessGone."""
    if process.poll() is not None:
        raise ProcessGone(f"`caseline {name}` ended with exit code {process.returncode}")


def free_port() -> int:
    """The usual port of the pages, or any that is free. Raises ProcessGone where none is."""
    for port in (PORT, 0):
        with suppress(OSError), socket.create_server((HERE, port)) as listening:
            found: int = listening.getsockname()[1]
            return found
    raise ProcessGone(f"no port of {HERE} is free to serve pages on")


def wait_for_pages(pages: "subprocess.Popen[bytes]", port: int) -> None:
    """Wait until pages are served. Raises ProcessGone, or OSError after a minute."""
    end = monotonic() + START_SECONDS
    while True:
        check("serve", pages)
        try:
            with socket.create_connection((HERE, port), timeout=1):
                return
        except OSError:
            if monotonic() > end:
                raise
        sleep(POLL_SECONDS)
