"""Partitions that had to stop, and how a message is found that cannot be taken in.

Whatever one message does, at most its partition stops. When folding a batch fails for a reason that
no service is to blame for, the batch is folded again in ever smaller parts, each stored on its own,
until the message is alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from traceback import extract_tb

from streams.kafka.batches import TP, Batch, Hole
from streams.state.sources import name_of

# A part that failed is tried again in this many.
PARTS = 10


class MessageStopsError(Exception):
    """A message whose partition cannot go on, known by its offset; the text says why."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(reason)
        self.offset = offset


@dataclass(frozen=True)
class Stopped:
    """A partition that is not read on from an offset; tried again at a time of the loop's clock."""

    offset: int
    reason: str
    retry_at: float = inf


@dataclass(frozen=True)
class Careful:
    """How a partition is read until an offset: `step` records at a time, a suspect alone."""

    until: int
    step: int
    suspect: int | None = None

    def parts(self, batch: Batch) -> Iterator[Batch]:
        """The batch in parts."""
        start, taken = batch.start, list(batch.records)
        while taken and start < self.until:
            count = self.step
            if self.suspect is not None:
                before = sum(record.offset < self.suspect for record in taken)
                count = before or 1
            part, taken = taken[:count], taken[count:]
            end = taken[0].offset if taken else batch.end
            yield batch._replace(start=start, end=end, records=part)
            start = end
        if start < batch.end:
            yield batch._replace(start=start, records=taken)


def closer(batch: Batch, error: Exception) -> Careful | None:
    """How to look for the message at which a batch failed; None if there is nothing to look for."""
    if isinstance(error, MessageStopsError):
        return Careful(error.offset + 1, 1, error.offset)
    if not batch.records:
        return None
    return Careful(batch.end, max(1, len(batch.records) // PARTS))


def why_stopped(tp: TP, offset: int, error: Exception) -> str:
    """Why a message stops its partition, and the way out; without anything that is in it."""
    if isinstance(error, MessageStopsError):
        why = f"is no event, and its dead letter cannot be written: {error}"
    else:
        why = f"cannot be taken in ({where_raised(error)})"
    return (
        f"{name_of(tp)}: the message at offset {offset} {why}. The partition is not read on until "
        "that is mended; to pass the message over for good: `caseline dead-letters quarantine "
        f'{tp.topic}:{tp.partition}:{offset} --reason "..."`'
    )


def why_unreadable(tp: TP, offset: int, error: Exception) -> str:
    """Why a log cannot be read on from an offset."""
    if isinstance(error, Hole):
        return str(error)
    return f"{name_of(tp)}: the log cannot be read from offset {offset} on ({where_raised(error)})"


def where_raised(error: Exception) -> str:
    """An error's class and the line that raised it: its text may say what must not be logged."""
    frames = extract_tb(error.__traceback__)
    where = f" in {frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"
