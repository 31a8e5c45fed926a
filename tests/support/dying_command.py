"""Runs a command of caseline that dies, without any clearing up, at or after one of its steps.

Usage: dying_command.py "at|after MODULE:NAME" ARGUMENT...
"""

import importlib
import os
import sys
from typing import Any

from confluent_kafka import Producer

from snapshots.releases import transactions

DIED = 9


class Committing(Producer):
    """A producer whose messages have reached the broker when it is asked to commit them."""

    def commit_transaction(self, *arguments: Any) -> Any:
        """As ever."""
        self.flush(10)
        return super().commit_transaction(*arguments)


def arm(when: str, point: str) -> None:
    """Have the process end at the step, before it does anything, or when it has done it."""
    module, _, path = point.partition(":")
    *owners, name = path.split(".")
    owner = importlib.import_module(module)
    for each in owners:
        owner = getattr(owner, each)
    step = getattr(owner, name)

    def die(*arguments: Any, **options: Any) -> Any:
        if when == "after":
            done = step(*arguments, **options)
            if hasattr(done, "__await__"):
                return finish(done)
        os._exit(DIED)

    async def finish(done: Any) -> None:
        await done
        os._exit(DIED)

    setattr(owner, name, die)


if __name__ == "__main__":
    for name in ("Committing", "Producer"):
        setattr(transactions, name, Committing)
    when, _, point = sys.argv[1].partition(" ")
    arm(when, point)
    from streams.cli import main

    sys.argv = ["caseline", *sys.argv[2:]]
    main()
