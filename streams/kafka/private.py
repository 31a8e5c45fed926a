"""All that Caseline takes from aiokafka and Faust beside what they publish, in one place.

Both are pinned to a version. `check` tells what another version lacks before anything is read,
rather than in the middle of a night, and a test looks at every name. What is used here, and why:

- a worker reads whole fetches, from positions that its state knows, and committed records alone;
- header names that are not UTF-8, on which aiokafka's own parser gives up, are read all the same;
- a topic's ID and a cluster's, by which one log is told from another of the same name;
- why a broker does not let us in, which its clients log and do not raise;
- a transactional producer is given up at once, where its own stop waits for brokers that are away.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Iterator, Mapping
from inspect import signature
from itertools import islice
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, errors
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.consumer import fetcher as fetching
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import SubscriptionState, TopicPartitionState
from aiokafka.errors import CorruptRecordException, KafkaError
from aiokafka.producer.sender import Sender
from aiokafka.producer.transaction_manager import TransactionManager
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    AbstractType,
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition

from snapshots.releases.any_headers import ReadsAnyHeader
from streams.failures import Understood

# Of each class the names that Caseline calls, sets or overrides, here and in the modules that
# derive from it. A name is there when the class has it, or when its making gives it to an object.
NAMES: dict[type[Any], tuple[str, ...]] = {
    AIOKafkaConsumer: (
        *("_client", "_closed", "_coordinator", "_fetcher", "_subscription"),
        *("_fetch_max_bytes", "_fetch_max_wait_ms", "_isolation_level"),
        *("highwater", "last_stable_offset", "last_poll_timestamp"),
    ),
    AIOKafkaProducer: ("client", "_closed", "_sender", "_txn_manager"),
    Sender: ("sender_task",),
    TransactionManager: ("_transaction_waiter",),
    AIOKafkaClient: ("cluster", "fetch_all_metadata", "get_random_node", "send"),
    GroupCoordinator: ("_coordination_task", "check_errors"),
    SubscriptionState: (
        *("assign_from_subscribed", "assigned_partitions", "fetch_context", "is_assigned"),
        *("pause", "reassignment_in_progress", "seek", "subscription"),
    ),
    TopicPartitionState: ("highwater", "lso", "pause", "position"),
    fetching.Fetcher: (
        *("_create_fetch_waiter", "_fetch_waiters", "_notify", "_records", "_wait_consume_future"),
    ),
    fetching.FetchResult: ("_partition_records", "_update_position", "check_assignment"),
    fetching.FetchError: ("check_raise",),
    fetching.PartitionRecords: ("_consumer_record", "_records_iterator", "_unpack_records"),
    MemoryRecords: ("has_next", "next_batch", "size_in_bytes"),
    _DefaultRecordBatchPy: ("_buffer", "_maybe_uncompress", "_read_msg", "next_offset"),
}
# Names of modules, which are replaced there by what is below.
REPLACED = {"MemoryRecords": fetching, "PartitionRecords": fetching}

REFUSALS = (errors.GroupAuthorizationFailedError, errors.TopicAuthorizationFailedError)


class OtherClient(Understood):
    """aiokafka or Faust is of a version that Caseline does not know its way round in."""


def faust_names() -> dict[type[Any], tuple[str, ...]]:
    """The names of Faust, which takes half a second to import: for workers alone."""
    import faust
    from faust.assignor.partition_assignor import PartitionAssignor
    from faust.channels import Channel
    from faust.tables import TableManager
    from faust.transport.drivers import aiokafka as driver

    return {
        driver.AIOKafkaConsumerThread: (
            *("_create_worker_consumer", "_ensure_consumer", "close", "on_partitions_assigned"),
            *("on_partitions_revoked", "parent_loop", "thread_loop"),
        ),
        driver.Consumer: (
            *(
                "_drain_messages",
                "_new_consumer_thread",
                "_thread",
                "assignment",
                "callback",
                "commit",
            ),
            *("create_topic", "on_buffer_drop", "on_buffer_full", "on_partitions_assigned"),
            *("on_partitions_revoked", "perform_seek", "verify_all_partitions_active"),
            *("RebalanceListener", "resume_flow"),
        ),
        driver.ConsumerRebalanceListener: ("_thread", "on_partitions_revoked"),
        driver.Transport: ("Consumer",),
        faust.App: (
            *("FlowControlQueue", "_create_directories", "_new_transport", "consumer"),
            *("consumer_generation_id", "crash_reason", "create_event", "flow_control"),
        ),
        PartitionAssignor: ("assign",),
        TableManager: ("_update_channels", "on_start", "recovery"),
        Channel: ("queue",),
    }


def missing_names(needed: Mapping[type[Any], tuple[str, ...]]) -> list[str]:
    """The names that are needed and are not there."""
    missing = [
        f"{cls.__module__}.{cls.__qualname__}.{name}"
        for cls, names in needed.items()
        for name in names
        if not _has(cls, name)
    ]
    return missing + [
        f"{module.__name__}.{name}" for name, module in REPLACED.items() if name not in vars(module)
    ]


def check(*, with_faust: bool = False) -> None:
    """Raise OtherClient unless all that is needed is there."""
    missing = missing_names(NAMES | faust_names() if with_faust else NAMES)
    if missing:
        raise OtherClient(
            f"aiokafka or Faust is of another version than Caseline was made for: it lacks "
            f"{', '.join(missing)}. Install the versions that requirements/ names"
        )


def _has(cls: type[Any], name: str) -> bool:
    if hasattr(cls, name) or name in getattr(cls, "__annotations__", {}):
        return True
    codes = (getattr(vars(part).get("__init__"), "__code__", None) for part in cls.__mro__)
    return any(name in code.co_names for code in codes if code)


# Reading: what a worker's consumer has fetched


class HeldSubscription(SubscriptionState):  # type: ignore[misc]
    """Holds every newly assigned partition: no committed offset is asked for, nothing fetched.

    Without this aiokafka begins to fetch from the group's committed offset, or from where
    `auto_offset_reset` says, as soon as it hears of an assignment.
    """

    def assign_from_subscribed(self, assignment: Iterable[TopicPartition]) -> None:
        """Take the new assignment, each partition paused at a position that is never read."""
        super().assign_from_subscribed(assignment)
        for tp in self.assigned_partitions():
            self.pause(tp)
            self.seek(tp, 0)


def tune(
    consumer: AIOKafkaConsumer,
    *,
    fetch_wait: float,
    fetch_bytes: int,
    loop: asyncio.AbstractEventLoop,
) -> None:
    """Have a consumer, not yet started, read committed records, fetch so, and hold partitions.

    Faust reads uncommitted ones unless it writes in transactions itself, and has no setting for it.
    """
    consumer._isolation_level = "read_committed"
    consumer._fetch_max_wait_ms = int(fetch_wait * 1000)
    consumer._fetch_max_bytes = fetch_bytes
    consumer._subscription = HeldSubscription(loop=loop)


def is_closed(consumer: AIOKafkaConsumer) -> bool:
    """Whether it was stopped."""
    return bool(consumer._closed)


def is_reassigning(consumer: AIOKafkaConsumer) -> bool:
    """Whether a rebalance is under way."""
    return bool(consumer._subscription.reassignment_in_progress)


def holds(consumer: AIOKafkaConsumer, pair: TopicPartition) -> bool:
    """Whether the partition is the consumer's, and no rebalance is under way."""
    return not is_reassigning(consumer) and consumer._subscription.is_assigned(pair)


@contextlib.contextmanager
def awaiting_records(consumer: AIOKafkaConsumer) -> Iterator[None]:
    """Tell the consumer that its records are being asked for, so that it stays in the group."""
    with consumer._subscription.fetch_context():
        yield


def wake(consumer: AIOKafkaConsumer) -> None:
    """Have whoever waits for records look again."""
    for waiter in consumer._fetcher._fetch_waiters:
        consumer._fetcher._notify(waiter)


async def wait_for_records(consumer: AIOKafkaConsumer, seconds: float) -> None:
    """Wait until there may be new records, or somebody has called `wake`."""
    waiter = consumer._fetcher._create_fetch_waiter()
    try:
        await asyncio.wait([waiter], timeout=seconds)
    finally:
        if not waiter.cancel():
            waiter.exception()  # a group's error, which the next look at the group reports


def group_error(consumer: AIOKafkaConsumer) -> tuple[KafkaError | None, bool]:
    """The group's error, taken off it, and whether no retry will mend it.

    Until it is asked for its error aiokafka stays out of the group, and Faust never asks.
    """
    coordinator = consumer._coordinator
    try:
        coordinator.check_errors()
    except KafkaError as error:
        return error, isinstance(error, REFUSALS) or coordinator._coordination_task.done()
    return None, False


def position_state(consumer: AIOKafkaConsumer, pair: TopicPartition) -> Any:
    """Where the consumer stands in a partition; None if it is not the consumer's."""
    return consumer._subscription.subscription.assignment.state_value(pair)


def stable_end(state: Any) -> int:
    """The stable end of a partition's log as the last fetch said: nothing before it is open."""
    lso = state.lso
    return int(lso if lso is not None and lso >= 0 else state.highwater)


class Fetched:
    """What a consumer has fetched, to be taken partition by partition.

    aiokafka asks a broker for nothing while something that it has sent lies there, for a tenth of a
    second: what is taken stays until `fetch_on`, so that more is asked for then and not before.
    """

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._taken: dict[TopicPartition, Any] = {}

    @property
    def is_held(self) -> bool:
        """Whether something is taken, and its broker is not asked for more."""
        return bool(self._taken)

    def waiting(self) -> list[TopicPartition]:
        """The partitions of which something is not taken, records or an error."""
        if is_reassigning(self._consumer):
            return []
        found = self._consumer._fetcher._records.items()
        return [pair for pair, result in found if self._taken.get(pair) is not result]

    def drop(self, pair: TopicPartition) -> None:
        """Forget what was fetched of a partition."""
        del self._consumer._fetcher._records[pair]

    def give_up(self, pair: TopicPartition) -> None:
        """Take nothing more of what was fetched of a partition, as if all of it were taken."""
        self._taken[pair] = self._consumer._fetcher._records[pair]

    def take(self, pair: TopicPartition, limit: int, made: Any) -> list[Any]:
        """Take at most so many of a partition's records, each as `made(pair, raw)` makes it.

        That skips aiokafka's own, slower, record class. What cannot be parsed raises, but not
        before all that lies before it has been taken. Raises aiokafka.errors.KafkaError.
        """
        result = self._consumer._fetcher._records[pair]
        if isinstance(result, fetching.FetchError):
            result.check_raise()
        records: list[Any] = []
        parsed = result._partition_records if result.check_assignment(pair) else None
        if parsed is not None:
            parsed._consumer_record = made
            try:
                # Not by way of its own `__next__`, which takes as long again for each record.
                records.extend(islice(parsed._records_iterator or (), limit))
            except Exception:
                if not records:
                    raise
            result._update_position()
        if len(records) < limit:
            self._taken[pair] = result
        return records

    def fetch_on(self) -> None:
        """Have more fetched of the partitions of which all that was there is taken."""
        fetcher = self._consumer._fetcher
        for pair, result in self._taken.items():
            if fetcher._records.get(pair) is result:
                del fetcher._records[pair]
        self._taken.clear()
        fetcher._notify(fetcher._wait_consume_future)


# Parsing: header names that are not UTF-8


class _LenientFetchedBatch(ReadsAnyHeader, _DefaultRecordBatchPy):  # type: ignore[misc]
    """aiokafka's parser in Python, for a batch that its fast one refuses."""


class _Batch:
    """A batch whose records are parsed again, leniently, where the fast parser gives up."""

    def __init__(self, batch: Any, raw: memoryview) -> None:
        self._batch, self._raw = batch, raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        try:
            return iter(list(self._batch))
        except (CorruptRecordException, UnicodeDecodeError):
            return iter(list(_LenientFetchedBatch(self._raw)))


class _Records(MemoryRecords):  # type: ignore[misc]
    """aiokafka's fetched bytes, by batches that are `_Batch` where they can have headers."""

    def __init__(self, raw: bytes) -> None:
        super().__init__(raw)
        self._raw, self._at = memoryview(raw), 0

    def next_batch(self) -> Any:
        start = self._at
        batch = super().next_batch()
        if batch is None:
            return None
        self._at = start + 12 + int.from_bytes(self._raw[start + 8 : start + 12])
        has_headers = self._raw[start + 16] >= 2
        return _Batch(batch, self._raw[start : self._at]) if has_headers else batch


fetching.MemoryRecords = _Records


# Asking: whether brokers let us in, and which log it is


async def reach(servers: list[str], options: Mapping[str, Any]) -> list[Exception]:
    """Connect to brokers, one after another, until one lets us in; why each before it did not.

    Nothing where one did. aiokafka's clients log why, and raise that there is no connection.
    """
    names = signature(create_conn).parameters
    own = {name: it for name, it in options.items() if name in names}
    failures: list[Exception] = []
    for host, port, _ in collect_hosts(servers):
        try:
            (await create_conn(host, port, **own)).close()
        except (KafkaError, OSError) as error:
            failures.append(error)
        else:
            return []
    return failures


class _Uuid(AbstractType):  # type: ignore[misc]
    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return value

    @classmethod
    def decode(cls, data: Any) -> bytes:
        return bytes(data.read(16))


class _MetadataResponse(Response):  # type: ignore[misc]
    API_KEY, API_VERSION = 3, 10
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString()),
                ("port", Int32),
                ("rack", CompactString()),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString()),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", CompactString()),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("operations", Int32),
        ("tags", TaggedFields),
    )


class _MetadataRequestStruct(RequestStruct):  # type: ignore[misc]
    API_KEY, API_VERSION, FLEXIBLE_VERSION = 3, 10, True
    RESPONSE_TYPE = _MetadataResponse
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(("topic_id", _Uuid), ("name", CompactString()), ("tags", TaggedFields)),
        ),
        ("allow_auto_topic_creation", Boolean),
        ("with_cluster_operations", Boolean),
        ("with_topic_operations", Boolean),
        ("tags", TaggedFields),
    )


class _MetadataRequest(Request[_MetadataRequestStruct]):  # type: ignore[misc]
    """Metadata of topics with their IDs, which aiokafka's own request is too old to ask for."""

    API_KEY = 3

    def __init__(self, topics: Iterable[str]) -> None:
        self._topics: list[tuple[bytes, str, dict[int, bytes]]]
        self._topics = [(bytes(16), name, {}) for name in topics]

    def build(self, struct: type[_MetadataRequestStruct]) -> _MetadataRequestStruct:
        return struct(self._topics, False, False, False, {})


class TopicLog(NamedTuple):
    """A topic's log: its ID, "" where the broker gives none, and its number of partitions."""

    id: str
    partitions: int


class Described(NamedTuple):
    """The cluster's ID, "" where the broker gives none, and the logs of those topics it has."""

    cluster: str
    logs: dict[str, TopicLog]


async def describe(consumer: AIOKafkaConsumer, topics: Iterable[str]) -> Described:
    """Which logs the topics are now. Raises aiokafka.errors.KafkaError."""
    client, topics = consumer._client, list(topics)
    node = client.get_random_node()
    if node is None:
        raise errors.NodeNotReadyError("no broker is known")
    try:
        answer = await client.send(node, _MetadataRequest(topics))
    except NotImplementedError:  # a broker older than topics' IDs
        cluster = await client.fetch_all_metadata()
        counts = {name: cluster.partitions_for_topic(name) for name in topics}
        return Described("", {name: TopicLog("", len(it)) for name, it in counts.items() if it})
    logs = {
        topic[1]: TopicLog(topic[2].hex() if any(topic[2]) else "", len(topic[4]))
        for topic in answer.topics
        if topic[0] == 0
    }
    return Described(answer.cluster_id or "", logs)


async def partitions_of(consumer: AIOKafkaConsumer, topic: str) -> set[int]:
    """The partitions that a topic has, none where it is not there; nothing is created.

    All that is there is asked for: to ask for one topic that is not there is to wait for it.
    """
    cluster = await consumer._client.fetch_all_metadata()
    return set(cluster.partitions_for_topic(topic) or ())


async def partitions_of_known(producer: AIOKafkaProducer, topic: str) -> set[int]:
    """The partitions that a topic has, as the producer knows them, and asked for if it does not."""
    if producer.client.cluster.partitions_for_topic(topic) is None:
        cluster = await producer.client.fetch_all_metadata()
        if not cluster.partitions_for_topic(topic):
            return set()
    return set(await producer.partitions_for(topic))


# How long what is under way of a producer may take to notice that it is given up.
NOTICE_SECONDS = 1.0


async def give_up(producer: AIOKafkaProducer) -> None:
    """Have a producer be gone at once, with its transaction and what it had not sent.

    Its own stop waits until brokers have all that it was given, which may be for ever. A
    transaction is undone by who begins with its id next, and by the brokers in time.
    """
    producer._closed = True  # which its end would complain about otherwise
    task = producer._sender.sender_task
    if task is not None:
        task.cancel()
    await producer.client.close()
    if task is not None and not task.done():
        await asyncio.wait([task], timeout=NOTICE_SECONDS)
        task.cancel()  # and what it waits for
        await asyncio.wait([task], timeout=NOTICE_SECONDS)
    for ended in (task, producer._txn_manager and producer._txn_manager._transaction_waiter):
        if ended is not None and ended.done() and not ended.cancelled():
            ended.exception()  # which was told by the message that failed
