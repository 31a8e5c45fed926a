"""What is asked of a shard's stored state: of the one in Redis, and of its double in memory."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import date

import pytest
from redis.asyncio import Redis

from examples.workload import case_events
from processors.alerts import toldalerts
from processors.alerts.judging import Judgement
from processors.alerts.toldalerts import is_apart, read_told
from processors.days.calendar import day_number, month_number
from processors.fold import Partition, Settlement
from processors.ledger.tables import ROW_DAYS, Stock, Tables
from processors.record.decoding import Message, decode
from processors.rules import Rules
from schemas.events.registry import ACTIVITY_TOPIC, CASE_TOPIC, SCS_TOPIC, topics_in
from streams.kafka.batches import TP
from streams.state.admission import StoredChild
from streams.state.store import Advance, Head, Refused, ShardStore
from tests.support.examples import good_lines, log_file
from tests.support.memorystore import MemoryStore, Store
from tests.support.servers import Server
from tests.support.storedtold import StoredTold

SHARD = TP(CASE_TOPIC, 0)
TODAY = Judgement(day_number(date(2017, 6, 17)))
# Batch by batch, the messages of each topic.
Batches = list[dict[str, list[Message]]]
Work = Callable[[Store], Awaitable[None]]
On = Callable[[Work], None]


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.services)])
def on_store(request: pytest.FixtureRequest, rules: Rules) -> On:
    """Runs something with a store in which nothing is yet."""
    if request.param == "memory":
        return lambda work: asyncio.run(_awaited(work, MemoryStore(rules)))
    server: Server = request.getfixturevalue("redis_server")
    deployment: str = request.getfixturevalue("deployment")

    async def in_redis(work: Work) -> None:
        async with Redis.from_url(server.address) as redis:
            await work(ShardStore(redis, deployment, SHARD, rules))

    return lambda work: asyncio.run(in_redis(work))


async def _awaited(work: Work, store: Store) -> None:
    await work(store)


class Writer:
    """What a worker does with a store: fold, settle, commit."""

    def __init__(self, store: Store, rules: Rules) -> None:
        self.store, self.memory, self.head = store, Partition(rules), Head()
        self.told = StoredTold()

    async def fold(self, batch: dict[str, list[Message]]) -> tuple[Settlement, Advance]:
        """Fold a batch of each topic; what a commit takes."""
        known, latest = 0, self.head.latest
        for topic, messages in batch.items():
            events = decode(topic, messages).events
            missing = self.memory.missing(child for child, _ in events)
            stored = await self.store.children(self.head, missing)
            for child, found in zip(missing, stored, strict=True):
                self.memory.admit(child, *found)
            known += self.memory.fold(events)
            latest = max([latest, *(event.instant for _, event in events)])
        offsets = {it: self.head.offset(it) + len(messages) for it, messages in batch.items()}
        tallies = {"messages": sum(map(len, batch.values())), "duplicates": known}
        settlement = self.memory.settle(TODAY)
        return settlement, Advance(offsets, latest, tallies, 0.25, 5.0)

    async def commit(self, settlement: Settlement, advance: Advance) -> None:
        """Store it and move the head."""
        tables = self.memory.tables
        self.head = await self.store.commit(self.head, settlement, tables, advance)
        self.told.take(settlement.telling.told)

    async def write(self, batch: dict[str, list[Message]]) -> None:
        """One batch from beginning to end."""
        await self.commit(*await self.fold(batch))


def batches(count: int, seed: int = 1) -> Batches:
    """Messages of every topic of a group in so many batches, each touching many months."""
    chance = random.Random(seed)
    of = {topic: list[Message]() for topic in topics_in(CASE_TOPIC)}
    lines = good_lines(log_file("all-22"))
    for line in chance.sample(lines, 60 * count):
        for topic in of:
            if topic in line.topics:
                of[topic].append(line.message)
    of[CASE_TOPIC] += [(key, value, ()) for key, value in case_events(60 * count, seed=seed)]
    for messages in of.values():
        chance.shuffle(messages)
    return [
        {topic: messages[start::count] for topic, messages in of.items()} for start in range(count)
    ]


def held(stock: Stock) -> dict[int, int]:
    """What each cell of a stock holds."""
    found: Counter[int] = Counter()
    for cell, amount in zip(stock.cells.tolist(), stock.amounts.tolist(), strict=True):
        found[cell] += amount
    return {cell: amount for cell, amount in found.items() if amount}


def contents(tables: Tables) -> tuple[list[int], dict[int, dict[int, int]], dict[int, list[int]]]:
    """Cells, entries and checkpoints; no amount is as good as 0."""
    entries = {
        month: {
            place: amount
            for place, amount in zip(of.places.tolist(), of.amounts.tolist(), strict=True)
            if amount
        }
        for month, of in tables.entries.items()
    }
    sums = {
        month: [*of.tolist(), *[0] * (len(tables.cells) - len(of))]
        for month, of in tables.checkpoints.items()
    }
    assert tables.months == sorted(entries) == sorted(sums)
    assert all(place % ROW_DAYS > 0 for of in entries.values() for place in of)
    return tables.cells.tolist(), entries, sums


async def same(store: Store, writer: Writer) -> None:
    """What is stored is what the writer has in memory."""
    assert await store.head() == writer.head
    tables = await store.tables(writer.head)
    assert contents(tables) == contents(writer.memory.tables)
    names = [*writer.memory.children, "nobody"]
    stored = await store.children(writer.head, names)
    assert stored[-1] == StoredChild()
    for name, (record, told, number) in zip(names[:-1], stored, strict=False):
        assert number == writer.memory.children[name].number
        assert record == writer.memory.children[name].record.encode()
        assert alerts_in(told) == alerts_in(writer.told.get(name))


def alerts_in(told: bytes | None) -> list[str]:
    """The alerts that were told of a child, however they are stored."""
    return sorted(map(repr, read_told(told).alerts.values()))


def test_where_nothing_was_written_there_is_nothing(on_store: On) -> None:
    async def work(store: Store) -> None:
        assert await store.head() is None
        assert await store.month_tables([1, 2]) == (None, [])
        assert await store.children(Head(), ["P1", "P2"]) == [StoredChild(), StoredChild()]
        assert await store.children(Head(), []) == []
        assert contents(await store.tables(Head())) == ([], {}, {})

    on_store(work)


def test_what_is_read_is_what_was_committed_batch_after_batch(on_store: On, rules: Rules) -> None:
    async def work(store: Store) -> None:
        writer = Writer(store, rules)
        for batch in batches(4):
            await writer.write(batch)
            await same(store, writer)
        assert writer.head.commits == 4
        assert writer.head.offsets.keys() == {CASE_TOPIC, SCS_TOPIC, ACTIVITY_TOPIC}
        assert writer.told

    on_store(work)


def test_many_alerts_are_stored_each_on_its_own_and_read_back_as_they_were_told(
    on_store: On, rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toldalerts, "MANY", 2)

    async def work(store: Store) -> None:
        writer = Writer(store, rules)
        for batch in batches(4):
            await writer.write(batch)
            await same(store, writer)
            writer.memory.forget(0)  # and the next batch goes on from what is stored
        assert any(map(is_apart, writer.told.values()))

    on_store(work)


def test_a_head_adds_up_what_commits_advanced(on_store: On, rules: Rules) -> None:
    async def work(store: Store) -> None:
        writer, nothing = Writer(store, rules), Partition(rules)
        for advance in (
            Advance({CASE_TOPIC: 3}, 7, {"messages": 3, "duplicates": 0}),
            Advance({SCS_TOPIC: 2}, 9, {"messages": 2, "rejected:json": 1}, 0.5),
            Advance({CASE_TOPIC: 4}, 9, {"messages": 1}, 0.25),
        ):
            await writer.commit(nothing.settle(), advance)
        head = await store.head()
        assert head == writer.head
        assert head.offsets == {CASE_TOPIC: 4, SCS_TOPIC: 2}
        assert head.offset(ACTIVITY_TOPIC) == 0
        assert (head.latest, head.commits, head.old_share) == (9, 3, 0.25)
        assert {name: count for name, count in head.tallies.items() if count} == {
            "messages": 6,
            "rejected:json": 1,
        }

    on_store(work)


def test_tables_taken_over_go_on_as_those_in_memory_would(on_store: On, rules: Rules) -> None:
    async def work(store: Store) -> None:
        writer = Writer(store, rules)
        for batch in batches(3):
            await writer.write(batch)
            again = Writer(store, rules)
            again.head = await store.head() or Head()
            tables = await store.tables(again.head)
            again.memory = Partition(rules, tables, again.head.kept.records)
            again.told = writer.told
            writer = again
        whole = Partition(rules)
        for batch in batches(3):
            for topic, messages in batch.items():
                events = decode(topic, messages).events
                whole.fold_unstored(events)
        whole.settle()
        for day in (date(2016, 2, 29), date(2017, 6, 17), date(2030, 1, 1)):
            number = day_number(day)
            stored = writer.memory.tables.stock(number, rules.calendar)
            assert held(stored) == held(whole.tables.stock(number, rules.calendar))

    on_store(work)


def test_a_month_read_alone_gives_the_stock_of_any_day_in_it(on_store: On, rules: Rules) -> None:
    async def work(store: Store) -> None:
        writer, chance = Writer(store, rules), random.Random(3)
        for batch in batches(3, 2):
            await writer.write(batch)
        days = [date(2014 + chance.randrange(5), chance.randrange(1, 13), 28) for _ in range(20)]
        days += [date(1901, 1, 1), date(2198, 12, 31)]
        head, found = await store.month_tables([month_number(day) for day in days])
        assert head == writer.head
        for day, tables in zip(days, found, strict=True):
            assert len(tables.months) <= 1
            stock = tables.stock(day_number(day), rules.calendar)
            expected = writer.memory.tables.stock(day_number(day), rules.calendar)
            assert held(stock) == held(expected)

    on_store(work)


@pytest.mark.parametrize("stale", ["offset", "commits"])
def test_a_commit_at_another_head_is_refused_and_changes_nothing(
    on_store: On, rules: Rules, stale: str
) -> None:
    first, second = batches(2)

    async def work(store: Store) -> None:
        writer, late = Writer(store, rules), Writer(store, rules)
        folded = await late.fold(first)
        if stale == "offset":
            await writer.write(second)
        else:
            await writer.commit(Partition(rules).settle(), Advance({}, 0, {}))
        with pytest.raises(Refused):
            await late.commit(*folded)
        await same(store, writer)

    on_store(work)


@pytest.mark.services
@pytest.mark.parametrize("seed", range(2))
def test_the_double_in_memory_holds_what_redis_does_byte_for_byte(
    redis_server: Server, deployment: str, rules: Rules, seed: int
) -> None:
    async def run() -> None:
        async with Redis.from_url(redis_server.address) as redis:
            stores: tuple[Store, Store] = (
                ShardStore(redis, deployment, SHARD, rules),
                MemoryStore(rules),
            )
            writers = [Writer(store, rules) for store in stores]
            for batch in batches(5, seed):
                for writer in writers:
                    await writer.write(batch)
                one, other = writers
                names = list(one.memory.children)
                assert await stores[0].children(one.head, names) == await stores[1].children(
                    other.head, names
                )
                assert await stores[0].head() == await stores[1].head()
                real, double = [await store.tables(one.head) for store in stores]
                assert contents(real) == contents(double)

    asyncio.run(run())
