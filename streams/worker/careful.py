"""How a message is found that cannot be taken in.

When folding, settling or storing a batch fails for a reason that no service is to blame for, what
was not stored is folded again in ever smaller parts, each stored on its own, until the message is
alone. Then its partition is stopped. So it is done for every shard that was settled with it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from streams.kafka.batches import TP, Batch
from streams.state.integrity import Incomplete
from streams.state.store import Refused
from streams.worker.committing import Committing
from streams.worker.held import Held, log, where
from streams.worker.memory import Memory
from streams.worker.service_errors import SERVICES
from streams.worker.stops import MessageStopsError, Stopped, Stops, where_raised, why_stopped

# A part that failed is tried again in this many.
PARTS = 10


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


def _closer(batch: Batch, error: Exception) -> Careful | None:
    """How to look for the message at which a batch failed; None if there is nothing to look for."""
    if isinstance(error, MessageStopsError):
        return Careful(error.offset + 1, 1, error.offset)
    if not batch.records:
        return None
    return Careful(batch.end, max(1, len(batch.records) // PARTS))


class CarefulFolding:
    """Folds batches, and those of partitions in which a message failed in parts."""

    def __init__(self, memory: Memory, committing: Committing, stops: Stops) -> None:
        self._memory, self._committing, self._stops = memory, committing, stops
        self._careful: dict[TP, Careful] = {}

    def is_due(self, tp: TP) -> bool:
        """Whether a partition's next batch is to be folded in parts."""
        return tp in self._careful

    def forget(self, tps: Iterable[TP]) -> None:
        """These partitions are another worker's."""
        for tp in tps:
            self._careful.pop(tp, None)

    async def fold(self, held: Held, batch: Batch) -> bool:
        """Fold a batch; False if it could not be, and must come again."""
        try:
            await self._memory.make_room(held)
            await self._memory.fold(held, batch)
        except (Incomplete, Refused, *SERVICES) as error:
            # Nothing of the batch is in memory, and what follows it must not be without it.
            await self._stops.unreadable(held, error)
        except Exception as error:
            self._fail(held, batch, error)
        return not held.trouble.is_broken

    async def fold_in_parts(self, held: Held, batch: Batch) -> None:
        """Fold a batch in which a message may be that cannot be taken in, and store each part."""
        careful, trouble = self._careful[batch.tp], held.trouble
        await self._committing.finish(held)
        for part in careful.parts(batch):
            trouble.is_suspect = True
            if trouble.is_broken or not await self.fold(held, part):
                return
            await self._committing.finish(held)
            if trouble.failure is not None:
                self._fail(held, part, trouble.failure)
        if not trouble.is_broken and batch.end >= careful.until:
            del self._careful[batch.tp]
            trouble.is_suspect = False

    def look_closer(self, held: Held) -> None:
        """After settling failed: read what was in memory again in parts, to find out at what."""
        if held.trouble.failure is None:
            return
        for topic, read in held.reads.items():
            tp = TP(topic, held.shard.partition)
            unstored = read.next - held.head.offset(topic)
            if unstored > 0 and tp not in self._careful:
                self._careful[tp] = Careful(read.next, max(1, unstored // PARTS))
        held.trouble.failure = None

    def _fail(self, held: Held, batch: Batch, error: Exception) -> None:
        """Look closer for the message to blame; stop the partition once it is alone."""
        held.trouble.is_broken, held.trouble.failure = True, None
        tp, careful = batch.tp, _closer(batch, error)
        if careful is not None:
            self._careful[tp] = careful
        if len(batch.records) != 1:
            why = where_raised(error)
            log.warning("messages cannot be taken in: %s", why, extra=where(held.shard))
            return
        (record,) = batch.records
        self._careful[tp] = Careful(record.offset + 1, 1, record.offset)
        reason = why_stopped(tp, record.offset, error)
        if isinstance(error, MessageStopsError):
            self._stops.stop_for_now(held, tp, record.offset, reason)
        else:
            self._stops.stop(held, tp, Stopped(record.offset, reason))
