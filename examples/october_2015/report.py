"""What the finished history does not reproduce, evaluated by the product and written down."""

import json
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

from schemas.scorecard import ScorecardRow
from streams.october.compare_october import (
    ComparedCell,
    Comparison,
    PrintedDifference,
    Publication,
    compare,
)
from streams.october.trend import load_trend, missed

from .given_up import contradiction
from .printed import PrintedCell

HEADER = """\
# Printed cells of October 2015 that no events give together with the rest of the publication.
# `implied` is what the rest implies; blank where it implies that there is no case.
"""


class UnexplainedError(Exception):
    """The history misses printed figures for no known reason."""


def compared(
    october: Iterable[ScorecardRow],
    september: Iterable[ScorecardRow],
    cells: tuple[ComparedCell, ...],
) -> Comparison:
    """The history's scorecards beside the printed cells."""
    return compare(october, september, Publication(cells, {}, {}))


def write_contradictions(path: Path, found: Comparison) -> None:
    """Write every difference with its reason; UnexplainedError if one has none."""
    entries = [_entry(difference, _reason(difference)) for difference in found.different]
    for difference in found.different_directions:
        raise UnexplainedError(f"direction of {difference.cell.code} in {difference.cell.area}")
    path.write_text("\n".join([HEADER, *entries]), encoding="utf-8")


def check_trend(found: Mapping[date, Iterable[ScorecardRow]]) -> None:
    """UnexplainedError if an earlier month's figure is missed without a reason, or had with one."""
    printed = load_trend()
    differing = [it.earlier for day, rows in found.items() for it in missed(rows, printed, day)]
    for it in printed:
        if (it in differing) != bool(it.reason):
            raise UnexplainedError(f"{it.code} of {it.month}: {it.reason or 'no reason'}")


def _reason(difference: PrintedDifference) -> str:
    cell = difference.cell
    printed = PrintedCell(
        cell.code, cell.area, cell.age_band, cell.as_of.isoformat(), cell.printed, cell.kind, ""
    )
    reason = contradiction(printed, difference.streamed)
    if reason is None:
        raise UnexplainedError(f"{cell} is streamed as {difference.streamed!r}")
    return reason


def _entry(difference: PrintedDifference, reason: str) -> str:
    cell = difference.cell
    fields = {
        "code": cell.code,
        "area": cell.area,
        "age_band": cell.age_band,
        "as_of": cell.as_of.isoformat(),
        "printed": cell.printed,
        "implied": difference.streamed,
        "reason": reason,
    }
    lines = (f"{name} = {json.dumps(value)}" for name, value in fields.items())
    return "[[cell]]\n" + "\n".join(lines) + "\n"
