"""A shard's state kept in dictionaries, by the contract that the one in Redis keeps too."""

from bisect import bisect_right
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar

import numpy as np

from processors.days.calendar import NEVER
from processors.fold import Settlement
from processors.ledger.tables import Tables
from processors.rules import Rules
from streams.state.admission import StoredChild
from streams.state.encoding import (
    CHANGE,
    CHECKPOINT,
    checkpoint_changes,
    decode_cells,
    decode_checkpoint,
    decode_month,
    encode_added,
    encode_cells,
    encode_checkpoint,
    encode_month,
)
from streams.state.store import Advance, Head, Refused
from tests.support.storedtold import StoredTold

T = TypeVar("T")
# Bytes that may lie beside a month.
MOST_ADDED = 100


def with_cells_set(stored: bytes, changes: bytes) -> bytes:
    """What Redis makes of a stored checkpoint: what it does not have yet is made of zeros."""
    value, changed = bytearray(stored), np.frombuffer(changes, dtype=CHANGE)
    for cell, amount in zip(changed["cell"], changed["amount"], strict=True):
        offset, packed = CHECKPOINT.itemsize * int(cell), amount.tobytes()
        value.extend(bytes(max(0, offset + len(packed) - len(value))))
        value[offset : offset + len(packed)] = packed
    return bytes(value)


class Store(Protocol):
    """What a worker and a reader ask of a shard's stored state."""

    async def head(self) -> Head | None:
        """Where the state stands; None before the first commit."""

    async def tables(self, head: Head, /) -> Tables:
        """The whole of the tables, as a worker takes them over."""

    async def month_tables(self, months: Sequence[int], /) -> tuple[Head | None, list[Tables]]:
        """The head and, for each month number, tables of what a stock in that month needs."""

    async def children(self, head: Head, children: list[str], /) -> list[StoredChild]:
        """The stored records of the children and the alerts told of them, None for none."""

    async def commit(
        self, head: Head, settlement: Settlement, tables: Tables, advance: Advance, /
    ) -> Head:
        """Store what a settlement changed and move the head. Raises Refused at another head."""


class MemoryStore:
    """Keeps what a settlement says has changed, and only that, encoded as it is in Redis."""

    def __init__(self, rules: Rules) -> None:
        self.records: dict[str, bytes] = {}
        self.numbers: dict[str, int] = {}
        self.told = StoredTold()
        self.deadlines: dict[str, int] = {}
        self._rules = rules
        self._head: Head | None = None
        self._cells = b""
        self._localities: list[bytes] = []
        self._months: list[int] = []
        self._entries: dict[int, bytes] = {}
        self._added: dict[int, bytes] = {}
        self._checkpoints: dict[int, bytes] = {}

    async def head(self) -> Head | None:
        """Where the state stands; None before the first commit."""
        return self._head

    async def tables(self, _: Head) -> Tables:
        """The whole of the tables."""
        tables = self._rules.empty_tables()
        tables.cells = self._decoded_cells()
        for month in self._months:
            self._load(tables, month)
        return tables

    async def month_tables(self, months: Sequence[int]) -> tuple[Head | None, list[Tables]]:
        """Tables of the latest month with entries not after each of the months."""
        if self._head is None:
            return None, []
        found = []
        for month in months:
            tables = Tables(self._decoded_cells())
            position = bisect_right(self._months, month)
            if position:
                self._load(tables, self._months[position - 1])
            found.append(tables)
        return self._head, found

    async def children(self, _: Head, children: list[str]) -> list[StoredChild]:
        """The stored records of the children and the alerts told of them."""
        stores: tuple[dict[str, Any], ...] = (self.records, self.told, self.numbers)
        return [StoredChild(*(of.get(child) for of in stores)) for child in children]

    async def commit(
        self, head: Head, settlement: Settlement, tables: Tables, advance: Advance
    ) -> Head:
        """Store what a settlement changed and move the head. Raises Refused at another head."""
        stored = self._head or Head(head.generation)
        if _place(stored) != _place(head):
            raise Refused(f"stored {_place(stored)}, expected {_place(head)}")
        for child, written in settlement.records.items():
            self.records[child] = self.records.get(child, b"")[: written.kept] + written.piece
            self.numbers[child] = written.number
        self.told.take(settlement.telling.told)
        self._keep_deadlines(settlement)
        new = encode_cells(tables.cells, settlement.touched.known, self._rules.localities)
        self._keep_tables(settlement, tables)
        tallies = {
            name: stored.tallies.get(name, 0) + advance.tallies.get(name, 0)
            for name in {**stored.tallies, **advance.tallies}
        }
        self._head = replace(
            head,
            offsets={**head.offsets, **advance.offsets},
            latest=advance.latest,
            commits=head.commits + 1,
            old_share=advance.old_share,
            tallies=tallies,
            kept=head.kept.after(settlement, tables, new),
        )
        return self._head

    def _keep_deadlines(self, settlement: Settlement) -> None:
        for child, day in settlement.telling.deadlines.items():
            self.deadlines.pop(child, None)
            if day < NEVER:
                self.deadlines[child] = day

    def _keep_tables(self, settlement: Settlement, tables: Tables) -> None:
        touched = settlement.touched
        new = encode_cells(tables.cells, touched.known, self._rules.localities)
        self._cells += new.cells
        self._localities += new.localities
        for month, added in touched.entries.items():
            # Now and then all of a month is written, as it is in Redis.
            if month in touched.begun or len(self._added[month]) > MOST_ADDED:
                self._entries[month] = encode_month(tables.entries[month])
                self._added[month] = b""
            else:
                self._added[month] += encode_added(*added)
        for month, cells in touched.checkpoints.items():
            self._keep_checkpoint(month, tables, cells)
        self._months = sorted({*self._months, *touched.begun})

    def _keep_checkpoint(self, month: int, tables: Tables, cells: Any) -> None:
        changes = checkpoint_changes(tables.checkpoints[month], cells)
        if changes is None:
            self._checkpoints[month] = encode_checkpoint(tables.checkpoints[month])
            return
        stored = self._checkpoints.get(month, b"")
        self._checkpoints[month] = with_cells_set(stored, changes)

    def _decoded_cells(self) -> Any:
        return decode_cells(self._cells, self._localities, self._rules.localities)

    def _load(self, tables: Tables, month: int) -> None:
        tables.months.append(month)
        tables.checkpoints[month] = decode_checkpoint(self._checkpoints.get(month, b""))
        tables.entries[month] = decode_month(self._entries[month], self._added[month])


def at_once(working: Coroutine[Any, Any, T]) -> T:
    """What a coroutine gives that waits for nothing."""
    try:
        working.send(None)
    except StopIteration as done:
        value: T = done.value
        return value
    raise AssertionError("it waits for something")


def _place(head: Head) -> tuple[int, tuple[tuple[str, int], ...], int]:
    return head.generation, tuple(sorted(head.offsets.items())), head.commits
