"""Commands that show figures: from the live tables, and straight from files."""

import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from redis.asyncio import Redis

from processors.record.quality import OddFact, Oddity
from processors.rules import Rules
from schemas.outward import csv_text, for_json, for_terminal
from schemas.settings import Settings
from streams.jobs.replay import Replay
from streams.kafka.eventfiles import BadLine, Line, read_events
from streams.state.reading import (
    LargeRecord,
    LiveScorecard,
    read_largest,
    read_odd_facts,
    read_scorecard,
)
from streams.terminal.console import err, explained, on_redis, out, progress, settings_and_rules
from streams.terminal.selection import (
    AreaOption,
    Asked,
    AsOfOption,
    BandOption,
    CodeOption,
    FamilyOption,
    FormatOption,
    LevelOption,
    PlaceOption,
    ProviderOption,
    Selection,
    day_of,
)
from streams.terminal.tables.scorecards import Format, largest_table, odd_facts_table

# Bad lines told one by one; the rest are counted.
SHOWN_BAD_LINES = 20

EventFiles = Annotated[
    list[Path],
    typer.Argument(
        exists=True,
        dir_okay=False,
        readable=True,
        help="JSON lines, plain or gzip.",
        metavar="FILE...",
    ),
]


def scorecard(
    as_of: AsOfOption = None,
    area: AreaOption = None,
    age_band: BandOption = None,
    code: CodeOption = None,
    level: LevelOption = None,
    place: PlaceOption = None,
    provider: ProviderOption = None,
    family: FamilyOption = None,
    form: FormatOption = Format.TABLE,
) -> None:
    """Show the scorecard from the live tables, as of now or any date.

    A date in the past gives the figures of that date as they are known now; one in the future,
    what they will be if nothing more happens.
    """
    settings, rules = settings_and_rules()
    day = day_of(as_of, settings)
    asked = Asked(area, age_band, code, level, place, provider, family)
    selection = Selection(rules, asked)
    live = on_redis(
        settings,
        lambda redis: read_scorecard(redis, settings.deployment, rules, day, selection.levels),
    )
    selection.print(live.rows, form)
    if form is Format.TABLE:
        err.print(f"As of {day}. {freshness(live)}")
    tell_notes(live.notes)


def quality(
    as_of: AsOfOption = None,
    kind: Annotated[
        list[Oddity] | None, typer.Option("--kind", help="Only facts of this kind; repeatable.")
    ] = None,
    largest: Annotated[
        int | None,
        typer.Option(
            "--largest", min=1, max=1_000, metavar="N", help="Show the N largest records instead."
        ),
    ] = None,
    form: FormatOption = Format.TABLE,
) -> None:
    """Show facts that are valid but odd: how many of each kind, or (json, csv) every one.

    They are kept, and count as the explanation says. Reads every record, so it takes a while
    where there are many children. A record that is far larger than all others is written whole
    whenever one of its events comes: a key that many children share, or retractions without end.
    """
    settings, rules = settings_and_rules()
    if largest is not None:
        _show_largest(settings, rules, largest, form)
        return
    day = day_of(as_of, settings)

    async def read(redis: Redis) -> list[OddFact]:
        facts = read_odd_facts(redis, settings.deployment, rules, day)
        return sorted({fact async for fact in facts if not kind or fact.kind in kind})

    facts = on_redis(settings, read)
    if form is Format.JSON:
        sys.stdout.write(json.dumps([fact._asdict() for fact in facts], indent=1) + "\n")
    elif form is Format.CSV:
        sys.stdout.write(csv_text([OddFact._fields, *facts]))
    else:
        out.print(odd_facts_table(facts))


def _show_largest(settings: Settings, rules: Rules, most: int, form: Format) -> None:
    found = on_redis(settings, lambda redis: read_largest(redis, settings.deployment, rules, most))
    if form is Format.JSON:
        sys.stdout.write(for_json(json.dumps([it._asdict() for it in found], indent=1)) + "\n")
    elif form is Format.CSV:
        sys.stdout.write(csv_text([LargeRecord._fields, *found]))
    else:
        out.print(largest_table(found))


def freshness(live: LiveScorecard) -> str:
    """What the figures rest on, in words."""
    if live.latest is None:
        return "Live, provisional; no event yet."
    latest = datetime.fromtimestamp(live.latest / 1_000_000, UTC)
    messages = sum(head.tallies.get("messages", 0) for head in live.heads.values())
    return f"Live, provisional; data to {latest:%Y-%m-%d %H:%M} UTC, from {messages:,} messages."


def tell_notes(notes: Sequence[str]) -> None:
    """Say on standard error, whatever the format, why figures may not be all there is to count."""
    for note in notes:
        err.print(note, style="bold red", markup=False, soft_wrap=True)


def replay(
    files: EventFiles,
    as_of: AsOfOption = None,
    area: AreaOption = None,
    age_band: BandOption = None,
    code: CodeOption = None,
    level: LevelOption = None,
    place: PlaceOption = None,
    provider: ProviderOption = None,
    family: FamilyOption = None,
    form: FormatOption = Format.TABLE,
) -> None:
    """Show the scorecard that event files make, without Kafka or Redis.

    The same processors work as in the live stream, so the answer is the same. Bad lines are
    reported on standard error and left out.
    """
    settings, rules = settings_and_rules()
    day = day_of(as_of, settings)
    asked = Asked(area, age_band, code, level, place, provider, family)
    selection = Selection(rules, asked)
    replayed = Replay(rules)
    with explained():
        for path in files:
            _, bad = feed_lines(path, replayed.add)
            show_bad_lines(path, bad)
    selection.print(replayed.rows(day, selection.levels), form)


def feed_lines(path: Path, take: Callable[[list[Line]], None]) -> tuple[int, list[BadLine]]:
    """Hand a file's good lines on, with a progress bar; how many there were, and the bad ones."""
    good, bad = 0, list[BadLine]()
    with progress("bytes") as bar:
        task = bar.add_task(path.name, total=path.stat().st_size)
        for judged in read_events(path):
            take(judged.good)
            good += len(judged.good)
            bad += judged.bad
            bar.update(task, completed=judged.bytes_read)
    return good, bad


def show_bad_lines(path: Path, bad: list[BadLine]) -> None:
    """Report lines that are no events on standard error, with their numbers and reasons."""
    for line in bad[:SHOWN_BAD_LINES]:
        text = f"{path.name}, line {line.number}: {line.rejection.message}"
        sys.stderr.write(for_terminal(text) + "\n")
    if len(bad) > SHOWN_BAD_LINES:
        sys.stderr.write(f"... and {len(bad) - SHOWN_BAD_LINES} more bad lines\n")
