"""What a reader that lives on holds of shards, so that what did not change is not read again.

A shard's tables are read anew once its head has changed, which every commit changes; months that
are not held are then read with those that are asked for. What others supply is decoded anew once a
shard of it has changed, and looked through once for each date.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from operator import attrgetter
from typing import NamedTuple

from processors.days.calendar import day_number
from processors.figures.evaluate import AsOf, known
from processors.figures.held_figures import HeldFigures
from processors.figures.supplies import Supplies
from processors.ledger.tables import Stock, Tables
from processors.record.decoding import Event, in_order
from processors.record.pieces import events_of_one
from processors.record.record import decode_record
from processors.rules import Rules
from streams.kafka.batches import TP
from streams.state.store import NO_VERSION, Head, ShardStore

# Months of a shard, and dates, that are held at a time.
MOST_MONTHS, MOST_DATES = 8, 8


class Reference(NamedTuple):
    """The reference events that count, in order, and where shards stood."""

    events: list[Event]
    heads: dict[TP, Head]


class _Months(NamedTuple):
    """A version of a shard's state, and the tables of some months in it."""

    version: bytes
    head: Head | None
    tables: dict[int, Tables]


@dataclass
class HeldTables:
    """What is held of a deployment's shards; nothing to begin with.

    And in `figures` of the scorecards made of them.
    """

    figures: HeldFigures = field(default_factory=HeldFigures)
    _months: dict[TP, _Months] = field(default_factory=dict)
    _reference: Reference = field(default_factory=lambda: Reference([], {}))
    _records: dict[TP, list[Event]] = field(default_factory=dict)
    _dates: dict[date, AsOf] = field(default_factory=dict)
    # What others supplied, by how many of the reference events count and the year of the date: of
    # dates in one year between which no event came it is the same.
    _supplies: dict[tuple[int, int], Supplies] = field(default_factory=dict)

    async def months(
        self, store: ShardStore, shard: TP, months: Collection[int]
    ) -> tuple[Head | None, dict[int, Tables]]:
        """A shard's head and, by month, the tables of what a stock in each of the months needs.

        Of one moment; none for a shard without state. Raises as `ShardStore.month_tables` does.
        """
        held, asked = self._months.get(shard), sorted(months)
        has_all = held is not None and held.tables.keys() >= set(asked)
        found = await store.months_since(asked, held.version if held and has_all else NO_VERSION)
        if found is None:
            assert held is not None  # a version is known of what is held alone
            return held.head, held.tables
        tables = dict(zip(asked, found.tables, strict=False))  # a shard without state has none
        if held and held.version == found.version and len(held.tables) < MOST_MONTHS:
            tables |= held.tables
        self._months[shard] = _Months(found.version, found.head, tables)
        return found.head, tables

    async def reference(self, stores: Mapping[TP, ShardStore]) -> Reference:
        """What others supply, from the records of its shards. Raises as `ShardStore.head` does."""
        found = await asyncio.gather(*(store.head() for store in stores.values()))
        heads = {shard: head for shard, head in zip(stores, found, strict=True) if head}
        before = self._reference
        if heads == before.heads:
            return before
        records = dict(self._records)
        for shard, head in heads.items():
            if before.heads.get(shard) != head:
                records[shard] = await _events(stores[shard], head)
        counted = in_order(event for shard in heads for event in records[shard])
        self._records, self._dates, self._supplies = records, {}, {}
        self._reference = Reference(counted, heads)
        return self._reference

    def known(self, rules: Rules, day: date, stock: Stock, reference: Reference) -> AsOf:
        """What is known as of a date, of its stock and of the reference events that count."""
        is_held = reference is self._reference
        found = self._dates.get(day) if is_held else None
        if found is None:
            if is_held and len(self._dates) >= MOST_DATES:
                self._dates, self._supplies = {}, {}
            supplies = self._supplied(day) if is_held else None
            found = known(rules, day, stock, reference.events, supplies)
            if is_held:
                self._dates[day] = found
        return found._replace(stock=stock)

    def _supplied(self, day: date) -> Supplies:
        """What others supplied by a date."""
        events = self._reference.events
        number = bisect_right(events, day_number(day), key=attrgetter("day"))
        key = number, day.year
        if key not in self._supplies:
            self._supplies[key] = Supplies(events[:number], day)
        return self._supplies[key]

    def forget(self, shard: TP) -> None:
        """Hold nothing more of a shard, part of which is missing: it is read anew, or refused."""
        self._months.pop(shard, None)
        self._reference.heads.pop(shard, None)


async def _events(store: ShardStore, head: Head) -> list[Event]:
    found: list[Event] = []
    async for _, stored in store.all_records(head):
        events = events_of_one(stored)
        found.extend(decode_record(stored, lambda _: b"").events if events is None else events)
    return found
