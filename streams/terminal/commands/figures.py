"""Commands that show figures: from the live tables, and straight from files."""

import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from processors.figures.asking import AskedRows
from processors.rules import Rules
from schemas.outward import for_terminal
from schemas.settings import Settings
from streams.jobs.replay import Replay
from streams.kafka.eventfiles import BadLine, EventLine, read_events
from streams.state.reading import LiveScorecard, messages_in, read_scorecard, read_standing
from streams.terminal.console import err, explained, on_redis, progress, settings_and_rules
from streams.terminal.selection import (
    AreaOption,
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
from streams.terminal.tables.scorecards import RowFormat

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
    form: FormatOption = RowFormat.TABLE,
) -> None:
    """Show the scorecard from the live tables, as of now or any date.

    A date in the past gives the figures of that date as they are known now; one in the future,
    what they will be if nothing more happens.
    """
    settings, rules = settings_and_rules()
    day = day_of(as_of, settings)
    asked = AskedRows(area, age_band, code, level, place, provider, family)
    selection = Selection(rules, asked)
    live = on_redis(
        settings,
        lambda redis: read_scorecard(redis, settings.deployment, rules, day, selection.levels),
    )
    selection.print(live.rows, form)
    if form is RowFormat.TABLE:
        err.print(f"As of {day}. {freshness(live)}")
    tell_notes(live.notes)


def freshness(live: LiveScorecard) -> str:
    """What the figures rest on, in words."""
    if live.latest is None:
        return "Live, provisional; no event yet."
    latest = datetime.fromtimestamp(live.latest / 1_000_000, UTC)
    messages = messages_in(live.heads)
    return f"Live, provisional; data to {latest:%Y-%m-%d %H:%M} UTC, from {messages:,} messages."


def tell_notes(notes: Sequence[str]) -> None:
    """Say on standard error, whatever the format, why figures may not be all there is to count."""
    for note in notes:
        err.print(note, style="bold red", markup=False, soft_wrap=True)


def tell_incomplete(settings: Settings, rules: Rules, day: date) -> None:
    """Say why the live figures of a date may not be all there is to count, as `tell_notes` does."""
    standing = on_redis(
        settings, lambda redis: read_standing(redis, settings.deployment, rules, day)
    )
    tell_notes(standing.notes)


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
    form: FormatOption = RowFormat.TABLE,
) -> None:
    """Show the scorecard that event files make, without Kafka or Redis.

    The same processors work as in the live stream, so the answer is the same. Bad lines are
    reported on standard error and left out.
    """
    settings, rules = settings_and_rules()
    day = day_of(as_of, settings)
    asked = AskedRows(area, age_band, code, level, place, provider, family)
    selection = Selection(rules, asked)
    replayed = Replay(rules)
    with explained():
        for path in files:
            _, bad = feed_lines(path, replayed.add)
            show_bad_lines(path, bad)
    selection.print(replayed.rows(day, selection.levels), form)


def feed_lines(path: Path, take: Callable[[list[EventLine]], None]) -> tuple[int, list[BadLine]]:
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
