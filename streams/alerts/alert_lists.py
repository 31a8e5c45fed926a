"""The alerts that are active, as people and programs look at them, and what was decided of each."""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from redis.asyncio import Redis

from processors.alerts.overview import (
    Overview,
    WantedAlerts,
    day_begins,
    days_overdue,
    is_new,
    overview,
)
from processors.days.calendar import LONDON
from schemas.alerts import CaseChange, IndicatorChange
from schemas.outward import csv_text, for_json
from streams.alerts.actions import Ack, Actions, Silence
from streams.state.open_alerts import JudgedUntil, judged, open_changes

COLUMNS = (
    *("alert", "version", "kind", "standard", "title", "state", "since", "due", "severity"),
    *("owner_kind", "owner", "area", "provider", "service", "team", "child", "case", "episode"),
    *("indicator", "period", "numerator", "denominator", "value", "target"),
    *("acknowledged_by", "acknowledged_until", "silenced_until"),
    *("worker", "breached_from", "days_overdue", "new", "learnt", "stand", "stand_learnt"),
)
WHOLE = slice(None)


class ListedAlert(NamedTuple):
    """An alert as it is now, and what people decided about it."""

    change: CaseChange | IndicatorChange
    ack: Ack | None
    silences: tuple[Silence, ...]

    @property
    def row(self) -> dict[str, Any]:
        """It as one flat record."""
        until = max((it.until for it in self.silences), default=None)
        told = {
            **self.change.model_dump(mode="json"),
            "acknowledged_by": self.ack.by if self.ack else None,
            "acknowledged_until": self.ack.until.isoformat(timespec="seconds")
            if self.ack
            else None,
            "silenced_until": until.isoformat(timespec="seconds") if until else None,
        }
        return {name: told.get(name) for name in COLUMNS}

    @property
    def note(self) -> str:
        """What people decided, in words."""
        notes = [f"acknowledged by {self.ack.by}"] if self.ack else []
        notes += [f"silenced until {moment(it.until)}" for it in self.silences]
        return ", ".join(notes)


class Listing(NamedTuple):
    """What is listed: the overview, what was decided of each alert, and when it was judged."""

    overview: Overview
    standings: dict[str, ListedAlert]
    judged: JudgedUntil
    today: date


async def listing(
    redis: Redis,
    deployment: str,
    wanted: WantedAlerts,
    now: datetime,
    part: slice = WHOLE,
    make: Callable[[WantedAlerts, date], Awaitable[Overview]] | None = None,
    *,
    of_due_first: bool = False,
) -> Listing:
    """The active alerts asked for: the critical first, then the longest overdue.

    What was decided is looked up for `part` of the cases, and of the figures, or for the cases that
    are due first alone. Who shows some alone, or looks again and again, has an overview to `make`
    of their own.
    """
    today = day_of(now)
    when = await judged(redis, deployment)
    if make is None:
        active = await open_changes(redis, deployment)
        found = overview(active, wanted, today, wanted.since or day_begins(today))
    else:
        found = await make(wanted, today)
    lines = found.due_first if of_due_first else found.cases[part]
    shown: list[CaseChange | IndicatorChange] = [it for line in lines for it in line.alerts]
    if not of_due_first:
        shown += found.indicators[part]
    standings = await decided(redis, deployment, shown, now)
    return Listing(found, {it.change.alert: it for it in standings}, when, today)


async def decided(
    redis: Redis, deployment: str, changes: Iterable[CaseChange | IndicatorChange], now: datetime
) -> list[ListedAlert]:
    """Alerts with what people decided about them that holds now."""
    actions = Actions(redis, deployment)
    acks, silences = await actions.acks(), await actions.in_force(now)
    found = []
    for it in changes:
        ack = acks.get(it.alert)
        holding = ack if ack and ack.covers(it, now) else None
        found.append(ListedAlert(it, holding, tuple(s for s in silences if s.matches(it))))
    return found


def as_json(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as a JSON array."""
    return for_json(json.dumps(list(rows), ensure_ascii=False, indent=1))


def as_csv(rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows as CSV with a header; what is absent is empty."""
    return csv_text([COLUMNS, *([row[name] for name in COLUMNS] for row in rows)])


def rows(found: Listing) -> list[dict[str, Any]]:
    """A row for each alert that is shown, in order."""
    made = []
    for standing in found.standings.values():
        change, row = standing.change, standing.row
        row["new"] = is_new(change, found.overview.new_since)
        if isinstance(change, CaseChange):
            row["days_overdue"] = days_overdue(change, found.today)
        made.append(row)
    return made


def judged_text(found: Listing) -> str:
    """As of when alerts are as they are listed, in words."""
    when = found.judged
    cases = moment(when.cases) if when.cases else "never by all workers"
    latest = moment(when.latest) if when.latest else "none yet"
    indicators = moment(when.indicators) if when.indicators else "never"
    return f"Judged {cases}; events to {latest}. Indicators judged {indicators}."


def staleness(found: Listing) -> list[str]:
    """Why what is listed is not what is true today; nothing where it is."""
    when, said = found.judged, []
    if when.cases is None or day_of(when.cases) != found.today:
        of = f"of {day_of(when.cases)}" if when.cases else "of no day that is known"
        said.append(
            f"today is {found.today}, and alerts on cases are those {of}: is a worker running?"
        )
    if when.indicators and day_of(when.indicators) != found.today:
        said.append(
            f"alerts on indicators are those of {day_of(when.indicators)}: is `caseline alerts "
            "run` running?"
        )
    return said


def day_of(at: datetime) -> date:
    """The day in London of an instant."""
    return at.astimezone(LONDON).date()


def second(at: datetime) -> str:
    """An instant to the second as people in London read it."""
    return f"{at.astimezone(LONDON):%Y-%m-%d %H:%M:%S}"


def moment(at: datetime) -> str:
    """An instant as people in London read it."""
    return f"{at.astimezone(LONDON):%Y-%m-%d %H:%M}"
