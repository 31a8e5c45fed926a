"""Scorecard rows: an indicator's figures for one area and age band."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter

Status = Literal["reported", "no-cases", "not-available", "not-at-this-level"]
Direction = Literal["up", "down", "level", "better", "worse", "same"]


class ScorecardRow(BaseModel):
    """One cell of the scorecard with what it rests on.

    `value` is the count itself, or `scale * numerator / denominator` rounded half up to one
    decimal; it and `previous` (as of the last day of the month before) are absent where there is
    no denominator. `direction` compares the two from their exact fractions.
    """

    model_config = ConfigDict(frozen=True)

    code: str
    title: str
    area: str
    age_band: str
    numerator: int
    denominator: int
    value: int | float | None
    status: Status
    previous: int | float | None
    direction: Direction | None


ROWS = TypeAdapter(list[ScorecardRow])
