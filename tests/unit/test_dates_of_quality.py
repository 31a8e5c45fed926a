"""The quality of records is read as of few dates at a time, none of which is put out meanwhile."""

import asyncio
from datetime import date
from http import HTTPStatus
from typing import cast

import pytest
from redis.asyncio import Redis

from processors.rules import Rules
from schemas.settings import Settings
from streams.serving.kept_records import KeptRecords
from streams.serving.live_quality import KEPT_DATES, LiveQuality
from streams.serving.problems import Problem

DAYS = [date(2015, 10, it + 1) for it in range(KEPT_DATES + 3)]


class Reading:
    """Reads nothing, for as long as it is not let end; how often it began, and how many at once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun = self.now = self.most = 0
        self.may_end = asyncio.Event()
        monkeypatch.setattr(KeptRecords, "_update", lambda _: self._read())

    async def _read(self) -> None:
        self.begun, self.now = self.begun + 1, self.now + 1
        self.most = max(self.most, self.now)
        await self.may_end.wait()
        self.now -= 1


def quality_of(rules: Rules) -> LiveQuality:
    nowhere = cast(Redis, None)  # what would ask it is not done here
    return LiveQuality(nowhere, Settings(), rules)


def test_dates_that_are_asked_for_at_once_are_read_some_at_a_time(
    rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask() -> None:
        reading, quality = Reading(monkeypatch), quality_of(rules)
        monkeypatch.setattr("streams.serving.live_quality.LOOK_SECONDS", 0.0)
        asked = [asyncio.create_task(quality.found(day)) for day in DAYS]
        for _ in range(50):
            await asyncio.sleep(0)
        assert reading.begun == KEPT_DATES
        reading.may_end.set()
        assert all(it.facts == [] for it in await asyncio.gather(*asked))
        assert (reading.begun, reading.most) == (len(DAYS), KEPT_DATES)

    asyncio.run(ask())


def test_who_asks_for_one_more_date_than_can_be_read_is_told_to_ask_again(
    rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask() -> None:
        reading, quality = Reading(monkeypatch), quality_of(rules)
        asked = [asyncio.create_task(quality.found(day)) for day in DAYS[:KEPT_DATES]]
        await asyncio.sleep(0)
        quality.wait_seconds = 0.0
        with pytest.raises(Problem, match="as of 3 other dates") as told:
            await quality.found(DAYS[-1])
        assert told.value.status == HTTPStatus.SERVICE_UNAVAILABLE
        assert int(told.value.headers["Retry-After"]) > 0
        reading.may_end.set()
        await asyncio.gather(*asked)
        again = await quality.found(DAYS[0])
        assert (again.facts, reading.begun) == ([], KEPT_DATES + 1), "it was put out"

    asyncio.run(ask())


def test_a_date_of_which_much_was_read_is_kept_until_it_is_asked_for_again(
    rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def much(kept: KeptRecords[object]) -> None:  # type: ignore[type-var]
        kept._awaited_until = float("inf")

    async def ask() -> None:
        monkeypatch.setattr(KeptRecords, "_update", much)
        quality = quality_of(rules)
        for day in DAYS[:KEPT_DATES]:
            await quality.found(day)
        quality.wait_seconds = 0.0
        with pytest.raises(Problem, match="other dates"):
            await quality.found(DAYS[-1])

    asyncio.run(ask())


def test_two_who_wait_for_the_same_date_put_out_one_other(
    rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask() -> None:
        reading, quality = Reading(monkeypatch), quality_of(rules)
        monkeypatch.setattr("streams.serving.live_quality.LOOK_SECONDS", 0.0)
        asked = [asyncio.create_task(quality.found(day)) for day in DAYS[:KEPT_DATES]]
        await asyncio.sleep(0)
        asked += [asyncio.create_task(quality.found(DAYS[-1])) for _ in range(2)]
        await asyncio.sleep(0)
        reading.may_end.set()
        await asyncio.gather(*asked)
        assert len(quality._kept) == KEPT_DATES

    asyncio.run(ask())
