"""A shard that waits for its turn is not taken for one that is stuck."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, cast

import pytest
from redis.asyncio import Redis

from processors.rules import Rules
from schemas.settings import Settings
from streams.jobs.doctor import Doctor, _Stand
from streams.jobs.findings import Finding, Verdict
from streams.kafka.batches import TP
from streams.kafka.logreading import LogReader
from streams.kafka.turns import FAR
from streams.state.store import Head

FAR_BEHIND, NEAR_BY, OTHER = (TP("case-events", number) for number in range(3))
BOUNDS = {FAR_BEHIND: (0, 2 * FAR), NEAR_BY: (0, 10), OTHER: (0, 2 * FAR)}


class Reader:
    """Says where logs begin and end."""

    async def bounds(self) -> Mapping[TP, tuple[int, int]]:
        return BOUNDS


def verdicts(
    rules: Rules, monkeypatch: pytest.MonkeyPatch, *stuck: TP
) -> dict[str, tuple[Verdict, str]]:
    """What is found of partitions that all have their state at 0, where these do not go on."""
    doctor = Doctor(Settings(), rules, cast(Redis, None))

    async def stands(_: Doctor, tps: Any) -> Any:

        return {tp: _Stand(Head()) for tp in tps}

    async def do_not_go_on(_: Doctor, lagging: Any, *_args: Any, **_kwargs: Any) -> set[TP]:
        return set(stuck) & set(lagging)

    async def nothing(*_: Any) -> AsyncIterator[Finding]:
        for finding in list[Finding]():
            yield finding

    monkeypatch.setattr(Doctor, "_stands", stands)
    monkeypatch.setattr(Doctor, "_stuck", do_not_go_on)
    monkeypatch.setattr(Doctor, "_shards", nothing)
    monkeypatch.setattr(Doctor, "_members", lambda _: 1)

    async def look() -> dict[str, tuple[Verdict, str]]:
        found = doctor._partitions(cast(LogReader, Reader()), has_redis=True)
        return {it.what: (it.verdict, it.text) async for it in found}

    return asyncio.run(look())


def test_one_far_behind_that_stands_while_another_goes_on_may_wait_for_its_turn(
    rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = verdicts(rules, monkeypatch, FAR_BEHIND)
    verdict, text = found["case-events[0]"]
    assert (verdict, "may wait for its turn" in text) == (Verdict.ODD, True)
    assert found["case-events[2]"][0] == Verdict.GOOD


def test_one_near_the_end_or_all_that_stand_are_stuck(
    rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert verdicts(rules, monkeypatch, NEAR_BY)["case-events[1]"][0] == Verdict.WRONG
    found = verdicts(rules, monkeypatch, FAR_BEHIND, NEAR_BY, OTHER)
    assert [found[f"case-events[{it}]"][0] for it in range(3)] == 3 * [Verdict.WRONG]


def test_all_topics_of_a_shard_wait_with_it_and_nobody_waits_for_one_near_its_end(
    rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = TP("scs-events", FAR_BEHIND.partition)
    monkeypatch.setitem(BOUNDS, beside, (0, 10))
    found = verdicts(rules, monkeypatch, FAR_BEHIND, beside)
    assert found["scs-events[0]"][0] == found["case-events[0]"][0] == Verdict.ODD
    found = verdicts(rules, monkeypatch, FAR_BEHIND, beside, OTHER)  # only NEAR_BY goes on
    assert found["case-events[0]"][0] == Verdict.WRONG
