"""Which shards are settled and stored with which others, and when, on a real Redis."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from redis.asyncio import Redis

from examples.workload import case_events
from processors.fold import Partition
from processors.record.decoding import decode
from processors.rules import Rules
from schemas.events.registry import CASE_TOPIC
from streams.clock import Clock
from streams.kafka.batches import TP
from streams.metrics.exposition import new_registry
from streams.metrics.workers import WorkerMetrics
from streams.state.store import Head, ShardStore
from streams.worker import committing
from streams.worker.committing import Committing
from streams.worker.given import Limits
from streams.worker.held import Held, Read, Trouble
from streams.worker.pace import LARGE_BYTES
from tests.support.parts_of_worker import given_to
from tests.support.parts_of_worker import held as shard_held
from tests.support.patience import POLL_SECONDS, SECONDS
from tests.support.servers import Server
from tests.support.shards import in_redis

pytestmark = pytest.mark.services

LIMITS = Limits(records_in_memory=10_000, bytes_in_memory=10**9, calm_seconds=0.0)
SHARDS, EVENTS = 3, 20


class Work:
    """A worker's shards, its commits, and events for them."""

    def __init__(self, redis: Redis, deployment: str, rules: Rules) -> None:
        metrics = WorkerMetrics(new_registry())
        self.given = given_to(
            rules,
            LIMITS,
            redis=redis,
            clock=Clock(),
            metrics=metrics,
            dead_letters=SimpleNamespace(stored=lambda *_: None),
            garbage=SimpleNamespace(spare=lambda: None),
        )
        self.shards: dict[TP, Held] = {}
        for number in range(SHARDS):
            tp = TP(CASE_TOPIC, number)
            store = ShardStore(redis, deployment, tp, rules)
            reads = {CASE_TOPIC: Read(metrics.meter(tp), 0)}
            self.shards[tp] = shard_held(tp, Partition(rules), reads, store)
        self.held = [*self.shards.values()]
        self.committing = Committing(self.given, self.shards)
        self._events: Iterator[tuple[bytes, bytes]] = iter(case_events(1_000))

    def fold(self, held: Held) -> None:
        """A few messages into memory."""
        messages = [(*next(self._events), ()) for _ in range(EVENTS)]
        held.state.fold_unstored(decode(CASE_TOPIC, messages).events)
        read = held.reads[CASE_TOPIC]
        read.next += EVENTS
        read.tallies["messages"] += EVENTS

    async def stored(self, held: Held) -> int:
        """The offset that is stored."""
        head = await held.store.head()
        return head.offset(CASE_TOPIC) if head else 0


Try = Callable[[Callable[[Work], Awaitable[None]]], None]


@pytest.fixture
def tried(redis_server: Server, deployment: str, rules: Rules) -> Try:
    """Does something with a worker's shards, on a real Redis."""

    def tried(work: Callable[[Work], Awaitable[None]]) -> None:
        in_redis(redis_server.address, lambda redis: work(Work(redis, deployment, rules)))

    return tried


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not holds():
            await asyncio.sleep(POLL_SECONDS)


def test_shards_of_which_few_messages_came_are_settled_at_one_time_and_stored_each(
    tried: Try,
) -> None:
    async def work(it: Work) -> None:
        first, second, idle = it.held
        it.fold(first)
        it.fold(second)
        it.committing.soon(first)
        assert [held.is_committing for held in it.held] == [True, True, False]
        await first.committed()
        await second.committed()
        assert [await it.stored(held) for held in it.held] == [EVENTS, EVENTS, 0]
        assert [held.head.commits for held in (first, second)] == [1, 1]
        assert idle.commits.task is None

    tried(work)


def test_one_with_a_very_large_record_waits_for_no_other_and_no_other_for_it(tried: Try) -> None:
    async def work(it: Work) -> None:
        first, _, large = it.held
        for held in it.held:
            it.fold(held)
        large.state.largest = LARGE_BYTES + 1
        it.committing.soon(first)
        assert [held.is_committing for held in it.held] == [True, True, False]
        it.committing.soon(large)
        assert large.is_committing
        for held in it.held:
            await held.committed()
        assert [await it.stored(held) for held in it.held] == [EVENTS] * SHARDS

    tried(work)


def test_what_came_while_a_shard_was_stored_is_stored_next_though_nobody_asks(tried: Try) -> None:
    async def work(it: Work) -> None:
        held = it.held[0]
        it.fold(held)
        it.committing.soon(held)
        it.fold(held)
        await until(lambda: held.head.offset(CASE_TOPIC) == 2 * EVENTS)
        assert await it.stored(held) == 2 * EVENTS
        assert held.head.commits == 2

    tried(work)


def test_of_a_shard_that_was_given_up_nothing_more_is_stored(tried: Try) -> None:
    async def work(it: Work) -> None:
        held = it.held[0]
        it.fold(held)
        it.committing.soon(held)
        it.fold(held)
        del it.shards[held.shard]
        await held.committed()
        await asyncio.sleep(0)  # what follows a commit has had its turn by then
        assert held.commits.timer is None
        assert not held.is_committing
        assert await it.stored(held) == EVENTS

    tried(work)


def test_one_that_is_looked_at_closely_is_settled_with_no_other(tried: Try) -> None:
    async def work(it: Work) -> None:
        first, suspect, _ = it.held
        it.fold(first)
        it.fold(suspect)
        suspect.trouble.is_suspect = True
        it.committing.soon(first)
        assert not suspect.is_committing
        it.committing.begin(suspect)
        assert suspect.is_committing
        await first.committed()
        await suspect.committed()
        assert await it.stored(suspect) == EVENTS

    tried(work)


def test_children_who_cannot_be_judged_break_other_shards_once(tried: Try) -> None:
    async def work(it: Work) -> None:
        first, second, _ = it.held
        it.fold(first)
        it.fold(second)
        children = list(first.state.looked_at)
        it.committing.soon(first)
        await first.committed()
        await second.committed()

        class Failing(Partition):
            def counted(self, *_: Any) -> list[Any]:
                raise ZeroDivisionError

        first.state.__class__ = Failing
        first.state.look_at(children[:1])
        it.fold(second)
        first.commits.due = second.commits.due = 0.0
        it.committing = Committing(it.given, it.shards)
        it.committing.soon(second)
        assert [held.trouble.is_broken for held in it.held] == [True, True, False]
        assert [held.trouble.is_doubted for held in it.held] == [True, False, False]
        # Both are taken anew; what is known of the first is taken along.
        first.trouble = Trouble(is_doubted=True)
        second.trouble = Trouble()
        it.committing.soon(second)
        assert second.is_committing
        assert not first.trouble.is_broken
        it.committing.begin(first)
        assert first.trouble.is_broken
        await second.committed()
        assert not second.trouble.is_broken
        first.trouble = Trouble(is_doubted=True)
        first.state.__class__ = Partition
        await it.committing.finish(first)
        assert not first.trouble.is_doubted

    tried(work)


def test_what_was_settled_and_cannot_be_stored_breaks_the_shard(tried: Try) -> None:
    async def work(it: Work) -> None:
        held = it.held[0]

        class Failing(ShardStore):
            async def commit(self, *_: Any) -> Head:
                raise ZeroDivisionError

        it.fold(held)
        held.store.__class__ = Failing
        await it.committing.finish(held)
        assert held.trouble.is_broken
        assert isinstance(held.trouble.failure, ZeroDivisionError)
        held.store.__class__ = ShardStore
        it.committing.soon(held)
        assert not held.is_committing

    tried(work)


def test_no_more_shards_are_settled_at_once_than_one_of_which_much_came_takes(tried: Try) -> None:
    async def work(it: Work) -> None:
        for held in it.held:
            it.fold(held)
        of_two = it.held[0].state.to_settle + it.held[1].state.to_settle
        it.held[1].commits.due = -1.0
        with patch.object(committing, "FEW", of_two + 1):
            it.committing.soon(it.held[0])
        assert [held.is_committing for held in it.held] == [True, True, False]
        for held in it.held[:2]:
            await held.committed()

    tried(work)
