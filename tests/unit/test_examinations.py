"""Whether it all runs is looked at once for all who ask, and again for who asks for it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from processors.rules import Rules
from schemas.settings import Settings
from streams.clock import Clock
from streams.serving import examinations
from streams.serving.examinations import Examinations, Running

Work = Callable[[Examinations], Awaitable[None]]
BEGAN = datetime(2015, 10, 1, tzinfo=UTC)


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch, rules: Rules) -> Callable[[Work], None]:
    """Runs something; what is found, each time that it is looked, is numbered by a minute."""
    looks = iter(range(100))

    def found(*_: object) -> Running:
        return Running(BEGAN + timedelta(minutes=next(looks)), [], [], None)

    monkeypatch.setattr(examinations, "_examined", found)

    def run(work: Work) -> None:
        async def working() -> None:
            asked = Examinations(Settings(), rules, Clock())
            await work(asked)
            await asked.aclose()

        asyncio.run(working())

    return run


def minute(running: Running) -> int:
    return running.at.minute


def test_all_who_ask_at_once_and_soon_after_are_told_what_was_found_once(
    look: Callable[[Work], None],
) -> None:
    async def work(asked: Examinations) -> None:
        assert [*map(minute, await asyncio.gather(asked.last(), asked.last()))] == [0, 0]
        assert minute(await asked.last()) == 0

    look(work)


def test_who_asks_to_look_again_is_told_what_is_found_then_and_so_are_others(
    look: Callable[[Work], None],
) -> None:
    async def work(asked: Examinations) -> None:
        await asked.last()
        assert minute(await asked.now()) == 1
        assert minute(await asked.last()) == 1

    look(work)


def test_what_was_found_is_good_for_a_while_only(
    look: Callable[[Work], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examinations, "GOOD_SECONDS", 0.0)

    async def work(asked: Examinations) -> None:
        await asked.last()
        assert minute(await asked.last()) == 1

    look(work)
