"""Unit cases closed in July and August: EH12 and EH15 to EH20 of both months, of Kent as a whole.

What September and October need of closures before them is there already. To those come others,
received by March, so that no window of September or October holds them. The model finds how many,
within the 20-week standard or beyond it, how many of these the windows of July and August hold, and
their days in all.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from .cases import Case, spread
from .closed_cases import likely, name_outcomes, other_closure, was_late
from .closing import AUGUST_END, JULY_END, MARCH_END, OLDEST, ClosureClass
from .milp import Linear, Model, total, value_of
from .outcomes import ACHIEVED, COUNTED, ESCALATED, LATE, LATENESS, LEFT_OUT, OUTCOMES, WITHIN
from .printed import tenths_of
from .workdays import day

JANUARY_END, FEBRUARY_END, JUNE_END = day(2015, 1, 31), day(2015, 2, 28), day(2015, 6, 30)
MOST, LONGEST, LEFT_OUT_COST = 500, 300, 10
NODES = 20_000

_FEBRUARY, _MARCH = (JANUARY_END + 1, FEBRUARY_END), (FEBRUARY_END + 1, MARCH_END)


@dataclass(frozen=True)
class Month:
    """A month to be given its printed closures: its name, days, and first receipt in EH12."""

    name: str
    first: int
    last: int
    window: int
    classes: tuple[ClosureClass, ...]

    def holds(self, case: Case) -> bool:
        """Whether a case was closed in the month."""
        return case.closed is not None and self.first <= case.closed <= self.last

    def counts(self, case: Case) -> bool:
        """Whether the average duration of the month, of six months, has a case."""
        return case.closed is not None and case.received >= self.window and case.closed <= self.last


_JULY, _AUGUST = (JUNE_END + 1, JULY_END), (JULY_END + 1, AUGUST_END)
JULY = Month(
    "2015-07", *_JULY, JANUARY_END + 1,
    (
        ClosureClass("July within, March", _MARCH, _JULY, late=False),
        ClosureClass("July within, February", _FEBRUARY, _JULY, late=False),
        ClosureClass("July late, February", _FEBRUARY, _JULY, late=True),
        ClosureClass("July late, old", (OLDEST, JANUARY_END), _JULY, late=True),
    ),
)  # fmt: skip
AUGUST = Month(
    "2015-08", *_AUGUST, FEBRUARY_END + 1,
    (
        ClosureClass("August within, March", _MARCH, _AUGUST, late=False),
        ClosureClass("August late, March", _MARCH, _AUGUST, late=True),
        ClosureClass("August late, old", (OLDEST, FEBRUARY_END), _AUGUST, late=True),
    ),
)  # fmt: skip
MONTHS = (JULY, AUGUST)


@dataclass
class EarlierClosures:
    """Adds closures of July and August to the cases closed in them, and gives all an outcome."""

    trend: dict[tuple[str, str], str]
    known: list[Case]
    rng: random.Random
    model: Model = field(default_factory=Model)

    def make(self) -> list[Case]:
        """The cases added; InfeasibleError if no numbers print as the publication does."""
        added = {it.name: self._class(it) for month in MONTHS for it in month.classes}
        kinds = {month.name: self._outcomes(month, added) for month in MONTHS}
        for month in MONTHS:
            self._require_average(month, added)
        values = self.model.solve(nodes=NODES)
        found = [
            case
            for month in MONTHS
            for it in month.classes
            for case in self._cases(it, *(value_of(each, values) for each in added[it.name]))
        ]
        for month in MONTHS:
            counts = {key: value_of(it, values) for key, it in kinds[month.name].items()}
            name_outcomes(
                [case for case in (*self.known, *found) if month.holds(case)],
                {late: [k for k in OUTCOMES for _ in range(counts[k, late])] for late in LATENESS},
                self.rng,
            )
        return found

    def _class(self, kind: ClosureClass) -> tuple[Linear, Linear]:
        """How many cases of a class, and their days."""
        count, days = self.model.integer(0, MOST), self.model.integer(0, MOST * LONGEST)
        shortest, longest = kind.durations
        self.model.at_most(count * shortest, days)
        self.model.at_most(days, count * longest)
        return count, days

    def _outcomes(
        self, month: Month, added: dict[str, tuple[Linear, Linear]]
    ) -> dict[tuple[str, bool], Linear]:
        model = self.model
        counts = {
            (kind, late): model.integer(0, MOST, LEFT_OUT_COST if kind == LEFT_OUT else 0)
            for kind in OUTCOMES
            for late in LATENESS
        }
        known = [case for case in self.known if month.holds(case)]
        closed = {}
        for late in LATENESS:
            closed[late] = total(counts[kind, late] for kind in OUTCOMES)
            new = total(added[it.name][0] for it in month.classes if it.late == late)
            model.equal(closed[late], new + sum(was_late(case) == late for case in known))
        wanted = int(self._printed("EH15", month))
        model.equal(total(counts[k, late] for k in COUNTED for late in LATENESS), wanted)
        escalated = total(counts[ESCALATED, late] for late in LATENESS)
        model.equal(escalated, int(self._printed("EH17", month)))
        achieved = total(counts[ACHIEVED, late] for late in LATENESS)
        self._require_share("EH16", month, achieved, Linear(constant=wanted))
        for code, late in (("EH19", WITHIN), ("EH20", LATE)):
            self._require_share(code, month, counts[ESCALATED, late], closed[late])
        return counts

    def _require_average(self, month: Month, added: dict[str, tuple[Linear, Linear]]) -> None:
        known = [case for case in self.known if month.counts(case)]
        held = [
            added[it.name]
            for each in MONTHS
            for it in each.classes
            if it.received[0] >= month.window and it.closed[1] <= month.last
        ]
        cases = total(count for count, _ in held) + len(known)
        days = total(days for _, days in held) + sum(map(_duration, known))
        self.model.rounds_to(1, days, cases, tenths_of(self._printed("EH12", month)))

    def _require_share(self, code: str, month: Month, part: Linear, whole: Linear) -> None:
        self.model.rounds_to(100, part, whole, tenths_of(self._printed(code, month)))

    def _printed(self, code: str, month: Month) -> str:
        return self.trend[code, month.name]

    def _cases(self, kind: ClosureClass, count: int, days: int) -> Iterable[Case]:
        for duration in spread(days, [kind.durations] * count, self.rng):
            yield other_closure(*likely(kind.dates(duration), self.rng), self.rng)


def _duration(case: Case) -> int:
    return (case.closed or case.received) - case.received
