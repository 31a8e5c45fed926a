"""Runs `caseline` on a machine whose clock is set while it runs, as a file says.

Called with the file, which holds by how many seconds the clock is wrong, and the command's own
arguments. What counts seconds from any moment, as the event loop does, goes on as it did.
"""

import datetime as dates
import sys
import time
from pathlib import Path

FILE = Path(sys.argv.pop(1))
right = time.time
Right = dates.datetime


def wrong_by() -> float:
    """By how many seconds the clock is wrong now."""
    return float(FILE.read_text() or 0)


class Wrong(Right):
    """Times of a clock that is wrong."""

    @classmethod
    def now(cls, tz: dates.tzinfo | None = None) -> "Wrong":
        """What it shows."""
        return cls.fromtimestamp(right() + wrong_by(), tz)


time.time = lambda: right() + wrong_by()
dates.datetime = Wrong  # type: ignore[misc]

from streams.cli import app  # noqa: E402 - after the clock was set

app()
