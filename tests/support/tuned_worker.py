"""A worker that is `caseline worker` but for sizes, given as arguments: of its batches, and how
many messages of a shard are many.
"""

import asyncio
import sys
from functools import partial

from schemas.settings import load_settings
from streams.kafka import turns
from streams.kafka.app import Reading
from streams.terminal.logs import set_up_logs
from streams.worker import focus, folding, worker


def main(batch_records: int, ahead_records: int, catching_up: int, far: int = turns.FAR) -> None:
    """Run it until a signal asks it to stop."""
    settings = load_settings()
    set_up_logs(settings.log_level)
    tuned = partial(Reading, batch_records=batch_records, ahead_records=ahead_records)
    setattr(worker, "Reading", tuned)  # noqa: B010 - a partial is no type
    folding.CATCHING_UP = folding.STEP = catching_up
    turns.FAR, turns.NEAR, focus.LOOK_SECONDS = far, min(far, turns.NEAR), 0.0
    asyncio.run(worker.run(settings))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
