"""Alerts on cases, the slow way: every day of every case looked at on its own, from the events."""

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple

from tests.reference.cases import Case
from tests.reference.dates import working_days
from tests.reference.identity import in_order, known
from tests.reference.messages import Event

DAY = timedelta(days=1)
# Working days before receipt in which a worker's assignment counts as on the day of receipt.
AHEAD = 5


class Rule(NamedTuple):
    """A service standard: what is to be done, from when, in how long, and when to warn."""

    code: str
    service: str
    since: str
    what: str | None
    limit: int
    is_in_working_days: bool
    warn_at: int


STANDARDS = (
    Rule("unit-contact", "unit", "notification", "contact.made", 10, True, 7),
    Rule("unit-plan", "unit", "notification", "plan.completed", 28, False, 21),
    Rule("unit-20-weeks", "unit", "notification", None, 100, True, 90),
    Rule("family-support-worker", "family-support", "receipt", "worker.assigned", 2, True, 1),
    Rule("family-support-contact", "family-support", "receipt", "contact.made", 10, True, 7),
    Rule("family-support-plan", "family-support", "receipt", "plan.completed", 20, True, 15),
    Rule("family-support-open", "family-support", "receipt", None, 180, False, 166),
    Rule("neet-worker", "neet-support", "receipt", "worker.assigned", 5, True, 3),
    Rule("neet-contact", "neet-support", "receipt", "contact.made", 10, True, 7),
    Rule("neet-plan", "neet-support", "receipt", "plan.completed", 10, True, 7),
    Rule("neet-open", "neet-support", "receipt", None, 84, False, 70),
)

# (child, case, standard, episode)
About = tuple[str, str, str, int]


class Found(NamedTuple):
    """What is true of an alert: its state, since when, when it is due, and why it is over."""

    state: str
    since: date
    due: date
    reason: str | None


class _Day(NamedTuple):
    """A case on one day."""

    is_open: bool
    episode: int
    holder: str | None
    received: date
    receipts: dict[str, date]
    milestones: list[tuple[str, date]]

    def clock(self, rule: Rule) -> date:
        """The day that a rule's time runs from."""
        return self.received if rule.since == "notification" else self.receipts[rule.service]

    def done(self, rule: Rule) -> date | None:
        """The day on which what a rule asks for was done."""
        since = self.clock(rule)
        days = [day for what, day in self.milestones if what == rule.what]
        if rule.what == "worker.assigned":
            is_ahead = [self.received <= it and working_days(it, since) <= AHEAD for it in days]
            days = [max(it, since) for it, ahead in zip(days, is_ahead, strict=True) if ahead]
        return min((day for day in days if day >= since), default=None)


def alerts(events: Iterable[Event], today: date) -> dict[About, Found]:
    """Every alert that was ever on by today, if everything known had been known in time."""
    by_case: dict[tuple[str, str], list[Event]] = {}
    for event in known(events):
        if event["day"] <= today and event["type"] != "population.published":
            by_case.setdefault((event["partitionkey"], event["subject"]), []).append(event)
    found: dict[About, Found] = {}
    for (child, case), of_case in by_case.items():
        for (code, episode), what in _of_case(of_case, today).items():
            found[child, case, code, episode] = what
    return found


def _of_case(events: list[Event], today: date) -> dict[tuple[str, int], Found]:
    found: dict[tuple[str, int], Found] = {}
    changes = {event["day"] for event in events}
    now: _Day | None = None
    day = min(changes)
    while day <= today:
        if day in changes:
            now = _on(events, day)
        if now:
            for rule in STANDARDS:
                _look(found, rule, now, day)
            _end(found, now, day)
        day += DAY
    return found


def _on(events: list[Event], day: date) -> _Day | None:
    """What is known of the case as of a day; None before its first notification."""
    so_far = sorted((event for event in events if event["day"] <= day), key=in_order)
    if not any(event["type"] == "notification.received" for event in so_far):
        return None
    case = Case(so_far, day)
    receipts: dict[str, date] = {}
    holder = None
    for event in so_far:
        if event["type"] == "case.allocated":
            holder = event["data"]["service"]
            receipts.setdefault(holder, max(event["day"], case.received))
    milestones = [(event["type"], event["day"]) for event in so_far]
    episode = _episode(so_far, case.received)
    return _Day(case.closure is None, episode, holder, case.received, receipts, milestones)


def _episode(events: list[Event], received: date) -> int:
    """How many times a case has been open: a closure followed by a reopening begins the next."""
    kinds = [event["type"] for event in events if event["day"] >= received]
    statuses = [kind for kind in kinds if kind in ("case.closed", "case.reopened")]
    return 1 + sum(pair == ("case.closed", "case.reopened") for pair in pairwise(statuses))


def _look(found: dict[tuple[str, int], Found], rule: Rule, now: _Day, day: date) -> None:
    if not now.is_open or now.holder != rule.service or now.done(rule):
        return
    clock = now.clock(rule)
    passed = _passed(rule, clock, day)
    if passed < rule.warn_at:
        return
    state = "breached" if passed > rule.limit else "due-soon"
    before = found.get((rule.code, now.episode))
    since = before.since if before and before.state == state else day
    found[rule.code, now.episode] = Found(state, since, _due(rule, clock), None)


def _end(found: dict[tuple[str, int], Found], now: _Day, day: date) -> None:
    """Resolve what was on yesterday and is not today."""
    rules = {rule.code: rule for rule in STANDARDS}
    for about, what in found.items():
        rule = rules[about[0]]
        done = now.done(rule)
        is_same = now.is_open and now.episode == about[1]
        if what.state == "resolved" or (is_same and now.holder == rule.service and not done):
            continue
        if done:
            is_late = _passed(rule, now.clock(rule), done) > rule.limit
            reason = "done-late" if is_late else "done"
        else:
            reason = "transferred" if is_same else "closed"
        found[about] = Found("resolved", day, what.due, reason)


def _passed(rule: Rule, since: date, day: date) -> int:
    if rule.is_in_working_days:
        return working_days(since, day) if day >= since else -1
    return (day - since).days


def _due(rule: Rule, since: date) -> date:
    """The day, or working day, on which as much has passed as may."""
    due = since
    while _passed(rule, since, due) < rule.limit:
        due += DAY
    return due
