"""A real Kafka and a real Redis for tests, run by `scripts/services`, to be stopped and killed."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.support.ports import free_ports

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "services"
# A broker of a test lives too short for what the second compiler of Java finds out to pay.
JAVA_OPTIONS = "-XX:TieredStopAtLevel=1"
SECONDS = 600  # the first start of all fetches the broker's jars, and Redis where it is missing


class ServiceError(Exception):
    """A service did not start or stop; the text is what `scripts/services` said."""


def run_services(command: str, folder: Path) -> dict[str, str]:
    """Run a command of `scripts/services` on the data in `folder`; gives the settings it prints."""
    options = ["--dir", str(folder)]
    if not (folder / "ports").exists():
        for name, port in zip(("kafka", "redis", "controller"), free_ports(3), strict=True):
            options += [f"--{name}-port", str(port)]
    try:
        done = subprocess.run(
            [str(SCRIPT), command, *options],
            capture_output=True,
            env={**os.environ, "JDK_JAVA_OPTIONS": JAVA_OPTIONS},
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=SECONDS,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        raise ServiceError(f"scripts/services {command}: {error.stderr.strip()}") from error
    except subprocess.TimeoutExpired as error:
        raise ServiceError(f"scripts/services {command}: not done in {SECONDS} s") from error
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


@dataclass
class Server:
    """One of the two services: where clients reach it, and the faults a test may cause."""

    name: Literal["kafka", "redis"]
    address: str
    """Kafka: the bootstrap server, host and port. Redis: the URL, database 0."""
    folder: Path
    running: bool = True

    def stop(self) -> None:
        """End it cleanly and wait until it is gone."""
        self._run("stop")
        self.running = False

    def kill(self) -> None:
        """`kill -9` it and wait until it is gone."""
        self._run("kill")
        self.running = False

    def start(self) -> None:
        """Start it again on the same port and data, and wait until it answers."""
        self._run("start")
        self.running = True

    def _run(self, action: str) -> None:
        run_services(f"{self.name}-{action}", self.folder)
