"""Counts of notifications and of cases outside the units, by district and age.

Each measure stands alone: its printed overall figures and bands at seventeen areas leave few or no
choices; of these the solution with the fewest children of unknown age is taken.
"""

from .constraints import over_cells, require_counts
from .geography import ALL_AGES, CELLS, DISTRICTS, NOWHERE, TOP, UNKNOWN, Cell
from .milp import Linear, Model, value_of
from .printed import Printed

NODES = 1_000


def counts_by_cell(printed: Printed, code: str, as_of: str) -> dict[Cell, int]:
    """Whole numbers by cell that print as the publication does; InfeasibleError if none do."""
    model = Model()
    counts = {
        cell: model.integer(0, 5_000, cost=int(cell[1] == UNKNOWN)) for cell in CELLS
    }  # fmt: skip
    require_counts(model, printed, code, as_of, over_cells(counts))
    values = model.solve(nodes=NODES)
    return {cell: value_of(count, values) for cell, count in counts.items()}


def overall_by_place(printed: Printed, code: str, as_of: str) -> dict[str, int]:
    """Overall figures by district, and under NOWHERE what only Kent holds."""
    found = {d: printed.cell(code, d, ALL_AGES, as_of).count for d in DISTRICTS}
    found[NOWHERE] = printed.cell(code, TOP, ALL_AGES, as_of).count - sum(found.values())
    return found


def constant(counts: dict[Cell, int]) -> dict[Cell, Linear]:
    """The counts as constants of a model."""
    return {cell: Linear(constant=count) for cell, count in counts.items()}
