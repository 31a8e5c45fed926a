"""A worker's dealings with one partition, with a store that is only dictionaries."""

from bisect import bisect_right
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from processors.alerts.changes import Told
from processors.alerts.judging import Judgement
from processors.fold import Partition, Settlement
from processors.ledger.tables import Tables
from processors.record.decoding import Message, decode
from processors.rules import Rules
from streams.state.encoding import decode_checkpoint, decode_rows, encode_checkpoint, encode_rows
from tests.support.arrivals import Arrival


class Worker:
    """Folds messages of a topic and stores what a settlement says has changed, and only that."""

    def __init__(self, rules: Rules, topic: str) -> None:
        self.rules, self.topic = rules, topic
        self.state = Partition(rules)
        self.records: dict[str, bytes] = {}
        self.entries: dict[int, dict[bytes, bytes]] = {}
        self.checkpoints: dict[int, bytes] = {}
        self.told: dict[str, bytes] = {}
        self.deadlines: dict[str, int] = {}
        self.changes: list[Told] = []
        self._unstored: list[Message] = []

    def take(self, messages: list[Message]) -> int:
        """Fold a batch; how many of its events were known."""
        self._unstored += messages
        return self._fold(messages)

    def commit(self, judgement: Judgement | None = None) -> Settlement:
        """Store what changed."""
        settlement, tables = self.state.settle(judgement), self.state.tables
        self.told |= settlement.telling.told
        self.deadlines |= settlement.telling.deadlines
        self.changes += settlement.telling.changes
        self.records |= settlement.records
        for month, rows in settlement.touched.rows.items():
            self.entries.setdefault(month, {}).update(encode_rows(tables.entries[month], rows))
        for month in settlement.touched.checkpoints:
            self.checkpoints[month] = encode_checkpoint(tables.checkpoints[month])
        self._unstored.clear()
        return settlement

    def look(self, judgement: Judgement) -> None:
        """Judge the children whose alerts change by a day, as the clock has it done."""
        due = [child for child, day in self.deadlines.items() if day <= judgement.day]
        self._admit(due)
        self.state.look_at(due)
        self.commit(judgement)

    def restart(self) -> None:
        """Begin again from what is stored, and read again what came after it."""
        self.state = Partition(self.rules, self.stored_tables())
        self._fold(self._unstored)

    def stored_tables(self) -> Tables:
        """The tables as a worker takes them over."""
        tables = self.rules.empty_tables()
        for month in sorted(self.checkpoints):
            self._load(tables, month)
        return tables

    def stock(self, day: int) -> NDArray[np.int64]:
        """The stock of a day as a reader works it out, from one month of what is stored."""
        tables, months = self.rules.empty_tables(), sorted(self.checkpoints)
        month = int(self.rules.calendar.month_of(np.array([day]))[0])
        position = bisect_right(months, month)
        if position:
            self._load(tables, months[position - 1])
        return tables.stock(day, self.rules.calendar)

    def _load(self, tables: Tables, month: int) -> None:
        tables.months.append(month)
        tables.checkpoints[month] = decode_checkpoint(self.checkpoints[month])
        rows = self.entries.get(month, {}).items()
        tables.entries[month] = decode_rows(rows, self.rules.shape.cells)

    def _fold(self, messages: list[Message]) -> int:
        decoded = decode(self.topic, messages)
        assert not decoded.rejected
        self._admit(child for child, _ in decoded.events)
        return self.state.fold(decoded.events)

    def _admit(self, children: Iterable[str]) -> None:
        for child in self.state.missing(children):
            self.state.admit(child, self.records.get(child), self.told.get(child))


def deliver(worker: Worker, arrivals: Iterable[Arrival]) -> None:
    """Bring the worker those arrivals that are on its topic, and let it store all in the end."""
    batch: list[Message] = []
    for line, then in arrivals:
        if worker.topic in line.topics:
            batch.append(line.message)
        if then == "go on":
            continue
        worker.take(batch)
        batch = []
        if "commit" in then:
            worker.commit()
        if "forget" in then:
            worker.state.forget(1)
        if then == "restart":
            worker.restart()
    worker.take(batch)
    worker.commit()
