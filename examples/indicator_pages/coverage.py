"""The coverage table: which codes are computed, supplied or not available, from which events."""

from collections.abc import Iterable, Sequence

from processors.rules import Rules
from schemas.catalogue import Indicator

from .page import SCORECARDS, name_of
from .printed import Printing
from .words import rests_on

HEAD = """# Every indicator

A page for each code: its rule, a worked example that can be run, and where it was printed. The
pages and this table are made from the catalogue, by `python -m examples.indicator_pages`.

- **Computed**: from the events named, which a council may supply instead (`measure.supplied`) if it
  does not stream them.
- **Supplied**: worked out by others. It says *to be supplied* where nothing came, and *not
  available* where the supplier says so.
- **In print**: in which of the published scorecards it has figures; *without figures* where it is
  printed without any, and is available here.
"""
YEARS = {
    "ehps-2015-10-areas.csv": "2015",
    "ehps-2015-trend.csv": "2015",
    "commissioned-2017-06.csv": "2017",
}
assert YEARS.keys() == SCORECARDS.keys()


def coverage(rules: Rules, printings: Sequence[Printing]) -> str:
    """The table of every indicator, by family, and how many there are of each kind."""
    indicators = rules.catalogue.indicator
    families = list(dict.fromkeys(it.family for it in indicators))
    computed = sum(it.source == "events" for it in indicators)
    parts = [
        HEAD.strip(),
        f"Of {len(indicators)} codes {computed} are computed; the rest are supplied.",
    ]
    for family in families:
        parts += [
            f"## {family}",
            _table(rules, [it for it in indicators if it.family == family], printings),
        ]
    return "\n\n".join(parts) + "\n"


def _table(rules: Rules, indicators: Iterable[Indicator], printings: Sequence[Printing]) -> str:
    rows = [
        "| code | indicator | figures | events | in print |",
        "|---|---|---|---|---|",
    ]
    for it in indicators:
        computed = "computed" if it.source == "events" else "supplied"
        events = ", ".join(f"`{kind}`" for kind in rests_on(rules.catalogue, it))
        link = f"[{it.code}]({name_of(it)})"
        rows.append(f"| {link} | {it.title} | {computed} | {events} | {_years(it, printings)} |")
    return "\n".join(rows)


def _years(indicator: Indicator, printings: Sequence[Printing]) -> str:
    found = [it for it in printings if it.code == indicator.code]
    with_figures = dict.fromkeys(YEARS[it.file] for it in found if it.first_month)
    if with_figures:
        return ", ".join(with_figures)
    return "without figures" if found else "never"
