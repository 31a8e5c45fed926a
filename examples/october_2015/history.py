"""The stages in order: from printed cells to the cases of the history."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from .allocation import allocate
from .averages import october_averages, september_averages
from .cases import Case
from .closed_cases import ClosedCases, june_closures
from .closing import SEPTEMBER_END
from .durations import find_durations
from .earlier_closures import EarlierClosures
from .earlier_stock import EarlierStock
from .geography import Cell
from .notified import counts_by_cell
from .open_cases import OpenCases
from .other_cases import OtherCases
from .outcomes import find_outcomes
from .population import Populations, populations
from .printed import OCTOBER, Printed, PrintedCell
from .stock import SETTLED, StockModel, received_class

SEED = 2015
Progress = Callable[[str], None]


@dataclass
class History:
    """Builds the history step by step, with one stream of random choices."""

    printed: Printed
    trend: dict[tuple[str, str], str]
    given_up: frozenset[PrintedCell]
    say: Progress

    def __post_init__(self) -> None:
        self.rng = random.Random(SEED)

    def cases(self) -> list[Case]:
        """All cases, in order of receipt; InfeasibleError if some stage has no solution."""
        closed = self._closed()
        units = [*closed, *self._open(closed)]
        self.say("cases of other services")
        cases = [*units, *OtherCases(self.printed, self.trend, units, self.rng).make()]
        allocate(cases, int(self.trend["EH05", "2015-08"]), self.rng)
        self.say("stock of July and August")
        EarlierStock(self.trend, cases, self.rng).fit()
        return sorted(cases, key=lambda case: (case.received, case.place, case.age))

    def populations(self) -> Populations:
        """Populations that the printed rates imply."""
        self.say("populations")
        notified = counts_by_cell(self.printed, "EH01", OCTOBER)
        return populations(self.printed, notified, self.given_up)

    def _closed(self) -> list[Case]:
        self.say("outcomes of closed unit cases")
        outcomes = find_outcomes(self.printed, self.given_up)
        self.say("durations of closed unit cases (a minute or two)")
        durations = find_durations(self.printed, self.given_up, outcomes)
        cases = ClosedCases(outcomes, durations, self.rng).make()
        cases += june_closures(self.trend, cases, self.rng)
        self.say("closed unit cases of July and August")
        cases += EarlierClosures(self.trend, cases, self.rng).make()
        for case in cases:
            if case.closed is not None and case.closed <= SEPTEMBER_END:
                case.contact = min(case.closed, case.received + self.rng.randint(5, 30))
                case.plan = min(case.closed, case.contact + self.rng.randint(3, 30))
        return cases

    def _open(self, closed: list[Case]) -> list[Case]:
        since = [c for c in closed if c.closed is not None and c.closed > SEPTEMBER_END]
        by_class = Counter((case.cell, received_class(case.received)) for case in since)
        by_cell: defaultdict[Cell, list[Case]] = defaultdict(list)
        settled: Counter[str] = Counter()
        for case in since:
            by_cell[case.cell].append(case)
            settled[case.place] += received_class(case.received) in SETTLED
        self.say("averages of first contacts and plans")
        october = october_averages(self.printed, self.given_up)
        september = september_averages(self.printed, self.given_up, october, settled)
        model = StockModel(self.printed, by_class, october, september)
        model.require_all()
        stock = model.solve(self.say)
        return OpenCases(stock, by_cell, model.day_range, self.rng).make()
