"""What stands now, for whoever must act: counts by standard and owner, and a line for each case."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from heapq import nsmallest
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

from processors.days.calendar import LONDON
from schemas.alerts import CaseChange, IndicatorChange
from schemas.standards import OwnerKind

Change = CaseChange | IndicatorChange


class Count(NamedTuple):
    """How many alerts on a standard an owner has; `new` of them since a moment."""

    standard: str
    owner_kind: OwnerKind
    owner: str
    breached: int
    due_soon: int
    new: int


class CaseLine(NamedTuple):
    """A case with its alerts, the most urgent first.

    `due` is when the first of what the case has to keep is or was due.
    """

    alerts: tuple[CaseChange, ...]
    due: date

    @property
    def first(self) -> CaseChange:
        """The most urgent alert."""
        return self.alerts[0]

    @property
    def worker(self) -> str | None:
        """Who has the case, if that is known."""
        return next((it.worker for it in self.alerts if it.worker), None)

    @property
    def breached_since(self) -> date | None:
        """The first day on which one of its alerts was breached; None if none is."""
        return min((it.since for it in self.alerts if it.state == "breached"), default=None)

    def days_overdue(self, today: date) -> int:
        """For how many days the longest breach has lasted, today included; 0 without a breach."""
        return max(days_overdue(it, today) for it in self.alerts)


# Cases that are at hand in the order of what is due of them.
MOST_DUE = 10


class Overview(NamedTuple):
    """Active alerts as they are looked at; `new_since` is what new is counted from.

    `due_first` are the cases that were or are due first, at most MOST_DUE.
    """

    new_since: datetime
    counts: list[Count]
    cases: list[CaseLine]
    indicators: list[IndicatorChange]
    due_first: list[CaseLine]

    @property
    def total(self) -> int:
        """How many alerts there are."""
        return len(self.indicators) + sum(len(it.alerts) for it in self.cases)


@dataclass(frozen=True)
class WantedAlerts:
    """Which alerts are asked for; all where a set is empty.

    `since`: those that came into their state, under their owner, since then. `due_before`: of cases
    alone, those due before a day.
    """

    standards: frozenset[str] = frozenset()
    states: frozenset[str] = frozenset()
    areas: frozenset[str] = frozenset()
    owners: frozenset[str] = frozenset()
    providers: frozenset[str] = frozenset()
    severities: frozenset[str] = frozenset()
    cases: frozenset[str] = frozenset()
    since: datetime | None = None
    due_before: date | None = None

    def among(self, changes: Iterable[Change]) -> list[Change]:
        """The alerts that are asked for."""
        tests = self._tests()
        return [it for it in changes if all(test(it) for test in tests)]

    def _tests(self) -> list[Callable[[Change], bool]]:
        """What has to hold of an alert: nothing of what is not asked for, for they may be many."""
        tests: list[Callable[[Change], bool]] = [
            partial(_is_among, attrgetter(name), wanted)
            for name, wanted in (
                ("standard", self.standards),
                ("state", self.states),
                ("area", self.areas),
                ("owner", self.owners),
                ("provider", self.providers),
                ("severity", self.severities),
            )
            if wanted
        ]
        if self.cases:
            tests.append(lambda it: isinstance(it, CaseChange) and it.case in self.cases)
        if self.since is not None:
            tests.append(partial(is_new, since=self.since))
        if (before := self.due_before) is not None:
            tests.append(lambda it: isinstance(it, CaseChange) and it.due < before)
        return tests


def overview(
    changes: Iterable[Change], wanted: WantedAlerts, today: date, new_since: datetime
) -> Overview:
    """What is asked for of the active alerts: the critical first, then the longest overdue."""
    chosen = sorted(wanted.among(changes), key=urgency)
    cases: dict[tuple[str, str], list[CaseChange]] = {}
    for it in chosen:
        if isinstance(it, CaseChange):
            cases.setdefault((it.child, it.case), []).append(it)
    lines = [CaseLine(tuple(of), min([it.due for it in of])) for of in cases.values()]
    lines.sort(key=lambda it: (it.first.severity != "critical", -it.days_overdue(today), it.due))
    return Overview(
        new_since,
        counts(chosen, new_since),
        lines,
        [it for it in chosen if isinstance(it, IndicatorChange)],
        nsmallest(MOST_DUE, lines, key=lambda it: (it.due, it.first.alert)),
    )


def counts(changes: Sequence[Change], new_since: datetime) -> list[Count]:
    """How many are breached, due soon and new, by standard and owner."""
    by_owner: dict[tuple[str, OwnerKind, str], list[Change]] = {}
    for it in changes:
        by_owner.setdefault((it.standard, it.owner_kind, it.owner), []).append(it)
    since = new_since.astimezone(UTC)  # which is compared sooner than a time of some place
    found = []
    for about, of in sorted(by_owner.items(), key=itemgetter(0)):
        states = Counter([it.state for it in of])
        new = sum([is_new(it, since) for it in of])
        found.append(Count(*about, states["breached"], states["due-soon"], new))
    return found


def is_new(change: Change, since: datetime) -> bool:
    """Whether an alert came into its state, under its owner, since a moment.

    That is when it was learnt; where that is not known, the day on which it was so counts.
    """
    return (change.stand_learnt or day_begins(change.since)) >= since


def days_overdue(change: CaseChange, today: date) -> int:
    """For how many days a standard has been broken, today included; 0 while it is not."""
    if change.state != "breached":
        return 0
    return (today - (change.breached_from or change.since)).days + 1


def day_begins(day: date) -> datetime:
    """When a day begins in London: at the close of the one before."""
    return datetime.combine(day, datetime.min.time(), LONDON)


def urgency(change: Change) -> tuple[bool, date, str]:
    """What orders alerts: the critical first, then what was or is due first."""
    due = change.due if isinstance(change, CaseChange) else change.since
    return change.severity != "critical", due, change.alert


def _is_among(of: Callable[[Change], Any], wanted: Collection[str], change: Change) -> bool:
    return of(change) in wanted
