"""When Python looks for garbage in a worker: seldom, and never in what the records are made of.

Records are many small objects that live long and form no cycles. To look through them once takes
as long as to decode the events that they are of, and makes for a pause that a reader can see.
"""

import gc
import time

# Those of a batch that go with it are hardly looked through where several batches fit below the
# first threshold.
GC_THRESHOLDS = (400_000, 12, 100)
# Objects since the last time that are worth setting apart: some 30,000 events make as many.
YOUNG = 100_000
# How often they are looked through before that, for cycles that something else has left.
LOOK_SECONDS = 60.0


class Garbage:
    """Sets what has come to stay apart from what is looked through."""

    def __init__(self) -> None:
        gc.set_threshold(*GC_THRESHOLDS)
        self._looked_at = time.monotonic()

    def spare(self) -> None:
        """To be called when records have taken in what came."""
        if gc.get_count()[0] < YOUNG:
            return
        now = time.monotonic()
        if now >= self._looked_at + LOOK_SECONDS:
            self._looked_at = now
            gc.collect(0)
        gc.freeze()
