"""Open unit cases, from their counts: dates of receipt, first contact and plan.

Also the contacts and plans of October's closures, which September's figures count.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from .averages import CONTACT, PLAN
from .cases import UNIT, Case, spread
from .closing import OCTOBER_END, SEPTEMBER_END
from .geography import CELLS, Cell
from .pairing import Milestone, paired, receipts
from .stock import RECEIVED, SETTLED, Stock, received_class

ATTEMPTS = 200
"""Scatterings of days to try until contacts and plans can be those of the same cases."""

DayRange = Callable[[Cell, str, str], tuple[int, int]]


@dataclass
class OpenCases:
    """Makes the open unit cases of one cell after another.

    `day_range` gives the days within which a group's milestones were counted.
    """

    stock: Stock
    closed: dict[Cell, list[Case]]
    day_range: DayRange
    rng: random.Random

    def make(self) -> list[Case]:
        """All open unit cases; the closed ones are given contacts and plans in passing."""
        found: list[Case] = []
        for cell in CELLS:
            found += self._settled(cell)
            found += self._july(cell)
            found += self._recent(cell)
            found += self._october(cell)
            self._closed_settled(cell)
        return found

    def _days(self, cell: Cell, kind: str, group: str) -> list[int]:
        count, total = self.stock.groups[cell, kind, group]
        return sorted(spread(total, [self.day_range(cell, kind, group)] * count, self.rng))

    def _case(self, cell: Cell, first: int, last: int) -> Case:
        """A case received from `first` to `last`, on a weekday if there is one."""
        days = range(first, last + 1)
        weekdays = [d for d in days if (d - 1) % 7 < 5]
        return Case(*cell, received=self.rng.choice(weekdays or list(days)), service=UNIT)

    def _settled(self, cell: Cell) -> list[Case]:
        cases = [
            self._case(cell, *RECEIVED[name])
            for name in SETTLED
            for _ in range(self.stock.kept[cell, name])
        ]
        self.rng.shuffle(cases)
        before = self.stock.planned[cell, "settled before"]
        planned = self.stock.planned[cell, "settled"]
        for number, case in enumerate(cases):
            self._long_ago(case, planned=number < before)
            if before <= number < planned:
                case.plan = self.rng.randint(SEPTEMBER_END + 1, OCTOBER_END)
        return cases

    def _long_ago(self, case: Case, *, planned: bool) -> None:
        """Give a case received by June its contact, and its plan, before September's end."""
        latest = SEPTEMBER_END - case.received
        contact = min(self.rng.randint(6, 32), latest - 1)
        case.contact = case.received + contact
        if planned:
            case.plan = case.received + self.rng.randint(contact, min(latest, contact + 35))

    def _closed_settled(self, cell: Cell) -> None:
        cases = [c for c in self.closed.get(cell, ()) if received_class(c.received) in SETTLED]
        planned = self.stock.planned[cell, "closed before"]
        for number, case in enumerate(self.rng.sample(cases, len(cases))):
            self._long_ago(case, planned=number < planned)

    def _july(self, cell: Cell) -> list[Case]:
        """Cases of July kept in October, and the milestones of those closed since."""
        kept = self.stock.kept[cell, "july"]
        before, after = (self.stock.planned[cell, name] for name in ("july before", "july"))
        dates = self._pairs(
            self._days(cell, CONTACT, "september"), self._days(cell, PLAN, "september")
        )
        planned = [pair for pair in dates if pair[1] is not None]
        contacted = [pair for pair in dates if pair[1] is None]
        to_closed = len(planned) - before
        shared = max(0, len(dates) - to_closed - kept)
        self._give_to_closed(cell, planned[:to_closed] + contacted[:shared])
        rest = planned[to_closed:] + contacted[shared:]
        rest += [(None, None)] * (kept - len(rest))
        cases = [self._july_case(cell, contact, plan) for contact, plan in rest]
        for case in [c for c in cases if c.plan is None][: after - before]:
            self._plan_in_october(case)
        return cases

    def _give_to_closed(self, cell: Cell, dates: list[tuple[int | None, int | None]]) -> None:
        closed = [c for c in self.closed.get(cell, ()) if received_class(c.received) == "july"]
        for case, (contact, plan) in zip(closed, dates, strict=False):
            _set(case, contact, plan)

    def _pairs(self, contacts: list[int], plans: list[int]) -> list[tuple[int | None, int | None]]:
        """Contacts with plans after them, as far as may be; the cases with plans come first."""
        padded: list[int | None] = [*plans, *[None] * (len(contacts) - len(plans))]
        return list(zip(contacts, padded, strict=True))

    def _july_case(self, cell: Cell, contact: int | None, plan: int | None) -> Case:
        first, last = RECEIVED["july"]
        case = self._case(cell, first, min(last, SEPTEMBER_END - max(contact or 0, plan or 0)))
        _set(case, contact, plan)
        return case

    def _plan_in_october(self, case: Case) -> None:
        case.plan = self.rng.randint(SEPTEMBER_END + 6, OCTOBER_END)
        if case.contact is None:
            case.contact = self.rng.randint(SEPTEMBER_END + 1, case.plan)

    def _recent(self, cell: Cell) -> list[Case]:
        """Cases of August and September: contacts and plans by September's end, or since."""
        for _ in range(ATTEMPTS):
            contacts = self._milestones(cell, CONTACT)
            plans = self._milestones(cell, PLAN)
            pairs = paired(contacts, plans)
            if pairs is not None:
                break
        else:
            raise ValueError(f"no pairing of contacts and plans in {cell}")
        pairs += [(None, None)] * (self.stock.kept[cell, "recent"] - len(pairs))
        return [self._recent_case(cell, contact, plan) for contact, plan in pairs]

    def _milestones(self, cell: Cell, kind: str) -> list[Milestone]:
        before = self._days(cell, kind, "kept before")
        since = self._days(cell, kind, "kept since")
        return [*((days, False) for days in before), *((days, True) for days in since)]

    def _recent_case(self, cell: Cell, contact: Milestone | None, plan: Milestone | None) -> Case:
        case = self._case(cell, *receipts(contact, plan))
        _set(case, contact and contact[0], plan and plan[0])
        return case

    def _october(self, cell: Cell) -> list[Case]:
        first, last = RECEIVED["october"]
        dates = self._pairs(self._days(cell, CONTACT, "october"), self._days(cell, PLAN, "october"))
        dates += [(None, None)] * (self.stock.new[cell] - len(dates))
        cases = []
        for contact, plan in dates:
            case = self._case(cell, first, min(last, OCTOBER_END - max(contact or 0, plan or 0)))
            _set(case, contact, plan)
            cases.append(case)
        return cases


def _set(case: Case, contact: int | None, plan: int | None) -> None:
    case.contact = None if contact is None else case.received + contact
    case.plan = None if plan is None else case.received + plan
