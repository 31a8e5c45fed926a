"""A partition's state in a real Redis: one atomic step, fenced, all of it or none."""

import asyncio
import random
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from redis import Redis as PlainRedis
from redis.asyncio import Redis
from redis.exceptions import RedisError

from processors.fold import Partition
from processors.ledger.tables import Stock, Tables
from processors.rules import Rules
from streams.state import store
from streams.state.admission import StoredChild
from streams.state.store import Head, OtherLayout, Refused, ShardStore
from tests.support.cutting import Cut
from tests.support.servers import Server
from tests.support.stored import TP0, State, batches, in_redis, linked

pytestmark = pytest.mark.services


def everything(url: str, deployment: str) -> dict[bytes, bytes | None]:
    """Every key of a deployment with its value, byte for byte."""
    with PlainRedis.from_url(url) as redis:
        keys: Any = redis.keys(f"*{deployment}*")
        return {key: _value(redis, key) for key in sorted(keys)}


def _value(redis: "PlainRedis", key: bytes) -> Any:
    kind: Any = redis.type(key)
    if kind == b"hash":
        return redis.hgetall(key)
    return redis.zrange(key, 0, -1, withscores=True) if kind == b"zset" else redis.dump(key)


def same(one: Tables, other: Tables) -> bool:
    """Whether two tables say the same."""
    if not np.array_equal(one.cells, other.cells) or one.months != other.months:
        return False
    return all(
        entries(one, month) == entries(other, month)
        and checkpoint(one, month) == checkpoint(other, month)
        for month in one.months
    )


def entries(tables: Tables, month: int) -> dict[int, int]:
    """A month's amounts by cell and day; no amount is as good as 0."""
    of = tables.entries[month]
    pairs = zip(of.places.tolist(), of.amounts.tolist(), strict=True)
    return {place: amount for place, amount in pairs if amount}


def checkpoint(tables: Tables, month: int) -> list[int]:
    """A month's checkpoint, as long as there are cells."""
    sums = tables.checkpoints[month].tolist()
    return [*sums, *[0] * (len(tables.cells) - len(sums))]


def held(stock: Stock) -> dict[int, int]:
    """What each cell of a stock holds."""
    found: Counter[int] = Counter()
    for cell, amount in zip(stock.cells.tolist(), stock.amounts.tolist(), strict=True):
        found[cell] += amount
    return {cell: amount for cell, amount in found.items() if amount}


@pytest.mark.parametrize("seed", range(4))
def test_what_is_loaded_is_what_was_in_memory_at_the_last_commit(
    redis_server: Server, deployment: str, rules: Rules, seed: int
) -> None:
    async def work(redis: Redis) -> None:
        state, again = (State(redis, deployment, rules) for _ in range(2))
        children: set[str] = set()
        for batch in batches(5, seed):
            await state.fold_and_commit(batch)
            children |= {key.decode() for key, _ in batch}
            state.memory.forget(random.Random(seed).randrange(20))
            await again.take_over()
            assert again.head == state.head
            assert same(again.memory.tables, state.memory.tables)
        whole = Partition(rules)
        for child, record in [it async for it in again.store.all_records(again.head)]:
            children.remove(child)
            whole.admit(child, record)
            assert whole.children[child].record.encode() == record
        assert not children

    in_redis(redis_server.address, work)


@pytest.mark.parametrize("seed", range(2))
def test_a_month_read_alone_gives_the_stock_that_memory_has_of_any_day(
    redis_server: Server, deployment: str, rules: Rules, seed: int
) -> None:
    async def work(redis: Redis) -> None:
        state, rng = State(redis, deployment, rules), random.Random(seed)
        for batch in batches(3, seed):
            await state.fold_and_commit(batch)
        months = state.memory.tables.months
        for _ in range(30):
            day = 16_000 + rng.randrange(1500)
            month = int(rules.calendar.month_of(np.array([day]))[0])
            head, (tables, latest) = await state.store.month_tables([month, months[-1] + 5])
            assert head == state.head
            assert latest.months == months[-1:]
            expected = state.memory.tables.stock(day, rules.calendar)
            assert held(tables.stock(day, rules.calendar)) == held(expected)

    in_redis(redis_server.address, work)


def test_reading_what_has_never_been_written_gives_nothing(
    redis_server: Server, deployment: str, rules: Rules
) -> None:
    async def work(redis: Redis) -> None:
        store = ShardStore(redis, deployment, TP0, rules)
        assert await store.head() is None
        assert await store.month_tables([1, 2]) == (None, [])

    in_redis(redis_server.address, work)
    assert everything(redis_server.address, deployment) == {}


def test_records_are_refused_where_the_state_does_not_stand_where_the_reader_may_be(
    redis_server: Server, deployment: str, rules: Rules
) -> None:
    first, second = batches(2)

    async def work(redis: Redis) -> None:
        state, late = (State(redis, deployment, rules) for _ in range(2))
        nothing = await late.store.children(late.head, ["C1"], late.head.place.__eq__)
        assert nothing == [StoredChild()]
        await state.fold_and_commit(first)
        await late.take_over()
        names = list(state.memory.children)
        stored = await late.store.children(late.head, names, late.head.place.__eq__)
        assert all(it.record for it in stored)
        await state.fold_and_commit(second)
        with pytest.raises(Refused, match="stands elsewhere"):
            await late.store.children(late.head, names, late.head.place.__eq__)
        await state.store.children(state.head, names, state.head.place.__eq__)

    in_redis(redis_server.address, work)


@pytest.mark.parametrize("stale", ["offset", "generation"])
def test_a_commit_that_began_at_another_offset_or_generation_is_refused_and_changes_nothing(
    redis_server: Server, deployment: str, rules: Rules, stale: str
) -> None:
    first, second, third = batches(3)

    async def work(redis: Redis) -> None:
        state, late = (State(redis, deployment, rules) for _ in range(2))
        await state.fold_and_commit(first)
        await late.take_over()
        if stale == "offset":
            await state.fold_and_commit(second)
        else:
            await state.store.switch(state.head, replace(state.head, generation=1))
        before = everything(redis_server.address, deployment)
        with pytest.raises(Refused):
            await late.fold_and_commit(third)
        assert everything(redis_server.address, deployment) == before

    in_redis(redis_server.address, work)


def test_of_two_that_commit_at_the_same_moment_one_is_refused_and_changes_nothing(
    redis_server: Server, deployment: str, rules: Rules
) -> None:
    first, second, third = batches(3)

    async def work(redis: Redis) -> None:
        state = State(redis, deployment, rules)
        await state.fold_and_commit(first)
        cut = Cut.hold_before(b"MULTI")
        async with linked(redis_server.address, cut) as (link, held_back):
            late = State(held_back, deployment, rules)
            await late.take_over()
            losing = asyncio.create_task(late.fold_and_commit(second))
            await link.reached.wait()  # it has seen a head that fits
            await state.fold_and_commit(third)
            before = everything(redis_server.address, deployment)
            link.release.set()
            with pytest.raises(Refused):
                await losing
        assert everything(redis_server.address, deployment) == before

    in_redis(redis_server.address, work)


def test_what_is_written_whole_is_what_is_there_when_each_of_it_is_set(
    redis_server: Server, deployment: str, rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, parts = list[Any](), batches(4)

    async def work(redis: Redis) -> None:
        for number, is_whole in enumerate((True, False)):
            # By turns, so that what is known of it is followed through commits of both kinds.
            turns = [is_whole, not is_whole, is_whole, is_whole]
            name = f"{deployment}-{number}"
            state = State(redis, name, rules)
            for part, whole in zip(parts, turns, strict=True):
                monkeypatch.setattr(store, "are_many", lambda *_, whole=whole: whole)
                await state.fold_and_commit(part)
            found = everything(redis_server.address, name)
            written.append({key.replace(name.encode(), b""): it for key, it in found.items()})

    in_redis(redis_server.address, work)
    assert any(key.endswith(b":seals") for key in written[0])
    assert written[0] == written[1]


# Where the connection breaks, by the numbered steps of `ShardStore.commit`; what is stored.
CUTS = [
    ("1: the head is not watched", Cut.before(b"WATCH"), False),
    ("1: the head is not read", Cut.before(b"HGETALL"), False),
    ("2: nothing is queued", Cut.before(b"MULTI"), False),
    ("2: half of the changes are queued", Cut.before(b"checkpoint"), False),
    ("3: the head is not queued", Cut.before(b"layout"), False),
    ("4: nothing is executed", Cut.before(b"EXEC"), False),
    ("4: the answer is lost", Cut.answers_after(b"EXEC"), True),
]


@pytest.mark.parametrize(("cut", "is_stored"), [it[1:] for it in CUTS], ids=[it[0] for it in CUTS])
def test_a_commit_cut_off_at_any_step_leaves_all_or_nothing_and_is_never_taken_for_done(
    redis_server: Server, deployment: str, rules: Rules, cut: Cut, is_stored: bool
) -> None:
    first, second = batches(2)

    async def work(redis: Redis) -> None:
        state = State(redis, deployment, rules)
        await state.fold_and_commit(first)
        before = everything(redis_server.address, deployment)
        state_after = await expected_after(redis_server.address, deployment, rules, [first, second])
        async with linked(redis_server.address, cut) as (link, cut_off):
            broken = State(cut_off, deployment, rules)
            await link.unharmed(broken.take_over)
            folded = await link.unharmed(lambda: broken.fold(second))
            with pytest.raises((RedisError, OSError, Refused)):
                await broken.commit(*folded)
        assert link.reached.is_set()
        after = everything(redis_server.address, deployment)
        assert after == (state_after if is_stored else before)

    in_redis(redis_server.address, work)


async def expected_after(
    url: str, deployment: str, rules: Rules, messages: list[list[tuple[bytes, bytes]]]
) -> dict[bytes, bytes | None]:
    """What the keys would be after all batches were committed, by doing that elsewhere."""
    name = f"{deployment}-other"
    async with Redis.from_url(url) as redis:
        state = State(redis, name, rules)
        for batch in messages:
            await state.fold_and_commit(batch)
    keys = everything(url, name)
    with PlainRedis.from_url(url) as plain:
        plain.delete(*keys)
    return {key.replace(name.encode(), deployment.encode()): it for key, it in keys.items()}


def test_state_made_with_another_catalogue_is_refused_until_it_is_replaced(
    redis_server: Server, deployment: str, rules: Rules
) -> None:
    fewer = rules.catalogue.model_copy(update={"measure": rules.catalogue.measure[:-1]})
    others = Rules(fewer, rules.areas)
    first, second = batches(2)

    async def work(redis: Redis) -> None:
        state = State(redis, deployment, others)
        await state.fold_and_commit(first)
        now = State(redis, deployment, rules)
        before = everything(redis_server.address, deployment)
        for attempt in (now.take_over, lambda: now.fold_and_commit(second)):
            with pytest.raises(OtherLayout):
                await attempt()
        with pytest.raises(OtherLayout):
            await now.store.month_tables([1])
        assert everything(redis_server.address, deployment) == before
        assert await now.store.head(any_layout=True) == state.head
        await now.store.switch(state.head, Head(generation=1))
        assert await now.store.head() == Head(generation=1)

    in_redis(redis_server.address, work)
