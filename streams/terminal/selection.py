"""Which rows of a scorecard are asked for, and how they are written."""

import sys
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated

import typer

from processors.days.calendar import FIRST_YEAR, LAST_YEAR, LONDON
from processors.figures.population import BANDS
from processors.rules import Rules
from schemas.scorecard import ScorecardRow
from streams.terminal.console import err, out
from streams.terminal.tables.scorecards import LEGEND, Format, as_csv, as_json, as_tables

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
FormatOption = Annotated[Format, typer.Option("--format", help="How the rows are written.")]


def day_of(as_of: datetime | None) -> date:
    """The date asked for, today in London if none was. Raises typer.BadParameter."""
    day = as_of.date() if as_of else datetime.now(LONDON).date()
    if not FIRST_YEAR < day.year < LAST_YEAR:
        raise typer.BadParameter(
            f"{day}: dates lie within {FIRST_YEAR + 1} to {LAST_YEAR - 1}", param_hint="--as-of"
        )
    return day


class Selection:
    """The areas, bands and codes asked for; all where none was. Raises typer.BadParameter."""

    def __init__(
        self,
        rules: Rules,
        areas: list[str] | None,
        bands: list[str] | None,
        codes: list[str] | None,
    ) -> None:
        indicators = [indicator.code for indicator in rules.catalogue.indicator]
        self._areas = known(areas, rules.areas.names, "--area")
        self._bands = known(bands, BANDS, "--age-band")
        self._codes = known(codes, indicators, "--code")
        self._rules = rules

    def print(self, rows: Sequence[ScorecardRow], form: Format) -> None:
        """Write those of the rows to standard output."""
        chosen = [
            row
            for row in rows
            if row.area in self._areas and row.age_band in self._bands and row.code in self._codes
        ]
        if form is Format.JSON:
            sys.stdout.write(as_json(chosen) + "\n")
        elif form is Format.CSV:
            sys.stdout.write(as_csv(chosen))
        else:
            out.print(*as_tables(chosen, self._rules.catalogue, out.width), sep="\n")
            err.print(LEGEND, markup=False)


def known(asked: list[str] | None, there: Sequence[str], option: str) -> set[str]:
    """What was asked for, all there is if nothing. Raises typer.BadParameter for what is not."""
    unknown = sorted(set(asked or ()) - set(there))
    if unknown:
        has = f"there are {', '.join(there)}" if there else "there are none"
        raise typer.BadParameter(f"{', '.join(unknown)}: {has}", param_hint=option)
    return set(asked or there)
