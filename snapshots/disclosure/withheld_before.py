"""Figures that other releases withhold and a text must not give away either.

A release knows the month before as well, and shows of it only what that month's own release does.
What went out before withholds figures of its own: of the same month, and of those beside it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from schemas.catalogue import Indicator
from schemas.cells import CellKey
from schemas.release import Release, ReleaseCell
from snapshots.disclosure.figures_in_text import Kind
from snapshots.disclosure.public import Issued, PublicRelease, month_after, month_before

# As what a text says a figure, by the unit of its indicator.
KINDS: Mapping[str, Kind] = {
    "count": "count",
    "percent": "percent",
    "days": "days",
    "rate": "count",
    "ratio": "count",
}


class WithheldFigure(NamedTuple):
    """A figure of a month that is withheld: a value, or a count that one rests on."""

    key: CellKey
    period: str
    value: int | float
    kind: Kind


def withheld_before(
    release: Release, public: PublicRelease | None, issued: Sequence[Issued]
) -> Iterator[WithheldFigure]:
    """What is withheld of the month before a release, and by what went out of months near to it.

    `public` is what the release shows; what it says of a cell now is no secret of another month.
    """
    shown = public.by_key if public else {}
    for it in _all(release, public, issued):
        cell = shown.get(it.key)
        if it.value and (
            cell is None or it.value not in (cell.value, cell.numerator, cell.denominator)
        ):
            yield it


def _all(
    release: Release, public: PublicRelease | None, issued: Sequence[Issued]
) -> Iterator[WithheldFigure]:
    units = {it.code: it for it in release.indicators}
    before = month_before(release.period)
    for cell in release.cells if public else ():
        is_withheld = public and public.by_key[cell.key].previous_status == "suppressed"
        if is_withheld and cell.previous is not None:
            yield WithheldFigure(cell.key, before, cell.previous, KINDS[units[cell.code].unit])
    near = {before, release.period, month_after(release.period)}
    for other, out in issued:
        if other.period in near:
            units = {it.code: it for it in other.indicators}
            for cell in other.cells:
                if out.is_suppressed(cell.key):
                    yield from _figures(cell, units[cell.code], other.period)


def _figures(cell: ReleaseCell, indicator: Indicator, period: str) -> Iterator[WithheldFigure]:
    """The value of a withheld cell, and the cases that it rests on."""
    if cell.value is not None:
        yield WithheldFigure(cell.key, period, cell.value, KINDS[indicator.unit])
    if indicator.unit != "count":
        above, below = cell.counted
        behind = {above, below, below - above} if indicator.unit == "percent" else {above}
        for count in sorted(behind):
            yield WithheldFigure(cell.key, period, count, "count")
