"""A worker that is `caseline worker` but for a bug: it cannot fold events of the subjects given."""

import asyncio
import sys
from collections.abc import Iterable
from typing import Any

from processors.fold import Partition
from schemas.settings import load_settings
from streams.terminal.logs import set_up_logs
from streams.worker import worker


def main(*subjects: str) -> None:
    """Run it until a signal asks it to stop."""
    settings = load_settings()
    set_up_logs(settings.log_level)
    fold = Partition.fold

    def failing(self: Partition, events: Iterable[Any]) -> int:
        taken = fold(self, events := list(events))
        if any(event.subject in subjects for _, event in events):
            raise ZeroDivisionError(subjects)
        return taken

    setattr(Partition, "fold", failing)  # noqa: B010 - a method replaced
    asyncio.run(worker.run(settings))


if __name__ == "__main__":
    main(*sys.argv[1:])
