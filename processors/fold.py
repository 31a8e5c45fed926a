"""The fold: a partition's state and a batch of messages in, the state and its changes out.

This is the whole of the live computation; where the bytes come from and go to is not its concern.
"""

import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from processors.alerts.changes import runs_by_case
from processors.alerts.child import Child, read_child
from processors.alerts.deadlines import Spans, breaches
from processors.alerts.judging import AT_ONCE, Judgement, OfCase, Telling
from processors.facts.cases import Cases, derive, traits
from processors.facts.columns import Columns
from processors.facts.counted_changes import counted_change
from processors.facts.crowds import Crowd, Said, Traits, is_crowd
from processors.ledger.entries import Part, entries_of, together
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
# The rows before and now of each case of a record that changed.
Changes = Mapping[str, tuple[bytes, bytes]]


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
    def is_due(self) -> bool:
        """Whether the next settlement has children to judge whose records did not change."""
        return bool(self._due)

    def settle(self, judgement: Judgement | None = None) -> Settlement:
        """Bring the tables up to date with the records and give all that changed.

        Without a judgement nothing is told; every child whose record changed is to be looked at.
        """
        if judgement is None:
            touched, telling = self._settle_unjudged()
        else:
            touched, telling = self._settle_judged(judgement)
        records, grown = self._written()
        looked_at = self._dirty | self._due if self._due else self._dirty
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

    def _settle_unjudged(self) -> tuple[Touched, Telling]:
        looked_at = self._dirty | self._due
        cases = _Cases(looked_at, self.rules, None)
        for child in looked_at.values():
            child.outlook = None
        touched, _ = self._measure(cases)
        return touched, Telling(deadlines=dict.fromkeys(looked_at, AT_ONCE))

    def _settle_judged(self, judgement: Judgement) -> tuple[Touched, Telling]:
        looked_at = self._dirty | self._due
        cases = _Cases(looked_at, self.rules, judgement)
        touched, spans = self._measure(cases)
        found = runs_by_case(*spans, len(cases.now)) if spans else {}
        runs: dict[str, dict[str, OfCase]] = {}
        for position, of_case in found.items():
            child, case = cases.names[position]
            runs.setdefault(child, {})[case] = of_case
        return touched, self.rules.watch.judge(looked_at, runs, cases.some, judgement)

    def _measure(self, cases: "_Cases") -> tuple[Touched, tuple[Spans, Columns] | None]:
        """Add what changed to the tables; what changed there, and the spans of all cases, if any.

        Beside the spans are the segments that they are of.
        """
        rules, further = self.rules, self._counted()
        if not cases.now and not cases.unchanged:
            return self.tables.add(together(further), rules.calendar), None
        facts = derive(
            Cases(cases.before, cases.now, cases.children, cases.unchanged, cases.said),
            rules.localities,
            rules.calendar,
            rules.unheld,
            rules.wanted,
        )
        found = rules.deadlines.spans(facts.case)
        if cases.now:
            further += breaches(found, facts.case, rules.first_of_standards)
        entries = rules.ledger.entries(facts, further)
        return self.tables.add(entries, rules.calendar), (found, facts.case)

    def _counted(self) -> list[Part]:
        """Entries of what changed records add as people, or as places of sessions."""
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
        return [*entries_of(before, -1), *entries_of(now, 1)] if now else []

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


class _Cases:
    """Cases of records: those that changed, others to be judged, and their names in that order.

    Where cases of a child relate to one another, all of them change when one does; in a crowd only
    those do of which a relation says something else. Nobody asks for names, or for others, where
    nothing is judged. Of a child in `some` only the cases there are judged, as the outlook for the
    others says; of the rest all are.
    """

    def __init__(
        self, children: Mapping[str, Child], rules: Rules, judgement: Judgement | None
    ) -> None:
        self._rules = rules
        self.before: list[bytes] = []
        self.now: list[bytes] = []
        self.children: list[int] = []
        self.unchanged: list[bytes] = []
        self.names: list[tuple[str, str]] = []
        self.some: dict[str, Collection[str]] = {}
        self._other_names: list[tuple[str, str]] = []
        # The position of a case of a crowd, and what relations said of it and say.
        self._answers: list[tuple[int, Said, Said]] = []
        self._others = len(children)
        crowds: list[tuple[str, Child, Changes]] = []
        relates = bool(rules.wanted.relations)
        for number, (name, child) in enumerate(children.items()):
            changes, settled = child.record.settle(), child.record.settled
            if len(changes) < len(settled):
                if changes and relates and is_crowd(len(changes), len(settled)):
                    crowds.append((name, child, changes))
                    continue
                if changes and relates:
                    for case in [case for case in settled if case not in changes]:
                        changes[case] = settled[case], settled[case]
                elif judgement is not None:
                    self._add_others(name, child, changes, judgement)
            if changes:
                child.crowd = None
            for before, now in changes.values():
                self.before.append(before)
                self.now.append(now)
                self.children.append(number)
            if judgement is not None:
                self.names += [(name, case) for case in changes]
        for name, child, of_crowd in crowds:
            added = self._add_crowd(child, of_crowd)
            if judgement is not None:
                self.names += [(name, case) for case in added]
                self._add_others(name, child, added, judgement)
        self.said = {position: said for position, said, _ in self._answers}
        self.said |= {len(self.now) + position: said for position, _, said in self._answers}
        self.names += self._other_names

    def _add_others(
        self, name: str, child: Child, changed: Collection[str], judgement: Judgement
    ) -> None:
        """Add the cases of a child to be judged beside those that changed."""
        settled, outlook = child.record.settled, child.outlook
        if outlook is None or judgement.day < outlook.day:
            others = [case for case in settled if case not in changed]
        else:
            due = outlook.due(judgement.day, is_withheld=judgement.is_withheld(name))
            others = [case for case in dict.fromkeys(due) if case not in changed]
            self.some[name] = [*changed, *others]
        self._other_names += [(name, case) for case in others]
        self.unchanged += [settled[case] for case in others]

    def _add_crowd(self, child: Child, changes: Changes) -> Collection[str]:
        """Add the cases of a crowd that changed, and those that it changes something of."""
        settled = child.record.settled
        if child.crowd is None:
            rows = {
                case: changes[case][0] if case in changes else settled[case] for case in settled
            }
            child.crowd = Crowd(self._rules.wanted.relations)
            child.crowd.add(self._traits(rows))
        change = child.crowd.change(self._traits({case: now for case, (_, now) in changes.items()}))
        for case, said in change.before.items():
            before, now = changes.get(case, (settled[case], settled[case]))
            self._answers.append((len(self.now), said, change.now[case]))
            self.before.append(before)
            self.now.append(now)
            # What its kin are for it is known: each case is looked at on its own.
            self.children.append(self._others + len(self._answers))
        return change.before.keys()

    def _traits(self, rows: Mapping[str, bytes]) -> dict[str, Traits]:
        rules = self._rules
        found = traits(
            list(rows.values()), rules.localities, rules.calendar, rules.unheld, rules.related
        )
        return dict(zip(rows, found, strict=True))
