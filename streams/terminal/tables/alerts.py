"""Alerts as people and programs look at them: what is active, and how it is tabulated."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from redis.asyncio import Redis
from rich import box
from rich.table import Table
from rich.text import Text

from processors.days.calendar import LONDON
from schemas.alerts import CaseChange, IndicatorChange
from schemas.outward import csv_text, for_json
from streams.alerts.actions import Ack, Actions, Silence
from streams.alerts.messages.digest_text import urgency
from streams.state.open_alerts import open_changes

COLUMNS = (
    *("alert", "version", "kind", "standard", "title", "state", "since", "due", "severity"),
    *("owner_kind", "owner", "area", "provider", "service", "team", "child", "case", "episode"),
    *("indicator", "period", "numerator", "denominator", "value", "target"),
    *("acknowledged_by", "acknowledged_until", "silenced_until"),
)


# What a table shows, and what of it only one of so many columns.
COLUMNS_SHOWN = (
    *("alert", "state", "due", "standard", "about", "owner"),
    *("area", "severity", "note"),
)
WRAPPED = ("standard", "owner", "area", "note")
WIDE = 120
WIDE_ONLY = ("area", "severity", "note")


class Standing(NamedTuple):
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


@dataclass(frozen=True)
class Wanted:
    """Which alerts are asked for; all where a set is empty."""

    standards: frozenset[str] = frozenset()
    states: frozenset[str] = frozenset()
    areas: frozenset[str] = frozenset()
    owners: frozenset[str] = frozenset()
    providers: frozenset[str] = frozenset()
    severities: frozenset[str] = frozenset()
    cases: frozenset[str] = frozenset()

    def has(self, change: CaseChange | IndicatorChange) -> bool:
        """Whether an alert is asked for."""
        case = change.case if isinstance(change, CaseChange) else None
        return all(
            not wanted or has in wanted
            for wanted, has in (
                (self.standards, change.standard),
                (self.states, change.state),
                (self.areas, change.area),
                (self.owners, change.owner),
                (self.providers, change.provider),
                (self.severities, change.severity),
                (self.cases, case),
            )
        )


async def standings(redis: Redis, deployment: str, wanted: Wanted, now: datetime) -> list[Standing]:
    """The active alerts asked for: the critical first, then what was or is due first."""
    changes = [it for it in await open_changes(redis, deployment) if wanted.has(it)]
    return await decided(redis, deployment, sorted(changes, key=urgency), now)


async def decided(
    redis: Redis, deployment: str, changes: Iterable[CaseChange | IndicatorChange], now: datetime
) -> list[Standing]:
    """Alerts with what people decided about them that holds now."""
    actions = Actions(redis, deployment)
    acks, silences = await actions.acks(), await actions.in_force(now)
    found = []
    for it in changes:
        ack = acks.get(it.alert)
        holding = ack if ack and ack.covers(it, now) else None
        found.append(Standing(it, holding, tuple(s for s in silences if s.matches(it))))
    return found


def as_json(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as a JSON array."""
    return for_json(json.dumps(list(rows), ensure_ascii=False, indent=1))


def as_csv(rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows as CSV with a header; what is absent is empty."""
    return csv_text([COLUMNS, *([row[name] for name in COLUMNS] for row in rows)])


def as_table(found: Sequence[Standing], width: int) -> Table:
    """A line for each alert, with less of it where there is less room; ids are whole always."""
    table = Table(box=box.SIMPLE_HEAD, padding=0)
    chosen = COLUMNS_SHOWN if width >= WIDE else [it for it in COLUMNS_SHOWN if it not in WIDE_ONLY]
    for name in chosen:
        wraps = name in WRAPPED
        table.add_column(name, no_wrap=not wraps, min_width=12 if wraps else None, overflow="fold")
    for it in found:
        change = it.change
        line = {
            "alert": change.alert,
            "state": change.state,
            "due": due_text(change),
            "standard": change.standard,
            "about": about(change),
            "owner": change.owner,
            "area": change.area,
            "severity": change.severity,
            "note": it.note,
        }
        style = "bold" if change.state == "breached" else ""
        table.add_row(*(Text(line[name]) for name in chosen), style=style)
    return table


def history_table(changes: Sequence[CaseChange | IndicatorChange]) -> Table:
    """A line for each change of one alert."""
    table = Table("version", "state", "since", "reason", "owner", "due", box=box.SIMPLE_HEAD)
    for it in changes:
        reason = " ".join(filter(None, (it.reason, "(historic)" if it.historic else "")))
        line = (str(it.version), it.state, str(it.since), reason, it.owner, due_text(it))
        table.add_row(*map(Text, line))
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


def about(change: CaseChange | IndicatorChange) -> str:
    """What an alert is about."""
    if isinstance(change, CaseChange):
        return change.case
    return f"{change.indicator} {change.period}"


def due_text(change: CaseChange | IndicatorChange) -> str:
    """The last day that keeps the standard, or an indicator's value and target."""
    if isinstance(change, CaseChange):
        return change.due.isoformat()
    return f"{change.value_text}, target {change.target:g}"


def moment(at: datetime) -> str:
    """An instant as people in London read it."""
    return f"{at.astimezone(LONDON):%Y-%m-%d %H:%M}"
