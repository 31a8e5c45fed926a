"""A consistent cut of the live state: every partition at one moment of its own, and which."""

import asyncio
import time
from collections.abc import Sequence
from datetime import date

from redis.asyncio import Redis

from processors.days.calendar import day_number, month_number, previous_month_end
from processors.ledger.tables import Stock, together
from processors.record.decoding import Event
from processors.record.record import decode_record
from processors.rules import Rules
from schemas.events.registry import REFERENCE_TOPIC
from schemas.release import PassedOver, Position
from snapshots.making.freeze import Cut
from streams.failures import Understood
from streams.kafka.batches import TP
from streams.state.gaps import begins
from streams.state.quarantine import quarantined_in
from streams.state.store import Head, ShardStore, shard_of, stored_offsets

POLL_SECONDS = 0.1
# Times that reference events are read again because some came meanwhile.
READ_TRIES = 100


class Behind(Understood):
    """The live tables do not have all events yet that were in the log when it was asked."""


async def wait_for_state(
    redis: Redis, deployment: str, rules: Rules, ends: Sequence[Position], seconds: float
) -> None:
    """Wait until the tables have all events before these ends. Raises Behind."""
    stores = _stores(redis, deployment, rules, ends)
    deadline = time.monotonic() + seconds
    while True:
        heads = {shard: await store.head() or Head() for shard, store in stores.items()}
        stored = stored_offsets(heads)
        missing = sum(max(0, it.offset - stored.get(TP(it.topic, it.partition), 0)) for it in ends)
        if not missing:
            return
        if time.monotonic() > deadline:
            raise Behind(
                f"the live tables are {missing:,} messages behind the log, so a release would lack "
                "them: is `caseline worker` running? Nothing was released"
            )
        await asyncio.sleep(POLL_SECONDS)


async def take_cut(
    redis: Redis, deployment: str, rules: Rules, partitions: Sequence[Position], as_of: date
) -> Cut:
    """The state of a date and of the month before, and the offsets it stands at.

    Raises streams.state.store.OtherLayout or redis.RedisError.
    """
    dates = as_of, previous_month_end(as_of)
    months = [month_number(day) for day in dates]
    stocks: tuple[list[Stock], list[Stock]] = [], []
    heads: dict[TP, Head] = {}
    reference: list[Event] = []
    passed_over: list[PassedOver] = []
    for shard, store in _stores(redis, deployment, rules, partitions).items():
        if shard.topic == REFERENCE_TOPIC:
            head, events = await _reference(store)
            reference += events
        else:
            head, tables = await store.month_tables(months)
            for found, table, day in zip(stocks, tables, dates, strict=False):
                found.append(table.stock(day_number(day), rules.calendar))
        heads[shard] = head or Head()
        passed_over += await _passed_over(redis, store, heads[shard])
    stored = stored_offsets(heads)
    positions = tuple(
        it.model_copy(
            update={
                "offset": stored.get(TP(it.topic, it.partition), 0),
                "begins": begins(heads[shard_of(TP(it.topic, it.partition))].gaps, it.topic),
            }
        )
        for it in partitions
    )
    lost = {
        gap.noted: gap.messages
        for head in heads.values()
        for gap in head.gaps
        if gap.is_seen(as_of, rules.longest_window)
    }
    now, before = (together(found) for found in stocks)
    return Cut(positions, (now, before), tuple(reference), tuple(passed_over), lost)


async def _passed_over(redis: Redis, store: ShardStore, head: Head) -> list[PassedOver]:
    """The quarantined messages of a shard that its state leaves out."""
    return [
        PassedOver(topic=it.tp.topic, partition=it.tp.partition, offset=it.offset, reason=it.reason)
        for it in await quarantined_in(redis, store)
        if it.offset < head.offset(it.tp.topic) and it.since <= head.generation
    ]


async def _reference(store: ShardStore) -> tuple[Head | None, list[Event]]:
    """The events of a partition's records, read again until none of them changed meanwhile."""
    for _ in range(READ_TRIES):
        head = await store.head()
        records = {child: record async for child, record in store.all_records(head or Head())}
        after = await store.head()
        if _place(head) == _place(after):
            decoded = (decode_record(record, lambda _: b"") for record in records.values())
            return head, [event for record in decoded for event in record.events]
    raise Behind("reference events keep coming: try again once they have been read")


def _place(head: Head | None) -> tuple[int, int]:
    return (head.generation, head.commits) if head else (0, 0)


def _stores(
    redis: Redis, deployment: str, rules: Rules, partitions: Sequence[Position]
) -> dict[TP, ShardStore]:
    """The stores of the shards that partitions belong to."""
    shards = dict.fromkeys(shard_of(TP(it.topic, it.partition)) for it in partitions)
    return {shard: ShardStore(redis, deployment, shard, rules) for shard in shards}
