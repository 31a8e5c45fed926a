"""Shards that are far behind are paused and read on in turns; one that stood still is placed."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from processors.fold import Partition
from processors.rules import Rules
from streams.kafka import turns
from streams.kafka.batches import TP
from streams.kafka.turns import FAR
from streams.metrics.workers import WorkerMetrics
from streams.worker import focus
from streams.worker.focus import Focus
from streams.worker.given import Limits
from streams.worker.held import Held, Read
from streams.worker.memory import Memory
from streams.worker.stops import Stops
from tests.support.parts_of_worker import given_to, held

TOPIC = "case-events"
FIRST, SECOND = TP(TOPIC, 0), TP(TOPIC, 1)
Work = Callable[[Focus, "Consumer", dict[TP, Held]], Coroutine[Any, Any, None]]


class Consumer:
    """Notes which partitions are paused, and where they are placed."""

    def __init__(self) -> None:
        self.paused: set[TP] = set()
        self.placed: list[tuple[TP, int]] = []

    def is_paused(self, tp: TP) -> bool:
        return tp in self.paused

    async def pause(self, tp: TP) -> None:
        self.paused.add(tp)

    async def resume(self, tp: TP) -> None:
        self.paused.discard(tp)

    async def seek(self, tp: TP, offset: int) -> None:
        self.paused.discard(tp)
        self.placed.append((tp, offset))


@pytest.fixture
def metrics() -> WorkerMetrics:
    return WorkerMetrics(CollectorRegistry())


@pytest.fixture
def far(
    monkeypatch: pytest.MonkeyPatch, rules: Rules, metrics: WorkerMetrics
) -> Callable[[Work], None]:
    """Runs something with two shards far behind, of whom memory does not hold all records.

    Each look is at once, and whoever read nothing since the last has stood still.
    """
    monkeypatch.setattr(focus, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(turns, "STILL_SECONDS", 0.0)

    def run(work: Work) -> None:
        consumer, shards = Consumer(), dict[TP, Held]()
        for shard in (FIRST, SECOND):
            state = Partition(rules, records=2_000)
            reads = {TOPIC: Read(metrics.meter(shard), 5, end=2 * FAR)}
            shards[shard] = held(shard, state, reads)
        limits = Limits(records_in_memory=1_000, bytes_in_memory=10**9, calm_seconds=0.0)
        given = given_to(rules, limits, consumer=lambda: consumer)
        asked = Focus(given, Memory(given, shards), shards, Stops())
        asyncio.run(work(asked, consumer, shards))

    return run


def test_one_is_read_and_the_other_waits_and_all_are_read_once_placed_anew(
    far: Callable[[Work], None],
) -> None:
    async def work(asked: Focus, consumer: Consumer, shards: dict[TP, Held]) -> None:
        await asked.look()
        assert consumer.paused == {SECOND}
        shards[FIRST].reads[TOPIC].next = 2 * FAR
        await asked.look()
        assert consumer.paused == set()
        asked.forget()
        consumer.paused.clear()
        shards[FIRST].reads[TOPIC].next = 5
        await asked.look()
        assert consumer.paused == {SECOND}

    far(work)


def test_who_waits_says_so_but_for_one_of_which_nothing_came_in_its_turn(
    far: Callable[[Work], None], metrics: WorkerMetrics
) -> None:
    def waiting() -> list[float | None]:
        labels = [{"topic": TOPIC, "partition": str(it.partition)} for it in (FIRST, SECOND)]
        name = "caseline_partition_waiting"
        return [metrics.registry.get_sample_value(name, it) for it in labels]

    async def work(asked: Focus, consumer: Consumer, shards: dict[TP, Held]) -> None:
        await asked.look()
        assert waiting() == [0, 1]
        await asked.look()
        assert (consumer.paused, waiting()) == ({FIRST}, [0, 0])
        shards[SECOND].reads[TOPIC].next += 1
        await asked.look()
        assert (consumer.paused, waiting()) == ({SECOND}, [0, 1])
        asked.forget()
        assert waiting() == [0, 0]

    far(work)


def test_one_of_which_nothing_came_is_placed_again_and_waits(far: Callable[[Work], None]) -> None:
    async def work(asked: Focus, consumer: Consumer, _: dict[TP, Held]) -> None:
        await asked.look()
        await asked.look()
        assert (consumer.paused, consumer.placed) == ({FIRST}, [])
        await asked.place_still()
        assert consumer.placed == [(FIRST, 5)]
        await asked.look()
        await asked.place_still()
        assert consumer.placed == [(FIRST, 5), (SECOND, 5)]

    far(work)


def test_one_of_which_something_came_meanwhile_is_left_as_it_is(
    far: Callable[[Work], None],
) -> None:
    async def work(asked: Focus, consumer: Consumer, shards: dict[TP, Held]) -> None:
        await asked.look()
        await asked.look()
        shards[FIRST].reads[TOPIC].next = 50
        await asked.place_still()
        assert consumer.placed == []

    far(work)
