"""Reading the scorecard from the live tables: each partition at one moment, at a constant cost."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from contextlib import aclosing
from datetime import date, timedelta
from heapq import heappush, heappushpop
from typing import NamedTuple

from redis.asyncio import Redis

from processors.behind.counted_rows import Question
from processors.behind.listing import Listed, listed
from processors.days.calendar import day_number, month_number, month_start, previous_month_end
from processors.figures.evaluate import AsOf, known
from processors.figures.scorecard_rows import scorecard
from processors.figures.series import CellOf, Dated, dated
from processors.ledger.tables import Stock, together
from processors.record.decoding import Event
from processors.record.record import Record, decode_record
from processors.rules import Rules
from schemas.events.registry import REFERENCE_TOPIC
from schemas.scorecard import ScorecardRow
from streams import keys
from streams.failures import Understood
from streams.kafka.batches import TP
from streams.state.held_tables import HeldTables, Reference
from streams.state.integrity import Incomplete, Look
from streams.state.store import Head, ShardStore

# What is there of each shard, and its head.
Looks = Mapping[TP, tuple[Look, Head | None]]

# Records that are looked at together for a list.
LISTED_AT_ONCE = 2_000
# Dates whose tables are in memory together for a trend.
DATES_AT_ONCE = 60


class NothingYet(Understood):
    """No worker has ever run for this deployment."""


class LiveScorecard(NamedTuple):
    """A scorecard's rows with where each shard stood when it was read.

    `notes` say why the rows may not be all there is to count.
    """

    rows: list[ScorecardRow]
    heads: dict[TP, Head]
    notes: tuple[str, ...] = ()

    @property
    def latest(self) -> int | None:
        """The latest event time in the tables, in microseconds from 1970; None before any."""
        return latest_in(self.heads)


def latest_in(heads: Mapping[TP, Head]) -> int | None:
    """The latest event time that shards have, in microseconds from 1970; None before any."""
    return max((head.latest for head in heads.values()), default=0) or None


def messages_in(heads: Mapping[TP, Head]) -> int:
    """How many messages shards have read."""
    return sum(head.tallies.get("messages", 0) for head in heads.values())


def partitions_key(deployment: str) -> str:
    """The set of the shards that workers of a deployment have held."""
    return f"{keys.of_deployment(deployment)}:partitions"


async def known_shards(redis: Redis, deployment: str) -> list[TP]:
    """The shards of a deployment, in order."""
    members: set[bytes] = await redis.smembers(partitions_key(deployment))  # type: ignore[assignment]
    names = [member.decode() for member in members]
    pairs = (name.rsplit(":", 1) for name in names)
    return sorted(TP(topic, int(partition)) for topic, partition in pairs)


class LargeRecord(NamedTuple):
    """How large a record is, what it is of, and how many events and retractions are in it."""

    shard: str
    key: str
    bytes: int
    events: int
    retracted: int


async def read_scorecard(
    redis: Redis,
    deployment: str,
    rules: Rules,
    as_of: date,
    levels: Collection[str] = (),
    held: HeldTables | None = None,
) -> LiveScorecard:
    """Every row of the scorecard as of a date, at levels or those of the areas, as they are now.

    What is held of an earlier read is not read again if it has not changed. Raises NothingYet,
    streams.state.store.OtherLayout, or redis.RedisError.
    """
    held = held or HeldTables()
    dates = as_of, previous_month_end(as_of)
    stores = await _stores(redis, deployment, rules)
    stocks, reference, looks = await asyncio.gather(
        _stocks(stores, rules, dates, held), _reference(stores, held), _looks(stores)
    )
    standing = _standing(looks, rules, as_of, held)
    now, previous = (
        held.known(rules, day, stock, reference)
        for day, stock in zip(dates, stocks.by_date, strict=True)
    )
    heads = stocks.heads | reference.heads
    rows = scorecard(rules, now, previous, levels, held=held.figures)
    return LiveScorecard(rows, heads, standing.notes)


class StateStanding(NamedTuple):
    """Where each shard stands, and why figures of a date may not be all there is to count.

    A sentence for each reason: a part of the state is missing, nothing more is read of a topic, or
    the log had lost events that the date's figures may rest on.
    """

    heads: dict[TP, Head]
    notes: tuple[str, ...]


async def read_standing(redis: Redis, deployment: str, rules: Rules, as_of: date) -> StateStanding:
    """Where the state stands, for a fraction of what reading its figures costs.

    Raises as `read_stocks` does.
    """
    looks = await _looks(await _stores(redis, deployment, rules))
    return _standing(looks, rules, as_of, HeldTables())


async def _looks(stores: Mapping[TP, ShardStore]) -> Looks:
    """What is there of each shard."""
    looks = await asyncio.gather(*(store.look(every_month=True) for store in stores.values()))
    return dict(zip(stores, looks, strict=True))


def _standing(looks: Looks, rules: Rules, as_of: date, held: HeldTables) -> StateStanding:
    """Where the state stands; what is held of shards part of which is missing is forgotten."""
    found: list[str] = []
    heads: dict[TP, Head] = {}
    for shard, (look, head) in looks.items():
        if head:
            heads[shard] = head
        trouble, name = look.trouble(), f"{shard.topic}[{shard.partition}]"
        if trouble:
            held.forget(shard)
            found.append(f"Incomplete: {Incomplete(name, trouble)}.")
        else:
            found += [
                f"Incomplete: {topic}[{shard.partition}] was stopped {reason}."
                for topic, reason in sorted(look.stopped.items())
            ]
        found += [
            f"Incomplete: {gap.told}."
            for gap in (head.gaps if head else ())
            if gap.is_seen(as_of, rules.longest_window)
        ]
    return StateStanding(heads, tuple(found))


class Stocks(NamedTuple):
    """The stock of each date asked for, and where shards stood."""

    by_date: list[Stock]
    heads: dict[TP, Head]


async def read_stocks(
    redis: Redis,
    deployment: str,
    rules: Rules,
    dates: Sequence[date],
    held: HeldTables | None = None,
) -> Stocks:
    """The stocks of dates, past or to come, each shard's read at one moment.

    Raises NothingYet, streams.state.store.OtherLayout, or redis.RedisError.
    """
    return await _stocks(
        await _stores(redis, deployment, rules), rules, dates, held or HeldTables()
    )


async def _stocks(
    stores: Mapping[TP, ShardStore], rules: Rules, dates: Sequence[date], held: HeldTables
) -> Stocks:
    folded = {shard: it for shard, it in stores.items() if shard.topic != REFERENCE_TOPIC}
    months = _months_for(dates)
    asked = {*months.values()}
    answers = await asyncio.gather(*(held.months(it, shard, asked) for shard, it in folded.items()))
    stocks = [
        together(
            [
                table.stock(day_number(day), rules.calendar)
                for _, tables in answers
                if (table := tables.get(months[day]))
            ]
        )
        for day in dates
    ]
    heads = {shard: head for shard, (head, _) in zip(folded, answers, strict=True) if head}
    return Stocks(stocks, heads)


def _months_for(dates: Sequence[date]) -> dict[date, int]:
    """The month whose tables each date is read from: its own, or the next, which says how it ended.

    Whatever is read anyway will do.
    """
    own = {day: month_number(day) for day in dates}
    after = {day: month_number(day + timedelta(days=1)) for day in dates}
    return {day: after[day] if after[day] in own.values() else own[day] for day in dates}


class LiveSeries(NamedTuple):
    """A figure as of several dates, and the latest event time in the tables; None before any."""

    figures: list[Dated]
    latest: int | None


async def read_series(
    redis: Redis, deployment: str, rules: Rules, dates: Sequence[date], cell: CellOf
) -> LiveSeries:
    """An indicator's figure of a place and band, as of each of the dates, as known now.

    Raises as `read_stocks` does.
    """
    figures, latest = [], None
    async for found in each_as_of(redis, deployment, rules, dates):
        figures.append(dated(rules, found.as_of, cell))
        latest = found.latest
    return LiveSeries(figures, latest)


class KnownAt(NamedTuple):
    """What is known as of a date, and the latest event time of what was read for it."""

    as_of: AsOf
    latest: int | None


async def each_as_of(
    redis: Redis, deployment: str, rules: Rules, dates: Sequence[date]
) -> AsyncIterator[KnownAt]:
    """What is known as of each of some dates, in their order.

    Many dates are read some at a time, each time at one moment. Raises as `read_stocks` does.
    """
    reference = await read_reference(redis, deployment, rules)
    latest = 0
    for start in range(0, len(dates), DATES_AT_ONCE):
        some = dates[start : start + DATES_AT_ONCE]
        stocks = await read_stocks(redis, deployment, rules, some)
        latest = max([latest, *(head.latest for head in stocks.heads.values())])
        for day, stock in zip(some, stocks.by_date, strict=True):
            yield KnownAt(known(rules, day, stock, reference.events), latest or None)
            await asyncio.sleep(0)  # whoever else is served is not kept waiting for all of them


async def read_first_day(redis: Redis, deployment: str, rules: Rules) -> date | None:
    """The first day of the first month in which anything is counted; None before any is.

    Raises as `read_stocks` does.
    """
    months = []
    for shard in await shards_of(redis, deployment):
        store = ShardStore(redis, deployment, shard, rules)
        head = await store.head()
        months.append(await store.first_month(head) if head else None)
    first = min((month for month in months if month is not None), default=None)
    return None if first is None else month_start(first)


async def read_reference(
    redis: Redis, deployment: str, rules: Rules, held: HeldTables | None = None
) -> Reference:
    """What others supply: populations, targets, commentary. Raises as `read_stocks` does."""
    return await _reference(await _stores(redis, deployment, rules), held or HeldTables())


async def _reference(stores: Mapping[TP, ShardStore], held: HeldTables) -> Reference:
    return await held.reference(
        {shard: store for shard, store in stores.items() if shard.topic == REFERENCE_TOPIC}
    )


async def _stores(redis: Redis, deployment: str, rules: Rules) -> dict[TP, ShardStore]:
    """The stores of all shards. Raises NothingYet."""
    shards = await shards_of(redis, deployment)
    return {shard: ShardStore(redis, deployment, shard, rules) for shard in shards}


async def shards_of(redis: Redis, deployment: str) -> list[TP]:
    """The shards of a deployment, in order. Raises NothingYet."""
    shards = await known_shards(redis, deployment)
    if not shards:
        raise NothingYet(
            f"deployment {deployment!r} has no state yet: start `caseline worker`, then "
            "`caseline ingest FILE`"
        )
    return shards


async def read_children(
    redis: Redis, deployment: str, rules: Rules
) -> AsyncGenerator[Sequence[Event]]:
    """The events of each child and place; of one that changes meanwhile they may come twice."""
    for shard in await known_shards(redis, deployment):
        if shard.topic != REFERENCE_TOPIC:
            store = ShardStore(redis, deployment, shard, rules)
            head = await store.head()
            async for events in _records(store, head or Head()):
                yield events


async def cases_there(
    redis: Redis, deployment: str, rules: Rules, cases: frozenset[str]
) -> frozenset[str]:
    """Which of some cases there are events of: every record is read until all are found.

    Raises as `read_children` does.
    """
    found: frozenset[str] = frozenset()
    async with aclosing(read_children(redis, deployment, rules)) as children:
        async for events in children:
            found |= cases.intersection(it.subject for it in events)
            if found == cases:
                break
    return found


async def read_known(redis: Redis, deployment: str, rules: Rules, as_of: date) -> AsOf:
    """What is known as of a date. Raises as `read_stocks` does."""
    stocks = await read_stocks(redis, deployment, rules, [as_of])
    reference = await read_reference(redis, deployment, rules)
    return known(rules, as_of, stocks.by_date[0], reference.events)


async def read_largest(redis: Redis, deployment: str, rules: Rules, most: int) -> list[LargeRecord]:
    """So many of the largest records, the largest first. Raises as `read_children` does."""
    found: list[tuple[int, str, TP, bytes]] = []
    for shard in await known_shards(redis, deployment):
        store = ShardStore(redis, deployment, shard, rules)
        head = await store.head()
        async for name, stored in store.all_records(head or Head()):
            one = len(stored), name, shard, stored
            (heappush if len(found) < most else heappushpop)(found, one)
    # A record that changed while all were looked through came twice: it is shown as it is largest.
    by_key = {(shard, name): (shard, name, stored) for _, name, shard, stored in sorted(found)}
    return [_large(*it) for it in reversed(by_key.values())]


def _large(shard: TP, name: str, stored: bytes) -> LargeRecord:
    record = decode_record(stored, lambda _: b"")
    where = f"{shard.topic}[{shard.partition}]"
    return LargeRecord(where, name, len(stored), len(record.known), len(record.retracted))


async def read_list(
    redis: Redis, deployment: str, rules: Rules, question: Question
) -> AsyncIterator[Listed]:
    """What makes up a cell, from every record as it is now; one that changes meanwhile may differ.

    Raises NothingYet, streams.state.store.OtherLayout, or redis.RedisError.
    """
    for shard in await shards_of(redis, deployment):
        store = ShardStore(redis, deployment, shard, rules)
        head = await store.head()
        if head is None or shard.topic == REFERENCE_TOPIC:
            continue
        seen: dict[str, Record] = {}
        async for child, stored in store.all_records(head):
            seen[child] = decode_record(stored, rules.make_row)
            if len(seen) == LISTED_AT_ONCE:
                for it in listed(rules, seen.items(), question):
                    yield it
                seen = {}
        for it in listed(rules, seen.items(), question):
            yield it


async def _records(store: ShardStore, head: Head) -> AsyncIterator[list[Event]]:
    """The events of each record of a shard."""
    async for _, stored in store.all_records(head):
        yield list(decode_record(stored, lambda _: b"").events)
