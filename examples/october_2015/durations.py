"""How long closed unit cases had lasted: EH12 of October by cell and of September by place.

The number of closures within the standard and beyond it is known. The model finds how many of
them, and of the cases closed earlier, each window holds, and their days in all; the bounds of the
closure classes make sure that cases with such dates exist.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .closing import CLASSES, LATE_AT_SEPTEMBER_END
from .constraints import Ratios, over_cells
from .geography import AGES, ALL_AGES, AREAS, CELLS, DISTRICTS, TOP, Cell, cells_of
from .milp import Linear, Model, total, value_of
from .outcomes import LATE, WITHIN, Outcomes
from .printed import OCTOBER, SEPTEMBER, Printed, PrintedCell

BY_NAME = {kind.name: kind for kind in CLASSES}
IN_OCTOBER = ("october within", "october newly late", "october late")
SINCE_MAY = ("september within", "september late", "earlier")
FROM_APRIL = ("september within, April", "september late, April", "earlier, April")
MOST = {"earlier": 25, "earlier, April": 40}
"""Cases closed before September are few: their number is not printed for the windows."""
NODES = 400_000
ANY = 1e9
"""A gap so wide that the first solution will do."""


@dataclass(frozen=True)
class Durations:
    """Cases by class, and days in all of October's, of those since May and of those from April.

    Cases from April are counted by place, under the first age: no printed figure has their band.
    """

    cases: dict[tuple[Cell, str], int]
    days: dict[tuple[Cell, tuple[str, ...]], int]


def find_durations(
    printed: Printed, given_up: frozenset[PrintedCell], outcomes: Outcomes
) -> Durations:
    """Numbers that print as the publication does; InfeasibleError if none do.

    1. One area after another is solved by itself, Kent's averages left aside.
    2. The last area is solved so that, with the others held, Kent's averages come out as well.
    """
    kent = frozenset(cell for cell in printed.cells if cell.area == TOP)
    parts = _DurationModel(printed, outcomes, given_up | kent)
    whole = _DurationModel(printed, outcomes, given_up)
    values = [0] * len(whole.model.lows)
    *first, last = AREAS
    for area in first:
        values = parts.model.solve(values, parts.names(area), nodes=NODES, gap=ANY)
    values = whole.model.solve(values, whole.names(last), nodes=NODES, gap=ANY)
    return Durations(
        {key: value_of(count, values) for key, count in whole.cases.items()},
        {key: value_of(days, values) for key, days in whole.days.items()},
    )


class _DurationModel:
    def __init__(
        self, printed: Printed, outcomes: Outcomes, given_up: frozenset[PrintedCell]
    ) -> None:
        self.model = Model()
        self.outcomes = outcomes
        self.cases: dict[tuple[Cell, str], Linear] = {}
        self.days: dict[tuple[Cell, tuple[str, ...]], Linear] = {}
        for cell in CELLS:
            self._add_october(cell)
            self._add_earlier(cell)
        for place in DISTRICTS:
            self._require_september(place)
            self._require_late_stock(printed, place)
        self._require_averages(Ratios(self.model, printed, given_up))

    def names(self, area: str) -> frozenset[int]:
        """The variables about an area's cells."""
        cells = set(cells_of(area, ALL_AGES))
        tables: tuple[Mapping[Any, Linear], ...] = (self.cases, self.days)
        return frozenset(
            name
            for table in tables
            for key, variable in table.items()
            if key[0] in cells
            for name in variable.terms
        )

    def _require_averages(self, ratios: Ratios) -> None:
        windows = ((OCTOBER, (IN_OCTOBER, SINCE_MAY)), (SEPTEMBER, (SINCE_MAY, FROM_APRIL)))
        for as_of, groups in windows:
            cases = {c: total(self.cases[c, k] for g in groups for k in g) for c in CELLS}
            days = {c: total(self.days[c, g] for g in groups) for c in CELLS}
            ratios.require("EH12", as_of, over_cells(days), over_cells(cases))

    def _add_october(self, cell: Cell) -> None:
        within, late = (self.outcomes.in_october(cell, lateness) for lateness in (WITHIN, LATE))
        self.cases[cell, "october within"] = Linear(constant=within)
        for name in ("october newly late", "october late", "october old"):
            self.cases[cell, name] = self.model.integer(0, late)
        beyond = (
            self.cases[cell, k.name] for k in CLASSES if k.name.startswith("october") and k.late
        )
        self.model.equal(total(beyond), late)
        self._add_days(cell, IN_OCTOBER)

    def _add_earlier(self, cell: Cell) -> None:
        known = bool(cell[0]) and cell[1] in AGES[:-1]
        for name in (*SINCE_MAY, *FROM_APRIL):
            possible = known and (name in SINCE_MAY or cell[1] == AGES[0])
            self.cases[cell, name] = self.model.integer(0, MOST.get(name, 60) if possible else 0)
        self._add_days(cell, SINCE_MAY)
        self._add_days(cell, FROM_APRIL)

    def _add_days(self, cell: Cell, names: tuple[str, ...]) -> None:
        days = self.model.integer(0, 100_000)
        shortest = total(self.cases[cell, name] * BY_NAME[name].durations[0] for name in names)
        longest = total(self.cases[cell, name] * BY_NAME[name].durations[1] for name in names)
        self.model.at_most(shortest, days)
        self.model.at_most(days, longest)
        self.days[cell, names] = days

    def _cases_of(self, place: str, names: Iterable[str]) -> Linear:
        cells = list(cells_of(place, ALL_AGES))
        return total(self.cases[cell, name] for cell in cells for name in names)

    def _require_september(self, place: str) -> None:
        """Closures within the standard all lie in the window; some of the late ones do."""
        within = self._cases_of(place, ("september within", "september within, April"))
        self.model.equal(within, self.outcomes.in_september(place, WITHIN))
        late = self._cases_of(place, ("september late", "september late, April"))
        self.model.within(late, high=self.outcomes.in_september(place, LATE))

    def _require_late_stock(self, printed: Printed, place: str) -> None:
        """Cases late at the end of September and closed since are part of September's EH13."""
        before = printed.cell("EH13", place, ALL_AGES, SEPTEMBER).count
        after = printed.cell("EH13", place, ALL_AGES, OCTOBER).count
        closed = self._cases_of(place, LATE_AT_SEPTEMBER_END)
        self.model.within(closed, before - after, before)
