"""Waiting for what a test is about: for a condition, and for as long as a busy machine may need.

No outcome hangs on how soon anything comes: a limit is there only so that what never comes fails.
"""

import time
from collections.abc import Callable

# What is waited for takes seconds on an idle machine.
SECONDS = 300.0
MILLISECONDS = SECONDS * 1_000
POLL_SECONDS = 0.05


def wait_for(
    condition: Callable[[], object],
    what: str,
    check: Callable[[], None] = lambda: None,
    told: Callable[[], str] = str,
) -> None:
    """Wait until a condition holds; fails after the deadline, or as soon as `check` does.

    After the deadline it says `what` did not come, and what is `told` of why.
    """
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"not in {SECONDS:.0f} s: {what}{told()}"
        check()
        time.sleep(POLL_SECONDS)
