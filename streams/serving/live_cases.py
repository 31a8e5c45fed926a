"""The cases behind figures, held by a process and kept up with the state.

Every record is read once. When the state has moved, the log says whose records changed, and those
alone are read again; where it does not, or the state was made anew, all are. So a list costs by
what is counted, and the records of what is shown are read for each page.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from redis.asyncio import Redis

from processors.alerts.told import Alert
from processors.alerts.toldalerts import read_told
from processors.behind.counted_rows import CellSums, Question, Subject
from processors.behind.held_rows import HeldRows, MovedSubject, SubjectAmount
from processors.record.record import Record, decode_record
from processors.rules import Rules
from schemas.events.registry import REFERENCE_TOPIC, topics_in
from schemas.settings import Settings
from streams.kafka.batches import TP
from streams.kafka.changed_keys import changed_keys
from streams.serving.live_figures import LIST_SECONDS, answered
from streams.state.reading import shards_of
from streams.state.store import Head, ShardStore

# Records that are taken in together; between, whoever else is served has a turn.
AT_ONCE = 500


@dataclass
class _Held:
    """What is held of a shard, and where it stood when that was read."""

    head: Head
    rows: HeldRows


class ReadChild(NamedTuple):
    """A child as it is stored now: the record, and the alerts that were told of it."""

    record: Record
    alerts: Sequence[Alert]


class LiveCases:
    """Whatever is counted of children, by question and by reference."""

    def __init__(self, redis: Redis, settings: Settings, rules: Rules) -> None:
        self._redis, self._settings, self._rules = redis, settings, rules
        self._shards: dict[TP, _Held] = {}
        self._updating = asyncio.Lock()

    async def amounts(self, question: Question) -> list[SubjectAmount]:
        """What makes up a cell, in the order of children and what is counted. Raises Problem."""
        await self._keep_up()
        asking = CellSums(self._rules, question)
        found = [it for held in self._shards.values() for it in held.rows.amounts(asking)]
        return sorted(found)

    async def moved(self, then: Question, now: Question) -> list[MovedSubject]:
        """What adds something else to a cell than to the one it is held against. Raises Problem."""
        (found,) = await self.all_moved([(then, now)])
        return found

    async def all_moved(
        self, pairs: Iterable[tuple[Question, Question]]
    ) -> list[list[MovedSubject]]:
        """The same of several pairs of cells, all of one moment. Raises Problem."""
        found = []
        async with self._updating:  # nothing changes while whoever else is served has a turn
            await answered(self._update(), LIST_SECONDS)
            for pair in pairs:
                then, now = (CellSums(self._rules, it) for it in pair)
                shards = self._shards.values()
                found.append(sorted(it for held in shards for it in held.rows.moved(then, now)))
                await asyncio.sleep(0)
        return found

    async def find(self, reference: str) -> Subject | None:
        """The case that a reference is of; None where there is none. Raises Problem."""
        await self._keep_up()
        found = (held.rows.find(reference) for held in self._shards.values())
        return next((it for it in found if it is not None), None)

    async def children(self, names: Iterable[str]) -> dict[str, ReadChild]:
        """Children as they are stored now; one that is gone is left out. Raises Problem."""
        return await answered(self._children([*dict.fromkeys(names)]))

    async def _children(self, names: list[str]) -> dict[str, ReadChild]:
        found: dict[str, ReadChild] = {}
        for _, store, head in await self._stores():
            stored = await store.children(head, names)
            for name, it in zip(names, stored, strict=True):
                if it.record is not None:
                    record = decode_record(it.record, self._rules.make_row)
                    found[name] = ReadChild(record, [*read_told(it.told).alerts.values()])
        return found

    async def _keep_up(self) -> None:
        async with self._updating:
            await answered(self._update(), LIST_SECONDS)

    async def _update(self) -> None:
        there = await self._stores()
        self._shards = {
            shard: self._shards[shard] for shard, _, _ in there if shard in self._shards
        }
        for shard, store, head in there:
            held = self._shards.get(shard)
            if held is not None and held.head.place == head.place:
                continue
            changed = await self._changed(shard, held.head, head) if held else None
            if held is None or changed is None:
                self._shards[shard] = await self._read(store, head)
                continue
            await self._read_again(store, head, held.rows, sorted(changed))
            held.head = head
            if held.rows.children != head.kept.records:
                # Such as when a record went without an event.
                self._shards[shard] = await self._read(store, head)

    async def _changed(self, shard: TP, before: Head, now: Head) -> set[str] | None:
        if before.generation != now.generation:
            return None
        topics = topics_in(shard.topic)
        since, until = (
            {TP(topic, shard.partition): head.offset(topic) for topic in topics}
            for head in (before, now)
        )
        return await changed_keys(self._settings.kafka, since, until)

    async def _read(self, store: ShardStore, head: Head) -> _Held:
        """Every record of a shard."""
        rows = HeldRows()
        waiting: dict[str, bytes] = {}
        async for child, stored in store.all_records(head):
            waiting[child] = stored
            if len(waiting) == AT_ONCE:
                await self._put(rows, waiting)
                waiting = {}
        await self._put(rows, waiting)
        return _Held(head, rows)

    async def _read_again(
        self, store: ShardStore, head: Head, rows: HeldRows, names: Sequence[str]
    ) -> None:
        """The records of some, who may have none any more."""
        for some in _parts(names):
            stored = await store.records(head, some)
            pairs = zip(some, stored, strict=True)
            there = {name: it for name, it in pairs if it is not None}
            rows.forget(it for it in some if it not in there)
            await self._put(rows, there)

    async def _put(self, rows: HeldRows, stored: Mapping[str, bytes]) -> None:
        make_row = self._rules.make_row
        rows.put(self._rules, {name: decode_record(it, make_row) for name, it in stored.items()})
        await asyncio.sleep(0)

    async def _stores(self) -> list[tuple[TP, ShardStore, Head]]:
        """The shards that have state, but for what others supply. Raises Understood."""
        deployment = self._settings.deployment
        shards = await shards_of(self._redis, deployment)
        stores = {
            it: ShardStore(self._redis, deployment, it, self._rules)
            for it in shards
            if it.topic != REFERENCE_TOPIC
        }
        heads = await asyncio.gather(*(store.head() for store in stores.values()))
        return [
            (shard, store, head)
            for (shard, store), head in zip(stores.items(), heads, strict=True)
            if head is not None
        ]


def _parts(names: Sequence[str]) -> Iterable[list[str]]:
    rest = iter(names)
    while some := list(islice(rest, AT_ONCE)):
        yield some
