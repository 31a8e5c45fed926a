"""Printed cells as constraints of a model, whole indicators at a time."""

from collections.abc import Callable

from .geography import ALL_AGES, cells_of
from .milp import Linear, Model, total
from .printed import Printed, PrintedCell

Measure = Callable[[str, str], Linear]
"""A count or a sum of days, by area and age band (`all` for every age)."""

NO_CASES_COST = 1_000
"""What it costs to leave a printed `0.0` without any case behind it."""


def over_cells(counts: dict[tuple[str, str], Linear]) -> Measure:
    """The measure that adds up counts kept by cell."""
    return lambda area, band: total(counts[cell] for cell in cells_of(area, band))


def require_counts(model: Model, printed: Printed, code: str, as_of: str, count: Measure) -> None:
    """Counts printed as counts, and bands printed as shares of their row's overall."""
    for cell in printed.rows(code, as_of):
        value = count(cell.area, cell.band)
        if cell.kind == "count":
            model.equal(value, cell.count)
        else:
            overall = printed.cell(code, cell.area, ALL_AGES, as_of).count
            model.rounds_to(100, value, Linear(constant=overall), cell.tenths)


class Ratios:
    """Adds the printed cells of ratios to a model.

    `given_up` are the cells left out, since nothing can give them together with the others.
    """

    def __init__(self, model: Model, printed: Printed, given_up: frozenset[PrintedCell]) -> None:
        self.model = model
        self.printed = printed
        self.given_up = given_up

    def require(self, code: str, as_of: str, part: Measure, whole: Measure) -> None:
        """Every printed cell of one ratio."""
        for cell in self.printed.rows(code, as_of):
            if cell in self.given_up:
                continue
            above, below = part(cell.area, cell.band), whole(cell.area, cell.band)
            if cell.is_nothing:
                self._nothing(above, below)
            else:
                self.model.rounds_to(cell.scale, above, below, cell.tenths)

    def _nothing(self, part: Linear, whole: Linear) -> None:
        self.model.equal(part, 0)
        no_case = self.model.integer(0, 1, NO_CASES_COST)
        self.model.within(whole + no_case, low=1)
