"""Judging: what is true of children's alerts on a day, and what of it is news."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from processors.alerts.changes import (
    Run,
    Told,
    encode_alerts,
    end,
    is_raised,
    next_change,
    succeed,
)
from processors.alerts.child import Child
from processors.alerts.deadlines import REASONS
from processors.alerts.told import Alert
from processors.days.calendar import NEVER, calendar
from processors.facts.cases import WORKER_AHEAD
from processors.record.decoding import Event, in_order
from schemas.alerts import Reason
from schemas.areas import Areas
from schemas.standards import Standard, Standards

# Of a child who must be judged as soon as may be: earlier than every day.
AT_ONCE = -(2**40)

# The event that a milestone is reached by.
MILESTONES = {"worker": "worker.assigned", "contact": "contact.made", "plan": "plan.completed"}
STATUSES = {"case.closed", "case.reopened"}

# The runs of one case by (the standard's position, episode), and of one child by case.
OfCase = Mapping[tuple[int, int], list[Run]]
OfChild = Mapping[str, OfCase]


@dataclass(frozen=True)
class Judgement:
    """As of which day alerts are judged, and of which children none may be raised yet."""

    day: int
    is_withheld: Callable[[str], bool] = lambda _: False


@dataclass
class Telling:
    """What a settlement tells of alerts, and when to look at each child again.

    `told` has the encoded alerts of the children of whom something was told. `deadlines` has, for
    every child looked at, the first day on which an alert changes if no event comes: NEVER if on
    none, AT_ONCE if there is something that may not be told yet.
    """

    changes: list[Told] = field(default_factory=list)
    told: dict[str, bytes] = field(default_factory=dict)
    deadlines: dict[str, int] = field(default_factory=dict)


class Watch:
    """The standards, ready to judge children by."""

    def __init__(self, standards: Standards, areas: Areas) -> None:
        self._standards = standards.standard
        self._by_code = {standard.code: standard for standard in standards.standard}
        self._leaves = [*areas.leaves, None]

    def judge(
        self, children: Mapping[str, Child], runs: Mapping[str, OfChild], judgement: Judgement
    ) -> Telling:
        """What to tell of children, who take in what is told."""
        telling = Telling()
        for name, child in children.items():
            of_child = runs.get(name, {})
            allocated = _Allocations(child.record.events if of_child else (), judgement.day)
            changes, must_wait = self._news(name, child, of_child, allocated, judgement)
            if changes:
                telling.changes += changes
                child.told |= {it.alert.about: it.alert for it in changes}
                telling.told[name] = encode_alerts(list(child.told.values()))
            following = min(_next(of_child, judgement.day), allocated.next)
            telling.deadlines[name] = AT_ONCE if must_wait else following
        return telling

    def _news(
        self,
        name: str,
        child: Child,
        runs: OfChild,
        allocated: "_Allocations",
        judgement: Judgement,
    ) -> tuple[list[Told], bool]:
        """What is new of a child's alerts, and whether some of it must wait."""
        if not runs and not child.told:
            return [], False
        changes: list[Told] = []
        must_wait = False
        now = {it.about: it for it in self._true_of(runs, allocated, judgement.day)}
        for about, alert in now.items():
            told = child.told.get(about)
            if is_raised(told, alert) and judgement.is_withheld(name):
                must_wait = True
                continue
            following = succeed(told, alert)
            if following is not None:
                changes.append(Told(name, following, told.state if told else None))
        for about in child.told.keys() - now.keys():
            told = child.told[about]
            if told.is_void:  # it was ended like that before
                continue
            following = end(
                told, self._why_gone(told, child.record.events, judgement.day), judgement.day
            )
            if following is not None:
                changes.append(Told(name, following, told.state))
        return changes, must_wait

    def _true_of(self, runs: OfChild, allocated: "_Allocations", day: int) -> Iterator[Alert]:
        """What is true of one child's alerts on a day, as if none had been told."""
        for case, of_case in runs.items():
            for (position, episode), of_alert in of_case.items():
                begun = [run for run in of_alert if run.begin <= day]
                if begun:
                    standard = self._standards[position]
                    holder = allocated.latest(case, standard.service)
                    yield self._alert(case, standard, episode, begun[-1], holder, day)

    def _alert(
        self,
        case: str,
        standard: Standard,
        episode: int,
        run: Run,
        holder: Mapping[str, Any],
        day: int,
    ) -> Alert:
        state, since = run.on(day)
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
        )

    def _why_gone(self, told: Alert, events: Iterable[Event], day: int) -> Reason:
        """Why an alert that was told does not follow from the facts of a day."""
        standard = self._by_code.get(told.standard)
        if standard is None:
            return "withdrawn"
        known = in_order(it for it in events if it.subject == told.case and it.day <= day)
        received = next((it.day for it in known if it.type == "notification.received"), None)
        if received is None:
            return "retracted"
        return _ended_by(told, standard, known, received) if told.is_active else "corrected"


def _ended_by(told: Alert, standard: Standard, known: list[Event], received: int) -> Reason:
    """What ended an active alert that, going by days, had not begun: it did so on the same day.

    `known` are the case's events up to now, in order.
    """
    allocated = [it for it in known if it.type == "case.allocated"]
    done = _done(standard, known, allocated, received) if standard.milestone else None
    if done is not None:
        return "done-late" if told.state == "breached" and done >= told.since else "done"
    statuses = [it for it in known if it.type in STATUSES and it.day >= received]
    if statuses and statuses[-1].type == "case.closed":
        return "closed"
    if allocated and allocated[-1].data["service"] != standard.service:
        return "transferred"
    return "corrected"


def _done(
    standard: Standard, known: list[Event], allocated: list[Event], received: int
) -> int | None:
    """The day on which the milestone of a standard was reached; None if it was not."""
    kind = MILESTONES[standard.milestone or ""]
    receipt = start = received
    if standard.milestone_day != standard.milestone:
        to_service = (it.day for it in allocated if it.data["service"] == standard.service)
        receipt = start = max(next(to_service, received), received)
    if standard.milestone == "worker":
        ahead = calendar().working_days_before(np.array([receipt]), WORKER_AHEAD)
        start = max(int(ahead[0]), received)
    day = next((it.day for it in known if it.type == kind and it.day >= start), None)
    return None if day is None else max(day, receipt)


class _Allocations:
    """Whom a child's cases were given to, up to a day.

    `next` is the first later day on which one is given to someone, NEVER if on none.
    """

    def __init__(self, events: Iterable[Event], day: int) -> None:
        found = [it for it in events if it.type == "case.allocated"]
        self._events = in_order(it for it in found if it.day <= day)
        self.next = min((it.day for it in found if it.day > day), default=NEVER)

    def latest(self, case: str, service: str) -> Mapping[str, Any]:
        """What the latest allocation of a case to a service says."""
        for event in reversed(self._events):
            if event.subject == case and event.data["service"] == service:
                return event.data
        return {}


def _next(runs: OfChild, day: int) -> int:
    """The first later day on which an alert of a child changes if no event comes."""
    return min(
        (next_change(of_alert, day) for of_case in runs.values() for of_alert in of_case.values()),
        default=NEVER,
    )
