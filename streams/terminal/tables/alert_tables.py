"""Alerts as tables of the terminal."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

from rich import box
from rich.table import Table
from rich.text import Text

from processors.alerts.overview import CaseLine, Overview, days_overdue, is_new
from schemas.alerts import CaseChange, IndicatorChange
from streams.alerts.actions import Silence
from streams.alerts.alert_lists import Listing, moment, second
from streams.alerts.history import HistoryStep

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
