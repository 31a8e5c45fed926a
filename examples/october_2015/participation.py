"""How many under-5s go to children's centres, and young people to youth provision, by district.

Exact whole numbers behind the printed EH24 to EH30 and EH33 of October 2015 and of the month
before. Populations are not printed, so those under 5, and those of them in the most deprived 30 %,
are chosen with the counts. An area is fitted with its districts, and Kent around what was found.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .geography import AREAS, DISTRICTS, NOWHERE, TOP, places_of
from .milp import Linear, Model, total, value_of
from .printed import OCTOBER, PER_10_000, SEPTEMBER, Printed

UNDER_5 = "0-4"
MONTHS = (SEPTEMBER, OCTOBER)
MOST = 120_000
# Of 100 under-5s, so many are counted as deprived, where shares can be had so: few, so that few
# events do, and in such parts that Kent's shares are near.
DEPRIVED = {"North": 10, "East": 13, "South": 10, "West": 5}
FEWEST_DEPRIVED = 300
WITH_CARE = 1, 3_000
NODES = 50_000

# September's EH25 of these two is printed the wrong way round: each other's fits EH27.
SWAPPED = {"Swale": "Shepway", "Shepway": "Swale"}
COUNTS = ("EH24", "EH25", "EH33")
SHARES = ("EH26", "EH27", "EH28", "EH29", "EH30")

Pair = tuple[int, int]
"""September's and October's."""
Contradicted = frozenset[tuple[str, str, str]]
"""Printed cells that are left out: code, area and month."""


@dataclass
class Group:
    """Counts by name, place and month, and one number for each area, of the places of a model."""

    areas: list[str]
    places: list[str]
    held: Mapping[tuple[str, str, str], int]
    model: Model = field(default_factory=Model)
    counts: dict[tuple[str, str, str], Linear] = field(default_factory=dict)

    def count(self, name: str, most: int, cost: int = 0) -> None:
        """Count something in every place, in both months."""
        for place in self.places:
            for month in MONTHS:
                self.counts[name, place, month] = self.model.integer(0, most, cost)

    def inside(self, name: str, area: str, month: str) -> Linear:
        """What is counted in the places of an area, found now or held."""
        return total(
            self.counts[key] if key in self.counts else self.held[key]
            for key in ((name, place, month) for place in places_of(area))
        )


class Fit:
    """The numbers that give every printed cell but those contradicted."""

    def __init__(self, printed: Printed, contradicted: Contradicted) -> None:
        self._printed, self._contradicted = printed, contradicted
        self.found: dict[tuple[str, str, str], int] = {}
        self.under_5s: dict[str, int] = {}
        self.deprived: dict[str, int] = {}
        for code in COUNTS:
            for month in MONTHS:
                self._read(code, month)

    def solve(self, notified: Mapping[str, int]) -> None:
        """Fit the three models of each area and of Kent; `notified` is of EH01 under 5."""
        groups = [([area, *districts], list(districts)) for area, districts in AREAS.items()]
        for areas, places in [*groups, ([TOP], [NOWHERE])]:
            self._registered(Group(areas, places, self.found), notified)
            self._deprived(Group(areas, places, self.found))
            self._with_care(Group(areas, places, self.found))

    def ended(self, place: str) -> int:
        """How many registrations end in October."""
        before, now = (self.found["EH26", place, month] for month in MONTHS)
        return before - now + self.found["EH24", place, OCTOBER]

    def _read(self, code: str, month: str) -> None:
        """Take a printed count of districts; what Kent has beyond them has no district."""
        swapped = SWAPPED if (code, month) == ("EH25", SEPTEMBER) else {}
        counts = {
            district: self._printed.cell(code, swapped.get(district, district), "all", month).count
            for district in DISTRICTS
        }
        counts[NOWHERE] = self._printed.cell(code, TOP, "all", month).count - sum(counts.values())
        for place, count in counts.items():
            self.found[code, place, month] = count

    def _registered(self, group: Group, notified: Mapping[str, int]) -> None:
        model = group.model
        group.count("EH26", MOST)
        people = {area: model.integer(1, MOST) for area in group.areas}
        for place in group.places:
            before, now = (group.counts["EH26", place, month] for month in MONTHS)
            model.within(before - now, low=-self.found["EH24", place, OCTOBER])
            for month in MONTHS:
                least = 2 * self.found["EH25", place, month]
                model.within(group.counts["EH26", place, month], low=least)
        for area, whole in people.items():
            for month in MONTHS:
                self._print(model, ("EH26", area, month), group.inside("EH26", area, month), whole)
                self._print(model, ("EH27", area, month), group.inside("EH25", area, month), whole)
            self._turn(group, "EH26", area)
            known = Linear(constant=notified[area])
            self._print(model, (PER_10_000, area, OCTOBER), known, whole)
        self._prefer_sum(group, people, self.under_5s)
        values = self._solve(group)
        self.under_5s |= {area: value_of(it, values) for area, it in people.items()}

    def _deprived(self, group: Group) -> None:
        model = group.model
        for code in ("EH28", "EH29"):
            group.count(code, MOST)
        people = {area: model.integer(FEWEST_DEPRIVED, MOST) for area in group.areas}
        self._prefer_parts(group, people)
        for place in group.places:
            before, now = (group.counts["EH28", place, month] for month in MONTHS)
            model.within(before - now, -self._room(place)[0], self._room(place)[1])
            for month in MONTHS:
                model.at_most(group.counts["EH29", place, month], before)
                model.within(before, high=self.found["EH26", place, SEPTEMBER] // 2)
            rise = group.counts["EH29", place, OCTOBER] - group.counts["EH29", place, SEPTEMBER]
            model.within(rise, high=self.found["EH25", place, OCTOBER] // 2)
        for area, whole in people.items():
            for code in ("EH28", "EH29"):
                for month in MONTHS:
                    self._print(model, (code, area, month), group.inside(code, area, month), whole)
                self._turn(group, code, area)
        values = self._solve(group)
        self.deprived |= {area: value_of(it, values) for area, it in people.items()}

    def _with_care(self, group: Group) -> None:
        model = group.model
        group.count("EH30", WITH_CARE[1])
        group.count("care", WITH_CARE[1], 1)
        for place in group.places:
            before, now = (group.counts["EH30", place, month] for month in MONTHS)
            model.within(before - now, -self._room(place)[0], self._room(place)[1])
            for registered in (before, now):
                for month in MONTHS:
                    model.at_most(registered, group.counts["care", place, month])
        for area in group.areas:
            for month in MONTHS:
                part, whole = (group.inside(name, area, month) for name in ("EH30", "care"))
                self._print(model, ("EH30", area, month), part, whole)
        self._solve(group)

    def _room(self, place: str) -> Pair:
        """At most so many of one kind are newly registered in October, and no longer: a third."""
        return self.found["EH24", place, OCTOBER] // 3, self.ended(place) // 3

    def _print(self, model: Model, cell: tuple[str, str, str], part: Linear, whole: Linear) -> None:
        code, area, month = cell
        if cell not in self._contradicted:
            band = UNDER_5 if code == PER_10_000 else "all"
            scale = 10_000 if code == PER_10_000 else 100
            model.rounds_to(scale, part, whole, self._printed.cell(code, area, band, month).tenths)

    def _turn(self, group: Group, code: str, area: str) -> None:
        """Let a share of the same people in both months move as the printed arrow says."""
        before, now = (group.inside(code, area, month) for month in MONTHS)
        low, high = {"up": (1, MOST), "down": (-MOST, -1), "level": (0, 0)}[
            self._printed.cell(code, area, "all", OCTOBER).dot
        ]
        group.model.within(now - before, low, high)

    def _prefer_sum(
        self, group: Group, people: Mapping[str, Linear], held: Mapping[str, int]
    ) -> None:
        """Let districts add up to their area, and areas to Kent, as nearly as can be."""
        first, *rest = group.areas
        below = total([*(people[it] for it in rest)]) if rest else total(held[it] for it in AREAS)
        more, less = (group.model.integer(0, MOST, 1) for _ in range(2))
        group.model.equal(people[first] + more, below + less)

    def _prefer_parts(self, group: Group, people: Mapping[str, Linear]) -> None:
        """Let of each 100 under-5s so many be deprived as their area has, as nearly as can be."""
        share = DEPRIVED.get(group.areas[0], 0)
        for area, count in people.items() if share else ():
            more, less = (group.model.integer(0, MOST, 1) for _ in range(2))
            group.model.equal(count + more, less + share * self.under_5s[area] // 100)

    def _solve(self, group: Group) -> list[int]:
        values = group.model.solve(nodes=NODES, gap=0.2)
        self.found |= {key: value_of(it, values) for key, it in group.counts.items()}
        return values
