"""Which rows of a scorecard are asked for, and how they are written."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Annotated

import typer

from processors.figures import asking
from processors.figures.asking import AskedRows, NotThere, RowChoice, check_within_calendar
from processors.figures.figure_text import LEGEND, as_csv, as_json
from processors.rules import Rules
from schemas.catalogue import BANDS
from schemas.scorecard import ScorecardRow, Status
from schemas.settings import Settings
from streams.terminal.console import err, out, the_clock
from streams.terminal.tables.scorecards import RowFormat, as_tables, hides_ratings

NOT_THERE: Status = "not-at-this-level"

AsOfOption = Annotated[
    datetime | None,
    typer.Option(
        "--as-of",
        formats=["%Y-%m-%d"],
        metavar="DATE",
        help="The date the figures are for, such as 2015-10-31.",
        show_default="today",
    ),
]
AreaOption = Annotated[
    list[str] | None, typer.Option("--area", metavar="NAME", help="Only this area; repeatable.")
]
BandOption = Annotated[
    list[str] | None,
    typer.Option("--age-band", metavar="BAND", help=f"Only one of {', '.join(BANDS)}; repeatable."),
]
CodeOption = Annotated[
    list[str] | None,
    typer.Option("--code", metavar="CODE", help="Only this indicator, such as EH05; repeatable."),
]
LevelOption = Annotated[
    list[str] | None,
    typer.Option(
        "--level",
        metavar="LEVEL",
        help="Only places of this kind, such as provider-area or youth-hub; repeatable.",
        show_default="those of the areas",
    ),
]
PlaceOption = Annotated[
    list[str] | None,
    typer.Option(
        "--place",
        metavar="NAME",
        help="Only this place, of whatever kind, such as 'Salus / North'; repeatable.",
    ),
]
ProviderOption = Annotated[
    list[str] | None,
    typer.Option(
        "--provider",
        metavar="NAME",
        help="Only this provider, as a whole and in each area and district; repeatable.",
    ),
]
FamilyOption = Annotated[
    list[str] | None,
    typer.Option("--family", metavar="NAME", help="Only this family of indicators; repeatable."),
]
FormatOption = Annotated[RowFormat, typer.Option("--format", help="How the rows are written.")]


def day_of(as_of: datetime | None, settings: Settings) -> date:
    """The date asked for, today by the deployment's clock if none was.

    Raises typer.BadParameter.
    """
    day = as_of.date() if as_of else the_clock(settings).today()
    with as_options():
        check_within_calendar(day)
    return day


class Selection:
    """The rows asked for, and how they are written. Raises typer.BadParameter."""

    def __init__(self, rules: Rules, asked: AskedRows) -> None:
        with as_options():
            self._choice = RowChoice(rules, asked)
        self._asked, self._rules = asked, rules
        self.levels = self._choice.levels

    def chosen(self, rows: Sequence[ScorecardRow]) -> list[ScorecardRow]:
        """Those of the rows. Raises typer.BadParameter for a place or provider that has none."""
        with as_options():
            return self._choice.chosen(rows)

    def print(self, rows: Sequence[ScorecardRow], form: RowFormat) -> None:
        """Write those of the rows to standard output."""
        chosen = self.chosen(rows)
        if form is RowFormat.JSON:
            sys.stdout.write(as_json(chosen) + "\n")
        elif form is RowFormat.CSV:
            sys.stdout.write(as_csv(chosen))
        else:
            self._print_tables(chosen)

    def _print_tables(self, chosen: Sequence[ScorecardRow]) -> None:
        """Tables of what exists at each place, and of a code that is asked for also elsewhere."""
        elsewhere = {it.code for it in chosen if it.status == NOT_THERE}
        elsewhere -= {it.code for it in chosen if it.status != NOT_THERE}
        is_named = bool(self._asked.codes)
        shown = [it for it in chosen if is_named or it.status != NOT_THERE]
        out.print(*as_tables(shown, self._rules.catalogue, out.width), sep="\n")
        err.print(LEGEND, markup=False)
        if elsewhere and not is_named:
            err.print(
                f"{len(elsewhere)} indicators are figures of other kinds of place, which "
                "`caseline catalogue show CODE` names."
            )
        if hides_ratings(shown, out.width):
            err.print("Targets and ratings are shown in a wider terminal, json and csv.")


def known(asked: list[str] | None, there: Sequence[str], option: str) -> set[str]:
    """What was asked for, all there is if nothing. Raises typer.BadParameter for what is not."""
    with as_options():
        return asking.known(asked, there, option)


@contextmanager
def as_options() -> Iterator[None]:
    """Say of what is not there which option asked for it. Raises typer.BadParameter."""
    try:
        yield
    except NotThere as error:
        option = error.name if error.name.startswith("--") else f"--{error.name}"
        raise typer.BadParameter(str(error), param_hint=option.replace("_", "-")) from error
