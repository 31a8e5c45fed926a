"""How many records each of a worker's shards has in memory."""

import asyncio
from typing import Any, cast

from processors.fold import Partition
from processors.rules import Rules
from streams.kafka.batches import TP
from streams.worker.given import Limits
from streams.worker.held import Held
from streams.worker.memory import OTHERS_SHARE, Memory
from tests.support.parts_of_worker import given_to, held

MOST = 1_000
FIRST, SECOND = TP("case-events", 0), TP("case-events", 1)


def shards_of(rules: Rules, *counts: int) -> dict[TP, Held]:
    """Shards with so many records each in memory, all of them stored."""
    shards: dict[TP, Held] = {}
    for number, count in enumerate(counts):
        shard, state = TP("case-events", number), Partition(rules)
        for child in range(count):
            state.admit(f"C{child}", None)
        shards[shard] = held(shard, state)
    return shards


def memory_of(rules: Rules, shards: dict[TP, Held]) -> Memory:
    limits = Limits(records_in_memory=MOST, bytes_in_memory=10**9, calm_seconds=0.0)
    return Memory(given_to(rules, limits), shards)


def counts(shards: dict[TP, Held]) -> list[int]:
    return [len(it.state.children) for it in shards.values()]


def test_a_shard_may_take_what_others_leave_and_gives_it_back_when_they_want_it(
    rules: Rules,
) -> None:
    shards = shards_of(rules, MOST - 100, 100)
    memory = memory_of(rules, shards)
    asyncio.run(memory.make_room(shards[FIRST]))
    assert counts(shards) == [MOST - 100, 100]
    for child in range(100, 300):
        shards[SECOND].state.admit(f"C{child}", None)
    asyncio.run(memory.make_room(shards[SECOND]))
    assert counts(shards) == [MOST - 300, 300]
    for child in range(300, 900):
        shards[SECOND].state.admit(f"C{child}", None)
    asyncio.run(memory.make_room(shards[SECOND]))
    assert counts(shards) == [MOST // 2, MOST // 2]


def test_nothing_of_a_shard_that_is_being_stored_goes_for_another(rules: Rules) -> None:
    shards = shards_of(rules, MOST, 100)

    async def work() -> None:
        stored = asyncio.Event()
        shards[FIRST].commits.task = asyncio.create_task(cast(Any, stored.wait()))
        await memory_of(rules, shards).make_room(shards[SECOND])
        assert counts(shards) == [MOST, 100]
        stored.set()
        await memory_of(rules, shards).make_room(shards[FIRST])
        assert counts(shards) == [MOST - 100, 100]

    asyncio.run(work())


def test_a_favoured_shard_has_nearly_all(rules: Rules) -> None:
    shards = shards_of(rules, 2 * MOST, MOST)
    memory = memory_of(rules, shards)
    memory.favoured = FIRST
    asyncio.run(memory.make_room(shards[SECOND]))
    others = MOST // 2 // OTHERS_SHARE
    assert counts(shards) == [MOST - others, others]


def test_those_longest_in_memory_go_first(rules: Rules) -> None:
    shards = shards_of(rules, MOST + 1)
    asyncio.run(memory_of(rules, shards).make_room(shards[FIRST]))
    assert shards[FIRST].state.missing(["C0", "C1"]) == ["C0"]
