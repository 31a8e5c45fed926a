"""Runs `caseline` on a machine whose clock is set while it runs, as a file says.

Called with the file, which holds by how many seconds the clock is wrong, and the command's own
arguments. What counts seconds from any moment, as the event loop does, goes on as it did.
"""

import datetime as dates
import sys
import time
from pathlib import Path
from typing import Any

FILE = Path(sys.argv.pop(1))
right = time.time
Right = dates.datetime


def wrong_by() -> float:
    """By how many seconds the clock is wrong now."""
    return float(FILE.read_text() or 0)


class Either(type):
    """Has a right time be one of the wrong clock's as well: there is no difference but in `now`."""

    def __instancecheck__(cls, it: object) -> bool:
        return isinstance(it, Right)


class Wrong(Right, metaclass=Either):
    """Times of a clock that is wrong."""

    def __new__(cls, *given: Any, **more: Any) -> Any:
        """A time as any other."""
        return Right(*given, **more)

    @classmethod
    def now(cls, tz: dates.tzinfo | None = None) -> Any:
        """What it shows."""
        return Right.fromtimestamp(right() + wrong_by(), tz)


time.time = lambda: right() + wrong_by()
dates.datetime = Wrong  # type: ignore[misc]

from streams.cli import app  # noqa: E402 - after the clock was set

app()
