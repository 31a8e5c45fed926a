"""What is missing or damaged in a shard's state is noticed before anything is counted on it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any
from unittest.mock import patch

import pytest
from redis import Redis as PlainRedis
from redis.asyncio import Redis

from processors.alerts import toldalerts
from processors.alerts.judging import Judgement
from processors.days.calendar import day_number
from processors.record import record as record_module
from processors.record.record import decode_record, seal
from processors.rules import Rules
from schemas.alerts import CHANGE
from streams.state import packing as packing_module
from streams.state import store as store_module
from streams.state.encoding import decode_month, encode_month
from streams.state.integrity import Apart, Incomplete, apart_in
from streams.state.store import Advance, Head, Place, Refused, ShardStore
from tests.support.servers import Server
from tests.support.shards import SHARD, Messages, Shard, batches, in_redis

pytestmark = pytest.mark.services

AUTUMN = day_number(date(2015, 10, 31))

Damage = Callable[[Any, str], None]


def deleted(part: str) -> Damage:
    return lambda redis, base: redis.delete(f"{base}:{part}")


def one_record_gone(redis: Any, base: str) -> None:
    redis.hdel(f"{base}:records", redis.hkeys(f"{base}:records")[0])


def of_another_type(redis: Any, base: str) -> None:
    redis.delete(f"{base}:records")
    redis.set(f"{base}:records", "x")


def a_month(redis: Any, base: str) -> int:
    return int(redis.zrange(f"{base}:months", 2, 2)[0])


def entries_gone(redis: Any, base: str) -> None:
    redis.delete(f"{base}:entries:{a_month(redis, base)}")


def entries_cut_short(redis: Any, base: str) -> None:
    key = f"{base}:entries:{a_month(redis, base)}"
    redis.set(key, redis.get(key)[:-1])


def an_entry_altered(redis: Any, base: str) -> None:
    key = f"{base}:entries:{a_month(redis, base)}"
    month = decode_month(redis.get(key))
    month.amounts[0] ^= 1
    redis.set(key, encode_month(month))


def checkpoint_gone(redis: Any, base: str) -> None:
    redis.delete(f"{base}:checkpoint:{a_month(redis, base)}")


def checkpoint_altered(redis: Any, base: str) -> None:
    months = redis.zrange(f"{base}:months", 0, -1)
    redis.setrange(f"{base}:checkpoint:{int(months[-1])}", 0, b"\x7f")


def cells_altered(redis: Any, base: str) -> None:
    redis.setrange(f"{base}:cells", 0, b"\x7f\x01")


def head_gone(redis: Any, base: str) -> None:
    redis.delete(base.removesuffix("0") + "head")


def head_of_another_type(redis: Any, base: str) -> None:
    head_gone(redis, base)
    redis.set(base.removesuffix("0") + "head", "x")


AT_A_COMMIT = {
    "records": deleted("records"),
    "seals": deleted("seals"),
    "added": deleted("added"),
    "one record": one_record_gone,
    "records of another type": of_another_type,
    "cells": deleted("cells"),
    "localities": deleted("localities"),
    "months": deleted("months"),
    "deadlines": deleted("deadlines"),
}
AT_A_LOAD = {
    **AT_A_COMMIT,
    "a month's entries": entries_gone,
    "the end of a month's entries": entries_cut_short,
    "an entry altered": an_entry_altered,
    "a checkpoint": checkpoint_gone,
    "a checkpoint altered": checkpoint_altered,
    "a cell altered": cells_altered,
    "the head": head_gone,
    "the head of another type": head_of_another_type,
}


def damage(url: str, store: ShardStore, how: Damage) -> None:
    with PlainRedis.from_url(url) as redis:
        how(redis, store.key(0, "").rstrip(":"))


@pytest.mark.parametrize("how", AT_A_LOAD.values(), ids=AT_A_LOAD.keys())
def test_what_does_not_add_up_is_not_taken_over(
    redis_server: Server, deployment: str, rules: Rules, how: Damage
) -> None:
    async def work(redis: Redis) -> None:
        shard = Shard(redis, deployment, rules)
        for batch in batches(3):
            await shard.fold_and_commit(batch)
        await Shard(redis, deployment, rules).take_over()
        damage(redis_server.address, shard.store, how)
        with pytest.raises(Incomplete, match="`caseline rebuild`"):
            await Shard(redis, deployment, rules).take_over()

    in_redis(redis_server.address, work)


@pytest.mark.parametrize("how", AT_A_COMMIT.values(), ids=AT_A_COMMIT.keys())
def test_a_worker_at_work_counts_nothing_on_a_state_of_which_part_is_gone(
    redis_server: Server, deployment: str, rules: Rules, how: Damage
) -> None:
    first, _ = batches(2)

    async def work(redis: Redis) -> None:
        shard = Shard(redis, deployment, rules)
        await shard.fold_and_commit(first)
        shard.memory.forget(0)
        damage(redis_server.address, shard.store, how)
        with pytest.raises(Incomplete):
            await shard.commit(*await shard_of_new(shard, first))
        found, head = await shard.store.look()
        assert head is not None
        assert head.commits == 1
        assert found.trouble()

    async def shard_of_new(shard: Shard, messages: Messages) -> Any:
        """What a worker would store that reads messages again, of which it knows none any more."""
        try:
            return await shard.fold(messages)
        except Exception as error:  # a key of another type, which no reading gets past
            raise Incomplete("", "") from error

    in_redis(redis_server.address, work)


def test_entries_that_were_added_to_a_month_are_read_with_it_or_missed(
    redis_server: Server, deployment: str, rules: Rules
) -> None:
    async def work(redis: Redis) -> None:
        shard = Shard(redis, deployment, rules)
        for batch in batches(4):
            await shard.fold_and_commit(batch)
        again = Shard(redis, deployment, rules)
        await again.take_over()
        tables, found = shard.memory.tables, again.memory.tables
        assert found.months == tables.months
        for month, of in tables.entries.items():
            held = of.amounts != 0
            assert found.entries[month].places.tolist() == of.places[held].tolist()
            assert found.entries[month].amounts.tolist() == of.amounts[held].tolist()
        # Who took over goes on adding where the other left off.
        (more,) = batches(1, seed=2)
        await again.fold_and_commit(more)
        await Shard(redis, deployment, rules).take_over()
        with PlainRedis.from_url(redis_server.address) as plain:
            base = again.store.key(0, "added:")
            months = [int(it[len(base) :]) for it in plain.scan_iter(f"*{deployment}*:added:*")]
            assert months
            plain.delete(f"{base}{months[0]}")
        with pytest.raises(Incomplete, match="is gone"):
            await Shard(redis, deployment, rules).take_over()
        with pytest.raises(Incomplete, match="is gone"):
            await again.store.month_tables([months[0]])

    with patch.object(store_module, "ADDED_SHARE", 1):
        in_redis(redis_server.address, work)


def test_records_that_are_packed_are_read_by_anyone_and_missed_with_what_packs_them(
    redis_server: Server, deployment: str, rules: Rules
) -> None:
    first, second, third = batches(3, size=2_000)

    async def work(redis: Redis) -> None:
        shard, reader = (Shard(redis, deployment, rules) for _ in range(2))
        await shard.fold_and_commit(first)
        assert shard.head.kept.dictionaries == 1
        # Whoever read before there was another dictionary reads what it packs, too.
        names = [*shard.memory.children]
        await reader.take_over()
        assert None not in await reader.store.records(reader.head, names)
        await shard.fold_and_commit(second)
        assert shard.head.kept.dictionaries == 2
        again = Shard(redis, deployment, rules)
        await again.take_over()
        await again.fold_and_commit(third)
        assert again.head.kept.dictionaries == 2
        names = [*again.memory.children]
        read = await reader.store.records(reader.head, names)
        for name, record in zip(names, read, strict=True):
            assert record is not None
            known = decode_record(record, rules.make_row)
            assert known.known == again.memory.children[name].record.known
        assert {it async for it in reader.store.all_records(reader.head)} >= {
            *zip(names, read, strict=True)
        }
        with PlainRedis.from_url(redis_server.address) as plain:
            key = again.store.key(0, "dictionaries")
            made: Any = plain.hgetall(key)
            stored: Any = plain.hvals(again.store.key(0, "records"))
            assert sum(map(len, stored)) < 0.8 * sum(len(it or b"") for it in read)
            plain.hset(key, mapping={b"1": made[b"2"], b"2": made[b"1"]})
        strange = ShardStore(redis, deployment, SHARD, rules)
        with pytest.raises(Incomplete, match="a record"):
            await strange.records(again.head, names)
        with PlainRedis.from_url(redis_server.address) as plain:
            plain.delete(key)
        with pytest.raises(Incomplete, match="dictionaries"):
            await Shard(redis, deployment, rules).take_over()

    with patch.multiple(packing_module, FIRST=100, SAMPLES=100, TIMES=4, MANY=1):
        in_redis(redis_server.address, work)


async def assert_not_believed(shard: Shard, name: str) -> None:
    """Whatever reads a record says that it is not as it was stored."""
    for read in (shard.store.records, shard.store.children):
        with pytest.raises(Incomplete, match="a record"):
            await read(shard.head, [name])
    with pytest.raises(Incomplete, match="a record"):
        [it async for it in shard.store.all_records(shard.head)]


def test_a_record_that_is_not_as_it_was_stored_is_not_believed(
    redis_server: Server, deployment: str, rules: Rules
) -> None:
    first, _ = batches(2)

    async def work(redis: Redis) -> None:
        shard = Shard(redis, deployment, rules)
        await shard.fold_and_commit(first)
        with PlainRedis.from_url(redis_server.address) as plain:
            client: Any = plain
            key = shard.store.key(0, "records")
            name, record = next(iter(client.hgetall(key).items()))
            at = len(record) // 2
            client.hset(key, name, record[:at] + bytes([record[at] ^ 1]) + record[at + 1 :])
        again = Shard(redis, deployment, rules)
        await again.take_over()  # nothing is missing, and the record is read when it is needed
        await assert_not_believed(again, name.decode())

    in_redis(redis_server.address, work)


@pytest.mark.parametrize("large", [record_module.LARGE, 300], ids=["small", "large"])
def test_a_record_that_was_put_back_alone_is_found_when_it_is_read(
    redis_server: Server, deployment: str, rules: Rules, large: int
) -> None:
    first, second = batches(2, size=200)

    async def work(redis: Redis) -> None:
        shard = Shard(redis, deployment, rules)
        await shard.fold_and_commit(first)
        key = shard.store.key(0, "records")
        with PlainRedis.from_url(redis_server.address) as plain:
            client: Any = plain
            before = client.hgetall(key)
            apart = {it: client.get(it) for it in client.scan_iter(f"*{deployment}*:0:record:*")}
            await shard.fold_and_commit(second)
            after = client.hgetall(key)
            name = next(it for it, stored in before.items() if after[it] != stored)
            client.hset(key, name, before[name])
            lies = shard.store.key(0, f"record:{name.decode()}").encode()
            if lies in apart:
                client.set(lies, apart[lies])
        again = Shard(redis, deployment, rules)
        await again.take_over()  # as far as the head can tell all is there
        with pytest.raises(Incomplete, match="one that was stored earlier"):
            await again.store.children(again.head, [name.decode()])
        others = [it.decode() for it in after if it != name]
        assert all(it.record for it in await again.store.children(again.head, others))

    with patch.object(record_module, "LARGE", large):
        in_redis(redis_server.address, work)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_kept_in_the_head_is_what_there_is_after_any_commits(
    redis_server: Server, deployment: str, rules: Rules, seed: int
) -> None:
    async def work(redis: Redis) -> None:
        shard = Shard(redis, deployment, rules)
        for number, batch in enumerate(batches(6, seed)):
            if number % 2:
                shard.memory.forget(7)
            await shard.fold_and_commit(batch)
            again = Shard(redis, deployment, rules)
            await again.take_over()
            assert again.head == shard.head
            assert again.memory.tables.counted_sum() == shard.memory.tables.sum
        records = [it async for it in shard.store.all_records(shard.head)]
        assert shard.head.kept.records == len(records) > 0
        assert shard.head.kept.record_sum == sum_of(records)

    in_redis(redis_server.address, work)


def sum_of(records: list[tuple[str, bytes]]) -> int:
    return sum(seal(child, record) for child, record in records) % 2**64


def test_a_state_that_is_gone_as_a_whole_is_begun_again_and_a_worker_that_had_it_is_refused(
    redis_server: Server, deployment: str, rules: Rules
) -> None:
    first, second = batches(2)

    async def work(redis: Redis) -> None:
        shard = Shard(redis, deployment, rules)
        await shard.fold_and_commit(first)
        keys = [key async for key in redis.scan_iter(match=f"*{deployment}*")]
        await redis.delete(*keys)
        with pytest.raises(Refused):
            await shard.fold_and_commit(second)
        await shard.take_over()
        assert shard.head == Head()
        await shard.fold_and_commit(first)
        assert shard.head.offset(SHARD.topic) == len(first)

    in_redis(redis_server.address, work)


@pytest.mark.parametrize("name", ["open", "outbox", "outbox of another type"])
def test_alerts_that_are_gone_are_noticed_and_told_again_by_a_rebuild(
    redis_server: Server, deployment: str, rules: Rules, name: str
) -> None:
    async def work(redis: Any) -> None:
        shard = Shard(redis, deployment, rules)
        store = shard.store
        (messages,) = batches(1, size=600)
        await shard.fold_and_commit(messages)
        offset = shard.head.offset(SHARD.topic)
        await shard.take_over()
        children = [child async for child, _ in store.all_records(shard.head)]
        for child, stored in zip(children, await store.children(shard.head, children), strict=True):
            shard.memory.admit(child, *stored)
        shard.memory.look_at(children)
        settlement = shard.memory.settle(Judgement(AUTUMN))
        await shard.commit(settlement, Advance({SHARD.topic: offset}, 0, {}))
        was = await redis.hgetall(store.alerts_key("open"))
        counts = await redis.hgetall(store.alerts_key("counts"))
        waiting = await redis.xlen(store.alerts_key("outbox"))
        assert len(was) > 10
        await redis.xtrim(store.alerts_key("outbox"), maxlen=0)  # as it is when all is told
        await Shard(redis, deployment, rules).take_over()

        await redis.delete(store.alerts_key(name.partition(" ")[0]))
        if "another" in name:
            await redis.set(store.alerts_key("outbox"), "x")
        with pytest.raises(Incomplete, match="alerts that are on, or wait to be told, are gone"):
            await Shard(redis, deployment, rules).take_over()

        head = shard.head
        await store.switch(head, replace(head, generation=1))
        assert await redis.hgetall(store.alerts_key("counts")) == counts
        again = [fields[b"change"] for _, fields in await redis.xrange(store.alerts_key("outbox"))]
        assert len(again) == waiting
        now = await redis.hgetall(store.alerts_key("open"))
        assert now.keys() == was.keys()
        assert set(now.values()) <= set(again)
        assert [CHANGE.validate_json(it).key for it in now.values()] == [
            CHANGE.validate_json(was[alert]).key for alert in now
        ]

    in_redis(redis_server.address, work)


@pytest.mark.parametrize("has_another_type", [False, True])
def test_where_alerts_told_of_a_child_are_gone_a_rebuild_forgets_those_of_that_child(
    redis_server: Server, deployment: str, rules: Rules, *, has_another_type: bool
) -> None:
    async def work(redis: Any) -> None:
        shard = Shard(redis, deployment, rules)
        store = shard.store
        (messages,) = batches(1, size=600)
        await shard.fold_and_commit(messages)
        children = list(shard.memory.children)
        shard.memory.look_at(children)
        settlement = shard.memory.settle(Judgement(AUTUMN))
        offset = shard.head.offset(SHARD.topic)
        await shard.commit(settlement, Advance({SHARD.topic: offset}, 0, {}))
        apart = [name for name, it in settlement.telling.told.items() if it.apart]
        assert len(apart) > 2
        key = store.alerts_key(f"told:{apart[0]}")
        await redis.hdel(key, (await redis.hkeys(key))[0])
        if has_another_type:
            await redis.delete(key)
            await redis.set(key, "x")
        with pytest.raises(Incomplete, match="told of a child"):
            await store.children(shard.head, children)
        assert all(it.record for it in await store.children(shard.head, children, are_told=False))

        # In use is the generation that there is, as if it had been made anew.
        await store.switch(shard.head, shard.head)
        await Shard(redis, deployment, rules).take_over()
        stored = dict(zip(children, await store.children(shard.head, children), strict=True))
        assert {name for name in apart if stored[name].told is None} == {apart[0]}

    with patch.object(toldalerts, "MANY", 2):
        in_redis(redis_server.address, work)


def large_gone(redis: Any, key: str) -> None:
    redis.delete(key)


def large_cut_short(redis: Any, key: str) -> None:
    redis.set(key, redis.get(key)[:-1])


def large_altered(redis: Any, key: str) -> None:
    redis.setrange(key, 9, b"\x7f")


def large_of_another_type(redis: Any, key: str) -> None:
    redis.delete(key)
    redis.rpush(key, "x")


def test_large_records_grow_at_their_ends_and_are_read_as_they_were_written(
    redis_server: Server, deployment: str, rules: Rules
) -> None:
    async def work(redis: Redis) -> None:
        shard = Shard(redis, deployment, rules)
        grew = 0
        for number, batch in enumerate(batches(8, size=200)):
            if number % 3 == 2:
                shard.memory.forget(0)
            settlement, advance = await shard.fold(batch)
            grew += sum(it.kept > 0 for it in settlement.records.values())
            await shard.commit(settlement, advance)
            names = list(shard.memory.children)
            stored = await shard.store.records(shard.head, names)
            for name, record in zip(names, stored, strict=True):
                known = shard.memory.children[name]
                assert record is not None
                assert seal(name, record) == known.seal
                again = decode_record(record, rules.make_row)
                assert {*map(repr, again.events)} == {*map(repr, known.record.events)}
        assert grew > 20
        records = dict([it async for it in shard.store.all_records(shard.head)])
        assert shard.head.kept.records == len(records)
        assert shard.head.kept.record_sum == sum_of(list(records.items()))
        generation = shard.head.generation
        await shard.store.drop(generation)
        assert not [key async for key in redis.scan_iter(f"*{deployment}*:{generation}:*")]

    with patch.object(record_module, "LARGE", 300):
        in_redis(redis_server.address, work)


def test_a_large_record_is_refused_where_the_state_stands_elsewhere_by_the_time_it_is_read(
    redis_server: Server, deployment: str, rules: Rules
) -> None:
    (first,) = batches(1)
    seen: list[Place] = []

    async def work(redis: Redis) -> None:
        shard = Shard(redis, deployment, rules)
        await shard.fold_and_commit(first)
        names = list(shard.memory.children)

        def is_ours(place: Place) -> bool:
            seen.append(place)
            return len(seen) == 1

        with pytest.raises(Refused, match="stands elsewhere"):
            await shard.store.children(shard.head, names, is_ours)
        assert seen == [shard.head.place] * 2

    with patch.object(record_module, "LARGE", 300):
        in_redis(redis_server.address, work)


@pytest.mark.parametrize("how", [large_gone, large_cut_short, large_altered, large_of_another_type])
def test_a_large_record_of_which_part_is_gone_is_not_believed(
    redis_server: Server, deployment: str, rules: Rules, how: Damage
) -> None:
    first, _ = batches(2)

    async def work(redis: Redis) -> None:
        shard = Shard(redis, deployment, rules)
        await shard.fold_and_commit(first)
        with PlainRedis.from_url(redis_server.address) as plain:
            client: Any = plain
            begins = shard.store.key(0, "record:")
            key = sorted(client.scan_iter(f"*{deployment}*:0:record:*"))[0]
            how(client, key)
        name = key.decode().removeprefix(begins)
        await assert_not_believed(shard, name)

    with patch.object(record_module, "LARGE", 300):
        in_redis(redis_server.address, work)


def test_a_large_record_that_was_written_whole_while_it_was_read_is_read_again(
    redis_server: Server, deployment: str, rules: Rules
) -> None:
    first, _ = batches(2)

    async def work(redis: Redis) -> None:
        shard = Shard(redis, deployment, rules)
        await shard.fold_and_commit(first)
        store: Any = shard.store
        name, stored = next(iter((await places(redis, store)).items()))
        (whole,) = await store.records(shard.head, [name])
        # What stood in its place before, when it had one event less.
        earlier = Apart(apart_in(stored).length - 1, 0, 0).packed()  # type: ignore[union-attr]
        assert await store._large(0, [(name, earlier)]) == {name: whole}

    async def places(redis: Any, store: Any) -> dict[str, bytes]:
        found = await redis.hgetall(store.key(0, "records"))
        return {name.decode(): it for name, it in found.items() if apart_in(it)}

    with patch.object(record_module, "LARGE", 300):
        in_redis(redis_server.address, work)
