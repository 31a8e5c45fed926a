"""The live fold: batches of Kafka records into each shard's state, and the state into Redis.

Folding and storing overlap: while one settlement is being written, the next batches are folded in
memory. What is stored is always a whole prefix of the log of each of the shard's partitions.
Whenever a commit does not succeed, for whatever reason, the state in memory is dropped and taken
anew from Redis, and the partitions are read on from the offsets stored with it.

A partition whose log is not the one that the state was made from, or that has a message which
cannot be taken in, is stopped; the others go on (streams.worker.logwatch, streams.worker.stops).
"""

import asyncio
from collections.abc import Mapping

from streams.kafka.batches import TP, Batch
from streams.state.store import shard_of
from streams.worker.careful import CarefulFolding
from streams.worker.committing import Committing
from streams.worker.comparing import Comparing
from streams.worker.due_children import DueChildren
from streams.worker.focus import Focus
from streams.worker.given import Given
from streams.worker.held import Held, by_shard, log
from streams.worker.memory import Memory
from streams.worker.showing import Showing
from streams.worker.stops import Stopped, Stops, why_unreadable
from streams.worker.taking import Taking
from streams.worker.watching import Watching

# How far the log's end is while a worker catches up. Then it commits in steps of so many records,
# or children that changed: a child's record is written once a step, however many events came.
CATCHING_UP = 5_000
STEP, STEP_CHILDREN = 100_000, 40_000
# How long more is waited for then, while other shards have their turn.
MORE_SECONDS = 2.0
# How often what is measured of each partition is brought up to date where nothing is stored.
MEASURE_SECONDS = 0.25
# Changed children at which folding waits for the commit under way: bounds memory.
MOST_UNSETTLED = 100_000


class Folding:
    """Owns the partitions assigned to this worker (see streams.kafka.app.BatchHandler)."""

    def __init__(self, given: Given) -> None:
        self._consumer = given.consumer
        self._shards: dict[TP, Held] = {}
        self._stops = Stops()
        self._taking = Taking(given, self._shards, self._stops)
        self._committing = Committing(given, self._shards)
        memory = Memory(given, self._shards)
        self._careful = CarefulFolding(memory, self._committing, self._stops)
        self._deadlines = DueChildren(given, memory, self._stops)
        self._focus = Focus(given, memory, self._shards, self._stops)
        self._watching = Watching(given.logs, given.redis, self._shards, self._stops)
        self._comparing = Comparing(given, self._shards)
        self._showing = Showing(given, self._shards)
        self._measured_at = 0.0

    async def assigned(self, tps: set[TP]) -> None:
        """Take over shards: their state, if the logs are those that it was made from."""
        self._focus.forget()
        await self._taking.take_over(tps)

    async def positions(self, tps: set[TP]) -> Mapping[TP, int]:
        """Where each partition's stored state stands; not of those stopped, or not known yet."""
        return {
            tp: held.reads[tp.topic].next
            for tp in tps
            if tp not in self._stops.of
            and not (held := self._shards[shard_of(tp)]).trouble.is_unknown
        }

    async def revoked(self, tps: set[TP]) -> None:
        """Store what is folded and let the shards go."""
        self._stops.forget(tps)
        self._careful.forget(tps)
        self._focus.forget()
        for shard in sorted(by_shard(tps).keys() & self._shards.keys()):
            held = self._shards[shard]
            if not held.trouble.is_broken:
                await self._committing.finish(held)
            held.let_go()
            del self._shards[shard]
            for read in held.reads.values():
                read.meter.given_up()
            log.info("shard given up", extra=held.where)

    async def stopped(self, tp: TP, reason: Exception) -> None:
        """The log cannot be read on from where the state stands."""
        held = self._shards[shard_of(tp)]
        offset = held.reads[tp.topic].next
        self._stops.stop(held, tp, Stopped(offset, why_unreadable(tp, offset, reason)))

    async def batch(self, batch: Batch) -> None:
        """Fold a batch; store it at once when nothing more waits, else in bigger steps."""
        await self._focus.look()
        held = self._shards[shard_of(batch.tp)]
        if batch.tp in self._stops.of:
            return
        if held.trouble.is_broken:
            # The batch comes again, from the stored offset, once the shard is taken.
            if not await self._take_anew(held):
                await self._consumer().pause(batch.tp)
            return
        if self._careful.is_due(batch.tp):
            await self._careful.fold_in_parts(held, batch)
            return
        if not await self._careful.fold(held, batch):
            return
        is_far = batch.log_end - batch.end > CATCHING_UP
        is_step = held.unstored >= STEP or held.state.unsettled >= STEP_CHILDREN
        if not is_far or is_step:
            held.commits.put_off = 0.0
            self._committing.soon(held)
        else:
            held.commits.put_off = asyncio.get_running_loop().time() + MORE_SECONDS
        if held.state.unsettled > MOST_UNSETTLED:
            await held.committed()

    async def idle(self) -> None:
        """Store what is folded, take anew what could not be stored, and look at what is stored."""
        self._watching.look()
        self._comparing.compare()
        await self._focus.look()
        await self._focus.place_still()
        now = asyncio.get_running_loop().time()
        is_measured = now >= self._measured_at + MEASURE_SECONDS
        if is_measured:
            self._measured_at = now
        for held in list(self._shards.values()):
            if held.trouble.is_broken:
                await self._take_anew(held)
                continue
            await self._deadlines.look(held)
            if held.is_dirty and now >= held.commits.put_off:
                self._committing.soon(held)
            if is_measured and not held.trouble.is_broken:
                self._measure(held)
        self._showing.show()

    async def _take_anew(self, held: Held) -> bool:
        """Take a shard anew, once it is time to; whether that could be done."""
        if not held.retakes.begins(asyncio.get_running_loop().time()):
            return False
        self._careful.look_closer(held)
        return await self._taking.take_anew(held)

    def _measure(self, held: Held) -> None:
        for topic, read in held.reads.items():
            heard = self._consumer().heard(TP(topic, held.shard.partition))
            read.meter.stands(held.head.offset(topic), heard)
