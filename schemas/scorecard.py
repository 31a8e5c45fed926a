"""Scorecard rows: an indicator's figures for one place and age band."""

from collections.abc import Iterable
from typing import Literal

import msgspec
from pydantic_core import to_json

# `supplied` is a value that others worked out, `to-be-supplied` one that they have not yet.
Status = Literal[
    "reported", "supplied", "no-cases", "not-available", "to-be-supplied", "not-at-this-level"
]
# How a row is shown: `suppressed` to those who may not see what it says.
ShownStatus = Status | Literal["suppressed"]
Direction = Literal["up", "down", "level", "better", "worse", "same"]
Rag = Literal["Green", "Amber", "Red"]


class ScorecardRow(msgspec.Struct, frozen=True, gc=False):
    """One cell of the scorecard with what it rests on.

    `value` is the count itself, or `scale * numerator / denominator` rounded half up to one
    decimal; it and `previous` (as of the last day of the month before) are absent where there is
    no denominator. `direction` compares the two from their exact fractions. `area` is the name of
    the place, and `level` what kind of place it is. What was supplied may be a value alone.
    `target` is what was set for the place and year, and `rag` the rating by the indicator's scheme,
    of all ages alone.
    """

    code: str
    title: str
    area: str
    age_band: str
    numerator: int | float | None
    denominator: int | float | None
    value: int | float | None
    status: ShownStatus
    previous: int | float | None
    direction: Direction | None
    level: str
    target: float | None = None
    rag: Rag | None = None


def rows_json(rows: Iterable[ScorecardRow]) -> bytes:
    """Rows as a JSON array, a line for each of their fields."""
    return to_json([msgspec.structs.asdict(row) for row in rows], indent=1)
