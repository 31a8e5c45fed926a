"""Stopping: a process that is asked to end does so soon, whatever it is waiting for."""

import asyncio
import logging
import os
import signal
from collections.abc import Coroutine
from threading import Timer
from typing import Any

from streams.failures import GivenUp

# How long what is under way may take to come to its end.
GRACE_SECONDS = 10.0

log = logging.getLogger(__name__)


def run_until_asked(work: Coroutine[Any, Any, None]) -> None:
    """Work until done, or until SIGTERM or Ctrl-C asks to stop: then no longer than GRACE_SECONDS.

    For work that may die at any moment without harm. Clients of Kafka and Redis wait for services
    that do not answer, some of them in threads, which nothing can cancel; after the grace the
    process ends without them, with exit code 0.
    """
    overdue = Timer(GRACE_SECONDS, _end)
    overdue.daemon = True
    try:
        asyncio.run(_until_asked(work, overdue))
    finally:
        overdue.cancel()


async def _until_asked(work: Coroutine[Any, Any, None], overdue: Timer) -> None:
    task = asyncio.ensure_future(work)

    def stop() -> None:
        if not overdue.is_alive():
            overdue.start()
        task.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    try:
        await task
    except asyncio.CancelledError as error:
        if not task.cancelling():  # nobody has asked
            raise GivenUp from error


def _end() -> None:
    log.warning("ended in the middle: a service did not answer in time")
    os._exit(0)
