"""A log in memory that releases are frozen from, by the live fold and by the log's evidence."""

from collections.abc import Iterable
from datetime import date
from zlib import crc32

import numpy as np

from processors.days.calendar import day_number, previous_month_end
from processors.fold import Partition
from processors.record.decoding import Event, decode
from processors.rules import Rules
from schemas.events.registry import CASE_TOPIC, REFERENCE_TOPIC
from schemas.release import Position, Release, ReleaseKind
from snapshots.checking.evidence import Evidence, Question, examine
from snapshots.making.draft import Draft
from snapshots.making.freeze import Cut, as_of_period
from snapshots.recount.disk import LogRecord
from snapshots.releases.chain import Sealed, requested, seal
from streams.kafka.eventfiles import Line

PARTITIONS = {CASE_TOPIC: 3, REFERENCE_TOPIC: 1}
RELEASED_ON = date(2015, 11, 9)


class FrozenLog:
    """A log that grows; what is frozen of it is as it stands then."""

    def __init__(self, rules: Rules, lines: Iterable[Line] = ()) -> None:
        self.rules = rules
        self.records: dict[tuple[str, int], list[LogRecord]] = {
            (topic, number): [] for topic, count in PARTITIONS.items() for number in range(count)
        }
        self.add(lines)

    def add(self, lines: Iterable[Line]) -> None:
        """Append lines to their topics."""
        for line in lines:
            key, value, headers = line.message
            for topic in line.topics:
                number = crc32(key or b"") % PARTITIONS[topic]
                records = self.records[topic, number]
                at = (topic, number, len(records))
                records.append(LogRecord(*at, key, value, tuple(headers)))

    @property
    def positions(self) -> tuple[Position, ...]:
        """Where the log ends."""
        return tuple(
            Position(topic=topic, partition=number, offset=len(records))
            for (topic, number), records in self.records.items()
        )

    def cut(self, as_of: date) -> Cut:
        """What workers that have folded all of the log would hold."""
        states = {tp: self._state(*tp) for tp in self.records}
        dates = as_of, previous_month_end(as_of)
        now, before = (np.zeros(self.rules.shape, dtype=np.int64) for _ in dates)
        for (topic, _), state in states.items():
            if topic == CASE_TOPIC:
                for stock, day in zip((now, before), dates, strict=True):
                    stock += state.tables.stock(day_number(day), self.rules.calendar)
        reference: list[Event] = [
            event
            for (topic, _), state in states.items()
            for record in state.records.values()
            if topic == REFERENCE_TOPIC
            for event in record.events
        ]
        return Cut(self.positions, (now, before), tuple(reference))

    def _state(self, topic: str, number: int) -> Partition:
        state = Partition(self.rules)
        messages = [(it.key, it.value, it.headers) for it in self.records[topic, number]]
        events = decode(topic, messages).events
        for child in state.missing(child for child, _ in events):
            state.admit(child, None)
        state.fold(events)
        state.settle()
        return state

    def evidence(self, question: Question) -> Evidence:
        """What the log itself says."""
        return examine(self.records.values(), question, lambda *_: None)

    def release(
        self,
        period: str,
        kind: ReleaseKind = "first",
        chain: Iterable[Sealed] = (),
        reason: str | None = None,
    ) -> Sealed:
        """The next release of a period, reconciled."""
        request = requested(period, kind, "analyst", reason)
        rules, links = self.rules, list(chain)
        cut = self.cut(as_of_period(period))
        draft = Draft(request, RELEASED_ON, rules.catalogue, rules.areas, links, cut)
        return seal(draft.release(self.evidence(draft.question)))


def changed_cells(release: Release) -> set[tuple[str, str, str]]:
    """The cells that a release says have changed."""
    return {(it.code, it.area, it.age_band) for it in release.changes}
