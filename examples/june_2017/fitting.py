"""Printed cells as wishes of a model: as many as whole numbers can have, the first before the last.

A wish is the rows that a cell asks of the model. All are asked for at once; where there are no
numbers for that, they are taken in one after another, in halves, and what cannot be had beside
those before it is left out: the solver finds no whole numbers that give it as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from examples.october_2015.milp import InfeasibleError, Linear, Model

Key = tuple[str, str, str]
"""A printed cell: block, code, month."""
Constraint = tuple[Linear, int, int]

NODES = 20_000
FAR = 10**9


@dataclass
class Wishes:
    """A model of what must hold, and what is printed of it."""

    model: Model = field(default_factory=Model)
    wishes: list[tuple[Key, list[Constraint]]] = field(default_factory=list)
    left_out: set[Key] = field(default_factory=set)

    def equals(self, key: Key, count: Linear, printed: int) -> None:
        """Wish for a count."""
        self.wishes.append((key, [(count, printed, printed)]))

    def share(self, key: Key, part: Linear, whole: Linear, tenths: int) -> None:
        """Wish for a percentage to one decimal, half up."""
        self.wishes.append(
            (
                key,
                [
                    (part * 2000 - whole * (2 * tenths - 1), 0, FAR),
                    (whole * (2 * tenths + 1) - part * 2000, 1, FAR),
                ],
            )
        )

    def solve(self) -> list[int]:
        """Numbers that give all wishes but those left out."""
        must = list(self.model.rows)
        kept = self._kept([], self.wishes)
        self.model.rows = must + [row for _, rows in kept for row in rows]
        self.left_out |= {key for key, _ in self.wishes} - {key for key, _ in kept}
        try:
            return self.model.solve(nodes=NODES, gap=0.01)
        except InfeasibleError:
            return self.model.solve(nodes=NODES, gap=0.01, presolve=False)

    def _kept(
        self,
        kept: list[tuple[Key, list[Constraint]]],
        asked: Sequence[tuple[Key, list[Constraint]]],
    ) -> list[tuple[Key, list[Constraint]]]:
        if not asked or self._has_numbers([*kept, *asked], is_last=len(asked) == 1):
            return [*kept, *asked]
        if len(asked) == 1:
            return kept
        half = len(asked) // 2
        return self._kept(self._kept(kept, asked[:half]), asked[half:])

    def _has_numbers(
        self, wishes: Sequence[tuple[Key, list[Constraint]]], *, is_last: bool
    ) -> bool:
        """Whether the wishes have numbers; the last of them is asked for in two ways."""
        rows = self.model.rows
        costs = self.model.costs
        self.model.rows = rows + [row for _, asked in wishes for row in asked]
        self.model.costs = [0] * len(costs)
        try:
            return any(self._solves(presolve=it) for it in ([True, False] if is_last else [True]))
        finally:
            self.model.rows, self.model.costs = rows, costs

    def _solves(self, *, presolve: bool) -> bool:
        try:
            self.model.solve(nodes=NODES, presolve=presolve)
        except InfeasibleError:
            return False
        return True
