"""The cases behind figures, held by a process and kept up with the state.

A list costs by what is counted, and the records of what is shown are read for each page.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from math import ceil
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
from schemas.settings import Settings
from streams.serving.kept_records import READ_AT_ONCE, KeptRecords, parts, stores_there
from streams.serving.live_figures import answered


class ReadChild(NamedTuple):
    """A child as it is stored now: the record, and the alerts that were told of it."""

    record: Record
    alerts: Sequence[Alert]


class LiveCases:
    """Whatever is counted of children, by question and by reference."""

    def __init__(self, redis: Redis, settings: Settings, rules: Rules) -> None:
        self._redis, self._settings, self._rules = redis, settings, rules
        self.kept = KeptRecords(
            *(redis, settings, rules), HeldRows, self._put, "the lists of cases are"
        )

    async def aclose(self) -> None:
        """Read nothing more."""
        await self.kept.aclose()

    async def amounts(self, question: Question) -> FoundAmounts:
        """What makes up a cell, in the order of children and what is counted. Raises Problem."""
        held = await self.kept.now()
        asking = CellSums(self._rules, question)
        return FoundAmounts(it for rows in held for it in rows.amounts(asking))

    async def amounts_lately(self, question: Question) -> tuple[FoundAmounts, int]:
        """The same, of a moment before where so much changes; and how many seconds ago at most.

        Raises Problem.
        """
        held, seconds = await self.kept.lately()
        asking = CellSums(self._rules, question)
        return FoundAmounts(it for rows in held for it in rows.amounts(asking)), ceil(seconds)

    async def moved(self, then: Question, now: Question) -> list[MovedSubject]:
        """What adds something else to a cell than to the one it is held against. Raises Problem."""
        (found,) = await self.all_moved([(then, now)])
        return found

    async def all_moved(
        self, pairs: Iterable[tuple[Question, Question]]
    ) -> list[list[MovedSubject]]:
        """The same of several pairs of cells, all of one moment. Raises Problem."""
        held, found = await self.kept.now(), []
        for pair in pairs:
            then, now = (CellSums(self._rules, it) for it in pair)
            found.append(sorted(it for rows in held for it in rows.moved(then, now)))
            await asyncio.sleep(0)
        return found

    async def find(self, reference: str) -> Subject | None:
        """The case that a reference is of; None where there is none. Raises Problem."""
        found = (rows.find(reference) for rows in await self.kept.now())
        return next((it for it in found if it is not None), None)

    async def children(self, names: Iterable[str]) -> dict[str, ReadChild]:
        """Children as they are stored now; one that is gone is left out. Raises Problem."""
        return await answered(self._children([*dict.fromkeys(names)]))

    async def _children(self, names: list[str]) -> dict[str, ReadChild]:
        found: dict[str, ReadChild] = {}
        for _, store, head in await stores_there(self._redis, self._settings, self._rules):
            stored = await store.children(head, names)
            for name, it in zip(names, stored, strict=True):
                if it.record is not None:
                    record = decode_record(it.record, self._rules.make_row)
                    found[name] = ReadChild(record, [*read_told(it.told).alerts.values()])
        return found

    async def _put(self, rows: HeldRows, stored: Mapping[str, bytes]) -> None:
        make_row, read = self._rules.make_row, dict[str, CountedParts]()
        for some in parts(stored, READ_AT_ONCE):
            read |= {name: read_counted(stored[name], make_row) for name in some}
            await asyncio.sleep(0)
        rows.put(self._rules, read)
        # Which asks no rules, and so may be done beside whoever does.
        await asyncio.to_thread(rows.tidy)
