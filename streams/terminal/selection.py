"""Which rows of a scorecard are asked for, and how they are written."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

import typer

from processors.days.calendar import FIRST_YEAR, LAST_YEAR
from processors.rules import Rules
from schemas.catalogue import BANDS
from schemas.places import PROVIDER
from schemas.scorecard import ScorecardRow, Status
from schemas.settings import Settings
from streams.terminal.console import err, out, the_clock
from streams.terminal.tables.scorecards import (
    LEGEND,
    RowFormat,
    as_csv,
    as_json,
    as_tables,
    hides_ratings,
)

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
    if not FIRST_YEAR < day.year < LAST_YEAR:
        raise typer.BadParameter(
            f"{day}: dates lie within {FIRST_YEAR + 1} to {LAST_YEAR - 1}", param_hint="--as-of"
        )
    return day


@dataclass(frozen=True)
class AskedRows:
    """What a scorecard is asked for; all there is of what is not asked for."""

    areas: list[str] | None = None
    bands: list[str] | None = None
    codes: list[str] | None = None
    levels: list[str] | None = None
    places: list[str] | None = None
    providers: list[str] | None = None
    families: list[str] | None = None


class Selection:
    """The rows asked for; those of the areas where no other place is. Raises typer.BadParameter."""

    def __init__(self, rules: Rules, asked: AskedRows) -> None:
        indicators = rules.catalogue.indicator
        families = known(asked.families, _different(it.family for it in indicators), "--family")
        codes = known(asked.codes, [it.code for it in indicators], "--code")
        self._codes = {it.code for it in indicators if it.family in families and it.code in codes}
        self._areas = known(asked.areas, rules.areas.names, "--area")
        self._bands = known(asked.bands, BANDS, "--age-band")
        self._asked, self._rules = asked, rules
        self.levels = self._levels()
        for code in asked.codes or ():
            self._must_be_at_a_level(code)

    def _levels(self) -> list[str]:
        asked, all_levels = self._asked, self._rules.graph.levels
        if asked.levels:
            chosen = known(asked.levels, all_levels, "--level")
            return [level for level in all_levels if level in chosen]
        if asked.places:
            return all_levels
        if asked.providers:
            return [level for level in all_levels if level.startswith(PROVIDER)]
        return self._rules.areas.levels

    def _must_be_at_a_level(self, code: str) -> None:
        (indicator,) = (it for it in self._rules.catalogue.indicator if it.code == code)
        if not set(indicator.levels).intersection(self.levels):
            raise typer.BadParameter(
                f"{code} is a figure of another kind of place: add --level with one of "
                f"{', '.join(indicator.levels)}",
                param_hint="--code",
            )

    def chosen(self, rows: Sequence[ScorecardRow]) -> list[ScorecardRow]:
        """Those of the rows. Raises typer.BadParameter for a place or provider that has none."""
        places, providers = self._asked.places or [], self._asked.providers or []
        there = {row.area for row in rows}
        known(places, sorted(there), "--place")
        known(providers, sorted({_provider(row) for row in rows} - {""}), "--provider")
        return [row for row in rows if self._is_chosen(row)]

    def _is_chosen(self, row: ScorecardRow) -> bool:
        asked = self._asked
        return (
            row.code in self._codes
            and row.age_band in self._bands
            and (not asked.places or row.area in asked.places)
            and (not asked.providers or _provider(row) in asked.providers)
            and (row.level not in self._rules.areas.levels or row.area in self._areas)
        )

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


def _provider(row: ScorecardRow) -> str:
    """The provider that a row is of; empty for none."""
    return row.area.partition(" / ")[0] if row.level.startswith(PROVIDER) else ""


def _different(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def known(asked: list[str] | None, there: Sequence[str], option: str) -> set[str]:
    """What was asked for, all there is if nothing. Raises typer.BadParameter for what is not."""
    unknown = sorted(set(asked or ()) - set(there))
    if unknown:
        has = f"there are {', '.join(there)}" if there else "there are none"
        raise typer.BadParameter(f"{', '.join(unknown)}: {has}", param_hint=option)
    return set(asked or there)
