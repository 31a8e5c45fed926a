"""Shards that are far behind are read one after another, where memory does not hold them all.

A record that was put out is read back for the next event about it, which takes longer than to fold
the event. A shard that is read alone has nearly all of the memory, and most of its records are
there when they are needed. What stands near the end of its log is read on all the while.
"""

import asyncio

from streams.kafka.batches import TP
from streams.kafka.turns import Backlog, Turns
from streams.worker.given import Given
from streams.worker.held import Held, log
from streams.worker.memory import Memory
from streams.worker.stops import Stops

# How often it is asked who is next.
LOOK_SECONDS = 0.25


class Focus:
    """Pauses the partitions of shards that wait for their turn."""

    def __init__(self, given: Given, memory: Memory, shards: dict[TP, Held], stops: Stops) -> None:
        self._given, self._memory, self._shards, self._stops = given, memory, shards, stops
        self._turns, self._waiting = Turns(), set[TP]()
        # Who is to be placed again, and how far it was read then.
        self._still: tuple[TP, int] | None = None
        self._look_at = 0.0

    def forget(self) -> None:
        """All partitions are placed anew, and read on."""
        self._turns.forget()
        self._waiting, self._still = set(), None
        self._memory.favoured = None
        self._show(set())

    async def look(self) -> None:
        """Give a shard its turn, or none where all can be read at once."""
        now = asyncio.get_running_loop().time()
        if now < self._look_at:
            return
        self._look_at = now + LOOK_SECONDS
        known = sum(held.state.records for held in self._shards.values())
        is_short = known > self._given.limits.records_in_memory
        backlogs = self._backlogs()
        waiting = self._turns.look(now, backlogs, is_short=is_short)
        chosen = self._turns.chosen
        if chosen and chosen != self._memory.favoured:
            log.info("far behind: a shard is read alone", extra=self._shards[chosen].where)
        self._memory.favoured = chosen
        still = self._turns.stood_still
        if still:
            self._still = still, backlogs[still].read
        await self._pause(waiting)
        await self._resume(self._waiting - waiting)
        self._waiting = waiting
        self._show(waiting - self._turns.still)
        if chosen:
            await self._memory.make_room(self._shards[chosen])

    def _show(self, waiting: set[TP]) -> None:
        """Say of each partition whether it only waits, as far as is known of it."""
        for shard, held in self._shards.items():
            for read in held.reads.values():
                read.meter.waits(is_waiting=shard in waiting)

    def _backlogs(self) -> dict[TP, Backlog]:
        """How far those are that can be read on."""
        return {
            shard: Backlog(held.behind, sum(read.next for read in held.reads.values()))
            for shard, held in self._shards.items()
            if not held.trouble.is_broken and not self._stops.of.keys() & _partitions(held)
        }

    async def place_still(self) -> None:
        """Read on from where a shard stands of which nothing came in its turn, nor does by now.

        Not while a batch is in hand, which would come again.
        """
        still, self._still = self._still, None
        if still is None:
            return
        shard, read_then = still
        backlog = self._backlogs().get(shard)
        if backlog is None or backlog.read != read_then:
            return
        held = self._shards[shard]
        log.warning("much is to be read, and nothing came: placed again", extra=held.where)
        for topic, read in held.reads.items():
            await self._given.consumer().seek(TP(topic, shard.partition), read.next)

    async def _pause(self, shards: set[TP]) -> None:
        consumer = self._given.consumer()
        for shard in sorted(shards):
            for tp in _partitions(self._shards[shard]):
                # One that was taken anew meanwhile is read on again.
                if not consumer.is_paused(tp):
                    await consumer.pause(tp)

    async def _resume(self, shards: set[TP]) -> None:
        for shard in sorted(shards & self._shards.keys()):
            for tp in _partitions(self._shards[shard]):
                await self._given.consumer().resume(tp)


def _partitions(held: Held) -> list[TP]:
    return [TP(topic, held.shard.partition) for topic in held.reads]
