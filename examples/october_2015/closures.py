"""Closures of unit cases as counts: EH12 and EH15-EH20 of October and September in one model.

By cell it finds how many cases of each closure class there are, how many days they lasted in all,
and with which outcomes October's closed; September's outcomes are printed without bands, so they
are found by place.
"""

from collections.abc import Callable
from dataclasses import dataclass

from .closing import (
    CLASSES,
    EARLIER_CLASSES,
    LATE_AT_SEPTEMBER_END,
    OCTOBER_CLASSES,
    SEPTEMBER_CLASSES,
    ClosureClass,
)
from .constraints import Measure, Ratios, over_cells, require_counts
from .geography import ALL_AGES, BANDS, CELLS, Cell, DISTRICTS, NOWHERE, PLACES, UNKNOWN, cells_of, places_of
from .milp import Linear, Model, total, value_of
from .notified import constant, counts_by_cell
from .printed import OCTOBER, SEPTEMBER, Printed, PrintedCell

ACHIEVED, ESCALATED, OTHER, LEFT_OUT = "achieved", "escalated", "other", "left out"
"""Kinds of outcome; LEFT_OUT is the outcomes that EH15 does not count."""
OUTCOMES = (ACHIEVED, ESCALATED, OTHER, LEFT_OUT)
COUNTED = (ACHIEVED, ESCALATED, OTHER)
LATENESS = (False, True)
MOST = 400
"""More cases than any cell has in one class."""

Outcome = tuple[str, bool]
"""A kind of outcome and whether the closure came beyond 20 weeks."""


@dataclass(frozen=True)
class Closures:
    """Whole numbers for every closure class."""

    counts: dict[tuple[Cell, str], int]
    days: dict[tuple[Cell, str], int]
    october: dict[tuple[Cell, Outcome], int]
    september: dict[tuple[str, Outcome], int]


class ClosureModel:
    """The model of all closures; `given_up` are printed cells known to be impossible."""

    def __init__(self, printed: Printed, given_up: frozenset[PrintedCell]) -> None:
        self.printed = printed
        self.model = Model()
        self.ratios = Ratios(self.model, printed, given_up)
        self.counts = {(c, k.name): self._count(c, k) for c in CELLS for k in CLASSES}
        self.days = {(c, k.name): self._days(c, k) for c in CELLS for k in CLASSES}
        self.october = {(c, o): self._outcome(c[0], c[1], o) for c in CELLS for o in _outcomes()}
        self.september = {(p, o): self._outcome(p, "", o) for p in PLACES for o in _outcomes()}

    def _count(self, cell: Cell, kind: ClosureClass) -> Linear:
        possible = cell[0] != NOWHERE and cell[1] != UNKNOWN
        return self.model.integer(0, MOST if possible else 0, cost=_class_cost(kind))

    def _days(self, cell: Cell, kind: ClosureClass) -> Linear:
        shortest, longest = kind.durations
        count = self.counts[cell, kind.name]
        days = self.model.integer(0, MOST * longest)
        self.model.at_most(count * shortest, days)
        self.model.at_most(days, count * longest)
        return days

    def _outcome(self, place: str, age: str, outcome: Outcome) -> Linear:
        possible = place != NOWHERE and age != UNKNOWN
        cost = 10 if outcome[0] == LEFT_OUT else 0
        return self.model.integer(0, MOST if possible else 0, cost)

    def require_all(self) -> None:
        """Add every constraint."""
        self._require_outcomes()
        self._require_ratios()
        self._require_durations()
        self._require_late_stock()

    def _require_outcomes(self) -> None:
        for cell in CELLS:
            for late in LATENESS:
                cases = [self.counts[cell, k.name] for k in OCTOBER_CLASSES if k.late == late]
                self.model.equal(total(cases), total(self.october[cell, (o, late)] for o in OUTCOMES))
        for place in PLACES:
            for late in LATENESS:
                cases = [
                    self.counts[cell, k.name]
                    for cell in cells_of(place, ALL_AGES)
                    for k in SEPTEMBER_CLASSES
                    if k.late == late
                ]
                outcomes = (self.september[place, (o, late)] for o in OUTCOMES)
                self.model.equal(total(cases), total(outcomes))

    def _require_ratios(self) -> None:
        for as_of, closed in ((OCTOBER, self._in_october), (SEPTEMBER, self._in_september)):
            counted = self._counted(as_of)
            self._equal(closed(COUNTED, LATENESS), counted, as_of)
            escalated = closed((ESCALATED,), LATENESS)
            require_counts(self.model, self.printed, "EH17", as_of, escalated)
            achieved = closed((ACHIEVED,), LATENESS)
            self.ratios.require("EH16", as_of, achieved, counted)
            for code, late in (("EH19", False), ("EH20", True)):
                part, whole = closed((ESCALATED,), (late,)), closed(OUTCOMES, (late,))
                self.ratios.require(code, as_of, part, whole)

    def _equal(self, left: Measure, right: Measure, as_of: str) -> None:
        for place in DISTRICTS:
            for band in (*BANDS, ALL_AGES) if as_of == OCTOBER else (ALL_AGES,):
                self.model.equal(left(place, band), right(place, band))

    def _counted(self, as_of: str) -> Measure:
        """EH15 as known numbers, which makes the ratios that rest on it simple bounds."""
        if as_of == OCTOBER:
            return over_cells(constant(counts_by_cell(self.printed, "EH15", OCTOBER)))
        return lambda area, band: Linear(
            constant=self.printed.cell("EH15", area, band, SEPTEMBER).count
        )

    def _in_october(self, outcomes: tuple[str, ...], lateness: tuple[bool, ...]) -> Measure:
        return over_cells(
            {c: total(self.october[c, (o, w)] for o in outcomes for w in lateness) for c in CELLS}
        )

    def _in_september(self, outcomes: tuple[str, ...], lateness: tuple[bool, ...]) -> Measure:
        return lambda area, _band: total(
            self.september[p, (o, w)] for p in places_of(area) for o in outcomes for w in lateness
        )

    def _require_durations(self) -> None:
        in_october: Callable[[ClosureClass], bool] = lambda kind: kind.in_october_window
        in_september: Callable[[ClosureClass], bool] = lambda kind: kind.in_september_window
        for as_of, counts in ((OCTOBER, in_october), (SEPTEMBER, in_september)):
            kinds = [kind.name for kind in CLASSES if counts(kind)]
            cases = over_cells({c: total(self.counts[c, k] for k in kinds) for c in CELLS})
            days = over_cells({c: total(self.days[c, k] for k in kinds) for c in CELLS})
            self.ratios.require("EH12", as_of, days, cases, by_search=True)

    def _require_late_stock(self) -> None:
        """Cases late at the end of September and closed since are part of September's EH13."""
        for place in DISTRICTS:
            closed = total(
                self.counts[cell, kind]
                for cell in cells_of(place, ALL_AGES)
                for kind in LATE_AT_SEPTEMBER_END
            )
            before = self.printed.cell("EH13", place, ALL_AGES, SEPTEMBER).count
            after = self.printed.cell("EH13", place, ALL_AGES, OCTOBER).count
            self.model.within(closed, before - after, before)

    def owners(self) -> dict[int, str]:
        """The place that each variable is about."""
        found: dict[int, str] = {}
        for (cell, _), variable in (*self.counts.items(), *self.days.items()):
            found.update(dict.fromkeys(variable.terms, cell[0]))
        for (cell, _), variable in self.october.items():
            found.update(dict.fromkeys(variable.terms, cell[0]))
        for (place, _), variable in self.september.items():
            found.update(dict.fromkeys(variable.terms, place))
        return found

    def read(self, values: list[int]) -> Closures:
        """The solved counts."""
        return Closures(
            {key: value_of(count, values) for key, count in self.counts.items()},
            {key: value_of(days, values) for key, days in self.days.items()},
            {key: value_of(count, values) for key, count in self.october.items()},
            {key: value_of(count, values) for key, count in self.september.items()},
        )


def _outcomes() -> list[Outcome]:
    return [(outcome, late) for outcome in OUTCOMES for late in LATENESS]


def _class_cost(kind: ClosureClass) -> int:
    return 1 if kind in EARLIER_CLASSES else 0
