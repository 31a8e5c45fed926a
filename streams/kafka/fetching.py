"""The consumer's thread: group membership, heartbeats and fetching, apart from the event loop.

Everything here runs on the thread's own loop, so that work of any length on the main loop delays
neither heartbeats nor reading ahead. What it needs of aiokafka's and Faust's insides is in
streams.kafka.private.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import ConsumerStoppedError, KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.transport.drivers import aiokafka as driver
from faust.types import TP as FaustTP  # noqa: N811
from mode import Service

from streams.kafka import private
from streams.kafka.batches import TP, Batch, Heard, KafkaRecord, ReadAhead, Stop, is_message

T = TypeVar("T")

COMMIT_SECONDS = 5.0  # group offsets only feed lag displays: not worth waiting for longer
GROUP_RETRIES = 10  # errors in a row, with no assignment between them, before the worker gives up
# How long brokers that have sent something are asked for no more, from the first of them on, unless
# so much is there: a few records cost as much to fetch, hand over and fold as many, and what is
# fetched late is young.
GATHER_SECONDS, MUCH = 0.01, 1_000
POLL_SECONDS = 1.0  # how often waiting for records looks round, to notice a stop


class RebalanceListener(driver.ConsumerRebalanceListener):
    """Stops handing out records at the first moment a rebalance is known of."""

    _thread: FetchThread

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> Any:
        """Called on the consumer's thread before the group is joined again."""
        self._thread.forget()
        return super().on_partitions_revoked(revoked)


class FetchThread(driver.AIOKafkaConsumerThread):
    """aiokafka's consumer on its own thread; reads ahead and hands out batches by epoch."""

    def __post_init__(self) -> None:
        super().__post_init__()
        reading = self.app.reading  # type: ignore[attr-defined]
        self._ahead = ReadAhead(reading.batch_records, reading.ahead_records)
        self._epochs: dict[TP, int] = {}
        self._arrived = asyncio.Event()
        self._fetch_at = 0.0
        self._group_errors = 0

    def _create_worker_consumer(self, transport: driver.Transport) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        reading = self.app.reading  # type: ignore[attr-defined]
        private.tune(
            consumer,
            fetch_wait=reading.fetch_wait,
            fetch_bytes=reading.fetch_bytes,
            loop=self.thread_loop,
        )
        self._fetched = private.Fetched(consumer)
        return consumer

    async def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run on this thread's loop, awaited from the main one."""
        return await _run_on(self.thread_loop, coroutine)

    async def on_partitions_revoked(self, revoked: set[FaustTP]) -> None:
        """Have the main loop let go of the partitions, and wait until it has."""
        await _run_on(self.parent_loop, self.consumer.on_partitions_revoked(revoked))

    async def on_partitions_assigned(self, assigned: set[FaustTP], generation_id: int = 0) -> None:
        """Tell the main loop of the new assignment. No heartbeat is sent until this returns."""
        self._group_errors = 0
        told = self.consumer.on_partitions_assigned(assigned, generation_id)
        await _run_on(self.parent_loop, told)

    def on_crash(self, *_: object, **__: object) -> None:
        """Do nothing: what ended the thread is logged, and raised to who runs the app."""

    def _start_thread(self) -> None:
        with contextlib.suppress(Exception):  # the same, which Python would print with its stack
            super()._start_thread()

    def close(self) -> None:
        """Do nothing: Faust would close the client from the wrong loop; stopping closes it."""

    async def take(self) -> list[Batch | Stop]:
        """What was read ahead, oldest first, until it is much; none if none came for a while.

        To pass from this thread to another takes longer than to fold a few records.
        """
        consumer = self._ensure_consumer()
        with private.awaiting_records(consumer):
            if not self._ahead:
                self._arrived.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await self._arrived.wait()
        private.wake(consumer)
        return self._ahead.pop_some(MUCH)

    async def note_busy(self) -> None:
        """Have the consumer stay in the group while what was taken last is still worked at."""
        with private.awaiting_records(self._ensure_consumer()):
            pass

    @Service.task
    async def _read_ahead(self) -> None:
        try:
            while not self.should_stop:
                await self._read_some(self._ensure_consumer())
        except ConsumerStoppedError:
            return
        except Exception as failure:
            await _run_on(self.parent_loop, self.consumer.crash(failure))

    async def _read_some(self, consumer: AIOKafkaConsumer) -> None:
        """Move what has been fetched; else wait for more, or for room to be made by `take`."""
        if private.is_closed(consumer):
            raise ConsumerStoppedError
        self._check_group(consumer)
        was_held, there = self._fetched.is_held, self._move(consumer)
        if there:
            self._arrived.set()
        if self._fetched.is_held and not was_held:
            self._fetch_at = asyncio.get_running_loop().time() + GATHER_SECONDS
        if self._fetched.is_held and self._is_time_to_fetch(there):
            self._fetched.fetch_on()
        await private.wait_for_records(consumer, self._wait_seconds())

    def _is_time_to_fetch(self, there: int) -> bool:
        """Whether brokers that are held are to send on; always where there was much to read."""
        return there >= MUCH or asyncio.get_running_loop().time() >= self._fetch_at

    def _wait_seconds(self) -> float:
        """How long to wait for more, at most."""
        if not self._fetched.is_held:
            return POLL_SECONDS
        return max(0.0, self._fetch_at - asyncio.get_running_loop().time())

    def _check_group(self, consumer: AIOKafkaConsumer) -> None:
        """Join again after an error of the group; raise one that no retry will mend."""
        error, is_final = private.group_error(consumer)
        if error is None:
            return
        self._group_errors += 1
        if is_final or self._group_errors > GROUP_RETRIES:
            raise error
        self.log.warning("Joining the group again after %r", error)

    def _move(self, consumer: AIOKafkaConsumer) -> int:
        """Read ahead what was fetched; how many offsets were there to read of these partitions."""
        return sum(self._move_partition(consumer, pair) for pair in self._fetched.waiting())

    def _move_partition(self, consumer: AIOKafkaConsumer, pair: TopicPartition) -> int:
        tp, state = TP(*pair), private.position_state(consumer, pair)
        epoch, room = self._epochs.get(tp), self._ahead.room(tp)
        if epoch is None or state is None:
            self._fetched.drop(pair)
            return 0
        if room <= 0:
            return 0
        start = state.position
        try:
            records = self._fetched.take(pair, room, _record)
        except Exception as error:  # whatever a message does to its parser, only it stops
            self._fetched.give_up(pair)
            state.pause()
            self._ahead.add(Stop(tp, epoch, start, error))
            return 1
        if state.position == start:
            return 0
        end = private.stable_end(state)
        messages = [it for it in records if is_message(it)]
        self._ahead.add(Batch(tp, epoch, start, state.position, messages, end))
        return int(max(end, state.position) - start)

    def forget(self) -> None:
        """Drop what was read ahead, and hand out nothing until partitions are placed again."""
        self._epochs.clear()
        self._ahead.clear()

    async def place(self, tp: TP, offset: int, epoch: int) -> bool:
        """Read on from the offset under a new epoch; False if the partition is no longer ours."""
        consumer = self._ensure_consumer()
        if not self._holds(consumer, tp):
            return False
        self._ahead.drop(tp)
        self._epochs[tp] = epoch
        consumer.seek(TopicPartition(*tp), offset)
        consumer.resume(TopicPartition(*tp))
        return True

    async def set_paused(self, tp: TP, paused: bool) -> None:
        """Pause or resume fetching; what was read ahead is handed out all the same."""
        consumer = self._ensure_consumer()
        if self._holds(consumer, tp):
            (consumer.pause if paused else consumer.resume)(TopicPartition(*tp))

    @staticmethod
    def _holds(consumer: AIOKafkaConsumer, tp: TP) -> bool:
        return private.holds(consumer, TopicPartition(*tp))

    def is_reassigning(self) -> bool:
        """Whether a rebalance is under way."""
        return private.is_reassigning(self._ensure_consumer())

    def log_end(self, tp: TP) -> int | None:
        """Stable end of the partition's log as the last fetch said; None before the first."""
        heard = self.heard(tp)
        return heard.end if heard else None

    def heard(self, tp: TP) -> Heard | None:
        """What the last answered fetch said, if only that nothing is new; None before the first."""
        consumer = self._ensure_consumer()
        if not self._holds(consumer, tp):
            return None
        pair = TopicPartition(*tp)
        state, at = private.position_state(consumer, pair), consumer.last_poll_timestamp(pair)
        if state.highwater is None or at is None:
            return None
        return Heard(private.stable_end(state), at / 1000)

    async def describe(self, topics: Iterable[str]) -> private.Described:
        """Which logs the topics are, asked of a broker."""
        return await private.describe(self._ensure_consumer(), topics)

    async def log_bounds(self, tps: set[TP]) -> dict[TP, tuple[int, int]]:
        """First offset and stable end of each partition's log, asked of the broker."""
        consumer = self._ensure_consumer()
        pairs = [TopicPartition(*tp) for tp in tps]
        first, end = await asyncio.gather(
            consumer.beginning_offsets(pairs), consumer.end_offsets(pairs)
        )
        return {TP(*pair): (first[pair], end[pair]) for pair in pairs}

    async def commit_for_display(self, offsets: dict[TP, int]) -> bool:
        """Commit group offsets of the partitions still held; False, and a log line, on failure."""
        consumer = self._ensure_consumer()
        ours = {
            TopicPartition(*tp): OffsetAndMetadata(offset, "")
            for tp, offset in offsets.items()
            if self._holds(consumer, tp)
        }
        try:
            if ours:
                await asyncio.wait_for(consumer.commit(ours), COMMIT_SECONDS)
        except (KafkaError, TimeoutError) as error:
            self.log.info("Group offsets not committed, lag displays fall behind: %r", error)
            return False
        return True


async def _run_on(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, T]) -> T:
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, loop))


def _record(_tp: TopicPartition, raw: Any) -> KafkaRecord:
    return KafkaRecord(raw.key, raw.value, tuple(raw.headers), raw.timestamp, raw.offset)
