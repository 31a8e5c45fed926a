"""Printed cells as wishes of a model: as many as whole numbers can have, the first before the last.

A wish is the rows that a cell asks of the model. All are asked for at once; where there are no
numbers for that, they are taken in one after another, in halves, and what cannot be had beside
those before it is left out: the solver finds no whole numbers that give it as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from examples.october_2015.milp import InfeasibleError, Linear, Model, NoneExistError

Key = tuple[str, str, str]
"""A printed cell: block, code, month."""
Constraint = tuple[Linear, int, int]
Wish = tuple[Key, list[Constraint]]

NODES = 20_000
FAR = 10**9


@dataclass
class Wishes:
    """A model of what must hold, and what is printed of it."""

    model: Model = field(default_factory=Model)
    wishes: list[Wish] = field(default_factory=list)
    left_out: "dict[Key, Wishes]" = field(default_factory=dict)
    _must: list[Constraint] = field(default_factory=list)
    _had: list[Wish] = field(default_factory=list)

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
        self._must = list(self.model.rows)
        self._had = self._kept([], self.wishes)
        self.model.rows = self._must + [row for _, rows in self._had for row in rows]
        had = {key for key, _ in self._had}
        self.left_out |= {key: self for key, _ in self.wishes if key not in had}
        try:
            return self.model.solve(nodes=NODES, gap=0.01)
        except InfeasibleError:
            return self.model.solve(nodes=NODES, gap=0.01, presolve=False)

    def conflict(self, key: Key) -> list[Key] | None:
        """Cells that are had, beside which the solver shows that one left out cannot be.

        None where it shows no such thing within its branchings. Without any of them it may be had.
        """
        own = [it for it in self.wishes if it[0] == key]
        if self._is_impossible(own):
            return []
        if not self._is_impossible([*own, *self._had]):
            return None
        return [key for key, _ in self._fewest(own, self._had, is_enough=False)]

    def _fewest(self, beside: list[Wish], wishes: list[Wish], *, is_enough: bool) -> list[Wish]:
        """The wishes that are needed to make it impossible beside others: U. Junker, AAAI 2004."""
        if is_enough and self._is_impossible(beside):
            return []
        if len(wishes) == 1:
            return wishes
        first, second = wishes[: len(wishes) // 2], wishes[len(wishes) // 2 :]
        later = self._fewest([*beside, *first], second, is_enough=bool(first))
        return [*self._fewest([*beside, *later], first, is_enough=bool(later)), *later]

    def _is_impossible(self, wishes: Sequence[Wish]) -> bool:
        rows, costs = self.model.rows, self.model.costs
        self.model.rows = self._must + [row for _, asked in wishes for row in asked]
        self.model.costs = [0] * len(costs)
        try:
            self.model.solve(nodes=NODES, presolve=False)
        except NoneExistError:
            return True
        except InfeasibleError:
            return False
        finally:
            self.model.rows, self.model.costs = rows, costs
        return False

    def _kept(
        self,
        kept: list[Wish],
        asked: Sequence[Wish],
    ) -> list[Wish]:
        if not asked or self._has_numbers([*kept, *asked], is_last=len(asked) == 1):
            return [*kept, *asked]
        if len(asked) == 1:
            return kept
        half = len(asked) // 2
        return self._kept(self._kept(kept, asked[:half]), asked[half:])

    def _has_numbers(self, wishes: Sequence[Wish], *, is_last: bool) -> bool:
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
