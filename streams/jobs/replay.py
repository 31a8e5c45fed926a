"""Replay: the scorecard straight from a file, by the processors of the live stream alone."""

from collections.abc import Iterable
from datetime import date

from processors.days.calendar import day_number, previous_month_end
from processors.figures.evaluate import AsOf, scorecard
from processors.figures.population import population
from processors.fold import Partition
from processors.record.decoding import Message, decode
from processors.rules import Rules
from schemas.events.registry import CASE_TOPIC, REFERENCE_TOPIC
from schemas.scorecard import ScorecardRow
from streams.kafka.eventfiles import Line


class Replay:
    """State of both topics in memory, fed with lines of event files."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._partitions = {topic: Partition(rules) for topic in (CASE_TOPIC, REFERENCE_TOPIC)}

    def add(self, lines: Iterable[Line]) -> None:
        """Take in lines; work over columns makes many at once cheaper than one by one."""
        messages: dict[str, list[Message]] = {topic: [] for topic in self._partitions}
        for line in lines:
            for topic in line.topics:
                messages[topic].append(line.message)
        for topic, batch in messages.items():
            self._fold(topic, batch)

    def rows(self, as_of: date) -> list[ScorecardRow]:
        """The scorecard as of a date."""
        return scorecard(
            self._rules.catalogue,
            self._rules.areas,
            self._as_of(as_of),
            self._as_of(previous_month_end(as_of)),
        )

    def _as_of(self, day: date) -> AsOf:
        cases, reference = self._partitions[CASE_TOPIC], self._partitions[REFERENCE_TOPIC]
        published = [event for record in reference.records.values() for event in record.events]
        return AsOf(
            cases.tables.stock(day_number(day), self._rules.calendar),
            population(published, self._rules.areas, day),
        )

    def _fold(self, topic: str, messages: list[Message]) -> None:
        partition = self._partitions[topic]
        events = decode(topic, messages).events
        for child in partition.missing(child for child, _ in events):
            partition.admit(child, None)
        partition.fold(events)
        partition.settle()
