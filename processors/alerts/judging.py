"""Judging: what is true of children's alerts on a day, and what of it is news."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from processors.alerts.changes import (
    Run,
    Told,
    end,
    is_raised,
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
from processors.record.decoding import Event
from schemas.areas import Areas
from schemas.standards import Standard, Standards

# Of a child who must be judged as soon as may be: earlier than every day.
AT_ONCE = -(2**40)
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
            named = {
                case: _NamedOfCase(child.record.named_in(case), judgement.day) for case in of_child
            }
            changes, waiting = self._news(name, child, before, of_child, named, judgement)
            if changes:
                telling.changes += changes
                telling.told[name] = child.told.take([it.alert for it in changes])
            following, must_wait = _outlook(child, cases, of_child, named, waiting, judgement.day)
            telling.deadlines[name] = AT_ONCE if must_wait else following
        return telling

    def _news(
        self,
        name: str,
        child: Child,
        before: Mapping[About, Alert],
        runs: OfChild,
        named: Mapping[str, "_NamedOfCase"],
        judgement: Judgement,
    ) -> tuple[list[Told], set[str]]:
        """What is new of alerts told as `before`, and the cases of which some must wait."""
        changes: list[Told] = []
        waiting: set[str] = set()
        now: set[About] = set()
        for case, of_case in runs.items():
            for alert in self._true_of(case, of_case, named[case], judgement.day):
                about = alert.about
                now.add(about)
                told = before.get(about)
                if is_raised(told, alert) and judgement.is_withheld(name):
                    waiting.add(case)
                    continue
                following = succeed(told, alert, judgement.at)
                if following is not None:
                    changes.append(Told(name, following, told.state if told else None))
        for about, told in before.items():
            if about in now or told.is_void:  # the latter was ended like that before
                continue
            record, standard = child.record, self._by_code.get(told.standard)
            events = record.that_tell(told.case)
            reason = why_gone(told, standard, events, record.retracted, judgement.day)
            following = end(told, reason, judgement.day, judgement.at)
            if following is not None:
                changes.append(Told(name, following, told.state))
        return changes, waiting

    def _true_of(self, case: str, runs: OfCase, named: "_NamedOfCase", day: int) -> Iterator[Alert]:
        """What is true of one case's alerts on a day, as if none had been told."""
        for (position, episode), of_alert in runs.items():
            latest = None
            for run in of_alert:
                if run.begin <= day:
                    latest = run
            if latest is not None:
                yield self._alert(case, self._standards[position], episode, latest, named, day)

    def _alert(
        self,
        case: str,
        standard: Standard,
        episode: int,
        run: Run,
        named: "_NamedOfCase",
        day: int,
    ) -> Alert:
        state, since = run.on(day)
        allocation, is_over = named.allocation(standard.service), state == "resolved"
        holder: Mapping[str, Any] = allocation.data if allocation else {}
        return Alert(
            case,
            standard.code,
            episode,
            1,
            state,
            since,
            run.due,
            REASONS[run.ended] if is_over else None,
            is_over,
            self._leaves[run.area],
            holder.get("team"),
            holder.get("provider"),
            standard.severity,
            standard.owner,
            rests_on=_identities(named.notification, allocation),
            worker=named.worker(standard),
        )


class _NamedOfCase:
    """What of a case alerts name: whom it was given to, and when it was received.

    `notification` is the first of it. `next` is the first later day on which it is given to a team
    or a worker, NEVER if on none.
    """

    __slots__ = ("_allocated", "_assigned", "next", "notification")

    def __init__(self, events: Iterable[Event], day: int) -> None:
        self._allocated: list[Event] = []
        self._assigned: list[Event] = []
        self.notification: Event | None = None
        self.next = NEVER
        for event in events:
            kind = event.type
            if kind == "notification.received":
                if self.notification is None and event.day <= day:
                    self.notification = event
            elif kind == "case.allocated" or kind == "worker.assigned":
                if event.day > day:
                    self.next = min(self.next, event.day)
                else:
                    (self._allocated if kind == "case.allocated" else self._assigned).append(event)

    def allocation(self, service: str) -> Event | None:
        """The latest allocation of the case to a service."""
        for event in reversed(self._allocated):
            if event.data["service"] == service:
                return event
        return None

    def worker(self, standard: Standard) -> str | None:
        """Whom the case was given to last of the workers who count for a standard's service."""
        first = self.notification
        if not self._assigned or first is None:
            return None
        start = worker_counts_from(receipt_of(standard, self._allocated, first.day), first.day)
        named = (it.data.get("worker") for it in reversed(self._assigned) if it.day >= start)
        return next((name for name in named if name), None)


def _identities(*events: Event | None) -> tuple[Identity, ...]:
    return tuple([(it.source, it.id) for it in events if it])


def _outlook(
    child: Child,
    cases: Collection[str] | None,
    runs: OfChild,
    named: Mapping[str, _NamedOfCase],
    waiting: set[str],
    day: int,
) -> tuple[int, bool]:
    """The first later day on which an alert of a child changes if no event comes.

    And whether some must wait. What is known of each case is kept where there are very many, some
    of which were judged, or all.
    """
    following = {case: _next(of_case, named[case].next, day) for case, of_case in runs.items()}
    if cases is None and len(child.record.settled) < CROWD:
        return min(following.values(), default=NEVER), bool(waiting)
    if cases is None or child.outlook is None:
        child.outlook = Outlook()
    child.outlook.note(day, dict.fromkeys(cases or (), NEVER) | following, waiting)
    return child.outlook.next, bool(child.outlook.waiting)


def _next(runs: OfCase, named: int, day: int) -> int:
    """The first later day on which an alert of a case changes, or what it names does."""
    found = named
    for of_alert in runs.values():
        for run in of_alert:
            found = min(found, run.next_after(day))
    return found
