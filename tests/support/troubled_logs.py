"""Logs that something happens to while other processes read them."""

import fcntl
import os
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from schemas.release import Position
from snapshots.recount.disk import LogRecord
from snapshots.releases.release_failures import LogUnreadable
from tests.support.patience import wait_for


@dataclass(frozen=True)
class TroubledLog:
    """A log whose first partition is read until that of the others has begun, and then `what`.

    The others are read for ever. Each reader keeps a file in the folder locked while it lives.
    """

    folder: Path
    readers: int
    what: str

    def __call__(
        self,
        cut: Sequence[Position],
        *,
        erased: Counter[str],  # noqa: ARG002 - nothing of it is
    ) -> Iterator[Sequence[LogRecord]]:
        keep_locked(self.folder / str(cut[0].partition))
        if cut[0].partition:
            while True:
                yield []
        wait_for(lambda: len(list(self.folder.glob("[0-9]"))) == self.readers, "all have begun")
        if self.what == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.what == "unreadable":
            raise LogUnreadable("Kafka fell silent")
        elif self.what == "a fault":
            raise ValueError(cut[0].topic)
        while True:
            yield []


def keep_locked(path: Path) -> None:
    """Lock a new file until this process ends."""
    made = path.with_name(f".{path.name}")
    descriptor = os.open(made, os.O_CREAT | os.O_WRONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    made.rename(path)


def is_unlocked(path: Path) -> bool:
    """Whether the process that locked a file has ended."""
    with path.open("wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
