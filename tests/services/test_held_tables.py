"""What a reader holds of shards: never other figures than those of one that reads anew."""

import json
from collections.abc import Iterable
from datetime import date, timedelta

import pytest
from redis.asyncio import Redis

from examples.workload import population_events
from processors.figures.supplies import Supplies
from processors.fold import Partition
from processors.ledger.tables import NOTHING
from processors.record.decoding import Message, decode
from processors.rules import Rules
from schemas.events.registry import REFERENCE_TOPIC
from schemas.settings import Settings
from streams import keys
from streams.clock import Clock
from streams.kafka.batches import TP
from streams.serving.identity import NOBODY, Identity
from streams.serving.live_figures import LiveFigures
from streams.serving.roles import Role
from streams.state.held_tables import MOST_MONTHS, HeldTables
from streams.state.integrity import Incomplete
from streams.state.reading import LiveScorecard, partitions_key, read_reference, read_scorecard
from streams.state.store import Advance, Head, ShardStore
from tests.support.servers import Server
from tests.support.stored import TP0, State, batches, in_redis

pytestmark = pytest.mark.services

DATES = date(2015, 3, 31), date(2015, 4, 1), date(2015, 11, 17), date(2019, 2, 28)


class Reader:
    """A reader that lives on, beside one that reads anew each time."""

    def __init__(self, redis: Redis, deployment: str, rules: Rules) -> None:
        self._of = redis, deployment, rules
        self._held = HeldTables()

    async def read(self, day: date) -> LiveScorecard:
        return await read_scorecard(*self._of, day, held=self._held)

    async def check(self, days: Iterable[date] = DATES) -> None:
        """What is read is what is there."""
        for day in days:
            assert await self.read(day) == await read_scorecard(*self._of, day)


async def begun(redis: Redis, deployment: str, rules: Rules) -> tuple[State, Reader]:
    await redis.sadd(partitions_key(deployment), f"{TP0.topic}:{TP0.partition}")
    return State(redis, deployment, rules), Reader(redis, deployment, rules)


def test_a_reader_that_lives_on_sees_every_commit(
    redis_server: Server, deployment: str, rules: Rules
) -> None:
    async def work(redis: Redis) -> None:
        state, reader = await begun(redis, deployment, rules)
        for batch in batches(4):
            await reader.check()
            await state.fold_and_commit(batch)
        await reader.check()
        many = [date(2015 + month // 12, 1 + month % 12, 15) for month in range(2 * MOST_MONTHS)]
        await reader.check(many)
        await reader.check(reversed(many))

    in_redis(redis_server.address, work)


def test_what_others_supply_is_read_again_once_there_is_more_of_it(
    redis_server: Server, deployment: str, rules: Rules
) -> None:
    async def work(redis: Redis) -> None:
        state, reader = await begun(redis, deployment, rules)
        await state.fold_and_commit(batches(1)[0])
        shard = TP(REFERENCE_TOPIC, 0)
        await redis.sadd(partitions_key(deployment), f"{shard.topic}:0")
        store, memory, head = ShardStore(redis, deployment, shard, rules), Partition(rules), Head()
        messages = [(key, value, ()) for key, value in population_events(5)]
        for some in (messages[:100], messages[100:]):
            await reader.check()
            memory.fold_unstored(decode(shard.topic, some).events)
            advance = Advance({shard.topic: head.offset(shard.topic) + len(some)}, 1, {})
            head = await store.commit(head, memory.settle(), memory.tables, advance)
        await reader.check()
        rates = [it for it in (await reader.read(DATES[-1])).rows if it.code == "EH02"]
        assert any(it.status == "reported" for it in rates)

    in_redis(redis_server.address, work)


def test_what_others_supplied_by_a_date_is_not_taken_for_that_of_another(
    redis_server: Server, deployment: str, rules: Rules
) -> None:
    # An estimate for each of three years, and one more for the last year in its summer.
    (key, first), *_ = population_events(1)
    said = json.loads(first)
    area, band = said["data"]["area"], said["data"]["age_band"]
    messages: list[Message] = []
    for number, (year, month) in enumerate([(2015, 1), (2016, 1), (2017, 1), (2017, 7)]):
        said["data"] |= {"year": year, "count": 1 + number}
        said |= {"id": f"{number}", "time": f"{year}-{month:02}-01T00:00:00Z"}
        messages.append((key, json.dumps(said).encode(), ()))
    around = date(2015, 6, 1), date(2016, 1, 1), date(2017, 1, 1), date(2017, 7, 1)

    async def work(redis: Redis) -> None:
        await begun(redis, deployment, rules)
        shard = TP(REFERENCE_TOPIC, 0)
        await redis.sadd(partitions_key(deployment), f"{shard.topic}:0")
        store, memory, held = (
            ShardStore(redis, deployment, shard, rules),
            Partition(rules),
            HeldTables(),
        )
        memory.fold_unstored(decode(shard.topic, messages).events)
        advance = Advance({shard.topic: len(messages)}, 1, {})
        await store.commit(Head(), memory.settle(), memory.tables, advance)
        reference = await read_reference(redis, deployment, rules, held)
        found = []
        for day in (it + timedelta(days=days) for it in around for days in (-1, 0, 1)):
            supplies = held.known(rules, day, NOTHING, reference).supplies
            found.append(supplies.population(area, band))
            assert found[-1] == Supplies(reference.events, day).population(area, band)
        assert len({*found}) == len(around)

    in_redis(redis_server.address, work)


def test_an_unchanged_shard_sends_no_tables(
    redis_server: Server, deployment: str, rules: Rules
) -> None:
    async def work(redis: Redis) -> None:
        state, _ = await begun(redis, deployment, rules)
        first, second = batches(2)
        await state.fold_and_commit(first)
        found = await state.store.months_since([540], b"")
        assert found is not None
        assert found.head == state.head
        assert await state.store.months_since([540], found.version) is None
        await state.fold_and_commit(second)
        after = await state.store.months_since([540], found.version)
        assert after is not None
        assert after.version != found.version

    in_redis(redis_server.address, work)


def test_another_state_with_as_many_commits_is_not_taken_for_the_one_that_is_held(
    redis_server: Server, deployment: str, rules: Rules
) -> None:
    async def work(redis: Redis) -> None:
        _, reader = await begun(redis, deployment, rules)
        for seed in (1, 2):
            state, _ = await begun(redis, deployment, rules)
            for batch in batches(2, seed):
                await state.fold_and_commit(batch)
            await reader.check()
            await state.store.remove()

    in_redis(redis_server.address, work)


def test_a_reader_that_lives_on_says_that_part_of_the_state_is_gone_and_then_refuses(
    redis_server: Server, deployment: str, rules: Rules
) -> None:
    async def work(redis: Redis) -> None:
        state, reader = await begun(redis, deployment, rules)
        await state.fold_and_commit(batches(1)[0])
        assert (await reader.read(DATES[0])).notes == ()
        await redis.delete(f"{keys.of_shard(deployment, *TP0)}:0:cells")
        assert "cells" in (await reader.read(DATES[0])).notes[0]
        with pytest.raises(Incomplete):
            await reader.read(DATES[0])

    in_redis(redis_server.address, work)


def test_what_readers_see_who_see_no_small_numbers_is_that_of_one_who_begins_now(
    redis_server: Server, deployment: str, rules: Rules
) -> None:
    settings = Settings(redis_url=redis_server.address, deployment=deployment)
    day, own = date(2015, 11, 17), frozenset({"Thanet"})
    visitors = NOBODY, Identity("m", frozenset({Role.MANAGER}), own)

    async def work(redis: Redis) -> None:
        state, _ = await begun(redis, deployment, rules)
        figures = LiveFigures(redis, settings, rules, Clock())
        seen = []
        for batch in batches(3):
            await state.fold_and_commit(batch)
            moment = await figures.moment(day)
            for who in visitors:
                for at in (day, day - timedelta(days=1)):
                    anew = LiveFigures(redis, settings, rules, Clock())
                    held = await figures.shown(at, moment, who)
                    assert held.rows == (await anew.shown(at, moment, who)).rows
                    seen.append({it.status for it in held.rows})
        assert all("suppressed" in it for it in seen[-4:])

    in_redis(redis_server.address, work)
