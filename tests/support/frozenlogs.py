"""A log in memory that releases are frozen from, by the live fold and by the log's evidence."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from zlib import crc32

from examples.workload import case_events
from processors.days.calendar import day_number, previous_month_end
from processors.figures.evaluate import known
from processors.figures.scorecard_rows import scorecard
from processors.fold import Partition
from processors.ledger.tables import together
from processors.record.decoding import Event, decode
from processors.rules import Rules
from schemas.cells import CellKey
from schemas.events.registry import CASE_TOPIC, REFERENCE_TOPIC, TOPICS, group_of
from schemas.release import Position, Release, ReleaseKind
from schemas.scorecard import ScorecardRow
from snapshots.checking.evidence import Evidence, examine, recounted
from snapshots.checking.question import LogQuestion
from snapshots.making.draft import Draft
from snapshots.making.freeze import Cut, as_of_period
from snapshots.recount.disk import LogRecord
from snapshots.releases.chain import Sealed, requested, seal
from streams.kafka.eventfiles import EventLine

# From where other processes import what tests give them.
ROOT = Path(__file__).resolve().parents[2]
PARTITIONS = {it.name: 1 if it.group == REFERENCE_TOPIC else 3 for it in TOPICS}
RELEASED_ON = date(2015, 11, 9)


@dataclass(frozen=True)
class Recorded:
    """Records of a log as it stands, by topic and partition."""

    records: Mapping[tuple[str, int], Sequence[LogRecord]]

    def __call__(
        self,
        cut: Sequence[Position],
        *,
        erased: Counter[str],  # noqa: ARG002 - nothing of it is
    ) -> Iterator[Sequence[LogRecord]]:
        """The records before a cut's offsets."""
        for it in cut:
            yield self.records[it.topic, it.partition][: it.offset]


class FrozenLog:
    """A log that grows; what is frozen of it is as it stands then."""

    def __init__(self, rules: Rules, lines: Iterable[EventLine] = ()) -> None:
        self.rules = rules
        self.records: dict[tuple[str, int], list[LogRecord]] = {
            (topic, number): [] for topic, count in PARTITIONS.items() for number in range(count)
        }
        self._state: tuple[tuple[Position, ...], list[Partition], list[Event]] | None = None
        self.add(lines)

    def add(self, lines: Iterable[EventLine]) -> None:
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
        now, before = (
            together([it.tables.stock(day_number(day), self.rules.calendar) for it in self._shards])
            for day in (as_of, previous_month_end(as_of))
        )
        return Cut(self.positions, (now, before), tuple(self._reference))

    def scorecard(self, as_of: date) -> list[ScorecardRow]:
        """What a live scorecard shows of every indicator in every place."""
        cut, dates = self.cut(as_of), (as_of, previous_month_end(as_of))
        now, before = (
            known(self.rules, day, stock, cut.reference)
            for day, stock in zip(dates, cut.stocks, strict=True)
        )
        return scorecard(self.rules, now, before, self.rules.graph.levels)

    @property
    def _shards(self) -> list[Partition]:
        """The shards of what happened to children and at places, folded once as the log stands."""
        return self._folded()[0]

    @property
    def _reference(self) -> list[Event]:
        return self._folded()[1]

    def _folded(self) -> tuple[list[Partition], list[Event]]:
        if self._state is None or self._state[0] != self.positions:
            shards = {
                (group_of(topic), number): Partition(self.rules) for topic, number in self.records
            }
            for (topic, number), records in self.records.items():
                _fold(shards[group_of(topic), number], topic, records)
            reference = [
                event
                for (group, _), shard in shards.items()
                for child in shard.children.values()
                if group == REFERENCE_TOPIC
                for event in child.record.events
            ]
            self._state = self.positions, [*shards.values()], reference
        return self._state[1:]

    def question(self, as_of: date) -> LogQuestion:
        """What the log is asked of every indicator of the rules."""
        rules = self.rules
        return LogQuestion(rules.catalogue, rules.areas, as_of, self.positions, places=rules.places)

    def recount(self, as_of: date) -> list[ScorecardRow]:
        """What the log itself says of every indicator in every place."""
        return recounted(Recorded(self.records), self.question(as_of))

    def evidence(self, question: LogQuestion, processes: int = 1) -> Evidence:
        """What the log itself says of a release."""
        return examine(Recorded(self.records), question, lambda *_: None, processes)

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
        draft = Draft(request, RELEASED_ON, rules, links, cut)
        return seal(draft.release(self.evidence(draft.question)))


def case_log(rules: Rules, events: int) -> FrozenLog:
    """A log of about so many case events, as a county makes them."""
    messages = ((key, value, ()) for key, value in case_events(events))
    return FrozenLog(rules, [EventLine(0, it, (CASE_TOPIC,)) for it in messages])


def _fold(shard: Partition, topic: str, records: list[LogRecord]) -> None:
    events = decode(topic, [(it.key, it.value, it.headers) for it in records]).events
    shard.fold_unstored(events)
    shard.settle()


def changed_cells(release: Release) -> set[CellKey]:
    """The cells that a release says have changed."""
    return {it.key for it in release.changes}
