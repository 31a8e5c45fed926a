"""The rule of suppression: which counts are small, and which figures rest on them.

Conventions, Publishing official figures: counts 1 to 5 become `c`, zero is shown; percentages,
rates and averages that rest on small numerators or denominators go too.
"""

from typing import Annotated, Literal

from pydantic import Field

from schemas.catalogue import Indicator
from schemas.release import Frozen, ReleaseCell
from schemas.scorecard import ScorecardRow

# Why a cell is suppressed. It is for those who prepare the release and never goes out: which
# cells are small counts themselves would narrow them down.
Reason = Literal[
    "small-count",  # a count that is small itself
    "rests-on-a-small-count",  # its numerator, denominator or the rest of the denominator is small
    "small-denominator",  # below the rule's least denominator, for reliability
    "secondary",  # otherwise a small count could be worked out
    "suppressed-before",  # an earlier release of the period withheld it
]


class Rule(Frozen):
    """What is suppressed, and how well; the defaults are those of children's services."""

    threshold: Annotated[int, Field(ge=1)] = 5
    """Counts from 1 to this are suppressed."""
    zeros_shown: bool = True
    """Whether zeros are published; where not, they are small counts as well."""
    least_denominator: Annotated[int, Field(ge=0)] = 0
    """Percentages, rates and averages of fewer are suppressed though no small count shows."""
    complements: bool = True
    """Whether a percentage is suppressed for a small rest: denominator less numerator."""
    remainders: bool = True
    """Whether small counts with no district are kept from being the difference of levels."""
    values_left: Annotated[int, Field(ge=2)] | None = None
    """How many values of a small count must stay possible; none for all the small counts."""

    @property
    def least(self) -> int:
        """The least count that is small."""
        return 1 if self.zeros_shown else 0

    def is_small(self, count: float) -> bool:
        """Whether a count is suppressed."""
        return self.least <= count <= self.threshold

    def kept_possible(self, count: int) -> tuple[int, int]:
        """The least and the greatest value that a reader must not be able to rule out."""
        left = self.threshold - self.least + 1
        if self.values_left is not None:
            left = min(left, self.values_left)
        greatest = min(self.threshold, count + left - 1)
        return greatest - left + 1, greatest

    def reason(self, indicator: Indicator, cell: ReleaseCell | ScorecardRow) -> Reason | None:
        """Why a cell is suppressed for what it says itself, if it is."""
        if indicator.unit == "count":
            count = cell.value if cell.numerator is None else cell.numerator
            return "small-count" if count is not None and self.is_small(count) else None
        if any(self.is_small(count) for count in self._rests_on(indicator, cell)):
            return "rests-on-a-small-count"
        is_of_people = cell.denominator is not None and counts_people(indicator)
        if is_of_people and 0 < (cell.denominator or 0) < self.least_denominator:
            return "small-denominator"
        return None

    def _rests_on(
        self, indicator: Indicator, cell: ReleaseCell | ScorecardRow
    ) -> list[int | float]:
        """The counts of people behind a percentage, a rate or an average, as far as they are known.

        Of what others worked out they may not be.
        """
        above, below = cell.numerator, cell.denominator
        counts = [] if indicator.unit == "days" else [above]
        if counts_people(indicator):
            counts.append(below)
        if self.complements and indicator.unit == "percent" and None not in (above, below):
            counts.append((below or 0) - (above or 0))
        return [count for count in counts if count is not None]


def counts_people(indicator: Indicator) -> bool:
    """Whether the denominator counts cases, not the population or staff, which everyone knows."""
    return isinstance(indicator.denominator, dict) or indicator.source == "supplied"
