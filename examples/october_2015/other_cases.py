"""Cases outside the units, and the type of every notification: EH01, EH03, EH04 and EH06.

Unit cases come first; what they leave of a month's printed notifications goes to cases that other
services hold or that triage closed. Notifications beyond the printed ones are of types that no
indicator counts.
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from .cases import Case
from .closing import OCTOBER_END, SEPTEMBER_END
from .geography import AGES, ALL_AGES, CELLS, PLACES, Cell, cells_of
from .notified import counts_by_cell, overall_by_place
from .printed import OCTOBER, SEPTEMBER, Printed
from .workdays import day

TYPES: dict[str, tuple[str, ...]] = {
    "EH01": ("EHN", "EHN", "EHN", "Self referral"),
    "EH03": ("CDT",),
    "EH04": ("SCS step-down",),
}
UNCOUNTED = ("Existing TAF", "SCS")
"""Types that none of EH01, EH03 and EH04 counts."""
SERVICES = ("family-support", "family-support", "neet-support", "young-carers", "other", "")
"""Who else holds cases; an empty name is triage, which allocates to nobody."""
ADVICE = ("Advice and information", "Outcomes achieved", "Disengaged", "Consent withdrawn")
FIRST = day(2014, 11, 3)
SHARE_STILL_OPEN = 0.6
"""Of October's notifications that are no unit case, the share still open at its end."""
TREND_MONTHS = {6: "2015-06", 7: "2015-07", 8: "2015-08"}


@dataclass
class OtherCases:
    """Adds to the unit cases whatever else Kent's notifications and caseload ask for."""

    printed: Printed
    trend: dict[tuple[str, str], str]
    units: list[Case]
    rng: random.Random

    def make(self) -> list[Case]:
        """All cases that are not unit cases; every case of the history gets its type."""
        quotas = {c: counts_by_cell(self.printed, c, OCTOBER) for c in TYPES}
        others = self._open_and_left(quotas)
        self._name_october([*self.units, *others], quotas)
        others += self._name_september([*self.units, *others])
        for month in TREND_MONTHS:
            others += self._name_month([*self.units, *others], month)
        for case in (*self.units, *others):
            case.notification_type = case.notification_type or self._any_type()
        return others

    def _any_type(self) -> str:
        return self.rng.choice((*TYPES["EH01"], "CDT", "SCS step-down", *UNCOUNTED))

    def _open_and_left(self, quotas: dict[str, dict[Cell, int]]) -> list[Case]:
        still = counts_by_cell(self.printed, "EH06", OCTOBER)
        before = overall_by_place(self.printed, "EH06", SEPTEMBER)
        new = Counter(c.cell for c in self.units if c.received > SEPTEMBER_END)
        found: list[Case] = []
        for place in PLACES:
            cells = list(cells_of(place, ALL_AGES))
            spare = {c: max(0, sum(q[c] for q in quotas.values()) - new[c]) for c in cells}
            arrived = self._arrivals(cells, spare, still, before[place])
            for cell in cells:
                found += self._october_cell(cell, spare[cell], arrived[cell], still[cell])
            kept = sum(still[cell] - arrived[cell] for cell in cells)
            found += [self._left_in_october(place) for _ in range(before[place] - kept)]
        return found

    def _arrivals(
        self, cells: list[Cell], spare: dict[Cell, int], still: dict[Cell, int], before: int
    ) -> dict[Cell, int]:
        """How many open cases came in October: enough that September held no more than printed."""
        arrived = {c: min(still[c], round(spare[c] * SHARE_STILL_OPEN)) for c in cells}
        missing = sum(still[c] - arrived[c] for c in cells) - before
        for cell in sorted(cells, key=lambda c: arrived[c] - still[c]):
            more = max(0, min(missing, still[cell] - arrived[cell]))
            arrived[cell] += more
            missing -= more
        return arrived

    def _october_cell(self, cell: Cell, spare: int, arrived: int, still: int) -> Iterator[Case]:
        for number in range(max(spare, arrived)):
            case = self._held(cell, SEPTEMBER_END + 1, OCTOBER_END)
            if number >= arrived:
                self._close(case, OCTOBER_END)
            yield case
        for _ in range(still - arrived):
            yield self._held(cell, FIRST, SEPTEMBER_END)

    def _left_in_october(self, place: str) -> Case:
        case = self._held((place, self._age()), FIRST, SEPTEMBER_END)
        case.closed = self.rng.randint(SEPTEMBER_END + 1, OCTOBER_END)
        case.outcome = self.rng.choice(ADVICE)
        return case

    def _age(self) -> str:
        return self.rng.choices(AGES, (18, 31, 42, 8, 1))[0]

    def _held(self, cell: Cell, first: int, last: int) -> Case:
        weekdays = [d for d in range(first, last + 1) if (d - 1) % 7 < 5]
        recent = weekdays[int(len(weekdays) * self.rng.random() ** 0.6)]
        return Case(*cell, received=recent, service=self.rng.choice(SERVICES))

    def _close(self, case: Case, last: int) -> None:
        case.closed = self.rng.randint(case.received, min(last, case.received + 21))
        case.outcome = self.rng.choice(ADVICE)

    def _name_october(self, cases: list[Case], quotas: dict[str, dict[Cell, int]]) -> None:
        for cell in CELLS:
            received = [c for c in cases if c.cell == cell and c.received > SEPTEMBER_END]
            self._name(received, {code: quota[cell] for code, quota in quotas.items()})

    def _name_september(self, cases: list[Case]) -> list[Case]:
        """September's figures are printed without bands: by place, new cases at any age."""
        quotas = {c: overall_by_place(self.printed, c, SEPTEMBER) for c in TYPES}
        first = day(2015, 9, 1)
        added: list[Case] = []
        for place in PLACES:
            wanted = {code: quota[place] for code, quota in quotas.items()}
            received = [
                c for c in cases if c.place == place and first <= c.received <= SEPTEMBER_END
            ]
            added += self._fill(received, sum(wanted.values()), (place,), first, SEPTEMBER_END)
            self._name([*received, *(c for c in added if c.place == place)], wanted)
        return added

    def _name_month(self, cases: list[Case], month: int) -> list[Case]:
        """Earlier months are printed for Kent alone."""
        first, last = day(2015, month, 1), day(2015, month + 1, 1) - 1
        wanted = {code: int(self.trend[code, TREND_MONTHS[month]]) for code in TYPES}
        received = [c for c in cases if first <= c.received <= last]
        added = self._fill(received, sum(wanted.values()), PLACES[:-1], first, last)
        self._name([*received, *added], wanted)
        return added

    def _fill(
        self, received: list[Case], wanted: int, places: tuple[str, ...], first: int, last: int
    ) -> list[Case]:
        """Cases that triage closed within the month, up to the number of notifications."""
        added = []
        for _ in range(wanted - len(received)):
            case = self._held((self.rng.choice(places), self._age()), first, last)
            case.service = ""
            self._close(case, last)
            added.append(case)
        return added

    def _name(self, received: list[Case], wanted: dict[str, int]) -> None:
        kinds = [code for code, count in wanted.items() for _ in range(count)]
        if len(kinds) > len(received):
            raise ValueError("fewer cases than notifications in print")
        order = self.rng.sample(received, len(received))
        for case, code in zip(order, kinds, strict=False):
            case.notification_type = self.rng.choice(TYPES[code])
        for case in order[len(kinds) :]:
            case.notification_type = self.rng.choice(UNCOUNTED)
