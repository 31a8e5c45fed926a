"""The cases behind figures, held by a process and kept up with the state.

Every record is read once. When the state has moved, the log says whose records changed, and those
alone are read again; where it does not, or the state was made anew, all are. So a list costs by
what is counted, and the records of what is shown are read for each page.

What has to be read is read for all who ask meanwhile together, and goes on when nobody waits for it
any more: who has waited for long is told how far it is.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice
from typing import NamedTuple

from redis.asyncio import Redis

from processors.alerts.told import Alert
from processors.alerts.toldalerts import read_told
from processors.behind.counted_rows import CellSums, Question, Subject
from processors.behind.found_amounts import FoundAmounts
from processors.behind.held_rows import HeldRows, MovedSubject
from processors.record.counted_record import CountedParts, read_counted
from processors.record.record import Record, decode_record
from processors.rules import Rules
from schemas.events.registry import REFERENCE_TOPIC, topics_in
from schemas.settings import Settings
from streams.kafka.batches import TP
from streams.kafka.changed_keys import MOST_MESSAGES, changed_keys
from streams.serving.live_figures import ANSWER_SECONDS, LIST_SECONDS, answered
from streams.serving.problems import Problem
from streams.serving.shared_work import SharedWork
from streams.state.reading import shards_of
from streams.state.store import Head, ShardStore

# Records whose rows are held together, and of these how many are read at a time; between, whoever
# else is served has a turn.
AT_ONCE, READ_AT_ONCE = 1_000, 250
# So many records are there in a moment, and waited for however busy the machine is.
FEW = 20_000
# When to ask again for what is not read yet, in seconds.
AGAIN_SECONDS = 15


@dataclass(frozen=True)
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
        self.wait_seconds, self.few = ANSWER_SECONDS, FEW
        self._shards: dict[TP, _Held] = {}
        self._updates = SharedWork[None]()
        self._read_so_far, self._to_read = 0, 0

    async def aclose(self) -> None:
        """Read nothing more."""
        await self._updates.aclose()

    async def amounts(self, question: Question) -> FoundAmounts:
        """What makes up a cell, in the order of children and what is counted. Raises Problem."""
        await self._keep_up()
        asking = CellSums(self._rules, question)
        return FoundAmounts(it for rows in self._rows for it in rows.amounts(asking))

    async def moved(self, then: Question, now: Question) -> list[MovedSubject]:
        """What adds something else to a cell than to the one it is held against. Raises Problem."""
        (found,) = await self.all_moved([(then, now)])
        return found

    async def all_moved(
        self, pairs: Iterable[tuple[Question, Question]]
    ) -> list[list[MovedSubject]]:
        """The same of several pairs of cells, all of one moment. Raises Problem."""
        await self._keep_up()
        held = self._rows  # which nobody changes while whoever else is served has a turn
        found = []
        for pair in pairs:
            then, now = (CellSums(self._rules, it) for it in pair)
            found.append(sorted(it for rows in held for it in rows.moved(then, now)))
            await asyncio.sleep(0)
        return found

    async def find(self, reference: str) -> Subject | None:
        """The case that a reference is of; None where there is none. Raises Problem."""
        await self._keep_up()
        found = (rows.find(reference) for rows in self._rows)
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

    @property
    def _rows(self) -> list[HeldRows]:
        return [it.rows for it in self._shards.values()]

    async def _keep_up(self) -> None:
        """Have what is held be of now or later. Raises Problem, also where much is to be read."""
        update = self._updates.begun_from_now(None, lambda: answered(self._update(), None))
        try:
            await asyncio.wait([update], timeout=self.wait_seconds)
            if not update.done() and self._to_read - self._read_so_far > self.few:
                raise self._not_ready()
            async with asyncio.timeout(LIST_SECONDS):
                await update
        except TimeoutError as error:
            raise self._not_ready() from error
        finally:
            update.cancel()  # of which nobody is told any more; what it waits for goes on

    def _not_ready(self) -> Problem:
        far = f"{self._read_so_far:,} of {self._to_read:,} records are read"
        return Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            f"the lists of cases are being made ready: {far}. Ask again in a moment; figures are "
            "shown meanwhile",
            headers={"Retry-After": str(AGAIN_SECONDS)},
        )

    async def _update(self) -> None:
        there = await self._stores()
        self._read_so_far, self._to_read = 0, 0
        kept = {shard for shard, _, _ in there}
        self._shards = {shard: it for shard, it in self._shards.items() if shard in kept}
        behind: list[tuple[TP, ShardStore, Head, set[str] | None]] = []
        for shard, store, head in there:
            held = self._shards.get(shard)
            if held is None or held.head.place != head.place:
                changed = await self._changed(shard, held.head, head) if held else None
                behind.append((shard, store, head, changed))
                self._to_read += head.kept.records if changed is None else len(changed)
        for shard, store, head, changed in behind:
            held = self._shards.get(shard)
            if held is not None and changed is not None:
                held = _Held(head, held.rows.copy())
                await self._read_again(store, held, sorted(changed))
            if held is None or changed is None or held.rows.children != head.kept.records:
                # Such as when a record went without an event.
                held = _Held(head, HeldRows())
                await self._read(store, held)
            self._shards[shard] = held

    async def _changed(self, shard: TP, before: Head, now: Head) -> set[str] | None:
        if before.generation != now.generation:
            return None
        topics = topics_in(shard.topic)
        since, until = (
            {TP(topic, shard.partition): head.offset(topic) for topic in topics}
            for head in (before, now)
        )
        # A message is read for less than a record.
        most = max(MOST_MESSAGES, now.kept.records)
        return await changed_keys(self._settings.kafka, since, until, most)

    async def _read(self, store: ShardStore, held: _Held) -> None:
        """Every record of a shard."""
        waiting: dict[str, bytes] = {}
        async for child, stored in store.all_records(held.head):
            waiting[child] = stored
            if len(waiting) == AT_ONCE:
                await self._put(held.rows, waiting)
                waiting = {}
        await self._put(held.rows, waiting)

    async def _read_again(self, store: ShardStore, held: _Held, names: Sequence[str]) -> None:
        """The records of some, who may have none any more."""
        for some in _parts(names):
            stored = await store.records(held.head, some)
            pairs = zip(some, stored, strict=True)
            there = {name: it for name, it in pairs if it is not None}
            held.rows.forget(it for it in some if it not in there)
            await self._put(held.rows, there)

    async def _put(self, rows: HeldRows, stored: Mapping[str, bytes]) -> None:
        make_row, read = self._rules.make_row, dict[str, CountedParts]()
        for some in _parts(stored, READ_AT_ONCE):
            read |= {name: read_counted(stored[name], make_row) for name in some}
            await asyncio.sleep(0)
        rows.put(self._rules, read)
        self._read_so_far += len(read)
        # Which asks no rules, and so may be done beside whoever does.
        await asyncio.to_thread(rows.tidy)

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


def _parts(names: Iterable[str], at_once: int = AT_ONCE) -> Iterable[list[str]]:
    rest = iter(names)
    while some := list(islice(rest, at_once)):
        yield some
