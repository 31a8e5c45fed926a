"""Rebuild: a shard's state made anew from the log, beside the one in use.

The new state grows under the next generation number while readers and workers go on with the
present one. It then takes over in one step, and workers, refused with the old generation, take it
up and read on from its offset. A rebuild that dies half-way leaves nothing that anyone reads.

Where the log no longer has all that the state rests on, a rebuild refuses, unless someone says by
name that it is to be made from what the log has. What is lost then is kept with the state
(streams.state.gaps). Records of the state before are not taken over: what cannot be computed again
from the log could never be compared with it, nor released.
"""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import NamedTuple

from redis.asyncio import Redis

from processors.fold import Partition
from processors.record.decoding import decode
from processors.rules import Rules
from streams.failures import Understood
from streams.kafka.batches import TP
from streams.kafka.logreading import LogReader
from streams.state.gaps import Gap, begins
from streams.state.integrity import Incomplete, Kept
from streams.state.store import NO_HEAD, Head, Refused, ShardStore, shard_of

# Times a switch is tried again because a worker committed at that very moment.
SWITCH_TRIES = 20
LOCK_SECONDS = 120


GOES_ON = (
    "If the log cannot be brought back, `caseline rebuild --from-what-is-there` goes on without, "
    "and says so on every scorecard (docs/runbook.md, Going on without lost messages)"
)


class LogIncomplete(Understood):
    """The log no longer has all events that the state rests on: a rebuild would lose some."""


class RebuildUnderWay(Understood):
    """Another rebuild of this deployment is running."""


class Progress(NamedTuple):
    """How far the rebuild of a partition has got, in log offsets."""

    tp: TP
    offset: int
    target: int


class Acknowledgement(NamedTuple):
    """Who has a state made from what is there, why, and when, in milliseconds from 1970."""

    by: str
    reason: str
    at: int


class _State(NamedTuple):
    """A shard that has state, where it stands, and what is to be read of each of its topics.

    `stretches` has the first offset and the end to be read to. `gaps` are those
    known before and those that were said to be now.
    """

    shard: TP
    store: ShardStore
    head: Head
    stretches: dict[str, tuple[int, int]]
    gaps: tuple[Gap, ...]


@dataclass
class Rebuild:
    """A rebuild of every shard of a deployment that has state."""

    redis: Redis
    deployment: str
    rules: Rules
    reader: LogReader
    records_in_memory: int
    acknowledged: Acknowledgement | None = None
    gaps: list[Gap] = field(default_factory=list)

    async def run(self) -> AsyncIterator[Progress]:
        """Rebuild shard after shard; dead letters are not written again.

        1. Make sure that no other rebuild runs, and that the log is whole, before anything else.
        2. For each shard, fold its logs up to where its state stands, into a new generation.
        3. Switch to it, and only then remove the old one.

        Raises LogIncomplete or RebuildUnderWay with nothing changed. Gaps that are new are in
        `gaps` afterwards.
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
        by_shard: dict[TP, dict[TP, tuple[int, int]]] = {}
        for tp, bounds in (await self.reader.bounds()).items():
            by_shard.setdefault(shard_of(tp), {})[tp] = bounds
        found = [await self._state(shard, bounds) for shard, bounds in by_shard.items()]
        return [state for state in found if state]

    async def _state(self, shard: TP, bounds: dict[TP, tuple[int, int]]) -> _State | None:
        """What there is of a shard; None for nothing. Raises LogIncomplete."""
        store = ShardStore(self.redis, self.deployment, shard, self.rules)
        head, is_damaged = None, False
        try:
            head = await store.head(any_layout=True)
        except Incomplete:
            is_damaged = True
        is_damaged = is_damaged or bool(await store.generations())
        begins_later = any(first > 0 for first, _ in bounds.values())
        if head is None and not is_damaged and not begins_later:
            return None
        stretches, new = {}, list[Gap]()
        gaps = head.gaps if head else ()
        for tp, (first, end) in bounds.items():
            offset = head.offset(tp.topic) if head else end
            target = max(first, min(offset, end))
            if target or (head and tp.topic in head.offsets):
                stretches[tp.topic] = first, target
            known = begins(gaps, tp.topic)
            if first > known or offset > end:
                new += await self._gaps(tp, (first, end), (known, offset))
        return _State(shard, store, head or Head(NO_HEAD), stretches, (*gaps, *new))

    async def _gaps(self, tp: TP, bounds: tuple[int, int], known: tuple[int, int]) -> list[Gap]:
        """What of a log is gone that is not known to be. Raises LogIncomplete."""
        (first, end), (start, offset), by = bounds, known, self.acknowledged
        if by is None:
            raise LogIncomplete(
                f"{tp.topic}[{tp.partition}]: the log has offsets {first} to {end}, the state "
                f"rests on {start} to {offset}; nothing was changed. {GOES_ON}"
            )
        found: list[Gap] = []
        if start < first:
            until = await self._written(tp, first, end) or by.at
            found.append(Gap(*tp, start, first, until, by.by, by.reason, by.at))
        if offset > end:
            since = await self._written(tp, max(first, end - 1), end)
            found.append(Gap(*tp, end, offset, by.at, by.by, by.reason, by.at, since))
        return found

    async def _written(self, tp: TP, offset: int, end: int) -> int | None:
        """When the message at an offset was written, or the first after it; None for none."""
        if offset >= end:
            return None
        async for _, records in self.reader.read(tp, offset, end):
            if records:
                return records[0].timestamp
        return None

    async def _rebuild(self, of: _State) -> AsyncIterator[Progress]:
        """Fold the log of each of the shard's topics, in any order, which makes no difference."""
        store, head = of.store, of.head
        others = await store.generations()
        generation = max({head.generation, *others}) + 1
        # A rebuild that died may have left its generation half made, to be dropped and used again.
        if head.generation >= 0:
            generation = head.generation + 1
            await store.drop(generation)
        state, tallies, latest, kept = Partition(self.rules), Counter[str](), 0, Kept()
        for topic, (first, target) in sorted(of.stretches.items()):
            tp = TP(topic, of.shard.partition)
            yield Progress(tp, first, target)
            async for offset, records in self.reader.read(tp, first, target):
                decoded = decode(tp.topic, [(it.key, it.value, it.headers) for it in records])
                missing = state.missing(child for child, _ in decoded.events)
                stored = await store.records(Head(generation), missing)
                for child, record in zip(missing, stored, strict=True):
                    state.admit(child, record)
                latest = max([latest, *(event.instant for _, event in decoded.events)])
                tallies["messages"] += len(records)
                tallies["duplicates"] += state.fold(decoded.events)
                tallies.update(f"rejected:{rejection.reason}" for _, rejection in decoded.rejected)
                kept = await store.write(generation, state.settle(), state.tables, kept)
                state.forget(self.records_in_memory)
                yield Progress(tp, offset, target)
        offsets = {topic: target for topic, (_, target) in of.stretches.items()}
        to = Head(generation, offsets, latest, tallies=+tallies, kept=kept, gaps=of.gaps)
        await _switch(store, head, to)
        for other in {head.generation, *others} - {generation}:
            await store.drop(other)
        self.gaps += of.gaps[len(head.gaps) :]


async def _switch(store: ShardStore, head: Head, to: Head) -> None:
    for tries_left in reversed(range(SWITCH_TRIES)):
        try:
            await store.switch(head, to)
        except Refused:
            if not tries_left:
                raise
        else:
            return
