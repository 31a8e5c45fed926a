"""The catalogue's measures evaluated from scratch, case by case, as of one date.

This is the second of the two computations that have to agree before a release is signed. It knows
no ledger, no tables and no columns: it looks at what was known of a case on the date and asks of
each measure whether the case counts (Indicators, Words).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import NamedTuple

from processors.record.decoding import Event
from schemas.catalogue import AGE_BANDS, Limit, Match, Measure, Start, Window
from snapshots.recount.days import WorkingDays, back, completed_years, month_of

NOTIFIED = "notification.received"
ALLOCATED = "case.allocated"
CLOSED, REOPENED = "case.closed", "case.reopened"
MILESTONES = {"contact": "contact.made", "plan": "plan.completed"}
# Completed years up to which each band of AGE_BANDS but the last two goes.
BAND_ENDS = (4, 10, 15)
UNKNOWN = AGE_BANDS[-1]


class Counted(NamedTuple):
    """One thing a measure may count: a case, or one of its notifications, on the as-of date.

    `days` has those of the days that a measure may name which have come by then.
    """

    days: dict[str, int]
    band: str
    is_closed: bool
    texts: dict[str, str]


class Share(NamedTuple):
    """Where an amount is added: a slot of the catalogue, a leaf area or none, and an age band."""

    slot: str
    leaf: str | None
    band: str


class Definitions:
    """Measures, leaf areas and working days, ready to be asked about cases."""

    def __init__(
        self, measures: Sequence[Measure], leaves: Iterable[str], week: WorkingDays
    ) -> None:
        self._week = week
        self._leaves = frozenset(leaves)
        self._of_notifications = [it for it in measures if it.of == "notification"]
        self._of_cases = {
            is_closed: [
                it
                for it in measures
                if it.of == "case" and it.state in {None, "closed" if is_closed else "open"}
            ]
            for is_closed in (True, False)
        }

    def shares(self, events: Sequence[Event], today: int) -> Iterator[tuple[Share, int]]:
        """What one case adds to each sum as of a day; `events` are the case's, in order."""
        known = [event for event in events if event.day <= today]
        notifications = [event for event in known if event.type == NOTIFIED]
        if not notifications:
            return
        first = notifications[0]
        district = first.data.get("district")
        leaf = district if district in self._leaves else None
        case = _case(known, first)
        for measure in self._of_cases[case.is_closed]:
            yield from self._amounts(measure, case, leaf, today)
        for event in notifications:
            notification = _notification(event, case, first)
            for measure in self._of_notifications:
                yield from self._amounts(measure, notification, leaf, today)

    def _amounts(
        self, measure: Measure, counted: Counted, leaf: str | None, today: int
    ) -> Iterator[tuple[Share, int]]:
        if not counts(measure, counted, today, self._week):
            return
        yield Share(measure.slots[0], leaf, counted.band), 1
        if measure.total:
            span = counted.days[measure.total.end] - counted.days[measure.total.start]
            yield Share(measure.slots[1], leaf, counted.band), span


def cases(events: Iterable[Event]) -> dict[str, list[Event]]:
    """One child's events by case, in order of (time, source, id)."""
    found: dict[str, list[Event]] = defaultdict(list)
    for event in sorted(events, key=lambda event: (event.instant, event.source, event.id)):
        found[event.subject].append(event)
    return found


def _case(known: Sequence[Event], first: Event) -> Counted:
    days = {"received": first.day}
    for name, kind in MILESTONES.items():
        reached = [event.day for event in known if event.type == kind and event.day >= first.day]
        if reached:
            days[name] = reached[0]
    statuses = [
        event for event in known if event.type in {CLOSED, REOPENED} and event.day >= first.day
    ]
    closure = statuses[-1] if statuses and statuses[-1].type == CLOSED else None
    allocated = [event for event in known if event.type == ALLOCATED]
    texts = {}
    if closure is not None:
        days["closed"] = closure.day
        texts["outcome"] = closure.data["outcome"]
        allocated = [event for event in allocated if event.instant <= closure.instant]
    texts["holder"] = allocated[-1].data["service"] if allocated else ""
    return Counted(days, band_of(first, first.day), closure is not None, texts)


def _notification(event: Event, case: Counted, first: Event) -> Counted:
    """A notification: its own day and type, and the case's date of birth and other days."""
    return Counted(
        {**case.days, "notified": event.day},
        band_of(first, event.day),
        case.is_closed,
        {"notification_type": event.data["notification_type"]},
    )


def band_of(notification: Event, day: int) -> str:
    """The band of the completed years on a day, by a notification's date of birth."""
    born = notification.data.get("date_of_birth")
    years = completed_years(date.fromisoformat(born), day) if born is not None else -1
    if years < 0:
        return UNKNOWN
    return AGE_BANDS[sum(years > end for end in BAND_ENDS)]


def counts(measure: Measure, counted: Counted, today: int, week: WorkingDays) -> bool:
    """Whether a measure counts a case or notification today; its `of` and `state` are settled."""
    texts, days = counted.texts, counted.days
    return (
        _passes(measure.holder, texts.get("holder"))
        and _passes(measure.outcome, texts.get("outcome"))
        and _passes(measure.notification_type, texts.get("notification_type"))
        and (measure.window is None or _is_within(measure.window, days, today))
        and all(_has_begun(start, days, today, week) for start in measure.starts)
        and (measure.limit is None or _is_kept(measure.limit, days, week))
    )


def _passes(match: Match | None, text: str | None) -> bool:
    return match is None or (text is not None and match(text))


def _is_within(window: Window, days: dict[str, int], today: int) -> bool:
    day = days.get(window.day)
    if day is None:
        return False
    if window.kind == "last-months":
        return day > back(today, window.months)
    months_since = month_of(today) - month_of(day)
    if window.kind == "month":
        return months_since == 0
    return 1 <= months_since <= window.months


def _has_begun(start: Start, days: dict[str, int], today: int, week: WorkingDays) -> bool:
    day = days.get(start.day)
    if day is None:
        return False
    if start.working_days is None:
        return day + start.days <= today
    return week.between(day + start.days, today) > start.working_days


def _is_kept(limit: Limit, days: dict[str, int], week: WorkingDays) -> bool:
    start, end = days.get(limit.start), days.get(limit.end)
    if start is None or end is None:
        return False
    taken = week.between(start, end) if limit.unit == "working-days" else end - start
    return limit.more_than < taken <= limit.at_most
