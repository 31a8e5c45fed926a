"""A partition that is ours and stands still beside messages is placed again, unless by right."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, cast

import pytest

from streams.kafka import stalls
from streams.kafka.app import BatchHandler, Reading, create_app
from streams.kafka.batches import TP
from streams.kafka.consumer import BatchConsumer

FIRST, SECOND = TP("case-events", 0), TP("case-events", 1)
END = 10


class Owner:
    """Has its state of each partition at offset 5, but for those that it stopped."""

    def __init__(self) -> None:
        self.taken: list[set[TP]] = []
        self.is_stopped: set[TP] = set()

    async def assigned(self, tps: set[TP]) -> None:
        self.taken.append(tps)

    async def positions(self, tps: set[TP]) -> Mapping[TP, int]:
        return dict.fromkeys(tps - self.is_stopped, 5)


class Thread:
    """Places partitions of logs that end at END, and is never heard of again."""

    def __init__(self) -> None:
        self.placed: list[tuple[TP, int]] = []
        self.is_in_between = False

    async def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return await coroutine

    def is_reassigning(self) -> bool:
        return self.is_in_between

    def log_end(self, _: TP) -> int | None:
        return None

    async def log_bounds(self, tps: set[TP]) -> dict[TP, tuple[int, int]]:
        return dict.fromkeys(tps, (0, END))

    async def place(self, tp: TP, offset: int, _: int) -> bool:
        self.placed.append((tp, offset))
        return True

    async def set_paused(self, tp: TP, *, paused: bool) -> None:
        pass


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Runs something with a consumer of two partitions, for whom no time is too short."""
    monkeypatch.setattr(stalls, "STALLED_SECONDS", 0.0)

    def run(work: Callable[[BatchConsumer, Owner, Thread], Awaitable[None]]) -> None:
        async def working() -> None:
            owner, thread = Owner(), Thread()
            app = create_app(Reading("group", "localhost:1"), cast(BatchHandler, owner))
            app.batches._thread.thread_loop.close()  # its own is not needed
            monkeypatch.setattr(app.batches, "_thread", thread)
            monkeypatch.setattr(app.batches, "assignment", lambda: {FIRST, SECOND})
            await work(app.batches, owner, thread)

        asyncio.run(working())

    return run


def test_an_assignment_of_which_nothing_came_is_taken_and_flows(look: Callable[..., None]) -> None:
    async def work(consumer: BatchConsumer, owner: Owner, thread: Thread) -> None:
        consumer.app.flow_control.suspend()
        await consumer.place_stalled()
        assert owner.taken == [{FIRST, SECOND}]
        assert sorted(thread.placed) == [(FIRST, 5), (SECOND, 5)]
        assert consumer.app.flow_control.is_active()

    look(work)


def test_what_was_placed_and_is_not_read_is_placed_again(look: Callable[..., None]) -> None:
    async def work(consumer: BatchConsumer, owner: Owner, thread: Thread) -> None:
        await consumer.perform_seek()
        thread.placed.clear()
        await consumer.place_stalled()
        assert len(owner.taken) == 1
        assert sorted(thread.placed) == [(FIRST, 5), (SECOND, 5)]

    look(work)


def test_what_could_not_be_placed_is_placed_without_being_taken_again(
    look: Callable[..., None],
) -> None:
    async def work(consumer: BatchConsumer, owner: Owner, thread: Thread) -> None:
        await consumer.perform_seek()
        del consumer._cursors[SECOND]
        thread.placed.clear()
        await consumer.place_stalled()
        assert len(owner.taken) == 1
        assert (SECOND, 5) in thread.placed

    look(work)


def test_what_is_stopped_paused_or_in_a_rebalance_stands_still_by_right(
    look: Callable[..., None],
) -> None:
    async def work(consumer: BatchConsumer, owner: Owner, thread: Thread) -> None:
        await consumer.perform_seek()
        thread.placed.clear()
        owner.is_stopped = {FIRST}
        await consumer.pause(SECOND)
        await consumer.place_stalled()
        assert thread.placed == []
        owner.is_stopped = set()
        await consumer.resume(SECOND)
        thread.is_in_between = True
        await consumer.place_stalled()
        assert thread.placed == []

    look(work)


def test_what_is_placed_nowhere_is_not_paused_and_so_is_placed(look: Callable[..., None]) -> None:
    async def work(consumer: BatchConsumer, owner: Owner, thread: Thread) -> None:
        await consumer.perform_seek()
        del consumer._cursors[SECOND]
        await consumer.pause(SECOND)
        thread.placed.clear()
        await consumer.place_stalled()
        assert (SECOND, 5) in thread.placed
        assert not consumer.is_paused(SECOND)

    look(work)
