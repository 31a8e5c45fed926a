"""What many ask for at once is done once for all of them, and never from before they asked."""

import asyncio
from collections.abc import Callable, Coroutine

import pytest

from streams.serving.shared_work import SharedWork


class Counter:
    """Work that says which number it had when it began, and ends when it is let."""

    def __init__(self) -> None:
        self.begun = 0
        self.may_end = asyncio.Event()

    async def work(self) -> int:
        self.begun += 1
        number = self.begun
        await self.may_end.wait()
        return number


async def turns() -> None:
    """Let whatever can go on do so."""
    for _ in range(20):
        await asyncio.sleep(0)


def asked(test: Callable[[SharedWork[int], Counter], Coroutine[object, object, None]]) -> None:
    async def run() -> None:
        await test(SharedWork(), Counter())

    asyncio.run(run())


def test_who_asks_while_it_is_under_way_is_given_the_next_which_all_of_them_share() -> None:
    async def test(shared: SharedWork[int], counter: Counter) -> None:
        first = shared.begun_from_now("a", counter.work)
        await turns()
        later = [shared.begun_from_now("a", counter.work) for _ in range(5)]
        await turns()
        assert counter.begun == 1
        counter.may_end.set()
        assert await first == 1
        assert await asyncio.gather(*later) == [2] * 5
        assert counter.begun == 2
        assert shared.under_way("a") is None

    asked(test)


def test_who_joins_is_given_what_is_under_way_and_goes_alone() -> None:
    async def test(shared: SharedWork[int], counter: Counter) -> None:
        gone, *others = [shared.joined("a", counter.work) for _ in range(4)]
        other = shared.joined("b", counter.work)
        await turns()
        assert counter.begun == 2
        gone.cancel()
        counter.may_end.set()
        assert await asyncio.gather(*others, other) == [1, 1, 1, 2]
        assert await shared.joined("a", counter.work) == 3

    asked(test)


def test_who_asks_before_it_begins_shares_it() -> None:
    async def test(shared: SharedWork[int], counter: Counter) -> None:
        counter.may_end.set()
        both = [shared.begun_from_now("a", counter.work) for _ in range(2)]
        other = shared.begun_from_now("b", counter.work)
        assert await asyncio.gather(*both) == [1, 1]
        assert await other == 2

    asked(test)


def test_it_goes_on_when_who_asked_is_gone() -> None:
    async def test(shared: SharedWork[int], counter: Counter) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await shared.begun_from_now("a", counter.work)
        await turns()
        under_way = shared.under_way("a")
        assert under_way is not None
        counter.may_end.set()
        assert await under_way == 1

    asked(test)


def test_a_failure_is_told_to_all_who_asked_and_to_nobody_after() -> None:
    async def fail() -> int:
        raise ValueError("no answer")

    async def test(shared: SharedWork[int], counter: Counter) -> None:
        both = [shared.begun_from_now("a", fail) for _ in range(2)]
        found = await asyncio.gather(*both, return_exceptions=True)
        assert [str(it) for it in found] == ["no answer"] * 2
        counter.may_end.set()
        assert await shared.begun_from_now("a", counter.work) == 1

    asked(test)


def test_what_is_under_way_ends_with_the_process() -> None:
    async def test(shared: SharedWork[int], counter: Counter) -> None:
        asks = [shared.begun_from_now("a", counter.work)]
        await turns()
        asks.append(shared.begun_from_now("a", counter.work))
        await shared.aclose()
        found = await asyncio.gather(*asks, return_exceptions=True)
        assert [type(it) for it in found] == [asyncio.CancelledError] * 2
        assert shared.under_way("a") is None

    asked(test)
