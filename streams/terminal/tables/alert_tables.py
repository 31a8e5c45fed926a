"""Alerts as people and programs look at them: what is active, and how it is tabulated."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Any, NamedTuple

from redis.asyncio import Redis
from rich import box
from rich.table import Table
from rich.text import Text

from processors.alerts.overview import (
    CaseLine,
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
from streams.alerts.history import HistoryStep
from streams.state.open_alerts import JudgedUntil, judged, open_changes

COLUMNS = (
    *("alert", "version", "kind", "standard", "title", "state", "since", "due", "severity"),
    *("owner_kind", "owner", "area", "provider", "service", "team", "child", "case", "episode"),
    *("indicator", "period", "numerator", "denominator", "value", "target"),
    *("acknowledged_by", "acknowledged_until", "silenced_until"),
    *("worker", "breached_from", "days_overdue", "new", "learnt", "stand", "stand_learnt"),
)
# From so many columns on each fact of a case has one of its own; below, several share one.
WIDE = 132
# Of an alert's id, so many digits are shown; every command takes them for the whole.
SHOWN_DIGITS = 8
CASE_COLUMNS = (
    ("overdue", "since"),
    ("case", "child", "area"),
    ("team", "worker"),
    ("alerts",),
)


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
    redis: Redis, deployment: str, wanted: WantedAlerts, now: datetime, limit: int | None = None
) -> Listing:
    """The active alerts asked for: the critical first, then the longest overdue."""
    today = now.astimezone(LONDON).date()
    when = await judged(redis, deployment)
    changes = await open_changes(redis, deployment)
    found = overview(changes, wanted, today, wanted.since or day_begins(today))
    shown = [it for line in found.cases[:limit] for it in line.alerts]
    standings = await decided(redis, deployment, [*shown, *found.indicators[:limit]], now)
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


def counts_table(found: Overview) -> Table:
    """How many are breached, due soon and new, by standard and owner, and in all."""
    table = Table("standard", "for", box=box.SIMPLE_HEAD, padding=(0, 1), show_footer=True)
    table.columns[0].footer = "in all"
    for name, total in (
        ("breached", sum(it.breached for it in found.counts)),
        ("due soon", sum(it.due_soon for it in found.counts)),
        ("new", sum(it.new for it in found.counts)),
    ):
        table.add_column(name, justify="right", no_wrap=True, footer=f"{total:,}")
    for column in table.columns[:2]:
        column.overflow = "fold"
    for standard, group in groupby(found.counts, lambda it: it.standard):
        of_standard = list(group)
        if len(of_standard) > 1:
            sums = (sum(column) for column in zip(*(it[3:] for it in of_standard), strict=True))
            table.add_row(*map(Text, (standard, "all", *map(str, sums))), style="bold")
        for it in of_standard:
            numbers = (f"{it.breached:,}", f"{it.due_soon:,}", f"{it.new:,}")
            name = "" if len(of_standard) > 1 else standard
            table.add_row(*map(Text, (name, it.owner, *numbers)))
    return table


def cases_table(found: Listing, width: int, limit: int | None) -> Table:
    """A line for each case; where there is less room, facts that share a column, and none less."""
    columns: Sequence[tuple[str, ...]] = CASE_COLUMNS
    if width >= WIDE:
        columns = [(name,) for group in columns for name in group]
    below = 0 if width >= WIDE else 1
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, below, 1), collapse_padding=True)
    for group in columns:
        # What is shorter than this is whole; the rest is folded, never cut.
        least = {"overdue": 10 if len(group) > 1 else 7, "since": 10}.get(group[0])
        table.add_column("\n".join(group), overflow="fold", min_width=least)
    for line in found.overview.cases[:limit]:
        cells = _cells(line, found)
        style = "bold" if line.first.state == "breached" else ""
        texts = ("\n".join(cells[name] for name in group) for group in columns)
        table.add_row(*map(Text, texts), style=style)
    return table


def _cells(line: CaseLine, found: Listing) -> dict[str, str]:
    first, overdue = line.first, line.days_overdue(found.today)
    since = line.breached_since
    return {
        "overdue": f"{overdue}d" if overdue else "not yet",
        "since": str(since or first.since),
        "case": first.case,
        "child": first.child,
        "area": first.area,
        "team": first.team or first.provider or "-",
        "worker": line.worker or "-",
        "alerts": "\n".join(_alert_text(it, found) for it in line.alerts),
    }


def _alert_text(change: CaseChange, found: Listing) -> str:
    """An alert in a line: which, how it stands, and what was decided about it."""
    if change.state == "breached":
        parts = [f"{change.standard} breached {days_overdue(change, found.today)}d"]
    else:
        parts = [f"{change.standard} due {change.due}"]
        if change.due < found.today and change.breached_from:
            parts.append(f"breached from {change.breached_from}")
    parts += _marks(change, found)
    return f"{change.alert[:SHOWN_DIGITS]} {', '.join(parts)}"


def _marks(change: CaseChange | IndicatorChange, found: Listing) -> Iterator[str]:
    if is_new(change, found.overview.new_since):
        yield "new"
    if change.severity != "warning":
        yield change.severity
    if note := found.standings[change.alert].note:
        yield note


def indicators_table(found: Listing, limit: int | None) -> Table:
    """A line for each alert on an indicator."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), collapse_padding=True)
    for name in ("indicator", "place", "value", "target", "since", "alert"):
        table.add_column(name, overflow="fold", no_wrap=name in {"target", "since"})
    for it in found.overview.indicators[:limit]:
        alert = ", ".join((f"{it.alert[:SHOWN_DIGITS]} {it.state}", *_marks(it, found)))
        place, target = it.provider or it.area, f"{it.target:g}"
        line = (it.subject, place, it.value_text, target, str(it.since), alert)
        table.add_row(*map(Text, line), style="bold" if it.state == "breached" else "")
    return table


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


def history_table(steps: Sequence[HistoryStep]) -> Table:
    """A line for each change of one alert, with when it was learnt, and sent to whom."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    for name in ("version", "state", "since", "owner", "due", "learnt and sent"):
        table.add_column(name, overflow="fold", no_wrap=name in {"version", "since"})
    for change, published, taken in steps:
        state = (change.state, change.reason, "historic" if change.historic else None)
        times = [("learnt", change.learnt), ("to the topic", published)]
        told = [f"{what} {second(at)}" for what, at in times if at]
        told += [
            f"to {name} {second(datetime.fromisoformat(at)) if at else ''}"
            for name, at in taken.items()
        ]
        line = (str(change.version), ", ".join(filter(None, state)), str(change.since))
        table.add_row(*map(Text, (*line, change.owner, due_text(change), "\n".join(told))))
    return table


def silences_table(silences: Sequence[Silence], now: datetime) -> Table:
    """A line for each silence."""
    names = ("id", "what", "from", "until", "by", "reason", "")
    table = Table(*names, box=box.SIMPLE_HEAD)
    for it in silences:
        ended = f"ended by {it.ended_by}" if it.ended_by else "expired"
        holds = "" if it.holds(now) else ended
        line = (it.id, matched(it), moment(it.at), moment(it.until), it.by, it.reason, holds)
        table.add_row(*map(Text, line))
    return table


def matched(silence: Silence) -> str:
    """What a silence is about, in words."""
    parts = {
        "standard": silence.standards,
        "owner": silence.owners,
        "area": silence.areas,
        "provider": silence.providers,
        "severity": silence.severities,
        "alert": silence.alerts,
    }
    return ", ".join(f"{name} {' or '.join(it)}" for name, it in parts.items() if it)


def due_text(change: CaseChange | IndicatorChange) -> str:
    """The last day that keeps the standard, or an indicator's value and target."""
    if isinstance(change, CaseChange):
        return change.due.isoformat()
    return f"{change.value_text}, target {change.target:g}"


def second(at: datetime) -> str:
    """An instant to the second as people in London read it."""
    return f"{at.astimezone(LONDON):%Y-%m-%d %H:%M:%S}"


def moment(at: datetime) -> str:
    """An instant as people in London read it."""
    return f"{at.astimezone(LONDON):%Y-%m-%d %H:%M}"
