"""A small exact integer model over HiGHS (through SciPy), with printed figures as constraints.

Every coefficient is an integer; a solution is rounded to integers and each constraint is checked
again in integer arithmetic, so the solver's tolerances cannot let a wrong count through.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

UNBOUNDED = 10**9
SECONDS = 600.0
# SciPy's status of a programme that was searched to its end.
NONE_EXIST = 2
"""A backstop only: limits are counted in nodes, so that the answer is the same everywhere."""


class InfeasibleError(Exception):
    """No integers satisfy the constraints (or the time limit came first)."""


class NoneExistError(InfeasibleError):
    """No integers satisfy the constraints: the solver has shown that there are none."""


class Linear:
    """An integer combination of variables, plus a constant."""

    __slots__ = ("constant", "terms")

    def __init__(self, terms: dict[int, int] | None = None, constant: int = 0) -> None:
        self.terms = terms or {}
        self.constant = constant

    def __add__(self, other: Linear | int) -> Linear:
        if isinstance(other, int):
            return Linear(dict(self.terms), self.constant + other)
        terms = dict(self.terms)
        for name, factor in other.terms.items():
            terms[name] = terms.get(name, 0) + factor
        return Linear(terms, self.constant + other.constant)

    __radd__ = __add__

    def __mul__(self, factor: int) -> Linear:
        return Linear({n: f * factor for n, f in self.terms.items()}, self.constant * factor)

    __rmul__ = __mul__

    def __sub__(self, other: Linear | int) -> Linear:
        return self + (-other if isinstance(other, int) else other * -1)

    def __neg__(self) -> Linear:
        return self * -1


def total(parts: Iterable[Linear | int]) -> Linear:
    """The sum of the parts."""
    terms: dict[int, int] = {}
    constant = 0
    for part in parts:
        if isinstance(part, int):
            constant += part
            continue
        constant += part.constant
        for name, factor in part.terms.items():
            terms[name] = terms.get(name, 0) + factor
    return Linear(terms, constant)


def range_printed_as(scale: int, whole: int, tenths: int) -> tuple[int, int]:
    """The numerators over `whole` that print as `tenths` tenths: first and last (may be empty)."""
    step = 20 * scale
    return -(-whole * (2 * tenths - 1) // step), (whole * (2 * tenths + 1) - 1) // step


@dataclass
class Model:
    """Variables, constraints `low <= expression <= high`, and costs to minimise."""

    lows: list[int] = field(default_factory=list)
    highs: list[int] = field(default_factory=list)
    costs: list[int] = field(default_factory=list)
    rows: list[tuple[Linear, int, int]] = field(default_factory=list)

    def integer(self, low: int = 0, high: int = UNBOUNDED, cost: int = 0) -> Linear:
        """A new integer variable."""
        self.lows.append(low)
        self.highs.append(high)
        self.costs.append(cost)
        return Linear({len(self.lows) - 1: 1})

    def within(self, expression: Linear, low: int = -UNBOUNDED, high: int = UNBOUNDED) -> None:
        """Require `low <= expression <= high`."""
        self.rows.append((expression, low, high))

    def equal(self, left: Linear, right: Linear | int) -> None:
        """Require two expressions to be equal."""
        self.within(left - right, 0, 0)

    def at_most(self, left: Linear | int, right: Linear | int) -> None:
        """Require `left <= right`."""
        self.within(total([left]) - right, high=0)

    def rounds_to(self, scale: int, part: Linear, whole: Linear, tenths: int) -> None:
        """Require `scale * part / whole`, half up, to print as `tenths` tenths.

        A `whole` of 0 never prints.
        """
        if not whole.terms:
            self.within(part, *range_printed_as(scale, whole.constant, tenths))
            return
        self.within(part * (20 * scale) - whole * (2 * tenths - 1), low=0)
        self.within(whole * (2 * tenths + 1) - part * (20 * scale), low=1)

    def solve(
        self,
        start: list[int] | None = None,
        free: frozenset[int] | None = None,
        *,
        nodes: int,
        gap: float = 0.0,
        presolve: bool = True,
    ) -> list[int]:
        """The best values found within `nodes` branchings; InfeasibleError if there are none.

        Presolve has called models infeasible that are not: ask without before saying so.

        With `start` and `free`, only the free variables may leave their start,
        and only the constraints on them are looked at.
        """
        part = Part.of(self, start or [0] * len(self.lows), free)
        values = part.solve(nodes, gap, presolve=presolve)
        self._check(values, part.rows)
        return values

    def _check(self, values: list[int], rows: list[tuple[Linear, int, int]]) -> None:
        for value, low, high in zip(values, self.lows, self.highs, strict=True):
            if not low <= value <= high:
                raise InfeasibleError("a variable left its bounds when rounded")
        for expression, low, high in rows:
            if not low <= value_of(expression, values) <= high:
                raise InfeasibleError("a constraint failed when checked in integers")


def value_of(expression: Linear, values: list[int]) -> int:
    """The value of an expression."""
    return expression.constant + sum(f * values[name] for name, f in expression.terms.items())


@dataclass
class Part:
    """The part of a model that some variables take part in, the others held at their start."""

    model: Model
    start: list[int]
    names: list[int]
    rows: list[tuple[Linear, int, int]]

    @classmethod
    def of(cls, model: Model, start: list[int], free: frozenset[int] | None) -> Part:
        """The part of `model` about the `free` variables (all, if None)."""
        if free is None:
            return cls(model, start, list(range(len(model.lows))), model.rows)
        rows = [row for row in model.rows if not free.isdisjoint(row[0].terms)]
        touched = {name for expression, _, _ in rows for name in expression.terms}
        names = sorted(touched & free)
        return cls(model, start, names, rows)

    def solve(self, nodes: int, gap: float, *, presolve: bool = True) -> list[int]:
        """Values of all the model's variables, the part's own by the solver."""
        model, names = self.model, self.names
        result = milp(
            c=np.array([model.costs[name] for name in names], dtype=float),
            integrality=np.ones(len(names), dtype=int),
            bounds=Bounds(
                np.array([model.lows[name] for name in names], float),
                np.array([model.highs[name] for name in names], float),
            ),
            constraints=self._constraints(),
            options={
                "node_limit": nodes,
                "mip_rel_gap": gap,
                "time_limit": SECONDS,
                "presolve": presolve,
            },
        )
        if result.x is None:
            shown = result.status == NONE_EXIST
            raise (NoneExistError if shown else InfeasibleError)(result.message)
        values = list(self.start)
        for name, value in zip(names, result.x, strict=True):
            values[name] = round(value)
        return values

    def _constraints(self) -> LinearConstraint:
        columns = {name: number for number, name in enumerate(self.names)}
        entries: list[tuple[int, int, int]] = []
        low, high = [], []
        for number, (expression, lowest, highest) in enumerate(self.rows):
            held = expression.constant
            for name, factor in expression.terms.items():
                if name in columns:
                    entries.append((number, columns[name], factor))
                else:
                    held += factor * self.start[name]
            low.append(_limit(lowest, held))
            high.append(_limit(highest, held))
        numbers, names, factors = zip(*entries, strict=True)
        shape = (len(self.rows), len(columns))
        matrix = csr_array((np.array(factors, float), (numbers, names)), shape=shape)
        return LinearConstraint(matrix, np.array(low), np.array(high))


def _limit(bound: int, held: int) -> float:
    if abs(bound) >= UNBOUNDED:
        return float(np.copysign(np.inf, bound))
    return float(bound - held)
