"""Releases and their differences as people and programs read them: tables, JSON and CSV."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from rich import box
from rich.table import Table
from rich.text import Text

from schemas.catalogue import Catalogue
from schemas.outward import csv_text, for_json
from schemas.release import Cause, Release, ReleaseCell
from schemas.scorecard import ScorecardRow
from snapshots.checking.comments import ChangedComment
from snapshots.checking.differences import FigureDifference
from snapshots.releases.chain import Sealed
from streams.terminal.tables.scorecards import as_tables

SHOWN_DIGITS = 12
FIELDS = ["code", "area", "age_band", "field", "before", "after", "by", "events", "level"]


class Explained(NamedTuple):
    """A difference and, by field, the events behind it."""

    difference: FigureDifference
    causes: Mapping[str, tuple[Cause, ...]]

    @property
    def shown_fields(self) -> list[str]:
        """The fields that differ; of a count only its value, of which the rest are repetitions."""
        before, after = self.difference.before, self.difference.after
        is_count = all(it is None or it.numerator == it.value for it in (before, after))
        left_out = {"numerator", "denominator"} if is_count else set()
        return [field for field in self.difference.fields if field not in left_out]


def releases_table(chain: Iterable[Sealed]) -> Table:
    """Releases, a line each; by whom and why in what is left of the width."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("release", "kind", "released"):
        table.add_column(name, no_wrap=True)
    table.add_column("changes", justify="right", no_wrap=True)
    table.add_column("SHA-256", no_wrap=True)
    table.add_column("by, and why", overflow="fold")
    for sealed in chain:
        it = sealed.release
        table.add_row(
            sealed.name,
            it.kind,
            str(it.released_on),
            f"{len(it.changes):,}",
            sealed.sha256[:SHOWN_DIGITS],
            Text(f"{it.author}: {it.reason}"),
        )
    return table


def release_tables(release: Release, width: int) -> list[Table]:
    """A release's figures in the layout of the live scorecard."""
    titles = {indicator.code: indicator.title for indicator in release.indicators}
    levels = {area.name: area.level for area in release.areas.area}
    rows = [
        ScorecardRow(
            title=titles[it.code],
            level=it.level or levels[it.area],
            **it.model_dump(exclude={"level"}),
        )
        for it in release.cells
    ]
    # Only what is shown: one of format 1 does not have the measures.
    shown = Catalogue.model_construct(
        direction=release.direction_scheme, measure=(), indicator=release.indicators
    )
    return as_tables(rows, shown, width)


def cells_csv(release: Release) -> str:
    """A release's cells as CSV with a header."""
    names = [*(it for it in ReleaseCell.model_fields if it != "level"), "level"]
    return _csv(names, (it.model_dump() for it in release.cells))


def differences_table(found: Sequence[Explained]) -> Table:
    """Cells that differ, a line for each field, and how many events are behind it."""
    table = Table("code", "area", "age band", "field", box=box.SIMPLE_HEAD)
    for name in ("before", "after", "by", "events"):
        table.add_column(name, justify="right")
    for it in found:
        for field in it.shown_fields:
            row = _row(it, field)
            said = (_shown(row[name]) for name in FIELDS[: FIELDS.index("events")])
            table.add_row(*said, f"{len(row['events']):,}")
    return table


def causes_table(found: Sequence[Explained]) -> Table:
    """The events behind differences, each once."""
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("event", "revision", "source", "id", "subject", "where"):
        table.add_column(name, overflow="fold")
    causes = {cause for it in found for behind in it.causes.values() for cause in behind}
    for it in sorted(causes, key=lambda it: (it.topic, it.partition, it.offset)):
        where = f"{it.topic}[{it.partition}]@{it.offset}"
        names = (it.type, str(it.revision), it.source, it.id, it.subject, where)
        table.add_row(*map(Text, names))
    return table


def comments_table(found: Sequence[ChangedComment]) -> Table:
    """Comments that differ, before and after."""
    table = Table("comment on", "before", "after", box=box.SIMPLE_HEAD)
    for it in found:
        table.add_row(*map(Text, (it.about, it.before or "none", it.after or "none")))
    return table


def differences_json(found: Sequence[Explained], comments: Sequence[ChangedComment]) -> str:
    """Differences as a JSON array, an element for each field of a cell, with their events.

    Then one for each comment, whose field is `commentary`.
    """
    rows = [*_rows(found), *map(_comment_row, comments)]
    return for_json(json.dumps(rows, indent=1, ensure_ascii=False))


def differences_csv(found: Sequence[Explained], comments: Sequence[ChangedComment]) -> str:
    """Differences as CSV, a line for each field of a cell; events by their place in the log.

    Then a line for each comment, whose field is `commentary`.
    """
    rows = (
        {**row, "events": " ".join(_place(event) for event in row["events"])}
        for row in (*_rows(found), *map(_comment_row, comments))
    )
    return _csv(FIELDS, rows)


def _rows(found: Iterable[Explained]) -> Iterator[dict[str, Any]]:
    return (_row(it, field) for it in found for field in it.difference.fields)


def _comment_row(it: ChangedComment) -> dict[str, Any]:
    said = {"field": "commentary", "before": it.before or None, "after": it.after or None}
    where = {"code": it.code, "area": it.area, "age_band": None, "level": ""}
    return {**where, **said, "by": None, "events": []}


def _row(explained: Explained, field: str) -> dict[str, Any]:
    cell = explained.difference.cell
    before = getattr(explained.difference.before, field, None)
    after = getattr(explained.difference.after, field, None)
    return {
        "code": cell.code,
        "area": cell.area,
        "age_band": cell.age_band,
        "field": field,
        "before": before,
        "after": after,
        "by": _by(before, after),
        "events": [cause.model_dump() for cause in explained.causes.get(field, ())],
        "level": cell.level,
    }


def _by(before: object, after: object) -> int | float | None:
    """How much more there is after than before, of numbers; to one decimal, as they are."""
    if isinstance(before, int | float) and isinstance(after, int | float):
        return round(after - before, 1)
    return None


def _place(event: dict[str, Any]) -> str:
    return f"{event['topic']}[{event['partition']}]@{event['offset']}"


def _shown(value: object) -> str:
    return "" if value is None else str(value)


def _csv(names: list[str], rows: Iterable[dict[str, Any]]) -> str:
    return csv_text([names, *([row[name] for name in names] for row in rows)])
