"""What a digest says: what is breached, due soon and newly resolved of one owner's alerts. Pure."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from html import escape
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from processors.alerts.overview import urgency
from schemas.alerts import CaseChange, IndicatorChange, Reason
from schemas.outward import for_mail
from schemas.standards import OwnerKind
from streams.alerts.actions import Ack

COLUMNS = ("case or indicator", "standard", "due", "")
REASONS: Mapping[Reason, str] = {
    "done": "done in time",
    "done-late": "done late",
    "closed": "the case was closed",
    "transferred": "another service has the case",
    "corrected": "the record was corrected",
    "retracted": "the record was retracted",
    "recovered": "better than its target again",
    "too-few": "too few cases to go by",
    "period-ended": "its month or year is over",
    "withdrawn": "the standard is no longer watched",
}

STYLE = (
    "body{font-family:Arial,sans-serif;color:#111;margin:1em;max-width:60em}"
    "h1{font-size:1.3em}h2{font-size:1.1em;margin-top:1.5em}"
    "table{border-collapse:collapse}th,td{border:1px solid #767676;padding:.3em .6em;"
    "text-align:left;vertical-align:top}thead th{background:#eee}tbody th{font-weight:normal}"
)

Owner = tuple[OwnerKind, str]


class DigestLine(NamedTuple):
    """An alert as a digest shows it."""

    subject: str
    standard: str
    due: str
    note: str


class Section(NamedTuple):
    """Alerts under one heading; `more` is how many are not shown."""

    heading: str
    lines: list[DigestLine]
    more: int


class Letter(BaseModel):
    """A digest to one reader. `key` is its Message-ID, the same whenever it is written.

    `told` has the keys of the changes that it tells of.
    """

    model_config = ConfigDict(frozen=True)

    key: str
    to: str
    at: datetime
    subject: str
    text: str
    html: str
    told: tuple[str, ...] = ()


class OwnerDigest(NamedTuple):
    """What one owner is to be told."""

    active: list[CaseChange | IndicatorChange]
    resolved: list[CaseChange | IndicatorChange]


def key_of(deployment: str, day: date, owner: Owner, domain: str) -> str:
    """The Message-ID of an owner's digest of a day."""
    digest = hashlib.sha256("\n".join((deployment, *owner)).encode()).hexdigest()[:16]
    return f"<digest.{day.isoformat()}.{digest}@{domain}>"


def sections(
    listed: OwnerDigest, acks: Mapping[str, Ack], now: datetime, most: int
) -> list[Section]:
    """What is told, most urgent first; empty headings are left out."""
    seen_to = {it.alert for it in listed.active if _ack(acks, it, now)}
    new = [it for it in listed.active if it.alert not in seen_to]
    parts: list[tuple[str, Iterable[CaseChange | IndicatorChange]]] = [
        ("Breached", (it for it in new if it.state == "breached")),
        ("Due soon", (it for it in new if it.state == "due-soon")),
        ("Acknowledged", (it for it in listed.active if it.alert in seen_to)),
        ("Resolved since the last digest", listed.resolved),
    ]
    found = []
    for heading, changes in parts:
        ordered = sorted(changes, key=urgency)
        lines = [_line(it, _ack(acks, it, now)) for it in ordered[:most]]
        if lines:
            found.append(Section(heading, lines, len(ordered) - len(lines)))
    return found


def subject_of(owner: str, listed: OwnerDigest) -> str:
    """What a digest is called: counts, and no case."""
    breached = sum(it.state == "breached" for it in listed.active)
    counts = (
        f"{breached} breached, {len(listed.active) - breached} due soon, "
        f"{len(listed.resolved)} resolved"
    )
    return f"{for_mail(owner)}: {counts}"


def as_text(title: str, parts: Sequence[Section]) -> str:
    """A digest as plain text."""
    lines = [for_mail(title), ""]
    for part in parts:
        lines += [part.heading, "-" * len(part.heading)]
        lines += ["  " + "; ".join(filter(None, line)) for line in part.lines]
        lines += [*_more(part), ""]
    return "\n".join(lines)


def as_html(title: str, parts: Sequence[Section]) -> str:
    """A digest as HTML that a screen reader finds its way in."""
    title = for_mail(title)
    tables = "".join(_table(it, f"part-{number}") for number, it in enumerate(parts, 1))
    return (
        f'<!DOCTYPE html><html lang="en-GB"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><h1>{escape(title)}</h1>{tables}</body></html>"
    )


def _table(part: Section, name: str) -> str:
    heads = "".join(f'<th scope="col">{escape(it or "note")}</th>' for it in COLUMNS)
    rows = "".join(_row(line) for line in part.lines)
    more = "".join(f"<p>{escape(text)}</p>" for text in _more(part))
    return (
        f'<h2 id="{name}">{escape(part.heading)}</h2>'
        f'<table aria-labelledby="{name}"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table>{more}"
    )


def _row(line: DigestLine) -> str:
    rest = "".join(f"<td>{escape(text)}</td>" for text in line[1:])
    return f'<tr><th scope="row">{escape(line.subject)}</th>{rest}</tr>'


def _more(part: Section) -> Iterator[str]:
    if part.more:
        yield f"and {part.more:,} more: see `caseline alerts list`"


def _ack(
    acks: Mapping[str, Ack], change: CaseChange | IndicatorChange, now: datetime
) -> Ack | None:
    ack = acks.get(change.alert)
    return ack if ack and ack.covers(change, now) else None


def _line(change: CaseChange | IndicatorChange, ack: Ack | None) -> DigestLine:
    notes = []
    if change.reason:
        notes.append(REASONS[change.reason])
    if ack:
        notes.append(f"acknowledged by {ack.by} until {_day(ack.until.date())}: {ack.reason}")
    if change.severity == "critical":
        notes.append("critical")
    if isinstance(change, CaseChange):
        subject, due = f"case {change.case}", f"due {_day(change.due)}"
    else:
        place = change.provider or change.area
        subject = ", ".join(filter(None, (change.indicator, place, change.period)))
        due = f"{change.value_text} against {change.target:g}"
    return DigestLine(*map(for_mail, (subject, change.title, due, ", ".join(notes))))


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def by_owner(
    active: Iterable[CaseChange | IndicatorChange],
    resolved: Iterable[CaseChange | IndicatorChange],
    is_read: Callable[[Owner], bool],
) -> dict[Owner, OwnerDigest]:
    """What each owner is to be told, of those that someone reads for."""
    found: dict[Owner, OwnerDigest] = {}
    for index, changes in enumerate((active, resolved)):
        for change in changes:
            owner: Owner = (change.owner_kind, change.owner)
            if is_read(owner):
                found.setdefault(owner, OwnerDigest([], []))[index].append(change)
    return dict(sorted(found.items()))
