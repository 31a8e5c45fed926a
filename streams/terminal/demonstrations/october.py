"""Kent's scorecard of October 2015: the areas, with ages, and the month before."""

from collections.abc import Mapping, Sequence
from datetime import date
from importlib.resources import files
from importlib.resources.abc import Traversable

from rich.table import Table

from processors.figures.figure_text import LEGEND
from schemas.catalogue import Catalogue
from schemas.scorecard import ScorecardRow
from streams.kafka.eventfiles import EventLine
from streams.october.compare_october import (
    FOLDER,
    OCTOBER,
    SEPTEMBER,
    Comparison,
    PrintedDifference,
    compare,
    load_with_activity,
)
from streams.october.printed_supplied import (
    AsPrinted,
    as_printed_then,
    load_social_care,
    load_supplied,
    supplied_lines,
)
from streams.october.trend import AREA, MONTH_ENDS, Earlier, Missed, load_trend, missed
from streams.terminal.console import out
from streams.terminal.demonstrations.published import ReadRows
from streams.terminal.tables.scorecards import as_tables

EVENTS = ("events.jsonl.gz", "social_care.jsonl.gz", "activity.jsonl.gz")
SOCIAL_CARE_DIFFERS = (
    "The others are September's rates (SCS02) that no number of children gives together with EH02."
)
SUPPLIED_DIFFERS = "The others move by less than is printed."


class October2015:
    """October 2015, of units, social care and activity, and what others supplied."""

    as_of = OCTOBER
    places = None
    levels = ()
    next_steps = (
        "caseline replay streams/october/events.jsonl.gz --as-of 2015-09-15 --area Thanet",
        "caseline demo --keep           and look at it from another terminal",
        "caseline demo --scorecard 2017     commissioned services, by provider and place",
    )

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    @property
    def events(self) -> Sequence[Traversable]:
        """Cases, social care, and centres and hubs."""
        return [files(FOLDER) / name for name in EVENTS]

    def further(self) -> list[EventLine]:
        """What others supplied, and targets."""
        return supplied_lines(load_supplied())

    def tables(self, rows: Sequence[ScorecardRow], width: int) -> list[Table]:
        """Kent's."""
        shown = [row for row in rows if row.area == AREA]
        return as_tables(shown, self._catalogue, width)

    async def report(self, read: ReadRows) -> None:
        """Compare every printed cell and arrow."""
        october, september = await read(OCTOBER), await read(SEPTEMBER)
        _show_comparison(compare(october, september, load_with_activity()))
        care = as_printed_then(october, load_social_care())
        _show_printed(care, "of social care", SOCIAL_CARE_DIFFERS)
        supplied = as_printed_then(october, load_supplied())
        _show_printed(supplied, "that others supplied", SUPPLIED_DIFFERS)
        earlier = load_trend()
        found = {day: missed(await read(day), earlier, day) for day in MONTH_ENDS}
        _show_trend(earlier, found)


def _show_comparison(comparison: Comparison) -> None:
    out.print(LEGEND, style="dim", markup=False)
    out.print(
        f"\nOf {comparison.cells:,} cells that Kent published for October 2015, the stream "
        f"reproduces {comparison.reproduced:,} exactly, and "
        f"{comparison.reproduced_directions:,} of {comparison.directions:,} directions of travel."
    )
    by_reason: dict[str, list[PrintedDifference]] = {}
    for it in (*comparison.different, *comparison.different_directions):
        by_reason.setdefault(it.reason, []).append(it)
    for reason, differences in by_reason.items():
        out.print(f"\n{reason}", style="bold", markup=False)
        out.print(_differences_table(differences))


def _show_printed(found: AsPrinted, what: str, differs: str) -> None:
    out.print(
        f"\nOf {found.figures:,} figures {what} it shows {found.shown:,} as printed, and "
        f"{found.turned:,} of {found.arrows:,} directions of travel. {differs}"
    )


def _show_trend(printed: Sequence[Earlier], found: Mapping[date, Sequence[Missed]]) -> None:
    """How much of each earlier month the events give, and a line for each figure they do not."""
    said = []
    for day, differences in found.items():
        figures = sum(it.month == f"{day:%Y-%m}" for it in printed)
        said.append(f"{figures - len(differences)} of {figures} of {day:%B}")
    out.print(f"\nOf {AREA}'s printed trend of the months before it shows {', '.join(said)}.")
    by_reason: dict[str, list[Missed]] = {}
    for it in (it for differences in found.values() for it in differences):
        by_reason.setdefault(it.earlier.reason, []).append(it)
    for reason, differences in by_reason.items():
        out.print(f"\n{reason}", style="bold", markup=False)
        table = Table("", "month", box=None, padding=(0, 1))
        for name in ("printed", "streamed"):
            table.add_column(name, justify="right")
        for it in differences:
            earlier = it.earlier
            table.add_row(earlier.code, earlier.month, earlier.printed, it.streamed or "-")
        out.print(table)


def _differences_table(differences: list[PrintedDifference]) -> Table:
    table = Table("", "area", "ages", "as of", box=None, padding=(0, 1))
    for name in ("printed", "streamed", "the rest implies"):
        table.add_column(name, justify="right")
    for it in differences:
        cell = it.cell
        place = (cell.code, cell.area, cell.age_band, str(cell.as_of))
        table.add_row(*place, *(text or "-" for text in (it.printed, it.streamed, it.implied)))
    return table
