"""Replay: the scorecard straight from a file, by the processors of the live stream alone."""

from collections.abc import Collection, Iterable, Iterator
from datetime import date

from processors.behind.counted_rows import Question
from processors.behind.listing import Listed, listed
from processors.days.calendar import day_number, month_start, previous_month_end
from processors.figures.evaluate import AsOf, known
from processors.figures.scorecard_rows import scorecard
from processors.figures.series import CellOf, Dated, dated
from processors.fold import Partition
from processors.ledger.tables import together
from processors.record.decoding import Event, Message, decode
from processors.rules import Rules
from schemas.events.registry import GROUPS, REFERENCE_TOPIC, group_of, topic_names
from schemas.scorecard import ScorecardRow
from streams.kafka.eventfiles import EventLine


class Replay:
    """A shard of each group in memory, fed with lines of event files."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._shards = {group: Partition(rules) for group in GROUPS}

    def add(self, lines: Iterable[EventLine]) -> None:
        """Take in lines; work over columns makes many at once cheaper than one by one."""
        messages: dict[str, list[Message]] = {topic: [] for topic in topic_names()}
        for line in lines:
            for topic in line.topics:
                messages[topic].append(line.message)
        for topic, batch in messages.items():
            self._fold(topic, batch)

    def rows(self, as_of: date, levels: Collection[str] = ()) -> list[ScorecardRow]:
        """The scorecard as of a date, at levels or those of the areas."""
        now, previous = self.as_of(as_of), self.as_of(previous_month_end(as_of))
        return scorecard(self._rules, now, previous, levels)

    def series(self, dates: Iterable[date], cell: CellOf) -> list[Dated]:
        """An indicator's figure of a place and band, as of each of the dates."""
        return [dated(self._rules, self.as_of(day), cell) for day in dates]

    def behind(self, question: Question) -> list[Listed]:
        """What makes up a cell."""
        return [
            it
            for shard in self._shards.values()
            for it in listed(
                self._rules,
                ((name, child.record) for name, child in shard.children.items()),
                question,
            )
        ]

    @property
    def reference(self) -> list[Event]:
        """The reference events that count."""
        children = self._shards[REFERENCE_TOPIC].children.values()
        return [event for child in children for event in child.record.events]

    @property
    def children(self) -> Iterator[Iterable[Event]]:
        """The events that count of each child and place."""
        for group, shard in self._shards.items():
            if group != REFERENCE_TOPIC:
                yield from (child.record.events for child in shard.children.values())

    @property
    def latest(self) -> int | None:
        """The latest event time, as the live tables have it; None before any."""
        instants = [event.instant for events in self.children for event in events]
        return max(instants, default=None)

    @property
    def first_day(self) -> date | None:
        """The first day of the first month in which anything is counted; None before any is."""
        months = [shard.tables.months[0] for shard in self._shards.values() if shard.tables.months]
        return month_start(min(months)) if months else None

    def as_of(self, day: date) -> AsOf:
        """What is known as of a date."""
        stocks = [
            shard.tables.stock(day_number(day), self._rules.calendar)
            for shard in self._shards.values()
        ]
        return known(self._rules, day, together(stocks), self.reference)

    def _fold(self, topic: str, messages: list[Message]) -> None:
        shard = self._shards[group_of(topic)]
        events = decode(topic, messages).events
        shard.fold_unstored(events)
        shard.settle()
