"""The fold: a partition's state and a batch of messages in, the state and its changes out.

This is the whole of the live computation; where the bytes come from and go to is not its concern.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from processors.alerts.changes import runs_by_case
from processors.alerts.child import Child, read_child
from processors.alerts.deadlines import breaches
from processors.alerts.judging import AT_ONCE, Judgement, OfCase, Telling
from processors.changed_cases import CasesTogether, ChangedCases
from processors.facts.cases import derive
from processors.facts.counted_changes import counted_change
from processors.ledger.entries import Part, by_shard, entries_of
from processors.ledger.tables import Tables, Touched
from processors.record.decoding import Event
from processors.record.record import Written, seal
from processors.rules import Rules


class Grown(NamedTuple):
    """By how many records a partition's grew, and the sum of their seals, modulo 2**64.

    `unmatched` is how many retractions came that named no event that was known by then, and `since`
    how many records there were before.
    """

    records: int = 0
    seals: int = 0
    unmatched: int = 0
    since: int = 0


NOTHING_MORE = Grown()


@dataclass
class Settlement:
    """What a partition's state changed by since the last one: to be stored in one atomic step.

    `deadlines` has those of the telling by the numbers of the children's records.
    """

    records: dict[str, Written]
    touched: Touched
    telling: Telling = field(default_factory=Telling)
    grown: Grown = NOTHING_MORE
    deadlines: dict[int, int] = field(default_factory=dict)


class Partition:
    """The state of one shard: the records it holds in memory, and the tables.

    A record is of whatever a partition key names: a child, or a place. Records may be left out and
    offered again as bytes (`admit`), so that memory is bounded; a child's record must be there
    before its events are folded.

    `unread` is how many records are stored that are not in memory: with none, whoever is not there
    has no record.
    """

    def __init__(self, rules: Rules, tables: Tables | None = None, records: int = 0) -> None:
        self.rules = rules
        # How many records there are, in memory or not: the number of the next.
        self.records = records
        self.tables = tables or rules.empty_tables()
        self.children: dict[str, Child] = {}
        self._dirty: dict[str, Child] = {}
        self._due: dict[str, Child] = {}
        # About how many bytes the records in memory took at the last settlement, and the largest.
        self.size = self.largest = 0
        self.unread = 0

    def missing(self, children: Iterable[str]) -> list[str]:
        """Those of the children whose record is not in memory."""
        asked = dict.fromkeys(children)
        missing = set(asked).difference(self.children)
        return [child for child in asked if child in missing] if missing else []

    def admit(
        self,
        child: str,
        encoded: bytes | None,
        told: bytes | None = None,
        number: int | None = None,
    ) -> None:
        """Take a child's stored record, its number, and the alerts told of them, into memory.

        Or begin one, where nothing is stored.
        """
        rules = self.rules
        held = self.children[child] = read_child(encoded, told, rules.make_row)
        if encoded is not None:
            held.seal, held.number = seal(child, encoded), number
            self.unread -= 1
        self._weigh(held)

    def fold(self, events: Iterable[tuple[str, Event]]) -> int:
        """Take (child, event) pairs into their records; how many were known already."""
        make_row, known = self.rules.make_row, 0
        for name, event in events:
            child = self.children[name]
            if child.record.apply(event, make_row):
                self._dirty[name] = child
            else:
                known += 1
        return known

    def fold_unstored(self, events: Sequence[tuple[str, Event]]) -> int:
        """The same where nothing is stored: whoever is not in memory has no record yet."""
        for child in self.missing(child for child, _ in events):
            self.admit(child, None)
        return self.fold(events)

    def look_at(self, children: Iterable[str]) -> None:
        """Have the next settlement judge these children, whose records are in memory."""
        self._due.update((child, self.children[child]) for child in children)

    @property
    def unsettled(self) -> int:
        """How many children's records changed since the last settlement."""
        return len(self._dirty)

    @property
    def to_settle(self) -> int:
        """How many children the next settlement looks at, at most."""
        return len(self._dirty) + len(self._due)

    @property
    def is_due(self) -> bool:
        """Whether the next settlement has children to judge whose records did not change."""
        return bool(self._due)

    def settle(self, judgement: Judgement | None = None) -> Settlement:
        """Bring the tables up to date with the records and give all that changed.

        Without a judgement nothing is told; every child whose record changed is to be looked at.
        """
        (settlement,) = settle_together([(self, judgement)])
        return settlement

    @property
    def looked_at(self) -> Mapping[str, Child]:
        """The children whom the next settlement looks at."""
        return self._dirty | self._due if self._due else self._dirty

    def settle_with(self, touched: Touched, telling: Telling) -> Settlement:
        """What there is to store, once the tables are up to date; nothing is unsettled after."""
        looked_at = self.looked_at
        records, grown = self._written()
        deadlines = {
            number: day
            for name, day in telling.deadlines.items()
            if (number := looked_at[name].number) is not None
        }
        self._dirty.clear()
        self._due.clear()
        return Settlement(records, touched, telling, grown, deadlines)

    def _written(self) -> tuple[dict[str, Written], Grown]:
        """What is to be stored of the records that changed, and by how much all of them grew."""
        records: dict[str, Written] = {}
        since, seals, unmatched = self.records, 0, 0
        for name, child in self._dirty.items():
            before = child.seal
            if child.number is None:
                child.number = self.records
                self.records += 1
            written = records[name] = child.record.write(name, before, child.number)
            child.seal = written.seal
            seals += child.seal - (before or 0)
            unmatched += child.record.unmatched
            child.record.unmatched = 0
            self._weigh(child)
        return records, Grown(self.records - since, seals % 2**64, unmatched, since)

    def counted(self, shard: int) -> list[Part]:
        """Entries, in a shard, of what changed records add as people, or as places of sessions."""
        before, now = [], []
        for child in self._dirty.values():
            personal = child.record.personal
            if personal and personal.was:
                change = counted_change(self.rules.counting, personal, child.counted, child.life)
                child.counted, child.life = change.whole, change.life
                personal.was.clear()
                if change.before != change.now:
                    before.append(change.before)
                    now.append(change.now)
        return [*entries_of(shard, before, -1), *entries_of(shard, now, 1)] if now else []

    def _weigh(self, child: Child) -> None:
        """Add up what a record has grown by."""
        size = child.record.size
        if child.crowd:
            size += child.crowd.size
        if child.outlook:
            size += child.outlook.size
        if child.life:
            size += child.life.size
        self.size += size - child.size
        child.size = size
        if size > self.largest:
            self.largest = size

    def forget(self, most: int, most_bytes: int = sys.maxsize) -> None:
        """Drop the records longest in memory beyond `most`, and beyond so many bytes of them all.

        Those that are unsettled stay.
        """
        beyond = len(self.children) - most
        gone: list[str] = []
        for name, child in self.children.items():
            if beyond <= 0 and self.size <= most_bytes:
                break
            beyond -= 1
            if name not in self._dirty and name not in self._due:
                gone.append(name)
                self.size -= child.size
                self.unread += child.seal is not None
        for name in gone:
            del self.children[name]


def settle_together(asked: Sequence[tuple[Partition, Judgement | None]]) -> list[Settlement]:
    """Settle partitions of the same rules, one or more, each judged in its own way.

    To the same effect as one after another; but columns are worked over once for all, which is most
    of what it costs to settle a few events. Where it raises, none of the partitions is of use.
    """
    rules = asked[0][0].rules
    changed = [ChangedCases(it.looked_at, rules, judgement) for it, judgement in asked]
    cases = CasesTogether(changed)
    parts = [part for shard, (it, _) in enumerate(asked) for part in it.counted(shard)]
    spans, segments = None, None
    if cases:
        facts = derive(cases.cases, rules.localities, rules.calendar, rules.unheld, rules.wanted)
        spans, segments = rules.deadlines.spans(facts.case), facts.case
        if cases.cases.now:
            parts += breaches(spans, segments, rules.first_of_standards, cases.shard)
        parts += rules.ledger.entries(facts, cases.shard)
    settlements: list[Settlement] = []
    for shard, entries in enumerate(by_shard(parts, len(asked))):
        partition, judgement = asked[shard]
        touched = partition.tables.add(entries, rules.calendar)
        if judgement is None:
            telling = _unjudged(partition.looked_at)
        else:
            found: Mapping[int, OfCase] = {}
            if spans is not None and segments is not None:
                found = runs_by_case(spans, segments, cases.positions(shard))
            telling = _judged(partition, changed[shard], found, judgement)
        settlements.append(partition.settle_with(touched, telling))
    return settlements


def _unjudged(children: Mapping[str, Child]) -> Telling:
    for child in children.values():
        child.outlook = None
    return Telling(deadlines=dict.fromkeys(children, AT_ONCE))


def _judged(
    partition: Partition, cases: ChangedCases, found: Mapping[int, OfCase], judgement: Judgement
) -> Telling:
    """What is told, `found` having the runs of cases by their positions among the names."""
    runs: dict[str, dict[str, OfCase]] = {}
    for position, of_case in found.items():
        child, case = cases.names[position]
        runs.setdefault(child, {})[case] = of_case
    return partition.rules.watch.judge(partition.looked_at, runs, cases.some, judgement)
