"""Reconciling: a sample of children and one month of every shard, worked out again from the log.

The state goes on while the log is read: what it is compared with is what was there at one moment,
and the log is read up to where the state stood then.
"""

import asyncio
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
from redis.asyncio import Redis

from processors.days.calendar import day_number, month_number, month_start
from processors.fold import Partition
from processors.ledger.tables import Stock, Tables
from processors.record.decoding import Event
from processors.record.pieces import Identity
from processors.record.record import Record, decode_record
from processors.rules import Rules
from schemas.events.registry import VALIDATORS
from schemas.settings import Settings
from streams.clock import Clock
from streams.kafka.batches import TP
from streams.kafka.logreading import LogReader, log_reader
from streams.state import admission
from streams.state.gaps import begins
from streams.state.integrity import Incomplete
from streams.state.nights import outcome_key, read_outcome
from streams.state.redis_clients import connect_redis
from streams.state.store import Head, OtherLayout, ShardStore, shard_of

CHILDREN = 200
# Records held at a time; where there are more the log is read more than once.
MOST_RECORDS = 50_000
# The hour in London from which on the night's comparison is due.
HOUR = 2


class Compared(NamedTuple):
    """What a comparison of a shard with the log found; `wrong` is empty where all agrees."""

    shard: TP
    children: int
    wrong: str


class _Sample(NamedTuple):
    """A shard at one moment: its head, a month's tables, and some children's records."""

    head: Head
    tables: Tables
    records: dict[str, Record]


@dataclass
class Reconcile:
    """Compares the shards of a deployment with the log; nothing is changed."""

    redis: Redis
    deployment: str
    rules: Rules
    reader: LogReader

    async def run(self, month: date, children: int = CHILDREN) -> AsyncIterator[Compared]:
        """Compare shard after shard: the month that a date is in, and so many children of each."""
        found = await self.reader.bounds()
        bounds = {tp: it for tp, it in found.items() if tp.topic in VALIDATORS}
        for shard in sorted({shard_of(tp) for tp in bounds}):
            store = ShardStore(self.redis, self.deployment, shard, self.rules)
            try:
                sample = await self._sample(store, month, children)
                if sample is not None:
                    wrong = await self._compare(shard, sample, bounds, month)
                    yield Compared(shard, len(sample.records), wrong)
            except (Incomplete, OtherLayout) as error:
                yield Compared(shard, 0, str(error))

    async def _sample(self, store: ShardStore, month: date, children: int) -> _Sample | None:
        head, tables = await store.load()
        if head is None or tables is None:
            return None
        names = await store.some_children(head, children)
        head, (found,), records = await store.at_one_moment([month_number(month)], names)
        read = {
            name: decode_record(record, self.rules.make_row)
            for name, record in zip(names, records, strict=True)
            if record is not None
        }
        return _Sample(head, found, read)

    async def _compare(
        self, shard: TP, sample: _Sample, bounds: dict[TP, tuple[int, int]], month: date
    ) -> str:
        for topic, offset in sample.head.offsets.items():
            first, end = bounds.get(TP(topic, shard.partition), (0, 0))
            known = begins(sample.head.gaps, topic)
            if first > known or offset > end:
                return (
                    f"the log of {topic} has offsets {first} to {end}, the state rests on {known} "
                    f"to {offset}: nothing can be compared"
                )
        tables, differ = self.rules.empty_tables(), 0
        passes = 1 + sample.head.kept.records // MOST_RECORDS
        for number in range(passes):
            state = Partition(self.rules, tables)
            await self._fold(shard, sample.head, bounds, state, (number, passes))
            state.settle()
            names = {name for name in sample.records if crc32(name.encode()) % passes == number}
            differ += sum(not _same(sample.records[name], state, name) for name in names)
        cells = self._different_cells(sample.tables, tables, month)
        if not differ and not cells:
            return ""
        return (
            f"{differ} of {len(sample.records)} children, and {cells} cells of {month:%Y-%m}, are "
            "not as the log has them: `caseline rebuild` makes the state anew"
        )

    async def _fold(
        self,
        shard: TP,
        head: Head,
        bounds: dict[TP, tuple[int, int]],
        state: Partition,
        part: tuple[int, int],
    ) -> None:
        """Fold the shard's logs up to a head, those children's whose turn it is."""
        number, passes = part
        for topic, end in sorted(head.offsets.items()):
            tp = TP(topic, shard.partition)
            async for _, records in self.reader.read(tp, bounds[tp][0], end):
                decoded = admission.read(topic, records, self.rules.erased)
                events = [it for it in decoded.events if crc32(it[0].encode()) % passes == number]
                state.fold_unstored(events)
                await asyncio.sleep(0)

    def _different_cells(self, stored: Tables, made: Tables, month: date) -> int:
        """How many cells hold something else on any day of the month."""
        first = month_start(month_number(month))
        day, differ = first, set[int]()
        while month_number(day) == month_number(first):
            one, other = (
                _amounts(it.stock(day_number(day), self.rules.calendar)) for it in (stored, made)
            )
            differ |= {cell for cell, _ in one.items() ^ other.items()}
            day += timedelta(days=1)
        return len(differ)


def _amounts(stock: Stock) -> dict[int, int]:
    cells, which = np.unique(stock.cells, return_inverse=True)
    amounts = np.bincount(which, stock.amounts, len(cells)).astype(np.int64)
    return {cell: it for cell, it in zip(cells.tolist(), amounts.tolist(), strict=True) if it}


def _same(stored: Record, state: Partition, name: str) -> bool:
    """Whether a record holds what the log says of the child."""
    child = state.children.get(name)
    return child is not None and _content(stored) == _content(child.record)


def _content(record: Record) -> tuple[dict[Identity, Event], Collection[Identity]]:
    return record.known, record.retracted


@dataclass(frozen=True)
class Nightly:
    """The comparison of every night, by whichever process is elected; its outcome lies in Redis."""

    redis: Redis
    settings: Settings
    rules: Rules
    clock: Clock
    hour: int = HOUR

    async def turn(self) -> bool:
        """Compare, unless that was done today or is not due yet; there is never more to do."""
        now = self.clock.now()
        outcome = await read_outcome(self.redis, self.settings.deployment)
        if outcome is None:
            # The first night comes after the first day.
            await self._write({"day": now.date().isoformat(), "since": now.timestamp()})
        elif outcome.day < now.date() and now.hour >= self.hour:
            await self.compare(now)
        return False

    async def compare(self, now: datetime) -> None:
        """Compare now and keep the outcome; in a thread, because it takes long."""
        found = await asyncio.to_thread(lambda: asyncio.run(self._compared(now.date())))
        wrong = [f"{it.shard.topic}[{it.shard.partition}]: {it.wrong}" for it in found if it.wrong]
        await self._write(
            {
                "day": now.date().isoformat(),
                "at": now.timestamp(),
                "shards": len(found),
                "wrong": "\n".join(wrong),
            }
        )

    async def _compared(self, day: date) -> list[Compared]:
        settings = self.settings
        async with (
            connect_redis(settings) as redis,
            log_reader(settings.kafka, VALIDATORS) as reader,
        ):
            work = Reconcile(redis, settings.deployment, self.rules, reader)
            return [it async for it in work.run(day)]

    async def _write(self, outcome: dict[str, Any]) -> None:
        client: Any = self.redis
        await client.hset(outcome_key(self.settings.deployment), mapping=outcome)
