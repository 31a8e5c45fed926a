"""Faust transport that delivers whole fetched batches, from positions that the state knows.

Faust's own consumer starts at the group's committed offset and keeps a ledger of acknowledged
messages. Here the stored state knows where it is, so the owner of the state is asked, every batch
is stamped with the epoch of its partition's position, and group offsets are for display only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, Protocol

from aiokafka.errors import KafkaError, OffsetOutOfRangeError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP as FaustTP  # noqa: N811
from faust.types import ConsumerMessage
from mode import Service

from streams.kafka.batches import TP, Batch, Heard, Hole, Stop
from streams.kafka.fetching import FetchThread, RebalanceListener
from streams.kafka.private import Described
from streams.kafka.stalls import Stalls

# How long what was taken together is handed on before the group hears that this goes on: how long a
# worker may take is a limit for one item.
BUSY_SECONDS = 1.0


class PartitionOwner(Protocol):
    """Who holds the partitions' state. Its methods never overlap: one at a time has the turn."""

    async def assigned(self, tps: set[TP]) -> None:
        """These partitions are ours now, and nothing of them has been delivered yet."""

    async def positions(self, tps: set[TP]) -> Mapping[TP, int]:
        """Offset to begin at; a partition not named is left alone. Called after `assigned`."""

    async def revoked(self, tps: set[TP]) -> None:
        """These partitions may go elsewhere once this returns; nothing more is delivered."""

    async def stopped(self, tp: TP, reason: Exception) -> None:
        """The partition cannot be read on, for a `Hole` or another reason; the others go on."""


@dataclass
class _Cursor:
    epoch: int
    next: int


class BatchConsumer(driver.Consumer):
    """Delivers `Batch` and `Stop` values; every partition begins where its owner says.

    `turn` is held round every call of the owner; hold it to process a batch, and then ask `admit`
    whether the batch still counts.
    """

    RebalanceListener = RebalanceListener
    _thread: FetchThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.turn = asyncio.Lock()
        self._owner: PartitionOwner = self.app.owner  # type: ignore[attr-defined]
        self._reading = self.app.reading  # type: ignore[attr-defined]
        self._epochs = count(1)
        self._cursors: dict[TP, _Cursor] = {}
        self._owned: set[TP] = set()
        self._taken: set[TP] = set()
        self._paused: set[TP] = set()
        self._ends: dict[TP, int] = {}
        self._stalls = Stalls()

    def _new_consumer_thread(self) -> FetchThread:
        return FetchThread(self, loop=self.loop, beacon=self.beacon)

    # For the owner

    async def seek(self, partition: FaustTP | TP, offset: int) -> None:
        """Read on from the offset; what was fetched before is dropped. Also revives a stop."""
        tp = TP(*partition)
        self._cursors.pop(tp, None)
        self._paused.discard(tp)
        cursor = _Cursor(next(self._epochs), offset)
        if await self._thread.run(self._thread.place(tp, offset, cursor.epoch)):
            self._cursors[tp] = cursor

    async def pause(self, tp: TP) -> None:
        """Stop fetching from the partition; batches fetched already still come.

        One that is placed nowhere is left as it is: nothing comes of it until it is.
        """
        if tp not in self._cursors:
            return
        self._paused.add(tp)
        await self._thread.run(self._thread.set_paused(tp, paused=True))

    def is_paused(self, tp: TP) -> bool:
        """Whether nothing is fetched from the partition until it is resumed, or placed."""
        return tp in self._paused

    async def resume(self, tp: TP) -> None:
        """Fetch from the partition again; a stopped one only comes back by `seek`."""
        if tp in self._cursors:
            self._paused.discard(tp)
            await self._thread.run(self._thread.set_paused(tp, paused=False))

    async def halt(self, tp: TP) -> None:
        """Deliver nothing more of the partition until it is placed by `seek`."""
        self._cursors.pop(tp, None)
        self._paused.add(tp)
        await self._thread.run(self._thread.set_paused(tp, paused=True))

    async def describe(self, topics: Iterable[str]) -> Described:
        """Which logs the topics are now. Raises aiokafka.errors.KafkaError."""
        return await self._thread.run(self._thread.describe(topics))

    def log_end(self, tp: TP) -> int | None:
        """End of the partition's log as last heard, without asking; None if not ours."""
        if tp not in self._owned:
            return None
        return max(self._ends.get(tp, 0), self._thread.log_end(tp) or 0)

    def heard(self, tp: TP) -> Heard | None:
        """What Kafka last said of the partition, without asking; None if not ours or not yet."""
        return self._thread.heard(tp) if tp in self._owned else None

    async def commit_group(self, offsets: Mapping[TP, int]) -> bool:
        """Commit group offsets, which only lag displays read. Never raises; False if it failed."""
        return await self._thread.run(self._thread.commit_for_display(dict(offsets)))

    async def admit(self, batch: Batch | Stop) -> bool:
        """Whether this is what the partition goes on with: same epoch, and no gap before it."""
        cursor = self._cursors.get(batch.tp)
        if cursor is None or cursor.epoch != batch.epoch:
            return False
        if isinstance(batch, Stop):
            return True
        if batch.start != cursor.next:
            self.log.warning(
                "%s: batch at %d, not %d: reading again", *batch[:1], batch.start, cursor.next
            )
            await self.seek(batch.tp, cursor.next)
            return False
        cursor.next = batch.end
        return True

    async def stop_partition(self, stop: Stop) -> None:
        """Tell the owner that a partition stopped. Called with the turn, for an admitted stop."""
        del self._cursors[stop.tp]
        reason = stop.reason
        if isinstance(reason, OffsetOutOfRangeError):
            bounds = await self._thread.run(self._thread.log_bounds({stop.tp}))
            reason = Hole(stop.tp, stop.position, *bounds[stop.tp])
        await self._owner.stopped(stop.tp, reason)

    # Called by Faust

    async def perform_seek(self) -> None:
        """After every rebalance: place the partitions where their owner's state is."""
        async with asyncio.timeout(self._reading.start_timeout), self.turn:
            await self._take({TP(*tp) for tp in self.assignment()})

    async def _take(self, tps: set[TP]) -> None:
        self._owned |= tps
        await self._owner.assigned(tps)
        self._taken |= tps
        await self._place(tps)

    async def _place(self, tps: set[TP]) -> None:
        """Place partitions where their owner's state is, but for those that the owner has not."""
        positions = await self._owner.positions(tps)
        bounds = await self._thread.run(self._thread.log_bounds(tps))
        for tp, position in sorted(positions.items()):
            await self._begin(tp, position, *bounds[tp])

    async def place_stalled(self) -> None:
        """Place again what is ours and stands still beside messages. Called with the turn.

        A partition that its owner has stopped, or paused, stands still by right.
        """
        if self._thread.is_reassigning():
            return
        ours = {TP(*tp) for tp in self.assignment()}
        positions = await self._owner.positions(self._taken)
        by_right = self._paused | (self._taken - positions.keys())
        at = {tp: cursor.next for tp, cursor in self._cursors.items() if tp in ours}
        reading = {tp: at.get(tp) for tp in ours - by_right}
        now = asyncio.get_running_loop().time()
        stalled = self._stalls.look(now, reading, {tp: self.log_end(tp) for tp in reading})
        if not stalled:
            return
        names = ", ".join(f"{tp.topic}[{tp.partition}]" for tp in sorted(stalled))
        self.log.warning("assigned and not read, though messages wait, placed again: %s", names)
        try:
            async with asyncio.timeout(self._reading.start_timeout):
                for tp in stalled & at.keys():
                    await self.seek(tp, positions[tp])
                if stalled - self._taken:
                    await self._take(ours)
                elif stalled - at.keys():
                    await self._place(stalled - at.keys())
        except (KafkaError, TimeoutError) as error:
            self.log.warning("not placed again, tried later: %s", type(error).__name__)
            return
        self.app.flow_control.resume()
        self.resume_flow()

    async def _begin(self, tp: TP, position: int, first: int, end: int) -> None:
        self._ends[tp] = end
        if first <= position <= end:
            await self.seek(tp, position)
        else:
            await self._owner.stopped(tp, Hole(tp, position, first, end))

    async def on_partitions_revoked(self, revoked: set[FaustTP]) -> None:
        """Let go of everything before the group is joined again."""
        await self.release()
        await super().on_partitions_revoked(revoked)

    async def on_stop(self) -> None:
        """Let go of everything before leaving the group."""
        await self.release()
        await super().on_stop()

    async def release(self) -> None:
        """Let go of all partitions, in this order.

        1. Nothing fetched so far is admitted any more.
        2. What is being processed is finished; it may have placed partitions: undone.
        3. The owner is told.
        """
        self._cursors.clear()
        async with self.turn:
            self._cursors.clear()
            self._ends.clear()
            owned, self._owned = self._owned, set()
            self._taken.clear()
            self._paused.clear()
            if not owned:
                return
            try:
                await self._owner.revoked(owned)
            except Exception as error:
                await self.crash(error)

    async def _drain_messages(self, fetcher: Service) -> None:  # type: ignore[override]
        """Carry what the thread fetches into Faust's streams; the fetcher service's only task."""
        try:
            while not (self.should_stop or fetcher.should_stop):
                items = await self._thread.run(self._thread.take())
                since = self.loop.time()
                for item in items:
                    if self.loop.time() > since + BUSY_SECONDS:
                        await self._thread.run(self._thread.note_busy())
                        since = self.loop.time()
                    await self.callback(self._message(item))
        except asyncio.CancelledError:
            if not self.app.should_stop:
                raise

    def _message(self, item: Batch | Stop) -> ConsumerMessage:
        offset = item.start if isinstance(item, Batch) else item.position
        return ConsumerMessage(
            item.tp.topic,
            item.tp.partition,
            offset,
            timestamp=0.0,
            timestamp_type=0,
            headers=None,
            key=None,
            value=item,  # type: ignore[arg-type]
            checksum=None,
            serialized_key_size=0,
            serialized_value_size=0,
            tp=FaustTP(*item.tp),
            generation_id=self.app.consumer_generation_id,
        )

    # Parts of Faust's consumer that would act on committed offsets or on single messages

    async def commit(self, *_args: Any, **_kwargs: Any) -> bool:
        """Nothing to commit: see `commit_group`."""
        return False

    async def verify_all_partitions_active(self) -> None:
        """Nothing: Faust's check compares acknowledgements that are not kept here."""

    def on_buffer_full(self, tp: FaustTP) -> None:
        """Nothing: a full queue holds back the one task that carries batches."""

    def on_buffer_drop(self, tp: FaustTP) -> None:
        """Nothing: see `on_buffer_full`."""

    async def create_topic(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: topics are created by the administrator's command."""


class BatchTransport(driver.Transport):
    """Faust's aiokafka transport with the consumer of batches."""

    Consumer = BatchConsumer
