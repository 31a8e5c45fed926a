"""Kent's scorecard of commissioned services of June 2017, block by block as it was printed."""

from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable

from rich.table import Table

from processors.figures.figure_text import LEGEND
from schemas.catalogue import Catalogue
from schemas.scorecard import ScorecardRow
from streams.june.compare_june import (
    ARROW,
    FIGURE,
    FOLDER,
    JUNE,
    MONTH_ENDS,
    RATING,
    PrintedRow,
    RowDifference,
    RowsCompared,
    compare,
    load_printed,
    load_reasons,
)
from streams.kafka.eventfiles import EventLine
from streams.terminal.console import out
from streams.terminal.demonstrations.published import ReadRows
from streams.terminal.tables.scorecards import as_tables


class June2017:
    """June 2017: family support, NEET support, young carers, children's centres, youth hubs."""

    as_of = JUNE
    next_steps = (
        "caseline replay streams/june/events.jsonl.gz --as-of 2017-06-30 --level provider",
        "caseline demo --scorecard 2017 --keep     and look at it from another terminal",
    )

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._printed = load_printed()

    @property
    def events(self) -> Sequence[Traversable]:
        """Everything, with targets and what others supplied."""
        return [files(FOLDER) / "events.jsonl.gz"]

    @property
    def places(self) -> Traversable:
        """Those that ship, and where young carers' sessions are held."""
        return files(FOLDER) / "places.toml"

    @property
    def levels(self) -> Sequence[str]:
        """The levels of the printed blocks."""
        return list(dict.fromkeys(it.level for it in self._printed))

    def further(self) -> list[EventLine]:
        """Nothing: it is all in the file."""
        return []

    def tables(self, rows: Sequence[ScorecardRow], width: int) -> list[Table]:
        """The first block's."""
        return self._block(self._printed[0].block, rows, width)

    async def report(self, read: ReadRows) -> None:
        """Show June by block as printed, and compare all that is printed of three months."""
        by_month = {day: await read(day) for day in MONTH_ENDS}
        for block in list(dict.fromkeys(it.block for it in self._printed))[1:]:
            for table in self._block(block, by_month[JUNE], out.width):
                out.print(table)
        out.print(LEGEND, style="dim", markup=False)
        _show(compare(by_month, self._printed, load_reasons()))

    def _block(self, block: str, rows: Sequence[ScorecardRow], width: int) -> list[Table]:
        own = [it for it in self._printed if it.block == block]
        by_cell = {(it.code, it.level, it.area): it for it in rows}
        shown = [by_cell[key] for key in map(_cell, own) if key in by_cell]
        tables = as_tables(shown, self._catalogue, width)
        if tables:
            tables[0].title = block
        return tables


def _cell(printed: PrintedRow) -> tuple[str, str, str]:
    return printed.code, printed.level, printed.place


def _show(found: RowsCompared) -> None:
    said = [
        f"{of - found.differing(what):,} of {of:,} {what}s"
        for what, of in (
            (FIGURE, found.figures),
            (ARROW, found.arrows),
            (RATING, found.ratings),
        )
    ]
    out.print(
        "\nOf what Kent published for April, May and June 2017, the stream gives "
        f"{said[0]}, {said[1]} and {said[2]}."
    )
    by_reason: dict[str, list[RowDifference]] = {}
    for it in found.different:
        by_reason.setdefault(it.reason, []).append(it)
    for reason, differences in by_reason.items():
        out.print(f"\n{reason}", style="bold", markup=False)
        table = Table("", "block", "of", box=None, padding=(0, 1))
        for name in ("printed", "streamed"):
            table.add_column(name, justify="right")
        for it in differences:
            block, code, of = it.key
            table.add_row(code, block, of, it.printed, it.streamed or "-")
        out.print(table)
