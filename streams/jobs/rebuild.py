"""Rebuild: a partition's state made anew from the log, beside the one in use.

The new state grows under the next generation number while readers and workers go on with the
present one. It then takes over in one step, and workers, refused with the old generation, take it
up and read on from its offset. A rebuild that dies half-way leaves nothing that anyone reads.
"""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import NamedTuple

from redis.asyncio import Redis

from processors.fold import Partition
from processors.record.decoding import decode
from processors.rules import Rules
from streams.failures import Understood
from streams.kafka.batches import TP
from streams.kafka.logreading import LogReader
from streams.state.store import Head, PartitionStore, Refused

# Times a switch is tried again because a worker committed at that very moment.
SWITCH_TRIES = 20
LOCK_SECONDS = 120


class LogIncomplete(Understood):
    """The log no longer has all events that the state rests on: a rebuild would lose some."""


class RebuildUnderWay(Understood):
    """Another rebuild of this deployment is running."""


class Progress(NamedTuple):
    """How far the rebuild of a partition has got, in log offsets."""

    tp: TP
    offset: int
    target: int


@dataclass
class Rebuild:
    """A rebuild of every partition of a deployment that has state."""

    redis: Redis
    deployment: str
    rules: Rules
    reader: LogReader
    records_in_memory: int

    async def run(self) -> AsyncIterator[Progress]:
        """Rebuild partition after partition; dead letters are not written again.

        1. Make sure that no other rebuild runs, and that the log is whole, before anything else.
        2. For each partition, fold its log up to where its state stands, into a new generation.
        3. Switch to it, and only then remove the old one.

        Raises LogIncomplete or RebuildUnderWay with nothing changed.
        """
        lock = self.redis.lock(f"caseline:{{{self.deployment}}}:rebuild", timeout=LOCK_SECONDS)
        if not await lock.acquire(blocking=False):
            raise RebuildUnderWay(f"deployment {self.deployment!r} is being rebuilt already")
        try:
            for tp, store, head in await self._states():
                async for progress in self._rebuild(tp, store, head):
                    await lock.reacquire()
                    yield progress
        finally:
            await lock.release()

    async def _states(self) -> list[tuple[TP, PartitionStore, Head]]:
        states = []
        bounds = await self.reader.bounds()
        for tp, (first, end) in bounds.items():
            store = PartitionStore(self.redis, self.deployment, tp, self.rules)
            head = await store.head(any_layout=True)
            if head is None:
                continue
            if first > 0 or head.offset > end:
                raise LogIncomplete(
                    f"{tp.topic}[{tp.partition}]: the log has offsets {first} to {end}, the state "
                    f"rests on 0 to {head.offset}; nothing was changed"
                )
            states.append((tp, store, head))
        return states

    async def _rebuild(self, tp: TP, store: PartitionStore, head: Head) -> AsyncIterator[Progress]:
        generation = head.generation + 1
        await store.drop(generation)  # what a rebuild that died may have left
        state, tallies, latest = Partition(self.rules), Counter[str](), 0
        yield Progress(tp, 0, head.offset)
        async for offset, records in self.reader.read(tp, 0, head.offset):
            decoded = decode(tp.topic, [(it.key, it.value, it.headers) for it in records])
            missing = state.missing(child for child, _ in decoded.events)
            stored = await store.records(Head(generation), missing)
            for child, record in zip(missing, stored, strict=True):
                state.admit(child, record)
            latest = max([latest, *(event.instant for _, event in decoded.events)])
            tallies["messages"] += len(records)
            tallies["duplicates"] += state.fold(decoded.events)
            tallies.update(f"rejected:{rejection.reason}" for _, rejection in decoded.rejected)
            await store.write(generation, state.settle(), state.tables)
            state.forget(self.records_in_memory)
            yield Progress(tp, offset, head.offset)
        await _switch(store, head, Head(generation, head.offset, latest, tallies=tallies))
        await store.drop(head.generation)


async def _switch(store: PartitionStore, head: Head, to: Head) -> None:
    for tries_left in reversed(range(SWITCH_TRIES)):
        try:
            await store.switch(head, to)
        except Refused:
            if not tries_left:
                raise
        else:
            return
