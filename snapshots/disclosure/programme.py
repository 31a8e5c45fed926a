"""The reader's problem as a linear programme: how else the tables could be, in whole numbers.

A *completion* is a table for every block; what is looked for is a change from the truth, with the
least weight of published counts touched, that moves one count by so much. The counts that it
touches are then those to suppress: J. P. Kelly, B. L. Golden and A. A. Assad, Cell suppression:
disclosure protection for sensitive tabular data, Networks 22 (1992); for linked tables in general
M. Fischetti and J. J. Salazar, Management Science 47 (2001).
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import (
    Bounds,
    LinearConstraint,
    milp,
)
from scipy.sparse import csr_array

from snapshots.disclosure.counts import Block, Quantity
from snapshots.disclosure.knowledge import Knowledge
from snapshots.disclosure.layout import Spot, Table

# Of a table's cells none changes by more; far above what any count is protected by.
FARTHEST = 10**6
# HiGHS gives floats; one that is this near to an integer stands for it, and is checked exactly.
NEAR = 1e-6
# Branch and bound, for the few programmes whose linear solution is not whole, may stop when this
# near to the lightest; and after so many nodes, not seconds, so that every machine chooses alike.
NEAR_ENOUGH = 0.1
MOST_NODES = 500

Change = dict[Block, Table]
Floats = NDArray[np.float64]


class Programme:
    """The tables that relations link, and the counts over them, as columns and rows.

    Tables that are linked with these and left out stay as they are.

    Columns: the change of every leaf cell; then by how much each count rises; then falls. Rows:
    one for each count; then the relations, leaf cell by leaf cell.
    """

    def __init__(
        self, known: Knowledge, blocks: Sequence[Block], quantities: Sequence[Quantity]
    ) -> None:
        self._layouts = known.layouts
        self.blocks = list(blocks)
        self.quantities = list(quantities)
        self.row = {quantity: row for row, quantity in enumerate(quantities)}
        sizes = [known.layouts.of(slot).size for _, slot in self.blocks]
        ends = np.cumsum(sizes).tolist()
        self._first = {
            block: end - size for block, size, end in zip(self.blocks, sizes, ends, strict=True)
        }
        self._leaf_cells = sum(sizes)
        people = known.formulas.slots_of_people
        self._is_people = np.repeat([slot in people for _, slot in self.blocks], sizes)
        self._relations = [
            (relation, is_equal)
            for found, is_equal in ((known.equal, True), (known.at_most, False))
            for relation in found
            if any(block in self._first for block, _ in relation.terms)
        ]
        self._matrix = self._build()
        self._floors, self._ceilings = self._row_bounds(known)
        self._lowest = np.concatenate(
            [-np.min(known.versions[block], axis=0).ravel() for block in self.blocks]
        ).astype(float)
        self.lowered = np.array(
            [known.lowered.get(quantity, FARTHEST) for quantity in self.quantities], dtype=float
        )

    def change(
        self, row: int, amount: int, weight: Floats, is_fixed: NDArray[np.bool_]
    ) -> NDArray[np.int64] | None:
        """The lightest change of the leaf cells that moves a count by `amount`, if there is one.

        `weight` is what it costs to touch each count by one; those fixed must not change.
        """
        if is_fixed[row]:
            return None
        rises = np.where(is_fixed, 0.0, float(FARTHEST))
        falls = np.where(is_fixed, 0.0, self.lowered)
        rises[row], falls[row] = max(amount, 0), max(-amount, 0)
        bounds = Bounds(
            np.concatenate([self._lowest, np.zeros(2 * len(weight))]),
            np.concatenate([np.full(self._leaf_cells, float(FARTHEST)), rises, falls]),
        )
        bounds.lb[self._leaf_cells + row] = max(amount, 0)
        bounds.lb[self._leaf_cells + len(weight) + row] = max(-amount, 0)
        cost = np.concatenate([np.zeros(self._leaf_cells), weight, weight])
        return self._whole(cost, bounds)

    def _whole(self, cost: Floats, bounds: Bounds) -> NDArray[np.int64] | None:
        """The lightest change in whole numbers.

        1. Tables alone are networks: the linear programme has a solution in whole numbers.
        2. Where relations spoil that, people are asked for whole: at first in those leaf cells
           alone that the linear solution changes, which are few; then in any.
        3. Days that are still in parts become whole once the people stay as they are.
        """
        solved = self._solve(cost, bounds)  # 1
        if solved is not None and not _is_whole(solved):
            unchanged = np.flatnonzero(np.abs(solved) < NEAR)
            within = _held(bounds, unchanged, np.zeros(len(unchanged)))
            solved = self._solve(cost, within, self._is_people)  # 2
            if solved is None:
                solved = self._solve(cost, bounds, self._is_people)
        if solved is not None and not _is_whole(solved):
            people = np.flatnonzero(self._is_people)
            solved = self._solve(cost, _held(bounds, people, np.rint(solved[people])))  # 3
        if solved is None or not _is_whole(solved):
            return None
        return np.rint(solved).astype(np.int64)

    def moves(self, change: NDArray[np.int64]) -> NDArray[np.int64]:
        """By how much a change of the leaf cells moves every count."""
        moved: NDArray[np.int64] = self._counts @ change
        return moved

    def may_be(self, change: NDArray[np.int64], moved: NDArray[np.int64]) -> bool:
        """Whether a change leaves possible tables, whichever counts it touches."""
        related = self._related @ change
        return bool(
            (change >= self._lowest).all()
            and (-moved <= self.lowered).all()
            and (related >= self._floors[len(self.quantities) :]).all()
            and (related <= self._ceilings[len(self.quantities) :]).all()
        )

    def tables(self, change: NDArray[np.int64]) -> Change:
        """A change as tables by block, those that stay the same left out."""
        parts = np.split(change, list(self._first.values())[1:])
        return {
            block: part.reshape(self._layouts.of(block[1]).empty.shape)
            for block, part in zip(self.blocks, parts, strict=True)
            if part.any()
        }

    def laid_flat(self, change: Change) -> NDArray[np.int64]:
        """The opposite of `tables`."""
        none = (self._layouts.of(slot).empty for _, slot in self.blocks)
        pairs = zip(self.blocks, none, strict=True)
        return np.concatenate([change.get(block, empty).ravel() for block, empty in pairs])

    def _solve(
        self, cost: Floats, bounds: Bounds, is_whole: NDArray[np.bool_] | None = None
    ) -> Floats | None:
        integral = np.zeros(len(cost), dtype=np.int64)
        if is_whole is not None:
            integral[: self._leaf_cells] = is_whole
        solved = milp(
            cost,
            constraints=LinearConstraint(self._matrix, self._floors, self._ceilings),
            bounds=bounds,
            integrality=integral,
            options={"mip_rel_gap": NEAR_ENOUGH, "node_limit": MOST_NODES},
        )
        return None if solved.x is None else solved.x[: self._leaf_cells]

    def _build(self) -> Any:
        counts = _Rows()
        for quantity in self.quantities:
            counts.add(
                self._positions((quantity.period, slot), quantity.spot, times)
                for slot, times in quantity.expression
            )
        related = _Rows()
        for relation, _ in self._relations:
            for spots in relation.spots:
                related.add(
                    self._positions(block, spot, times)
                    for (block, times), spot in zip(relation.terms, spots, strict=True)
                    if block in self._first
                )
        self._counts = counts.matrix(self._leaf_cells)
        self._related = related.matrix(self._leaf_cells)
        number = len(self.quantities)
        rows = np.arange(number)
        slack = csr_array(
            (
                np.repeat([-1, 1], number),
                (np.tile(rows, 2), np.concatenate([rows, rows + number])),
            ),
            shape=(number, 2 * number),
        )
        return _stacked(self._counts, slack, self._related)

    def _positions(self, block: Block, spot: Spot, times: int) -> tuple[NDArray[np.intp], int]:
        """The columns that a block's place and band add up, and how many times each."""
        return self._first[block] + self._layouts.of(block[1]).leaf_cells[spot], times

    def _row_bounds(self, known: Knowledge) -> tuple[Floats, Floats]:
        floors, ceilings = [np.zeros(len(self.quantities))], [np.zeros(len(self.quantities))]
        for relation, is_equal in self._relations:
            none = np.zeros(len(relation.spots))
            floors.append(none if is_equal else -known.spare(relation).astype(float))
            ceilings.append(none if is_equal else np.full(len(relation.spots), np.inf))
        return np.concatenate(floors), np.concatenate(ceilings)


def _held(bounds: Bounds, at: NDArray[np.intp], values: Floats) -> Bounds:
    """Bounds that leave some columns nothing but these values."""
    lowest, highest = bounds.lb.copy(), bounds.ub.copy()
    lowest[at] = highest[at] = values
    return Bounds(lowest, highest)


def _is_whole(change: Floats) -> bool:
    return float(np.abs(change - np.rint(change)).max(initial=0)) < NEAR


class _Rows:
    """Rows of a sparse matrix, put together."""

    def __init__(self) -> None:
        self._at: list[NDArray[np.intp]] = []
        self._rows: list[int] = []
        self._times: list[int] = []
        self._number = 0

    def add(self, terms: Iterable[tuple[NDArray[np.intp], int]]) -> None:
        """A row with every term's factor at its columns."""
        for at, times in terms:
            self._at.append(at)
            self._rows.append(self._number)
            self._times.append(times)
        self._number += 1

    def matrix(self, columns: int) -> Any:
        """The rows as a sparse matrix of integers."""
        if not self._at:
            return csr_array((self._number, columns), dtype=np.int64)
        sizes = [len(at) for at in self._at]
        where = np.repeat(self._rows, sizes), np.concatenate(self._at)
        return csr_array((np.repeat(self._times, sizes), where), shape=(self._number, columns))


def _stacked(counts: Any, slack: Any, related: Any) -> Any:
    """Counts beside their rises and falls, above the relations."""
    top = counts.tocoo(), slack.tocoo()
    below = related.tocoo()
    shift = counts.shape[1]
    return csr_array(
        (
            np.concatenate([top[0].data, top[1].data, below.data]).astype(float),
            (
                np.concatenate([top[0].row, top[1].row, below.row + counts.shape[0]]),
                np.concatenate([top[0].col, top[1].col + shift, below.col]),
            ),
        ),
        shape=(counts.shape[0] + related.shape[0], shift + slack.shape[1]),
    )
