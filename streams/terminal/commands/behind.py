"""Commands about one cell of the scorecard: what is behind it, and how it came about."""

import json
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from redis.asyncio import Redis
from rich import box
from rich.table import Table

from processors.behind.counted_rows import Question
from processors.behind.listing import Listed
from processors.days.calendar import day_number
from processors.figures import asking
from processors.figures.evaluate import AsOf, given
from processors.figures.supplies import SuppliedFigure
from processors.rules import Rules
from schemas.catalogue import ALL_AGES, BANDS, Indicator
from schemas.outward import csv_text
from schemas.places import Place
from schemas.settings import Settings
from streams.jobs.replay import Replay
from streams.jobs.series_rows import as_number
from streams.state.reading import read_known, read_list
from streams.terminal.commands.figures import feed_lines, show_bad_lines, tell_incomplete
from streams.terminal.console import err, explained, on_redis, out, settings_and_rules
from streams.terminal.selection import AsOfOption, FormatOption, as_options, day_of, known
from streams.terminal.tables.scorecards import RowFormat

NUMBERS = frozenset({"numerator", "denominator", "value", "target"})
# Columns of a table that are never folded.
UNBROKEN = NUMBERS | {"as_of"}
SUPPLIED_COLUMNS = ("numerator", "denominator", "value", "status", "provenance")

CodeArgument = Annotated[str, typer.Argument(help="The indicator, such as EH05.", metavar="CODE")]
PlaceOption = Annotated[
    str | None,
    typer.Option("--place", metavar="NAME", help="The place.", show_default="the top"),
]
LevelOption = Annotated[
    str | None,
    typer.Option("--level", metavar="LEVEL", help="Which kind of place, if names are shared."),
]
BandOption = Annotated[
    str, typer.Option("--age-band", metavar="BAND", help=f"One of {', '.join(BANDS)}.")
]
FileOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--file",
        exists=True,
        dir_okay=False,
        metavar="FILE",
        help="Events to go by, instead of the live tables; repeatable.",
    ),
]


def cases(
    code: CodeArgument,
    place: PlaceOption = None,
    level: LevelOption = None,
    age_band: BandOption = ALL_AGES,
    as_of: AsOfOption = None,
    file: FileOption = None,
    form: FormatOption = RowFormat.TABLE,
) -> None:
    """List the children, cases, people or sessions behind a figure, as of now or any date.

    They add up to the figure's numerator and denominator. Of a figure that is supplied: what was
    supplied, and by whom. Reads every record, so it takes a while where there are many
    children.
    """
    settings, rules = settings_and_rules()
    indicator = indicator_of(rules, code)
    (band,) = known([age_band], BANDS, "--age-band")
    day = day_of(as_of, settings)
    at = place_of(rules, indicator, place or rules.areas.top, level)
    question = Question(indicator, at, band, day_number(day))
    replayed = replayed_from(rules, file) if file else None
    supplied = given(rules, known_on(settings, rules, day, replayed), indicator, at, band)
    if not replayed:
        tell_incomplete(settings, rules, day)
    if supplied or indicator.source == "supplied":
        write_rows(SUPPLIED_COLUMNS, [_supplied(supplied)] if supplied else [], form)
        return
    if replayed:
        found = replayed.behind(question)
    else:

        async def read(redis: Redis) -> list[Listed]:
            rows = read_list(redis, settings.deployment, rules, question)
            return [row async for row in rows]

        found = on_redis(settings, read)
    write_rows(Listed._fields, sorted(found), form)
    if form is RowFormat.TABLE:
        above, below = (sum(it) for it in _sums(found))
        divided = f" of {below:,}" if isinstance(indicator.denominator, dict) else ""
        err.print(f"{indicator.code} of {at.name} as of {day}: {above:,}{divided}.")


def known_on(settings: Settings, rules: Rules, day: date, replayed: Replay | None) -> AsOf:
    """What files say of a date, or the live tables where there are none."""
    if replayed:
        return replayed.as_of(day)
    return on_redis(settings, lambda redis: read_known(redis, settings.deployment, rules, day))


def _supplied(it: SuppliedFigure) -> Sequence[object]:
    parts = (as_number(part) for part in (it.numerator, it.denominator, it.value))
    return [*parts, it.status, it.provenance]


def indicator_of(rules: Rules, code: str) -> Indicator:
    """The indicator of a code. Raises typer.BadParameter."""
    with as_options():
        return asking.indicator_of(rules, code)


def replayed_from(rules: Rules, files: Sequence[Path]) -> Replay:
    """What files say, with bad lines told on standard error."""
    replayed = Replay(rules)
    with explained():
        for path in files:
            _, bad = feed_lines(path, replayed.add)
            show_bad_lines(path, bad)
    return replayed


def place_of(rules: Rules, indicator: Indicator, name: str, level: str | None) -> Place:
    """The place of a name at which the indicator is. Raises typer.BadParameter."""
    with as_options():
        return asking.place_of(rules, indicator, name, level)


def _sums(found: Sequence[Listed]) -> tuple[list[int], list[int]]:
    return [it.numerator for it in found], [it.denominator for it in found]


def write_rows(columns: Sequence[str], rows: Sequence[Sequence[object]], form: RowFormat) -> None:
    """Write rows to standard output; those called NUMBERS are on the right in a table."""
    if form is RowFormat.JSON:
        named = [dict(zip(columns, row, strict=True)) for row in rows]
        sys.stdout.write(json.dumps(named, indent=1) + "\n")
    elif form is RowFormat.CSV:
        sys.stdout.write(csv_text([columns, *rows]))
    else:
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
        for name in columns:
            is_number = name in NUMBERS
            table.add_column(
                name,
                justify="right" if is_number else "left",
                overflow="fold",
                no_wrap=name in UNBROKEN,
            )
        for row in rows:
            table.add_row(*("" if part is None else str(part) for part in row))
        out.print(table)
