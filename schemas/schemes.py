"""Schemes as data: how the indicators of a printed scorecard are compared and rated.

Each of the printed scorecards has one: which way its arrows point, what its ratings are against, by
how much a figure may fall short and still be Amber, and which figures it prints without a rating
(docs/indicators.md, Scorecard).
"""

from collections.abc import Collection
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

DirectionScheme = Literal["change", "improvement"]
# What a figure is rated against: its target, or the month before.
RagScheme = Literal["target", "previous"]
Share = Annotated[float, Field(ge=0)]


class _SchemeData(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class Tolerance(_SchemeData):
    """Indicators that tolerate another share than the rest of their scheme, and why."""

    codes: Annotated[tuple[str, ...], Field(min_length=1)]
    share: Share
    reason: str


class Scheme(_SchemeData):
    """How the indicators of some families are compared and rated.

    `amber_share` is by how much of what a figure is rated against it may fall short and still be
    Amber; an `amber` of the target or of the indicator counts before it. `unrated` are codes that
    are shown with their target and without a rating.
    """

    name: str
    families: Annotated[tuple[str, ...], Field(min_length=1)]
    direction: DirectionScheme
    rag: RagScheme
    amber_share: Share = 0.0
    tolerance: tuple[Tolerance, ...] = ()
    unrated: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _names_a_code_once(self) -> Self:
        codes = self.codes
        twice = sorted({code for code in codes if codes.count(code) > 1})
        if twice:
            raise ValueError(f"scheme {self.name}: names {', '.join(twice)} twice")
        return self

    @property
    def codes(self) -> list[str]:
        """The codes that it says something of."""
        return [*(code for it in self.tolerance for code in it.codes), *self.unrated]

    def only(self, families: Collection[str], codes: Collection[str]) -> Self:
        """What it says of some families and codes."""
        tolerances = (
            it.model_copy(update={"codes": tuple(code for code in it.codes if code in codes)})
            for it in self.tolerance
        )
        kept = {
            "families": tuple(it for it in self.families if it in families),
            "tolerance": tuple(it for it in tolerances if it.codes),
            "unrated": tuple(code for code in self.unrated if code in codes),
        }
        return self.model_copy(update=kept)

    def share_of(self, code: str) -> float:
        """By how much of what it is rated against a figure may fall short and still be Amber."""
        return next((it.share for it in self.tolerance if code in it.codes), self.amber_share)

    def rates(self, code: str) -> bool:
        """Whether an indicator is rated."""
        return code not in self.unrated
