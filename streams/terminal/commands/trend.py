"""The command `caseline trend`: a figure over time, with what its variation says."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from processors.days.calendar import month_number
from processors.figures.series import CellOf, Dated, Series, months_until
from processors.rules import Rules
from schemas.catalogue import ALL_AGES, BANDS
from schemas.settings import Settings
from streams.jobs.series_by_month import live_series, replayed_series
from streams.jobs.series_rows import MONTH_COLUMNS, TREND_COLUMNS, dated_row, month_row
from streams.jobs.series_words import series_words
from streams.state.reading import read_first_day, read_series
from streams.terminal.commands.behind import (
    BandOption,
    CodeArgument,
    FileOption,
    LevelOption,
    PlaceOption,
    indicator_of,
    place_of,
    replayed_from,
    write_rows,
)
from streams.terminal.commands.figures import tell_incomplete
from streams.terminal.console import err, on_redis, settings_and_rules, the_clock
from streams.terminal.selection import AsOfOption, FormatOption, day_of, known
from streams.terminal.tables.scorecards import RowFormat

# Dates of a trend: eleven years of days, or any history of months.
MOST_STEPS = 4_000
USUAL_STEPS = 13


class Step(StrEnum):
    """How far apart the dates of a trend are."""

    MONTH = "month"
    DAY = "day"


def trend(
    code: CodeArgument,
    place: PlaceOption = None,
    level: LevelOption = None,
    age_band: BandOption = ALL_AGES,
    as_of: AsOfOption = None,
    by: Annotated[Step, typer.Option("--by", help="Month by month, or day by day.")] = Step.MONTH,
    count: Annotated[
        int | None,
        typer.Option(
            "--count",
            min=1,
            max=MOST_STEPS,
            help="How many months, or days.",
            show_default=f"{USUAL_STEPS}",
        ),
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--since", formats=["%Y-%m-%d"], metavar="DATE", help="From the step that holds a date."
        ),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="For as long as there is history.")] = False,
    file: FileOption = None,
    form: FormatOption = RowFormat.TABLE,
) -> None:
    """Show a figure over time, up to now or any date, from all that is known now.

    By month, each figure is of the month's last day, and the last of the date itself; complete
    months have what their variation says, by the limits of the months shown
    (docs/indicators.md, Variation).
    """
    settings, rules = settings_and_rules()
    indicator = indicator_of(rules, code)
    (band,) = known([age_band], BANDS, "--age-band")
    if sum((count is not None, since is not None, all_)) > 1:
        raise typer.BadParameter("one of them at a time", param_hint="--count, --since, --all")
    last, begin = day_of(as_of, settings), since.date() if since else None
    at = place_of(rules, indicator, place or rules.areas.top, level)
    asked = _Asked(settings, rules, (indicator, at, band), file)
    if not file:
        tell_incomplete(settings, rules, last)
    dates = _dates(last, by, count, asked.first_day() if all_ else begin)
    if by is Step.DAY:
        rows = [dated_row(indicator, it) for it in asked.days(dates)]
        write_rows(TREND_COLUMNS, rows, form)
        return
    months = asked.months(dates)
    rows = [month_row(indicator, it) for it in months.months]
    if form is not RowFormat.TABLE:
        write_rows(MONTH_COLUMNS, rows, form)
    else:  # in a table there is room for what is told of the last month alone
        write_rows(MONTH_COLUMNS[:-1], [row[:-1] for row in rows], form)
        for sentence in series_words(months):
            err.print(sentence, markup=False)


class _Asked:
    """A cell of which a trend is asked for, of files or else of the live tables."""

    def __init__(
        self, settings: Settings, rules: Rules, cell: CellOf, files: Sequence[Path] | None
    ) -> None:
        self._settings, self._rules, self._cell = settings, rules, cell
        self._replayed = replayed_from(rules, files) if files else None

    def first_day(self) -> date | None:
        """The first day of the first month in which anything is counted."""
        name, rules = self._settings.deployment, self._rules
        if self._replayed:
            return self._replayed.first_day
        return on_redis(self._settings, lambda redis: read_first_day(redis, name, rules))

    def days(self, dates: Sequence[date]) -> list[Dated]:
        """The figure as of each date."""
        name, rules, cell = self._settings.deployment, self._rules, self._cell
        if self._replayed:
            return self._replayed.series(dates, cell)
        read = on_redis(self._settings, lambda redis: read_series(redis, name, rules, dates, cell))
        return read.figures

    def months(self, dates: Sequence[date]) -> Series:
        """The figure by month, with what its variation says."""
        name, rules, cell = self._settings.deployment, self._rules, self._cell
        today = the_clock(self._settings).today()
        if self._replayed:
            return replayed_series(self._replayed, rules, cell, dates, today)
        (found,) = on_redis(
            self._settings, lambda redis: live_series(redis, name, rules, [cell], dates, today)
        )
        return found


def _dates(last: date, by: Step, count: int | None, first: date | None) -> list[date]:
    """The dates of a trend in order: so many up to the last, or from the step that holds a first.

    Raises typer.BadParameter for more than there may be, or a first that comes after the last.
    """
    if first is not None:
        count = _steps(first, last, by)
        if not 0 < count <= MOST_STEPS:
            raise typer.BadParameter(
                f"{count:,} steps from {first} to {last}: there may be 1 to {MOST_STEPS:,}",
                param_hint="--since, --all, --by",
            )
    steps = count or USUAL_STEPS
    if by is Step.MONTH:
        return months_until(last, steps)
    return [last - timedelta(days=back) for back in range(steps - 1, -1, -1)]


def _steps(first: date, last: date, by: Step) -> int:
    """How many steps there are from the one that holds a date to the last."""
    days = (last - first).days
    return 1 + (days if by is Step.DAY else month_number(last) - month_number(first))
