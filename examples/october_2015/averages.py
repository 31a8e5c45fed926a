"""EH10 and EH11 as numbers of cases and days, for October by cell and for September by place.

One model fits the averages of districts, areas and Kent together; the numbers of cases only have
to be possible beside the printed counts of open cases, of late ones and of plans. How the cases
came about is left to the model of the stock.
"""

from dataclasses import dataclass

from .constraints import Ratios, over_cells
from .geography import AGES, CELLS, DISTRICTS, NOWHERE, UNKNOWN, Cell
from .milp import Linear, Model, value_of
from .notified import counts_by_cell, overall_by_place
from .printed import OCTOBER, SEPTEMBER, Printed, PrintedCell

CONTACT, PLAN = "contact", "plan"
CODES = {CONTACT: "EH10", PLAN: "EH11"}
SHORTEST, LONGEST = 7, 75
"""Days: about the least and more than the greatest average in print."""
UNPRINTED = (9, 20)
"""Days where no average is in print: cases without a district or an age."""
WORTH = 24
"""Cells with so many cases to choose from have at least ENOUGH behind an average."""
ENOUGH = 10
NODES = 20_000
ANY = 1e9
"""A gap so wide that the first solution will do."""

Numbers = dict[tuple[Cell, str], tuple[int, int]]
"""Cases with the milestone and their days, by cell (September: under unknown ages) and kind."""


@dataclass(frozen=True)
class Room:
    """The cases a cell has: open and not late, and how many plans there are."""

    current: int
    plans: int
    older: int
    fewest_plans: int = 0
    days: tuple[int, int] = (SHORTEST, LONGEST)


class AveragesModel:
    """Both averages at one date."""

    def __init__(self, rooms: dict[Cell, Room]) -> None:
        self.model = Model()
        self.cases: dict[tuple[Cell, str], Linear] = {}
        self.days: dict[tuple[Cell, str], Linear] = {}
        for cell in CELLS:
            self._add(cell, rooms.get(cell, Room(0, 0, 0)))

    def _add(self, cell: Cell, room: Room) -> None:
        for kind, most in ((CONTACT, room.current), (PLAN, min(room.current, room.plans))):
            cases = self.model.integer(ENOUGH if most >= WORTH else 0, most)
            days = self.model.integer(0, most * LONGEST)
            self.model.at_most(cases * room.days[0], days)
            self.model.at_most(days, cases * room.days[1])
            self.cases[cell, kind], self.days[cell, kind] = cases, days
        contacts, plans = self.cases[cell, CONTACT], self.cases[cell, PLAN]
        self.model.at_most(plans, contacts)
        self.model.within(plans, low=room.fewest_plans)
        self.model.within(plans - contacts, low=room.plans - room.older - room.current)

    def fit(self, printed: Printed, as_of: str, given_up: frozenset[PrintedCell]) -> Numbers:
        """Numbers that print as the publication does; InfeasibleError if none do."""
        ratios = Ratios(self.model, printed, given_up)
        for kind, code in CODES.items():
            cases = over_cells({cell: self.cases[cell, kind] for cell in CELLS})
            days = over_cells({cell: self.days[cell, kind] for cell in CELLS})
            ratios.require(code, as_of, days, cases)
        values = self.model.solve(nodes=NODES, gap=ANY)
        return {
            key: (value_of(count, values), value_of(self.days[key], values))
            for key, count in self.cases.items()
        }


def october_averages(printed: Printed, given_up: frozenset[PrintedCell]) -> Numbers:
    """Cases and days behind October's averages, by cell."""
    opened = counts_by_cell(printed, "EH05", OCTOBER)
    late = counts_by_cell(printed, "EH13", OCTOBER)
    plans = counts_by_cell(printed, "EH07", OCTOBER)
    rooms = {
        cell: Room(
            opened[cell] - late[cell], plans[cell], late[cell], days=_day_range(printed, cell)
        )
        for cell in CELLS
    }
    return AveragesModel(rooms).fit(printed, OCTOBER, given_up)


def _day_range(printed: Printed, cell: Cell) -> tuple[int, int]:
    place, age = cell
    if place == NOWHERE or age == UNKNOWN:
        return UNPRINTED
    figures = (printed.cell(code, place, age, OCTOBER) for code in CODES.values())
    return (0 if any(figure.is_nothing for figure in figures) else SHORTEST), LONGEST


def september_averages(
    printed: Printed,
    given_up: frozenset[PrintedCell],
    october: Numbers,
    closed: dict[str, int],
) -> Numbers:
    """Cases and days behind September's averages, by place, kept under the unknown ages.

    Plans of cases received before July are among October's older plans or of cases `closed` since,
    so the others of September's plans have to be in September's window.
    """
    opened = overall_by_place(printed, "EH05", SEPTEMBER)
    late = overall_by_place(printed, "EH13", SEPTEMBER)
    plans = overall_by_place(printed, "EH07", SEPTEMBER)
    still = overall_by_place(printed, "EH07", OCTOBER)
    rooms = {}
    for place in DISTRICTS:
        recent = sum(october[(place, age), PLAN][0] for age in AGES)
        fewest = max(0, plans[place] - (still[place] - recent) - closed[place])
        current = (opened[place] - late[place]) * 3 // 5
        rooms[place, UNKNOWN] = Room(current, plans[place], opened[place], fewest)
    return AveragesModel(rooms).fit(printed, SEPTEMBER, given_up)
