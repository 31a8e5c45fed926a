"""Rebuild: a shard's state made anew from the log, beside the one in use.

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
from streams.state.store import Head, Refused, ShardStore, shard_of

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


class _State(NamedTuple):
    """A shard that has state, and where it stands."""

    shard: TP
    store: ShardStore
    head: Head


@dataclass
class Rebuild:
    """A rebuild of every shard of a deployment that has state."""

    redis: Redis
    deployment: str
    rules: Rules
    reader: LogReader
    records_in_memory: int

    async def run(self) -> AsyncIterator[Progress]:
        """Rebuild shard after shard; dead letters are not written again.

        1. Make sure that no other rebuild runs, and that the log is whole, before anything else.
        2. For each shard, fold its logs up to where its state stands, into a new generation.
        3. Switch to it, and only then remove the old one.

        Raises LogIncomplete or RebuildUnderWay with nothing changed.
        """
        lock = self.redis.lock(f"caseline:{{{self.deployment}}}:rebuild", timeout=LOCK_SECONDS)
        if not await lock.acquire(blocking=False):
            raise RebuildUnderWay(f"deployment {self.deployment!r} is being rebuilt already")
        try:
            for state in await self._states():
                async for progress in self._rebuild(state):
                    await lock.reacquire()
                    yield progress
        finally:
            await lock.release()

    async def _states(self) -> list[_State]:
        found: dict[TP, _State] = {}
        for tp, (first, end) in (await self.reader.bounds()).items():
            shard = shard_of(tp)
            if shard not in found:
                store = ShardStore(self.redis, self.deployment, shard, self.rules)
                head = await store.head(any_layout=True)
                if head is None:
                    continue
                found[shard] = _State(shard, store, head)
            offset = found[shard].head.offset(tp.topic)
            if first > 0 or offset > end:
                raise LogIncomplete(
                    f"{tp.topic}[{tp.partition}]: the log has offsets {first} to {end}, the state "
                    f"rests on 0 to {offset}; nothing was changed"
                )
        return list(found.values())

    async def _rebuild(self, of: _State) -> AsyncIterator[Progress]:
        """Fold the log of each of the shard's topics, in any order, which makes no difference."""
        store, head, generation = of.store, of.head, of.head.generation + 1
        await store.drop(generation)  # what a rebuild that died may have left
        state, tallies, latest = Partition(self.rules), Counter[str](), 0
        for topic, target in sorted(head.offsets.items()):
            tp = TP(topic, of.shard.partition)
            yield Progress(tp, 0, target)
            async for offset, records in self.reader.read(tp, 0, target):
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
                yield Progress(tp, offset, target)
        to = Head(generation, head.offsets, latest, tallies=+tallies)
        await _switch(store, head, to)
        await store.drop(head.generation)


async def _switch(store: ShardStore, head: Head, to: Head) -> None:
    for tries_left in reversed(range(SWITCH_TRIES)):
        try:
            await store.switch(head, to)
        except Refused:
            if not tries_left:
                raise
        else:
            return
