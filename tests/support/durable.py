"""A worker's dealings with one shard, with a store that is only dictionaries."""

from collections.abc import Iterable, Mapping

from processors.alerts.changes import Told
from processors.alerts.judging import Judgement
from processors.days.calendar import date_of, month_number
from processors.fold import Partition, Settlement
from processors.ledger.tables import Stock, Tables, together
from processors.record.decoding import Message, decode
from processors.rules import Rules
from schemas.events.registry import topics_in
from streams.state.store import Advance, Head
from tests.support.arrivals import Arrival
from tests.support.memorystore import MemoryStore, at_once
from tests.support.storedtold import StoredTold


class Worker:
    """Folds messages of a group's topics into one shard and stores what has changed."""

    def __init__(self, rules: Rules, group: str) -> None:
        self.rules, self.topics = rules, topics_in(group)
        self.state = Partition(rules)
        self.store = MemoryStore(rules)
        self.head = Head()
        self.changes: list[Told] = []
        self._read = dict.fromkeys(self.topics, 0)
        self._unstored: list[tuple[str, list[Message]]] = []

    @property
    def records(self) -> dict[str, bytes]:
        """The stored records."""
        return self.store.records

    @property
    def told(self) -> StoredTold:
        """The alerts that were told, by child."""
        return self.store.told

    def take(self, messages: list[Message], topic: str = "") -> int:
        """Fold a batch of a topic, the group's first if none is named; how many were known."""
        topic = topic or self.topics[0]
        self._unstored.append((topic, list(messages)))
        return self._fold(topic, messages)

    def take_all(self, batches: Mapping[str, list[Message]]) -> int:
        """Fold a batch of each topic; how many of their events were known."""
        return sum(self.take(batch, topic) for topic, batch in batches.items() if batch)

    def commit(self, judgement: Judgement | None = None) -> Settlement:
        """Store what changed."""
        settlement, tables = self.state.settle(judgement), self.state.tables
        self.changes += settlement.telling.changes
        for topic, messages in self._unstored:
            self._read[topic] += len(messages)
        advance = Advance(dict(self._read), 0, {})
        self.head = at_once(self.store.commit(self.head, settlement, tables, advance))
        self._unstored.clear()
        return settlement

    def look(self, judgement: Judgement) -> None:
        """Judge the children whose alerts change by a day, as the clock has it done."""
        due = [child for child, day in self.store.deadlines.items() if day <= judgement.day]
        self._admit(due)
        self.state.look_at(due)
        self.commit(judgement)

    def restart(self) -> None:
        """Begin again from what is stored, and read again what came after it."""
        self.state = Partition(self.rules, self.stored_tables(), self.head.kept.records)
        for topic, messages in self._unstored:
            self._fold(topic, messages)

    def stored_tables(self) -> Tables:
        """The tables as a worker takes them over."""
        return at_once(self.store.tables(self.head))

    def stock(self, day: int) -> Stock:
        """The stock of a day as a reader works it out, from one month of what is stored."""
        _, found = at_once(self.store.month_tables([month_number(date_of(day))]))
        return together([tables.stock(day, self.rules.calendar) for tables in found])

    def _fold(self, topic: str, messages: list[Message]) -> int:
        decoded = decode(topic, messages)
        assert not decoded.rejected
        self._admit(child for child, _ in decoded.events)
        return self.state.fold(decoded.events)

    def _admit(self, children: Iterable[str]) -> None:
        missing = self.state.missing(children)
        stored = at_once(self.store.children(self.head, missing))
        for child, found in zip(missing, stored, strict=True):
            self.state.admit(child, *found)


def deliver(worker: Worker, arrivals: Iterable[Arrival]) -> None:
    """Bring the worker those arrivals that are on its topics, and let it store all in the end."""
    batches: dict[str, list[Message]] = {topic: [] for topic in worker.topics}
    for line, then in arrivals:
        for topic in worker.topics:
            if topic in line.topics:
                batches[topic].append(line.message)
        if then == "go on":
            continue
        worker.take_all(batches)
        batches = {topic: [] for topic in worker.topics}
        if "commit" in then:
            worker.commit()
        if "forget" in then:
            worker.state.forget(1)
        if then == "restart":
            worker.restart()
    worker.take_all(batches)
    worker.commit()
