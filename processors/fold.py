"""The fold: a partition's state and a batch of messages in, the state and its changes out.

This is the whole of the live computation; where the bytes come from and go to is not its concern.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from processors.alerts.changes import decode_alerts, runs_by_case
from processors.alerts.deadlines import Spans, breaches, spans
from processors.alerts.judging import AT_ONCE, Judgement, OfCase, Telling
from processors.facts.cases import Columns, derive, with_providers
from processors.ledger.tables import Tables, Touched
from processors.record.decoding import Event
from processors.record.record import Record, decode_record
from processors.rules import Rules


@dataclass
class Settlement:
    """What a partition's state changed by since the last one: to be stored in one atomic step."""

    records: dict[str, bytes]
    touched: Touched
    telling: Telling = field(default_factory=Telling)


class Partition:
    """The state of one partition: the records it holds in memory, and the tables.

    Records may be left out and offered again as bytes (`admit`), so that memory is bounded; a
    child's record must be there before its events are folded.
    """

    def __init__(self, rules: Rules, tables: Tables | None = None) -> None:
        self.rules = rules
        self.tables = tables or rules.empty_tables()
        self.records: dict[str, Record] = {}
        self._dirty: dict[str, Record] = {}
        self._due: dict[str, Record] = {}

    def missing(self, children: Iterable[str]) -> list[str]:
        """Those of the children whose record is not in memory."""
        return [child for child in dict.fromkeys(children) if child not in self.records]

    def admit(self, child: str, encoded: bytes | None, told: bytes | None = None) -> None:
        """Take a child's stored record, and the alerts told of them, into memory, or begin one."""
        record = decode_record(encoded, self.rules.make_row) if encoded is not None else Record()
        if told is not None:
            record.told = {alert.about: alert for alert in decode_alerts(told)}
        self.records[child] = record

    def fold(self, events: Iterable[tuple[str, Event]]) -> int:
        """Take (child, event) pairs into their records; how many were known already."""
        make_row, known = self.rules.make_row, 0
        for child, event in events:
            record = self.records[child]
            if record.apply(event, make_row):
                self._dirty[child] = record
            else:
                known += 1
        return known

    def look_at(self, children: Iterable[str]) -> None:
        """Have the next settlement judge these children, whose records are in memory."""
        self._due.update((child, self.records[child]) for child in children)

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
        records = {child: record.encode() for child, record in self._dirty.items()}
        self._dirty.clear()
        self._due.clear()
        return Settlement(records, touched, telling)

    def _settle_unjudged(self) -> tuple[Touched, Telling]:
        looked_at = self._dirty | self._due
        changes = [it for record in looked_at.values() for it in record.settle().values()]
        touched, *_ = self._measure(changes, [])
        return touched, Telling(deadlines=dict.fromkeys(looked_at, AT_ONCE))

    def _settle_judged(self, judgement: Judgement) -> tuple[Touched, Telling]:
        looked_at = self._dirty | self._due
        cases = _Cases(looked_at)
        touched, found, segments = self._measure(cases.changes, cases.unchanged)
        runs: dict[str, dict[str, OfCase]] = {}
        for position, of_case in runs_by_case(found, segments, len(cases.changes)).items():
            child, case = cases.names[position]
            runs.setdefault(child, {})[case] = of_case
        return touched, self.rules.watch.judge(looked_at, runs, judgement)

    def _measure(
        self, changes: list[tuple[bytes, bytes]], unchanged: list[bytes]
    ) -> tuple[Touched, Spans, Columns]:
        """Add the changes of cases to the tables; what changed there, and the spans of all."""
        rules = self.rules
        segments, notifications = derive(changes, rules.calendar, rules.unheld, unchanged)
        segments = with_providers(segments, len(rules.standards.providers), rules.first_provider)
        found = spans(segments, rules.standards.standard, rules.calendar)
        if not changes:
            return Touched({}, set()), found, segments
        late = breaches(found, segments, len(rules.catalogue.slots))
        entries = rules.ledger.entries(segments, notifications, late)
        return self.tables.add(entries, rules.calendar), found, segments

    def forget(self, most: int) -> None:
        """Drop the records longest in memory beyond `most`, unless they are unsettled."""
        for child in list(self.records)[: max(0, len(self.records) - most)]:
            if child not in self._dirty and child not in self._due:
                del self.records[child]


class _Cases:
    """Every case of records: those that changed, then the others, and their names in that order."""

    def __init__(self, records: Mapping[str, Record]) -> None:
        self.changes: list[tuple[bytes, bytes]] = []
        self.unchanged: list[bytes] = []
        self.names: list[tuple[str, str]] = []
        others: list[tuple[str, str]] = []
        for child, record in records.items():
            changes = record.settle()
            self.changes += changes.values()
            self.names += [(child, case) for case in changes]
            if len(changes) < len(record.settled):
                for case, rows in record.settled.items():
                    if case not in changes:
                        others.append((child, case))
                        self.unchanged.append(rows)
        self.names += others
