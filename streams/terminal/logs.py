"""Structured logs: a JSON object a line on standard error, with no personal data in it.

Whatever line an exception gets into, and whoever logs it, it is worded by
`streams.failures.described`: in the message, in `extra` fields, and in tracebacks.
"""

import json
import logging
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from streams.failures import chain_of, described

# What every log record has; anything else on a record was passed as `extra` and is shown.
STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """One JSON object a record: time, level, logger, message, and the `extra` fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The line for a record."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
            **{
                name: _worded(value) for name, value in vars(record).items() if name not in STANDARD
            },
        }
        if record.exc_info and record.exc_info[1]:
            line["exception"] = traced(record.exc_info[1])
        return json.dumps(line, default=str)


def traced(error: BaseException) -> str:
    """A traceback, oldest cause first: where each failure was, and its description."""
    parts = [
        "".join(traceback.format_tb(it.__traceback__)) + described(it) for it in chain_of(error)
    ]
    return "\n".join(reversed(parts))


def show_uncaught(
    _: type[BaseException], error: BaseException, __: TracebackType | None = None
) -> None:
    """Write what nobody caught to standard error, as `sys.excepthook` is to."""
    sys.stderr.write(f"Traceback (most recent call last):\n{traced(error)}\n")


def _message(record: logging.LogRecord) -> str:
    args = record.args
    if isinstance(args, Mapping):
        args = {name: _worded(value) for name, value in args.items()}
    elif args:
        args = tuple(map(_worded, args))
    message = str(
        record.msg if not isinstance(record.msg, BaseException) else described(record.msg)
    )
    if args:
        message %= args
    # asyncio shows the task that failed, and in it the exception.
    for error in chain_of(record.exc_info[1]) if record.exc_info else ():
        for text in (repr(error), str(error)):
            if len(text) > 1:
                message = message.replace(text, described(error))
    return message


def _worded(value: Any) -> Any:
    return described(value) if isinstance(value, BaseException) else value


def set_up_logs(level: str) -> None:
    """Send our own lines of at least `level`, and warnings of libraries, to standard error."""
    logging.raiseExceptions = False  # it would print a line that cannot be written, arguments too
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("streams").setLevel(level.upper())
