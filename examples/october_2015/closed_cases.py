"""Closed unit cases, from their counts: dates of receipt and closure, and outcomes."""

import random
from dataclasses import dataclass

from .cases import UNIT, Case, spread
from .closing import AUGUST_END, MARCH_END
from .durations import BY_NAME, FROM_APRIL, IN_OCTOBER, SINCE_MAY, Durations
from .geography import ALL_AGES, BANDS, CELLS, DISTRICTS, UNKNOWN, Cell, cells_of
from .outcomes import (
    ACHIEVED,
    ESCALATED,
    LATE,
    LATENESS,
    LEFT_OUT,
    OTHER,
    OUTCOMES,
    Outcomes,
)
from .workdays import day, is_late

WORDS: dict[str, tuple[str, ...]] = {
    ACHIEVED: ("Outcomes achieved", "Outcomes achieved", "Outcomes achieved - step across"),
    ESCALATED: ("Escalation to SCS",),
    OTHER: ("Disengaged", "Disengaged", "Consent withdrawn", "Advice and information"),
    LEFT_OUT: ("re-opened", "Closure - Open to Early Help", "Moved Out of Kent"),
}
"""What the outcomes of each kind are called, likelier ones more than once."""
OFFICE_DAYS = range(5)
JUNE_NAME, JUNE = "2015-06", (day(2015, 6, 1), day(2015, 6, 30))


@dataclass
class ClosedCases:
    """Makes the unit cases that closed, cell by cell, with the outcomes known for them."""

    outcomes: Outcomes
    durations: Durations
    rng: random.Random

    def make(self) -> list[Case]:
        """Every unit case closed in October or September, or in a window of either."""
        found: list[Case] = []
        for cell in CELLS:
            found += self._october(cell)
        for place in DISTRICTS:
            found += self._september(place)
        return found

    def _october(self, cell: Cell) -> list[Case]:
        cases = self._of_classes(cell, IN_OCTOBER)
        cases += [self._old(cell, "october old") for _ in range(self._count(cell, "october old"))]
        kinds = {
            late: [k for k in OUTCOMES for _ in range(self.outcomes.october[cell, (k, late)])]
            for late in LATENESS
        }
        name_outcomes(cases, kinds, self.rng)
        return cases

    def _september(self, place: str) -> list[Case]:
        """September's closures, and the few of the months before that are in its windows."""
        cases = []
        for cell in cells_of(place, ALL_AGES):
            cases += self._of_classes(cell, SINCE_MAY)
            cases += self._of_classes(cell, FROM_APRIL)
        late = self.outcomes.in_september(place, LATE)
        closed = [c for c in cases if c.closed is not None and c.closed > AUGUST_END]
        old = [
            self._old((place, self._age()), "september old")
            for _ in range(late - sum(map(was_late, closed)))
        ]
        kinds = {
            late: [k for k in OUTCOMES for _ in range(self.outcomes.september[place, (k, late)])]
            for late in LATENESS
        }
        name_outcomes([*closed, *old], kinds, self.rng)
        for case in cases:
            case.outcome = case.outcome or self.rng.choice(WORDS[OTHER])
        return [*cases, *old]

    def _age(self) -> str:
        return self.rng.choices(BANDS, (21, 34, 37, 8))[0]

    def _count(self, cell: Cell, name: str) -> int:
        return self.durations.cases[cell, name]

    def _of_classes(self, cell: Cell, names: tuple[str, ...]) -> list[Case]:
        kinds = [BY_NAME[name] for name in names for _ in range(self._count(cell, name))]
        bounds = [kind.durations for kind in kinds]
        days = spread(self.durations.days[cell, names], bounds, self.rng)
        found = []
        for kind, duration in zip(kinds, days, strict=True):
            received, closed = likely(kind.dates(duration), self.rng)
            age = self._age() if names == FROM_APRIL else cell[1]
            found.append(Case(cell[0], age, received, UNIT, closed=closed))
        return found

    def _old(self, cell: Cell, name: str) -> Case:
        low, high = BY_NAME[name].durations
        duration = self.rng.randint(low, min(high, low + 90))
        received, closed = likely(BY_NAME[name].dates(duration), self.rng)
        return Case(*cell, received=received, service=UNIT, closed=closed)


def name_outcomes(cases: list[Case], kinds: dict[bool, list[str]], rng: random.Random) -> None:
    """Give cases outcomes: as many of each kind as are listed for those late and those not."""
    for found in kinds.values():
        rng.shuffle(found)
    for case in cases:
        case.outcome = rng.choice(WORDS[kinds[was_late(case)].pop()])


def was_late(case: Case) -> bool:
    """Whether a case was closed beyond 20 weeks."""
    return case.closed is not None and is_late(case.received, case.closed)


def likely(dates: list[tuple[int, int]], rng: random.Random) -> tuple[int, int]:
    """One of the pairs of dates, on weekdays if it can be."""
    weekdays = [pair for pair in dates if all((d - 1) % 7 in OFFICE_DAYS for d in pair)]
    return rng.choice(weekdays or dates)


def june_closures(
    trend: dict[tuple[str, str], str], cases: list[Case], rng: random.Random
) -> list[Case]:
    """Closures of June that, with those of `cases`, make Kent's printed EH15 to EH17.

    They were received by March, so that no window of September or October holds them.
    """
    first, end = JUNE
    closed = int(trend["EH15", JUNE_NAME])
    escalated = int(trend["EH17", JUNE_NAME])
    achieved = round(closed * float(trend["EH16", JUNE_NAME].rstrip("%")) / 100)
    wanted = {ACHIEVED: achieved, ESCALATED: escalated, OTHER: closed - achieved - escalated}
    for case in cases:
        if case.closed is not None and first <= case.closed <= end:
            wanted[_kind_of(case)] -= 1
    kinds = [k for k, n in wanted.items() for _ in range(n)]
    rng.shuffle(kinds)
    weekdays = [d for d in range(first, end + 1) if (d - 1) % 7 in OFFICE_DAYS]
    added = []
    for kind in kinds:
        case = other_closure(rng.randint(day(2014, 11, 3), MARCH_END), rng.choice(weekdays), rng)
        case.outcome = rng.choice(WORDS[kind])
        added.append(case)
    return added


def other_closure(received: int, closed: int, rng: random.Random) -> Case:
    """A closed unit case of any district and age."""
    place, age = rng.choice([cell for cell in CELLS if cell[0] and cell[1] != UNKNOWN])
    return Case(place, age, received=received, service=UNIT, closed=closed)


def _kind_of(case: Case) -> str:
    return next(kind for kind, words in WORDS.items() if case.outcome in words)
