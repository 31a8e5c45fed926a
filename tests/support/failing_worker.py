"""A worker that is `caseline worker` but for a bug: it fails at events of the subjects given.

Usage: failing_worker.py (fold | settle) SUBJECT...
"""

import asyncio
import sys
from collections.abc import Iterable
from typing import Any

from processors.fold import Partition
from schemas.settings import load_settings
from streams.terminal.logs import set_up_logs
from streams.worker import worker

fold, counted = Partition.fold, Partition.counted


def main(step: str, *subjects: str) -> None:
    """Run it until a signal asks it to stop."""
    settings = load_settings()
    set_up_logs(settings.log_level)

    def failing_fold(self: Partition, events: Iterable[Any]) -> int:
        taken = fold(self, events := list(events))
        if any(event.subject in subjects for _, event in events):
            raise ZeroDivisionError(subjects)
        return taken

    def failing_counted(self: Partition, shard: int) -> list[Any]:
        if any(not child.record.cases.keys().isdisjoint(subjects) for child in settled(self)):
            raise ZeroDivisionError(subjects)
        return counted(self, shard)

    failing = {"fold": failing_fold, "settle": failing_counted}[step]
    method = {"fold": "fold", "settle": "counted"}[step]
    setattr(Partition, method, failing)
    asyncio.run(worker.run(settings))


def settled(partition: Partition) -> list[Any]:
    """The children that are settled."""
    return list(partition.looked_at.values())


if __name__ == "__main__":
    main(*sys.argv[1:])
