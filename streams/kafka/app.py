"""The Faust application: one stream of batches, one handler, and how a worker runs it."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol, cast

import faust
from faust.assignor.partition_assignor import PartitionAssignor
from faust.tables import TableManager
from faust.types import ChannelT, EventT, Message, StreamT

from schemas.connection_settings import Brokers, KafkaConnection
from schemas.events.registry import topic_names
from streams.failures import Understood, described, given_up
from streams.kafka import private
from streams.kafka.batches import Batch, Stop
from streams.kafka.clients import faust_credentials
from streams.kafka.consumer import BatchConsumer, BatchTransport, PartitionOwner

WATCH_SECONDS = 5.0  # how often it is looked whether partitions stand still
QUEUED_BATCHES = 1  # in Faust's queue; the consumer's thread reads ahead, where batches can grow


class BatchHandler(PartitionOwner, Protocol):
    """What processes the batches. As for a partition's owner, its methods never overlap.

    An exception from any of them stops the worker: it never skips a batch.
    """

    async def batch(self, batch: Batch) -> None:
        """The next batch of a partition that is ours."""

    async def idle(self) -> None:
        """No batch waits: after a batch at once, then every `idle_interval` seconds."""


@dataclass(frozen=True)
class Reading:
    """How a worker reads Kafka; times in seconds.

    A batch has at most `batch_records`. Memory: up to `ahead_records` read ahead and three batches
    on their way, with what little was taken beside them, decoded, and about `fetch_bytes` a broker,
    undecoded. `fetch_wait` is how long a broker may hold an empty fetch: a partition that became
    readable meanwhile waits for it. `leader_wait` is how long the group's leader waits before it
    shares out the partitions. After `stall_timeout` in one call of the handler the worker leaves
    the group until it returns.
    """

    group: str
    brokers: Brokers
    topics: tuple[str, ...] = topic_names()
    batch_records: int = 10_000
    ahead_records: int = 40_000
    partition_fetch_bytes: int = 1 << 20
    fetch_bytes: int = 8 << 20
    fetch_wait: float = 0.1
    leader_wait: float = 0.0
    session_timeout: float = 10.0
    heartbeat_interval: float = 2.0
    rebalance_timeout: float = 60.0
    request_timeout: float = 40.0
    start_timeout: float = 30.0
    metadata_max_age: float = 30.0
    idle_interval: float = 0.05
    stall_timeout: float = 300.0


def for_embedded_broker(reading: Reading) -> Reading:
    """The same, suited to librdkafka's mock broker.

    It answers an empty fetch only when `fetch_wait` is over, whatever has arrived meanwhile, and
    turns away a member whose SyncGroup comes after the leader's.
    """
    return replace(reading, fetch_wait=0.02, leader_wait=0.05)


class WorkerFailed(Understood):
    """The worker stopped by itself; the cause is what stopped it."""


class _Unchanged(faust.Schema[bytes, Batch]):
    """Hands the message's value to the stream as it is: batches come decoded."""

    def compile(self, app: Any, **_: Any) -> Callable[..., Awaitable[EventT[Any]]]:
        """Faust asks for the decoder once for each channel."""

        async def decode(message: Message, *, propagate: bool = False) -> EventT[Any]:  # noqa: ARG001
            return cast(EventT[Any], app.create_event(None, message.value, {}, message))

        return decode


class _Assignor(PartitionAssignor):
    """Faust's sticky assignor; runs on the consumer's thread, and only in the group's leader."""

    def assign(self, cluster: Any, member_metadata: Any) -> Any:
        """Share the partitions out, topic by topic, keeping members what they have."""
        time.sleep(self.app.reading.leader_wait)  # type: ignore[attr-defined]
        return super().assign(cluster, member_metadata)


class _NoTables(TableManager):
    """Faust's table service without its one second's wait for tables: there are none."""

    async def on_start(self) -> None:
        await self._update_channels()
        await self.recovery.start()


class App(faust.App):
    """Faust application bound to a handler; reads Kafka through `BatchConsumer`."""

    def __init__(self, reading: Reading, handler: BatchHandler) -> None:
        self.reading, self.owner = reading, handler
        super().__init__(
            reading.group,
            broker=[f"kafka://{it}" for it in KafkaConnection.of(reading.brokers).servers],
            broker_credentials=faust_credentials(reading.brokers),
            broker_session_timeout=reading.session_timeout,
            broker_heartbeat_interval=reading.heartbeat_interval,
            broker_rebalance_timeout=reading.rebalance_timeout,
            broker_max_poll_interval=reading.stall_timeout,
            broker_request_timeout=reading.request_timeout,
            consumer_auto_offset_reset="none",
            consumer_metadata_max_age_ms=int(reading.metadata_max_age * 1000),
            consumer_max_fetch_size=reading.partition_fetch_bytes,
            processing_guarantee="at_least_once",
            stream_buffer_maxsize=QUEUED_BATCHES,
            stream_wait_empty=False,
            stream_recovery_delay=0.0,
            topic_allow_declare=False,
            topic_disable_leader=True,
            web_enabled=False,
            autodiscover=False,
            PartitionAssignor=_Assignor,
            TableManager=_NoTables,
        )

    @property
    def batches(self) -> BatchConsumer:
        """The consumer, for `seek`, `pause`, `resume`, `log_end` and `commit_group`."""
        return cast(BatchConsumer, self.consumer)

    @property
    def has_begun(self) -> bool:
        """Whether partitions were ever assigned."""
        return self.consumer_generation_id != 0

    async def on_stop(self) -> None:
        """Finish the batch in hand and let go of the partitions, before Faust cancels its agent."""
        await self.batches.release()
        await super().on_stop()

    def FlowControlQueue(  # noqa: N802 - Faust's name
        self,
        maxsize: int | None = None,
        *,
        clear_on_resume: bool = False,  # noqa: ARG002
    ) -> Any:
        """A queue that Faust never empties, as it would whenever reading is suspended or resumed.

        Which batches are of no more use is told by their epochs. Faust may resume reading after
        batches of the next assignment have come, where a rebalance follows another at once; those
        it dropped would never come again, unless a later message showed the gap.
        """
        return super().FlowControlQueue(maxsize, clear_on_resume=False)

    def _new_transport(self) -> BatchTransport:
        return BatchTransport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """None: without tables Faust keeps nothing on disk."""


def create_app(reading: Reading, handler: BatchHandler) -> App:
    """The application, not started. Call inside the running event loop that is to run it.

    Raises streams.kafka.private.OtherClient.
    """
    private.check(with_faust=True)
    app = App(reading, handler)
    topic = app.topic(*reading.topics, acks=False, schema=_Unchanged())

    async def deliver(stream: StreamT[Any]) -> None:
        async for item in stream:
            try:
                with given_up():
                    await _deliver(app.batches, handler, item)
                    if cast(ChannelT[Any], stream.channel).queue.empty():
                        await _idle(app.batches, handler)
            except Exception as error:
                await app.crash(error)
                return

    async def tick() -> None:
        while not app.should_stop:
            await asyncio.sleep(reading.idle_interval)
            if not app.batches.turn.locked():
                with given_up():
                    await _idle(app.batches, handler)

    async def watch() -> None:
        while not app.should_stop:
            await asyncio.sleep(WATCH_SECONDS)
            async with app.batches.turn:
                with given_up():
                    await app.batches.place_stalled()

    app.agent(topic, name="batches")(deliver)
    app.task(tick)
    app.task(watch)
    return app


async def _deliver(consumer: BatchConsumer, handler: BatchHandler, item: Batch | Stop) -> None:
    async with consumer.turn:
        if not await consumer.admit(item):
            return
        if isinstance(item, Stop):
            await consumer.stop_partition(item)
        else:
            await handler.batch(item)


async def _idle(consumer: BatchConsumer, handler: BatchHandler) -> None:
    async with consumer.turn:
        await handler.idle()


def asked_by_signal() -> asyncio.Event:
    """What SIGINT or SIGTERM sets from now on; a second signal ends the process at once."""
    loop, asked = asyncio.get_running_loop(), asyncio.Event()

    def ask() -> None:
        asked.set()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ask)
    return asked


async def run_until(app: App, asked: asyncio.Event) -> None:
    """Run until asked to stop; raises `WorkerFailed` if it stops by itself."""
    starting = asyncio.ensure_future(app.start())
    waits = [asyncio.ensure_future(asked.wait()), asyncio.ensure_future(_ended(app, starting))]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    await app.stop()
    ended = await asyncio.gather(starting, *waits, return_exceptions=True)
    failures = [each for each in (app.crash_reason, *ended) if isinstance(each, Exception)]
    if failures:
        raise WorkerFailed(described(failures[0])) from failures[0]


async def _ended(app: App, starting: asyncio.Future[None]) -> None:
    await starting
    await app.wait_until_stopped()
