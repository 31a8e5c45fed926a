"""Commands about the catalogue: which indicators there are, and what one of them is."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from schemas.areas import load_areas
from schemas.catalogue import Catalogue, Indicator, load_catalogue
from schemas.places import PlaceGraph
from schemas.settings import load_settings
from streams.terminal.console import out, settings_and_rules, usable
from streams.terminal.selection import FamilyOption, FormatOption, known
from streams.terminal.tables.scorecards import RowFormat

COMPARED = {"change": "by the sign of the change", "improvement": "by whether it is better"}
# What a rating is against, and when it is Amber where nothing is tolerated.
AGAINST = {
    "target": ("against its target", "never"),
    "previous": ("against the month before", "if the same"),
}

catalogue = typer.Typer(help="The indicators: which there are, and what each is.")


@catalogue.command("list")
def list_(family: FamilyOption = None, form: FormatOption = RowFormat.TABLE) -> None:
    """List the indicators, by family: what each is in a line, and whether it is computed."""
    _, rules = settings_and_rules()
    indicators = rules.catalogue.indicator
    families = list(dict.fromkeys(it.family for it in indicators))
    chosen = known(family, families, "--family")
    rows = [it for name in families for it in indicators if it.family == name and name in chosen]
    if form is RowFormat.TABLE:
        for name in families:
            if name in chosen:
                out.print(_family_table(name, [it for it in rows if it.family == name]))
    elif form is RowFormat.JSON:
        shown = [it.model_dump(mode="json") for it in rows]
        sys.stdout.write(json.dumps(shown, indent=1) + "\n")
    else:
        sys.stdout.write("code,family,unit,frequency,polarity,source,released,title\n")
        for it in rows:
            parts = it.code, it.family, it.unit, it.frequency, it.polarity, it.source
            released = "yes" if it.released else "no"
            sys.stdout.write(",".join([*parts, released, json.dumps(it.title)]) + "\n")


@catalogue.command()
def show(
    code: Annotated[str, typer.Argument(help="The indicator, such as EH05.", metavar="CODE")],
) -> None:
    """Show one indicator: its definition, where it exists, and the measures that it divides."""
    _, rules = settings_and_rules()
    (chosen,) = known([code], [it.code for it in rules.catalogue.indicator], "CODE")
    (indicator,) = (it for it in rules.catalogue.indicator if it.code == chosen)
    out.print(Text.assemble((indicator.code, "bold"), f" {indicator.title}"))
    out.print(indicator.definition, highlight=False)
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, text in _facts(rules.catalogue, indicator):
        table.add_row(name, text)
    out.print(table)
    for measure in _measures(rules.catalogue, indicator):
        out.print_json(measure)


@catalogue.command()
def check(
    file: Annotated[
        Path | None,
        typer.Argument(exists=True, dir_okay=False, metavar="[FILE]", show_default=False),
    ] = None,
) -> None:
    """Check a catalogue file, or the one that the settings name: every name in it must resolve."""
    with usable("settings"):
        settings = load_settings()
    with usable(f"{file or settings.catalogue_file or 'the catalogue'}"):
        checked = load_catalogue(file or settings.catalogue_file)
        levels = set(PlaceGraph(load_areas(settings.areas_file)).levels)
    for it in checked.indicator:
        known(list(it.levels), sorted(levels), f"levels of {it.code}")
    computed = sum(it.source == "events" for it in checked.indicator)
    out.print(
        f"{len(checked.indicator)} indicators, {computed} of them computed, over "
        f"{len(checked.measure)} measures and {len(checked.relation)} relations: all names resolve."
    )


def _family_table(name: str, indicators: list[Indicator]) -> Table:
    table = Table(title=name, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for column in ("code", "title", "unit", "good", "computed"):
        table.add_column(column, overflow="fold")
    for it in indicators:
        computed = "from events" if it.source == "events" else "supplied"
        table.add_row(it.code, it.title, it.unit, it.polarity, computed)
    return table


def _facts(catalogue: Catalogue, indicator: Indicator) -> list[tuple[str, str]]:
    released = "in releases" if indicator.released else "live alone"
    facts = [
        ("family", indicator.family),
        ("frequency", indicator.frequency),
        ("unit", indicator.unit),
        ("polarity", indicator.polarity),
        ("levels", ", ".join(indicator.levels)),
        ("age bands", indicator.bands),
        ("shown", released),
        ("compared", COMPARED[catalogue.scheme_of(indicator).direction]),
        ("rated", rated(catalogue, indicator)),
    ]
    if indicator.source == "supplied":
        return [*facts, ("figures", "supplied by others, as `measure.supplied`")]
    facts.append(("figures", "computed from events; where they say anything, before any supplied"))
    facts.append(("numerator", _formula(indicator.numerator)))
    if isinstance(indicator.denominator, dict):
        facts.append(("denominator", _formula(indicator.denominator)))
    elif indicator.denominator == "population":
        facts.append(("denominator", "the population of the place and band"))
    elif indicator.denominator is not None:
        facts.append(("denominator", indicator.denominator.model_dump_json()))
    return facts


def rated(catalogue: Catalogue, indicator: Indicator) -> str:
    """What an indicator is rated against, and until where it is Amber, in words."""
    scheme = catalogue.scheme_of(indicator)
    if indicator.polarity == "T":
        return "not: neither more nor less is better"
    if not scheme.rates(indicator.code):
        return "not: shown with its target alone"
    against, least = AGAINST[scheme.rag]
    if indicator.amber is not None:
        return f"{against}; Amber within {indicator.amber:g} of it"
    share = scheme.share_of(indicator.code)
    return f"{against}; Amber within {share:.0%} of it" if share else f"{against}; Amber {least}"


def _formula(terms: dict[str, int]) -> str:
    return " + ".join(name if times == 1 else f"{times} x {name}" for name, times in terms.items())


def _measures(found: Catalogue, indicator: Indicator) -> list[str]:
    """The measures that an indicator rests on, as they are declared."""
    return [
        measure.model_dump_json(exclude_defaults=True, by_alias=True)
        for measure in found.measure
        if indicator.terms.intersection(measure.slots)
    ]
