"""The command that shows targets: of every indicator and place, several years at once."""

from typing import Annotated

import typer
from redis.asyncio import Redis

from processors.figures.rating import Goals, YearTarget, goals
from processors.record.decoding import Event
from streams.state.reading import read_reference
from streams.terminal.commands.behind import FileOption, replayed_from, write_rows
from streams.terminal.console import on_redis, settings_and_rules
from streams.terminal.selection import AsOfOption, CodeOption, FormatOption, day_of, known
from streams.terminal.tables.scorecards import RowFormat

COLUMNS = ("code", "place", "year", "target", "monthly", "amber")

TargetPlaceOption = Annotated[
    list[str] | None,
    typer.Option("--place", metavar="NAME", help="Only targets of this place; repeatable."),
]


def targets(
    code: CodeOption = None,
    place: TargetPlaceOption = None,
    as_of: AsOfOption = None,
    file: FileOption = None,
    form: FormatOption = RowFormat.TABLE,
) -> None:
    """Show the targets that were set by now or any date: by indicator and place, all years.

    A figure is rated against its year's target, or against the month's where one is set.
    """
    settings, rules = settings_and_rules()
    day = day_of(as_of, settings)
    if file:
        reference = replayed_from(rules, file).reference
    else:

        async def read(redis: Redis) -> list[Event]:
            return (await read_reference(redis, settings.deployment, rules)).events

        reference = on_redis(settings, read)
    found = goals(reference, rules.areas, day, rules.catalogue.target)
    codes = known(code, [it.code for it in rules.catalogue.indicator], "--code")
    places = known(place, sorted({it[1] for it in found}), "--place")
    _write({key: it for key, it in found.items() if key[0] in codes and key[1] in places}, form)


def _write(found: Goals, form: RowFormat) -> None:
    if form is not RowFormat.TABLE:
        rows = [(*key, it.value, it.monthly, it.amber) for key, it in sorted(found.items())]
        write_rows(COLUMNS, rows, form)
        return
    years = sorted({year for _, _, year in found})
    write_rows(
        ("code", "place", *map(str, years)),
        [
            (code, place, *(_shown(found.get((code, place, year))) for year in years))
            for code, place in sorted({(code, place) for code, place, _ in found})
        ],
        form,
    )


def _shown(target: YearTarget | None) -> str:
    if target is None:
        return ""
    monthly = "" if target.monthly is None else f" ({target.monthly:,g} a month)"
    return f"{target.value:,g}{monthly}"
