"""The command that looks ahead: how many cases breach each standard if nothing happens."""

import json
import sys
from datetime import date, datetime, timedelta
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from processors.days.calendar import LAST_YEAR
from processors.places.forecast import DAYS_AHEAD, Forecast, chosen, forecast
from schemas.outward import csv_text
from streams.state.reading import read_stocks
from streams.terminal.commands.figures import tell_incomplete
from streams.terminal.console import err, on_redis, out, settings_and_rules, the_clock
from streams.terminal.selection import FormatOption, known
from streams.terminal.tables.scorecards import RowFormat

OnOption = Annotated[
    list[datetime] | None,
    typer.Option(
        "--on",
        formats=["%Y-%m-%d"],
        metavar="DATE",
        help="A later date; repeatable. In 7, 14 and 28 days if none is given.",
    ),
]
AreaOption = Annotated[
    list[str] | None,
    typer.Option("--area", metavar="NAME", help="Only this area; repeatable.", show_default="all"),
]
ProviderOption = Annotated[
    list[str] | None,
    typer.Option("--provider", metavar="NAME", help="Only this provider; repeatable."),
]
StandardOption = Annotated[
    list[str] | None,
    typer.Option("--standard", metavar="CODE", help="Only this standard; repeatable."),
]


def show_forecast(
    on: OnOption = None,
    area: AreaOption = None,
    provider: ProviderOption = None,
    standard: StandardOption = None,
    form: FormatOption = RowFormat.TABLE,
) -> None:
    """Forecast how many open cases will breach each standard by a date if nothing happens.

    Nothing is estimated: it is what follows from the events so far, as if none came any more.
    """
    settings, rules = settings_and_rules()
    today = the_clock(settings).today()
    days = sorted({it.date() for it in on or ()}) or [
        today + timedelta(days=ahead) for ahead in DAYS_AHEAD
    ]
    early = [str(day) for day in days if day <= today]
    if early:
        raise typer.BadParameter(f"{', '.join(early)}: not after today", param_hint="--on")
    if days[-1].year > LAST_YEAR:
        raise typer.BadParameter(f"{days[-1]}: not before {LAST_YEAR + 1}", param_hint="--on")
    known(area, rules.areas.names, "--area")
    known(standard, [it.code for it in rules.standards.standard], "--standard")
    stocks = on_redis(
        settings, lambda redis: read_stocks(redis, settings.deployment, rules, [today, *days])
    )
    tell_incomplete(settings, rules, today)
    now, *later = stocks.by_date
    rows = forecast(rules, now, list(zip(days, later, strict=True)))
    known(provider, sorted({row.provider for row in rows if row.provider}), "--provider")
    shown = chosen(rows, standard or (), area or (), provider or ())
    if form is RowFormat.JSON:
        sys.stdout.write(json.dumps([_record(row) for row in shown], indent=1) + "\n")
    elif form is RowFormat.CSV:
        sys.stdout.write(_as_csv(shown, days))
    else:
        out.print(_as_table(shown, days))
        err.print(f"Cases in breach now, {today}, and on later dates if nothing happens.")


def _record(row: Forecast) -> dict[str, object]:
    later = {str(day): count for day, count in row.later.items()}
    return {**row._asdict(), "later": later}


def _as_csv(rows: list[Forecast], days: list[date]) -> str:
    head = ["standard", "title", "area", "provider", "now", *days]
    lines = (
        [row.standard, row.title, row.area, row.provider, row.now, *row.later.values()]
        for row in rows
    )
    return csv_text([head, *lines])


def _as_table(rows: list[Forecast], days: list[date]) -> Table:
    table = Table("standard", "place", box=box.SIMPLE_HEAD)
    for name in ("now", *map(str, days)):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        later = [f"{count:,} (+{count - row.now:,})" for count in row.later.values()]
        later = [text.replace("+-", "-") for text in later]
        table.add_row(row.standard, row.provider or row.area, f"{row.now:,}", *later)
    return table
