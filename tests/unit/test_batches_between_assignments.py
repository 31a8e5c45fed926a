"""What is on its way when reading is suspended and resumed, as in every rebalance."""

import asyncio
import gc
from collections.abc import Mapping
from typing import Any, cast

import pytest
from faust.transport.drivers import aiokafka as driver

from streams.kafka.app import BatchHandler, Reading, create_app
from streams.kafka.batches import TP
from streams.kafka.stalls import STALLED_SECONDS, Stalls
from streams.worker.worker import was_there

FIRST, SECOND = TP("case-events", 0), TP("case-events", 1)


class Nothing:
    """A handler that is never called."""

    async def positions(self, tps: set[TP]) -> Mapping[TP, int]:
        raise AssertionError(tps)


def test_batches_on_their_way_outlive_a_reading_that_is_suspended_and_resumed() -> None:
    async def run() -> list[Any]:
        app = create_app(Reading("group", "localhost:1"), cast(BatchHandler, Nothing()))
        queue, flow = app.FlowControlQueue(maxsize=1, clear_on_resume=True), app.flow_control
        flow.resume()
        await queue.put("first")
        second = asyncio.ensure_future(queue.put("second"))
        await asyncio.sleep(0)
        flow.suspend()
        flow.clear()
        flow.resume()
        found = [queue.get_nowait()]
        await asyncio.wait([second])
        return [*found, queue.get_nowait()]

    assert asyncio.run(run()) == ["first", "second"]


# Faust leaves the loop of a thread that never began to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_worker_that_finds_kafka_gone_before_it_has_anything_to_do_may_begin_again() -> None:
    async def run() -> bool:
        app = create_app(Reading("group", "127.0.0.1:1"), cast(BatchHandler, Nothing()))
        return await was_there(app, asyncio.Event())

    assert not asyncio.run(run())
    gc.collect()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_worker_whose_kafka_goes_while_it_begins_to_read_may_begin_again_and_shows_no_stack(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    async def was_still_there(_: driver.Producer) -> None:
        pass

    monkeypatch.setattr(driver.Producer, "on_start", was_still_there)

    async def run() -> bool:
        app = create_app(Reading("group", "127.0.0.1:1"), cast(BatchHandler, Nothing()))
        return await was_there(app, asyncio.Event())

    assert not asyncio.run(run())
    gc.collect()
    assert "Traceback" not in capfd.readouterr().err


def stalled_at(*looks: tuple[float, Mapping[TP, int | None], Mapping[TP, int | None]]) -> set[TP]:
    stalls = Stalls()
    return [stalls.look(*it) for it in looks][-1]


def test_what_is_placed_nowhere_is_stalled_after_a_while_and_then_only_as_often() -> None:
    stalls, late = Stalls(), STALLED_SECONDS + 1
    at = {FIRST: None, SECOND: 5}
    assert stalls.look(0, at, {}) == set()
    assert stalls.look(late, at, {}) == {FIRST}
    assert stalls.look(late + 1, at, {}) == set()
    assert stalls.look(2 * late + 1, at, {}) == {FIRST}


def test_what_stands_before_messages_is_stalled_and_what_is_at_the_end_or_moves_is_not() -> None:
    late = STALLED_SECONDS + 1
    still: dict[TP, int | None] = {FIRST: 5}
    ends: dict[TP, int | None] = {FIRST: 6}
    assert stalled_at((0, still, ends), (late, still, ends)) == {FIRST}
    assert stalled_at((0, still, {FIRST: 5}), (late, still, {FIRST: 5})) == set()
    assert stalled_at((0, still, {}), (late, still, {})) == set()
    assert stalled_at((0, {FIRST: 4}, ends), (late, still, ends)) == set()
    assert stalled_at((0, still, ends), (1, {}, ends), (late, still, ends)) == set()
    assert stalled_at((0, still, {FIRST: 5}), (late, still, ends)) == set()
