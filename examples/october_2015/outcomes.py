"""How unit cases closed: EH15-EH20 of October by cell and of September by place.

September's figures are printed without bands, so its outcomes are found by place alone.
"""

from dataclasses import dataclass

from .constraints import Measure, Ratios, over_cells, require_counts
from .geography import ALL_AGES, BANDS, CELLS, DISTRICTS, NOWHERE, PLACES, UNKNOWN, Cell, places_of
from .milp import Linear, Model, total, value_of
from .notified import constant, counts_by_cell
from .printed import OCTOBER, SEPTEMBER, Printed, PrintedCell

ACHIEVED, ESCALATED, OTHER, LEFT_OUT = "achieved", "escalated", "other", "left out"
"""Kinds of outcome; LEFT_OUT is the outcomes that EH15 does not count."""
OUTCOMES = (ACHIEVED, ESCALATED, OTHER, LEFT_OUT)
COUNTED = (ACHIEVED, ESCALATED, OTHER)
WITHIN, LATE = False, True
LATENESS = (WITHIN, LATE)
MOST = 400
LEFT_OUT_COST = 10
NODES = 20_000

Outcome = tuple[str, bool]
"""A kind of outcome, and whether the closure came beyond 20 weeks."""


@dataclass(frozen=True)
class Outcomes:
    """Closures by cell (October) or place (September), and by outcome."""

    october: dict[tuple[Cell, Outcome], int]
    september: dict[tuple[str, Outcome], int]

    def in_october(self, cell: Cell, late: bool) -> int:
        """October's closures of a cell, within the standard or beyond it."""
        return sum(self.october[cell, (kind, late)] for kind in OUTCOMES)

    def in_september(self, place: str, late: bool) -> int:
        """September's closures of a place, within the standard or beyond it."""
        return sum(self.september[place, (kind, late)] for kind in OUTCOMES)


def find_outcomes(printed: Printed, given_up: frozenset[PrintedCell]) -> Outcomes:
    """Outcomes with the fewest left out of EH15; InfeasibleError if the printed cells have none."""
    model = _OutcomeModel(printed, given_up)
    values = model.model.solve(nodes=NODES)
    return Outcomes(
        {key: value_of(count, values) for key, count in model.october.items()},
        {key: value_of(count, values) for key, count in model.september.items()},
    )


class _OutcomeModel:
    def __init__(self, printed: Printed, given_up: frozenset[PrintedCell]) -> None:
        self.printed = printed
        self.model = Model()
        self.ratios = Ratios(self.model, printed, given_up)
        kinds = [(kind, late) for kind in OUTCOMES for late in LATENESS]
        self.october = {(c, o): self._count(c[0], c[1], o) for c in CELLS for o in kinds}
        self.september = {(p, o): self._count(p, "", o) for p in PLACES for o in kinds}
        self._require(OCTOBER)
        self._require(SEPTEMBER)

    def _count(self, place: str, age: str, outcome: Outcome) -> Linear:
        possible = place != NOWHERE and age != UNKNOWN
        cost = LEFT_OUT_COST if outcome[0] == LEFT_OUT else 0
        return self.model.integer(0, MOST if possible else 0, cost)

    def _require(self, as_of: str) -> None:
        counted, escalated = self._known(as_of), self._closed(as_of, (ESCALATED,), LATENESS)
        closed = self._closed(as_of, COUNTED, LATENESS)
        for place in DISTRICTS:
            for band in (*BANDS, ALL_AGES) if as_of == OCTOBER else (ALL_AGES,):
                self.model.equal(closed(place, band), counted(place, band))
        require_counts(self.model, self.printed, "EH17", as_of, escalated)
        self.ratios.require("EH16", as_of, self._closed(as_of, (ACHIEVED,), LATENESS), counted)
        for code, late in (("EH19", WITHIN), ("EH20", LATE)):
            part, whole = (self._closed(as_of, o, (late,)) for o in ((ESCALATED,), OUTCOMES))
            self.ratios.require(code, as_of, part, whole)

    def _known(self, as_of: str) -> Measure:
        """EH15 as known numbers, which makes the ratios that rest on it simple bounds."""
        if as_of == OCTOBER:
            return over_cells(constant(counts_by_cell(self.printed, "EH15", OCTOBER)))
        return lambda area, band: Linear(
            constant=self.printed.cell("EH15", area, band, SEPTEMBER).count
        )

    def _closed(self, as_of: str, kinds: tuple[str, ...], lateness: tuple[bool, ...]) -> Measure:
        chosen = [(kind, late) for kind in kinds for late in lateness]
        if as_of == OCTOBER:
            return over_cells({c: total(self.october[c, o] for o in chosen) for c in CELLS})
        return lambda area, _band: total(
            self.september[p, o] for p in places_of(area) for o in chosen
        )
