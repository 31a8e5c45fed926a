"""A task on releases in a process of its own: `python -m streams.jobs.task_process`.

Whoever starts it has a loop that must not wait, and may be stopped at any moment. So the work has
neither their interpreter nor their thread, and ends with them: standard input stays open as long
as they live. What a process that was ended leaves of a release is nothing, or a whole one
(streams.jobs.releasing, streams.jobs.publishing).

Standard input begins with a pickled TaskOrder. On standard output comes a line of JSON for each
step, TaskProgress, and last the TaskOutcome; nothing else.
"""

import os
import pickle
import sys
import threading
import time
import traceback
from typing import BinaryIO

from snapshots.checking.question import Show
from streams.failures import described
from streams.jobs.doing_tasks import do_task
from streams.jobs.release_tasks import TaskOrder, TaskOutcome, TaskProgress
from streams.state.redis_clients import load_rules

# Progress is told this often at most.
TOLD_SECONDS = 0.5


def run(given: BinaryIO, told: BinaryIO) -> None:
    """Do the task that is given, and tell how it goes and what came of it."""
    order: TaskOrder = pickle.load(given)  # noqa: S301 - from the process that started this one
    threading.Thread(target=_end_with, args=(given,), daemon=True).start()

    def tell(it: TaskProgress | TaskOutcome) -> None:
        told.write(it.model_dump_json().encode() + b"\n")
        told.flush()

    def begin(total: int) -> Show:
        tell(TaskProgress(total=total))
        last = [time.monotonic()]

        def show(read: int, evaluated: int) -> None:
            if time.monotonic() - last[0] >= TOLD_SECONDS:
                last[0] = time.monotonic()
                tell(TaskProgress(total=total, read=read, evaluated=evaluated))

        return show

    try:
        rules = load_rules(order.settings)
        tell(do_task(order.task, order.settings, rules, order.today, begin))
    except Exception as error:
        # Where it was and what it was called; its own text may be of a child.
        traceback.print_tb(error.__traceback__)
        tell(TaskOutcome(state="failed", text=f"a fault of the program: {described(error)}"))


def _end_with(given: BinaryIO) -> None:
    """End this process at once when the one that started it has ended."""
    while given.read(1):
        pass
    os._exit(1)


if __name__ == "__main__":
    # What a library prints must not come between the lines that are told.
    lines = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    run(sys.stdin.buffer, lines)
    lines.flush()
    # Clients that wait for services in threads are waited for by nobody.
    os._exit(0)
