"""Open unit cases as counts: EH05, EH07, EH10, EH11 and EH13 of October and September.

Cases are sorted by when they were received, so that all of one class have the same answer to:
beyond 20 weeks at the end of September or of October, in the three-month windows of either. By
cell the model finds how many were kept from September to October or came in October, how many of
them had a first contact and a plan by then, and after how many days in all.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .averages import Numbers
from .closing import JULY_END, LATE_IN_SEPTEMBER, OCTOBER_END, SEPTEMBER_END
from .geography import ALL_AGES, CELLS, PLACES, TOP, UNKNOWN, Cell, cells_of
from .milp import Linear, Model, total, value_of
from .notified import counts_by_cell, overall_by_place
from .printed import OCTOBER, SEPTEMBER, Printed
from .workdays import day, last_late

LATE_IN_OCTOBER = last_late(OCTOBER_END)
JUNE_END = day(2015, 6, 30)

RECEIVED: dict[str, tuple[int, int]] = {
    "late": (day(2014, 12, 1), LATE_IN_SEPTEMBER),
    "newly late": (LATE_IN_SEPTEMBER + 1, LATE_IN_OCTOBER),
    "june": (LATE_IN_OCTOBER + 1, JUNE_END),
    "july": (JUNE_END + 1, JULY_END),
    "recent": (JULY_END + 1, SEPTEMBER_END),
    "october": (SEPTEMBER_END + 1, OCTOBER_END),
}
"""First and last day of receipt of each class."""
KEPT = ("late", "newly late", "june", "july", "recent")
SETTLED = ("late", "newly late", "june")
MOST = 250
NODES = 5_000
GAP = 0.2


ONE_MONTH = 30
"""Days: a contact and a plan in October of one case lie no further apart."""


def received_class(received: int) -> str:
    """The class of a receipt date."""
    return next(name for name, (_, last) in RECEIVED.items() if received <= last)


MILESTONES = ("contact", "plan")
WINDOW_CODES = {"contact": "EH10", "plan": "EH11"}

GROUPS = ("kept before", "kept since", "october")
"""Milestones in October's window: of recent cases kept, dated by September's end or since, and of
cases received in October. A fourth group, `september`, is in September's window alone."""


SPANS = {
    "kept before": (0.5, 1.6, 55),
    "kept since": (0.75, 1.25, 75),
    "october": (0.25, 1.6, 24),
    "september": (0.5, 1.6, 60),
}
"""Days of each group: least and most as multiples of the average in print, and the widest."""


@dataclass(frozen=True)
class Stock:
    """Whole numbers by cell: cases kept and new by class; milestones and their days."""

    kept: dict[tuple[Cell, str], int]
    new: dict[Cell, int]
    planned: dict[tuple[Cell, str], int]
    groups: dict[tuple[Cell, str, str], tuple[int, int]]


class StockModel:
    """The model of open unit cases; `closed` counts October's closures by cell and class."""

    def __init__(
        self,
        printed: Printed,
        closed: dict[tuple[Cell, str], int],
        october: Numbers,
        september: Numbers,
    ) -> None:
        self.printed = printed
        self.closed = closed
        self.model = Model()
        self.october = october
        self.september = {
            (cell[0], kind): found
            for (cell, kind), found in september.items()
            if cell[1] == UNKNOWN
        }
        self.kept = {(c, r): self.model.integer(0, MOST) for c in CELLS for r in KEPT}
        self.new = {c: self.model.integer(0, MOST) for c in CELLS}
        self.planned = {
            (c, name): self.model.integer(0, MOST)
            for c in CELLS
            for name in ("settled before", "settled", "closed before", "july before", "july")
        }  # fmt: skip
        self.count: dict[tuple[Cell, str, str], Linear] = {}
        self.days: dict[tuple[Cell, str, str], Linear] = {}
        for cell in CELLS:
            for milestone in MILESTONES:
                self._add_groups(cell, milestone)

    def _add_groups(self, cell: Cell, milestone: str) -> None:
        for group in (*GROUPS, "september"):
            low, high = self.day_range(cell, milestone, group)
            count = self.model.integer(0, MOST)
            days = self.model.integer(0, MOST * high)
            self.model.at_most(count * low, days)
            self.model.at_most(days, count * high)
            self.count[cell, milestone, group] = count
            self.days[cell, milestone, group] = days

    def day_range(self, cell: Cell, milestone: str, group: str) -> tuple[int, int]:
        """The days within which a group's milestones lie; September's window has its own."""
        typical = self._typical(cell, milestone, SEPTEMBER if group == "september" else OCTOBER)
        low, high = span(typical, group)
        if milestone == "plan" and group == "kept since":
            contact, _ = span(self._typical(cell, "contact", OCTOBER), group)
            high = max(low, min(high, contact + ONE_MONTH))
        return low, high

    def _typical(self, cell: Cell, milestone: str, as_of: str) -> float:
        place, age = cell
        band = ALL_AGES if age == UNKNOWN or as_of == SEPTEMBER else age
        code = WINDOW_CODES[milestone]
        return self.printed.cell(code, place or TOP, band, as_of).tenths / 10

    def require_all(self) -> None:
        """Add every constraint."""
        self._require_october()
        self._require_september()
        for cell in CELLS:
            self._require_order(cell)
        self._require_averages()

    def _kept(self, cell: Cell, classes: Iterable[str] = KEPT) -> Linear:
        return total(self.kept[cell, name] for name in classes)

    def _require_october(self) -> None:
        open_cases = counts_by_cell(self.printed, "EH05", OCTOBER)
        late = counts_by_cell(self.printed, "EH13", OCTOBER)
        plans = counts_by_cell(self.printed, "EH07", OCTOBER)
        for cell in CELLS:
            self.model.equal(self._kept(cell) + self.new[cell], open_cases[cell])
            self.model.equal(self._kept(cell, ("late", "newly late")), late[cell])
            recent = total(self.count[cell, "plan", group] for group in GROUPS)
            older = self.planned[cell, "settled"] + self.planned[cell, "july"]
            self.model.equal(recent + older, plans[cell])

    def _require_september(self) -> None:
        open_cases = overall_by_place(self.printed, "EH05", SEPTEMBER)
        late = overall_by_place(self.printed, "EH13", SEPTEMBER)
        plans = overall_by_place(self.printed, "EH07", SEPTEMBER)
        for place in PLACES:
            cells = list(cells_of(place, ALL_AGES))
            self.model.equal(total(self._before(c, KEPT) for c in cells), open_cases[place])
            self.model.equal(total(self._before(c, ("late",)) for c in cells), late[place])
            self.model.equal(total(self._plans_before(c) for c in cells), plans[place])

    def _before(self, cell: Cell, classes: Iterable[str]) -> Linear:
        """Unit cases open at the end of September."""
        return total(self.kept[cell, name] + self.closed.get((cell, name), 0) for name in classes)

    def _plans_before(self, cell: Cell) -> Linear:
        settled = self.planned[cell, "settled before"] + self.planned[cell, "closed before"]
        window = self.count[cell, "plan", "kept before"] + self.count[cell, "plan", "september"]
        return settled + window

    def _require_order(self, cell: Cell) -> None:
        """What happened to a group cannot exceed the group; plans follow contacts."""
        self._require_settled(cell)
        self._require_window(cell)
        self._require_september_window(cell)

    def _require_settled(self, cell: Cell) -> None:
        at_most, planned = self.model.at_most, self.planned
        at_most(planned[cell, "settled before"], planned[cell, "settled"])
        at_most(planned[cell, "settled"], self._kept(cell, SETTLED))
        at_most(planned[cell, "closed before"], self._closed(cell, SETTLED))
        at_most(planned[cell, "july before"], planned[cell, "july"])
        at_most(planned[cell, "july"], self.kept[cell, "july"])

    def _require_window(self, cell: Cell) -> None:
        at_most, count = self.model.at_most, self.count
        made = {m: total(count[cell, m, group] for group in GROUPS[:2]) for m in MILESTONES}
        at_most(made["contact"], self.kept[cell, "recent"])
        at_most(made["plan"], made["contact"])
        at_most(count[cell, "contact", "october"], self.new[cell])
        for group in ("kept before", "october", "september"):
            at_most(count[cell, "plan", group], count[cell, "contact", group])

    def _require_september_window(self, cell: Cell) -> None:
        """Milestones in September's window alone: of July's cases kept or closed since."""
        at_most, closed = self.model.at_most, self._closed(cell, ("july",))
        contacts, plans = (self.count[cell, m, "september"] for m in MILESTONES)
        before = self.planned[cell, "july before"]
        at_most(contacts, self.kept[cell, "july"] + closed)
        at_most(before, plans)
        at_most(plans - before, closed)

    def _closed(self, cell: Cell, classes: Iterable[str]) -> int:
        return sum(self.closed.get((cell, name), 0) for name in classes)

    def _require_averages(self) -> None:
        """The cases and days found for EH10 and EH11."""
        for (cell, milestone), (cases, days) in self.october.items():
            counts = [self.count[cell, milestone, group] for group in GROUPS]
            sums = [self.days[cell, milestone, group] for group in GROUPS]
            self.model.equal(total(counts), cases)
            self.model.equal(total(sums), days)
        for (place, milestone), (cases, days) in self.september.items():
            keys = [
                (cell, milestone, group)
                for cell in cells_of(place, ALL_AGES)
                for group in ("kept before", "september")
            ]
            self.model.equal(total(self.count[key] for key in keys), cases)
            self.model.equal(total(self.days[key] for key in keys), days)

    def solve(self, say: Callable[[str], None]) -> Stock:
        """The counts, place by place; InfeasibleError if there are none."""
        values = [0] * len(self.model.lows)
        names = self._names()
        for place in PLACES:
            say(f"open unit cases: {place or 'no district'}")
            values = self.model.solve(values, names[place], nodes=NODES, gap=GAP)
        return self.read(values)

    def _names(self) -> dict[str, frozenset[int]]:
        """The variables of each place."""
        found: dict[str, set[int]] = {place: set() for place in PLACES}
        for cell, variable in self.new.items():
            found[cell[0]].update(variable.terms)
        tables: tuple[Mapping[Any, Linear], ...] = (
            self.kept,
            self.planned,
            self.count,
            self.days,
        )
        for table in tables:
            for key, variable in table.items():
                found[key[0][0]].update(variable.terms)
        return {place: frozenset(names) for place, names in found.items()}

    def read(self, values: list[int]) -> Stock:
        """The solved counts."""
        return Stock(
            {key: value_of(count, values) for key, count in self.kept.items()},
            {key: value_of(count, values) for key, count in self.new.items()},
            {key: value_of(count, values) for key, count in self.planned.items()},
            {
                key: (value_of(count, values), value_of(self.days[key], values))
                for key, count in self.count.items()
            },
        )


def span(typical: float, group: str) -> tuple[int, int]:
    """Plausible days from notification to milestone, about the typical average, for a group."""
    if typical == 0:
        return 0, 30
    least, most, widest = SPANS[group]
    return min(max(1, int(typical * least)), widest // 2), min(widest, int(typical * most) + 3)
