"""Judging: what is true of children's alerts on a day, and what of it is news."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from processors.alerts.changes import (
    Run,
    Told,
    end,
    is_raised,
    next_change,
    succeed,
)
from processors.alerts.child import Child
from processors.alerts.deadlines import REASONS
from processors.alerts.outlook import Outlook
from processors.alerts.reasons import receipt_of, why_gone, worker_counts_from
from processors.alerts.told import About, Alert, Identity
from processors.alerts.toldalerts import WrittenAlerts
from processors.days.calendar import NEVER
from processors.facts.crowds import CROWD
from processors.record.decoding import Event, in_order
from schemas.areas import Areas
from schemas.standards import Standard, Standards

# Of a child who must be judged as soon as may be: earlier than every day.
AT_ONCE = -(2**40)
# The events that an alert takes its names from, or rests on.
NAMED = {"case.allocated", "notification.received", "worker.assigned"}

# The runs of one case by (the standard's position, episode), and of one child by case.
OfCase = Mapping[tuple[int, int], list[Run]]
OfChild = Mapping[str, OfCase]


@dataclass(frozen=True)
class Judgement:
    """As of which day alerts are judged, and of which children none may be raised yet.

    `at` is the time of it, in seconds from 1970; 0 where that is not known.
    """

    day: int
    is_withheld: Callable[[str], bool] = lambda _: False
    at: float = 0.0


@dataclass
class Telling:
    """What a settlement tells of alerts, and when to look at each child again.

    `told` has what is to be stored of the children of whom something was told. `deadlines` has, for
    every child looked at, the first day on which an alert changes if no event comes: NEVER if on
    none, AT_ONCE if there is something that may not be told yet. `at` is the time of it all, in
    seconds from 1970.
    """

    changes: list[Told] = field(default_factory=list)
    told: dict[str, WrittenAlerts] = field(default_factory=dict)
    deadlines: dict[str, int] = field(default_factory=dict)
    at: float = 0.0


class Watch:
    """The standards, ready to judge children by."""

    def __init__(self, standards: Standards, areas: Areas) -> None:
        self._standards = standards.standard
        self._by_code = {standard.code: standard for standard in standards.standard}
        self._leaves = [*areas.leaves, None]

    def judge(
        self,
        children: Mapping[str, Child],
        runs: Mapping[str, OfChild],
        some: Mapping[str, Collection[str]],
        judgement: Judgement,
    ) -> Telling:
        """What to tell of children, who take in what is told.

        Of a child in `some` only those cases are judged: of the others nothing has changed.
        """
        telling = Telling(at=judgement.at)
        for name, child in children.items():
            of_child, cases = runs.get(name, {}), some.get(name)
            before = child.told.alerts if cases is None else child.told.of(cases)
            known = _Known(child.record.named_in(of_child), judgement.day)
            changes, waiting = self._news(name, child, before, of_child, known, judgement)
            if changes:
                telling.changes += changes
                telling.told[name] = child.told.take([it.alert for it in changes])
            following, must_wait = _outlook(child, cases, of_child, known, waiting, judgement.day)
            telling.deadlines[name] = AT_ONCE if must_wait else following
        return telling

    def _news(
        self,
        name: str,
        child: Child,
        before: Mapping[About, Alert],
        runs: OfChild,
        known: "_Known",
        judgement: Judgement,
    ) -> tuple[list[Told], set[str]]:
        """What is new of alerts told as `before`, and the cases of which some must wait."""
        changes: list[Told] = []
        waiting: set[str] = set()
        if not runs and not before:
            return changes, waiting
        now = {it.about: it for it in self._true_of(runs, known, judgement.day)}
        for about, alert in now.items():
            told = before.get(about)
            if is_raised(told, alert) and judgement.is_withheld(name):
                waiting.add(alert.case)
                continue
            following = succeed(told, alert, judgement.at)
            if following is not None:
                changes.append(Told(name, following, told.state if told else None))
        for about in before.keys() - now.keys():
            told = before[about]
            if told.is_void:  # it was ended like that before
                continue
            record, standard = child.record, self._by_code.get(told.standard)
            events = record.that_tell(told.case)
            reason = why_gone(told, standard, events, record.retracted, judgement.day)
            following = end(told, reason, judgement.day, judgement.at)
            if following is not None:
                changes.append(Told(name, following, told.state))
        return changes, waiting

    def _true_of(self, runs: OfChild, known: "_Known", day: int) -> Iterator[Alert]:
        """What is true of one child's alerts on a day, as if none had been told."""
        for case, of_case in runs.items():
            for (position, episode), of_alert in of_case.items():
                begun = [run for run in of_alert if run.begin <= day]
                if begun:
                    standard = self._standards[position]
                    yield self._alert(case, standard, episode, begun[-1], known, day)

    def _alert(
        self,
        case: str,
        standard: Standard,
        episode: int,
        run: Run,
        known: "_Known",
        day: int,
    ) -> Alert:
        state, since = run.on(day)
        allocation = known.allocation(case, standard.service)
        holder: Mapping[str, Any] = allocation.data if allocation else {}
        rests_on = (known.notification(case), allocation)
        return Alert(
            case=case,
            standard=standard.code,
            episode=episode,
            version=1,
            state=state,
            since=since,
            due=run.due,
            reason=REASONS[run.ended] if state == "resolved" else None,
            historic=state == "resolved",
            area=self._leaves[run.area],
            team=holder.get("team"),
            provider=holder.get("provider"),
            severity=standard.severity,
            owner=standard.owner,
            rests_on=tuple(_identity(it) for it in rests_on if it),
            worker=known.worker(case, standard),
        )


class _Known:
    """What of a child's cases alerts name: whom they were given to, and when they were received.

    `next` is, by case, the first later day on which it is given to a team or a worker, if on any.
    """

    def __init__(self, events: Iterable[Event], day: int) -> None:
        found = [it for it in events if it.type in NAMED]
        self._by_case: dict[str, list[Event]] = {}
        for event in in_order(it for it in found if it.day <= day):
            self._by_case.setdefault(event.subject, []).append(event)
        self.next: dict[str, int] = {}
        for event in found:
            if event.day > day and event.type != "notification.received":
                case = event.subject
                self.next[case] = min(event.day, self.next.get(case, NEVER))

    def allocation(self, case: str, service: str) -> Event | None:
        """The latest allocation of a case to a service."""
        for event in reversed(self._of(case)):
            if event.type == "case.allocated" and event.data["service"] == service:
                return event
        return None

    def worker(self, case: str, standard: Standard) -> str | None:
        """Whom a case was given to last of the workers who count for its service."""
        of_case = self._of(case)
        assigned = [it for it in of_case if it.type == "worker.assigned"]
        first = self.notification(case)
        if not assigned or first is None:
            return None
        start = worker_counts_from(receipt_of(standard, of_case, first.day), first.day)
        named = (it.data.get("worker") for it in reversed(assigned) if it.day >= start)
        return next((name for name in named if name), None)

    def notification(self, case: str) -> Event | None:
        """The first notification of a case."""
        return next((it for it in self._of(case) if it.type == "notification.received"), None)

    def _of(self, case: str) -> list[Event]:
        return self._by_case.get(case, [])


def _identity(event: Event) -> Identity:
    return event.source, event.id


def _outlook(
    child: Child,
    cases: Collection[str] | None,
    runs: OfChild,
    known: _Known,
    waiting: set[str],
    day: int,
) -> tuple[int, bool]:
    """The first later day on which an alert of a child changes if no event comes.

    And whether some must wait. What is known of each case is kept where there are very many, some
    of which were judged, or all.
    """
    following = {
        case: _next(of_case, known.next.get(case, NEVER), day) for case, of_case in runs.items()
    }
    if cases is None and len(child.record.settled) < CROWD:
        return min(following.values(), default=NEVER), bool(waiting)
    if cases is None or child.outlook is None:
        child.outlook = Outlook()
    child.outlook.note(day, dict.fromkeys(cases or (), NEVER) | following, waiting)
    return child.outlook.next, bool(child.outlook.waiting)


def _next(runs: OfCase, named: int, day: int) -> int:
    """The first later day on which an alert of a case changes, or what it names does."""
    return min([named, *(next_change(of_alert, day) for of_alert in runs.values())])
