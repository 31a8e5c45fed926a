"""Orders to pass messages over that Redis lost, put back: what keeps one back keeps no other."""

import asyncio
from typing import Any, cast

import pytest
from redis.asyncio import Redis

from processors.rules import Rules
from streams.kafka.batches import TP
from streams.kafka.decided import Decision
from streams.kafka.private import Described
from streams.state import quarantine as module
from streams.state.integrity import Incomplete
from streams.state.quarantine import KIND, NotQuarantined, Order, Quarantine
from streams.worker.service_errors import SERVICES

TEXT = '{"reason": "poison", "by": "Ann", "at": "2026-11-01"}'


def test_a_damaged_shard_keeps_no_order_of_another_from_being_put_back(
    monkeypatch: pytest.MonkeyPatch, rules: Rules
) -> None:
    done: list[TP] = []

    async def decided(*_: Any) -> list[Decision]:
        return [Decision(KIND, f"case-events:{number}:7", TEXT) for number in (0, 1)]

    async def nothing(*_: Any) -> list[Any]:
        return []

    async def put(_redis: Any, _deployment: str, _rules: Rules, order: Order) -> None:
        if order.tp.partition == 0:
            raise Incomplete("case-events[0]", "the head has another type")
        done.append(order.tp)

    monkeypatch.setattr(module, "decisions_of", decided)
    monkeypatch.setattr(module, "all_quarantined", nothing)
    monkeypatch.setattr(module, "quarantine", put)
    there = Quarantine(cast(Redis, None), "localhost:1", "test", rules)
    asyncio.run(there.put_back(Described("", {})))
    assert done == [TP("case-events", 1)]


def test_a_shard_too_busy_to_be_told_is_tried_again_by_whoever_starts() -> None:
    assert issubclass(NotQuarantined, SERVICES)
