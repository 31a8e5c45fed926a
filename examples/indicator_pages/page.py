"""The text of a reference page, from the catalogue, the print and an example alone."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from processors.figures.evaluate import shown
from processors.figures.figure_text import value_text
from processors.rules import Rules
from schemas.catalogue import AnyMeasure, Indicator, PopulationOf, WorkforceOf
from schemas.places import Place
from streams.terminal.commands.catalogue import COMPARED, rated

from .example import Example
from .printed import Printing
from .stories import Happening, lines, read
from .words import rests_on, told

FREQUENCIES = {
    "M": "monthly",
    "Q": "quarterly",
    "T": "termly",
    "A": "annual",
    "R12M": "rolling 12 months",
    "YTD": "year to date",
    "to-date": "to date",
}
POLARITIES = {"H": "higher is better", "L": "lower is better", "T": "nearer the target is better"}
UNITS = {
    "count": "count",
    "percent": "percentage",
    "rate": "rate",
    "days": "days",
    "ratio": "ratio",
}
SHOWN_AS = {
    "share": "as shares of the whole",
    "count": "as counts",
    "value": "as the indicator itself",
    "none": "none",
}
SCORECARDS = {
    "ehps-2015-10-areas.csv": "Early Help and Preventative Services, October 2015, by area",
    "ehps-2015-trend.csv": "Early Help and Preventative Services, October 2015, trends",
    "commissioned-2017-06.csv": "Early Help Commissioning Services, June 2017",
}
FOOT = (
    "[All indicators](README.md), [the words used](../indicators.md#words), "
    "[the events](../events.md)."
)
EVENTS = re.compile(r"```json\n(.*?)```", re.DOTALL)


def page(
    rules: Rules,
    indicator: Indicator,
    as_of: date,
    example: Example,
    printings: Sequence[Printing],
) -> str:
    """The page of an indicator."""
    parts = [
        f"# {indicator.code}: {indicator.title}",
        indicator.definition,
        _table(("", ""), _facts(rules, indicator)),
        "## Rule",
        *_rule(rules, indicator),
        "## Worked example",
        *_worked(indicator, as_of, example),
        "## In print",
        _printed(rules, printings),
        FOOT,
    ]
    return "\n\n".join(parts) + "\n"


def events_of(text: str) -> list[Happening]:
    """The events of a page's example."""
    found = EVENTS.search(text)
    return read(found[1].splitlines()) if found else []


def place_of(text: str, level: str) -> Place:
    """The place, of a level, that a page's example is of."""
    said = text.split("As of ", 1)[1].split(f" ({level})", 1)[0]
    return Place(level, said.split(", ", 1)[1])


def name_of(indicator: Indicator) -> str:
    """The name of an indicator's page."""
    return f"{indicator.code}.md"


def _facts(rules: Rules, indicator: Indicator) -> Iterator[tuple[str, str]]:
    catalogue = rules.catalogue
    supplied = "supplied by others" if indicator.source == "supplied" else "computed from events"
    yield "family", indicator.family
    yield "figures", supplied
    yield "events", ", ".join(f"`{it}`" for it in rests_on(catalogue, indicator))
    yield "unit", UNITS[indicator.unit]
    yield "frequency", FREQUENCIES[indicator.frequency]
    yield "polarity", f"{indicator.polarity}: {POLARITIES[indicator.polarity]}"
    yield "places", ", ".join(indicator.levels)
    yield "age bands", SHOWN_AS[indicator.bands]
    yield "compared", COMPARED[catalogue.scheme_of(indicator).direction]
    yield "rated", rated(catalogue, indicator)
    yield "shown", "live and in releases" if indicator.released else "live"


def _rule(rules: Rules, indicator: Indicator) -> Iterator[str]:
    if indicator.source == "supplied":
        yield (
            "What comes as `measure.supplied` for the place and the month, or else for the year "
            "from April. It is never carried forward. Where nothing came it is *to be supplied*; "
            "where a supplier says that it has none, *not available*."
        )
        return
    yield "**Counts:**"
    yield _terms(rules, indicator.numerator)
    if indicator.denominator is not None:
        yield f"**Of:**{_below(indicator)}"
    if isinstance(indicator.denominator, dict):
        yield _terms(rules, indicator.denominator)
    if indicator.scale != 1:
        yield f"The first over the second, times {indicator.scale:,}."


def _below(indicator: Indicator) -> str:
    denominator = indicator.denominator
    if denominator == "population":
        return (
            " the population aged 0 to 18 of the place, or of the age band there, in the latest "
            "estimate of a year that is not after the month's."
        )
    if isinstance(denominator, PopulationOf):
        group = "" if denominator.group == "all" else f" in the group `{denominator.group}`"
        return (
            f" the population aged {denominator.ages.replace('-', ' to ')}{group} of the place, in "
            "the latest estimate of a year that is not after the month's."
        )
    if isinstance(denominator, WorkforceOf):
        return (
            f" the full-time equivalents that the provider reported last for `{denominator.fte}` "
            "there, or else for all its services."
        )
    return " what is counted of the district that the place lies in." * bool(
        indicator.denominator_of
    )


def _terms(rules: Rules, terms: dict[str, int]) -> str:
    measures = {slot: it for it in rules.catalogue.measure for slot in it.slots}
    return "\n".join(_term(rules, name, measures[name]) for name in terms)


def _term(rules: Rules, slot: str, measure: AnyMeasure) -> str:
    what, *asked = told(rules.catalogue, measure)
    summed = ""
    if slot != measure.name and slot.endswith(".days"):
        summed = "the days between, added up: "
    return f"- {summed}{what}" + "".join(f"\n  - {it}" for it in asked)


def _worked(indicator: Indicator, as_of: date, example: Example) -> Iterator[str]:
    figure = example.figure
    value = value_text(indicator, shown(indicator, figure.value))
    above, below = _number(figure.numerator), _number(figure.denominator)
    is_divided = indicator.denominator is not None or (
        indicator.source == "supplied" and figure.denominator is not None
    )
    said = f"{above} of {below}, which is {value}" if is_divided else value
    yield f"As of {as_of:%d %B %Y}, {example.place.name} ({example.place.level}): **{said}**."
    yield _table(("when", "what happened", "of", "it says"), map(_told, _ordered(example.events)))
    if example.behind:
        yield "What is counted, as `caseline cases` lists it:"
        has_both = isinstance(indicator.denominator, dict)
        columns = ["of", "case or session", "counts", *(["of which"] if has_both else [])]
        yield _table(
            columns,
            (
                [it.child, it.subject or "-", f"{it.numerator}", f"{it.denominator}"][
                    : len(columns)
                ]
                for it in example.behind
            ),
        )
    yield "The events as a file, for `caseline replay`:"
    yield "```json\n" + "\n".join(lines(example.events)) + "\n```"


def _ordered(events: Iterable[Happening]) -> list[Happening]:
    return sorted(events, key=lambda it: it.on)


def _told(event: Happening) -> tuple[str, ...]:
    data = ", ".join(f"{name} {_said(it)}" for name, it in event.data.items())
    of = event.key if event.subject == event.key else f"{event.key}: {event.subject}"
    return event.on, f"`{event.type}`", of, data or "-"


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " and ".join(map(str, value))
    return f"*{value}*" if isinstance(value, str) else f"{value}"


def _number(part: object) -> str:
    return "" if part is None else f"{float(part):,g}"  # type: ignore[arg-type]


def _printed(rules: Rules, printings: Sequence[Printing]) -> str:
    if not printings:
        return "Defined, and never printed."
    return _table(
        ("scorecard", "file", "as", "places", "months"),
        (
            (
                SCORECARDS[it.file],
                f"`{it.file}`",
                f"{it.printed_as}, *{it.title}*",
                _places(rules, it.places.split("; ")),
                f"{it.first_month} to {it.last_month}" if it.first_month else "no figures",
            )
            for it in printings
        ),
    )


def _places(rules: Rules, names: list[str]) -> str:
    if set(names) == set(rules.areas.names):
        return f"all {len(names)} areas"
    return "; ".join(names)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    return "\n".join([*head, *(f"| {' | '.join(map(_cell, row))} |" for row in rows)])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
