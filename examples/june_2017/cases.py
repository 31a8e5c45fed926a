"""The numbers of casework as cases: whom a service received, kept, closed and passed on."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count, cycle

from examples.october_2015.geography import AREAS

from .casework import COHORTS, Provider
from .events import Event, event
from .printed import MONTHS, tenths

# Of a month: for those whose plan is late, for other lateness, in good time, too early to be late,
# the last day. Nothing that is received in April can have a late plan: it has 18 working days.
DAYS = {
    "2017-04": (3, 4, 12, 20, 28),
    "2017-05": (1, 3, 11, 22, 31),
    "2017-06": (1, 5, 12, 20, 30),
}
LATER, CAME, CLOSED, LEFT, AT_ONCE = 21, 15, 20, 21, 28
# By cohort: when those still open are open long by the end of which month (180 and 84 days).
RECEIVED = {
    "family-support": (
        date(2016, 9, 12), date(2016, 11, 15), date(2016, 12, 15), date(2017, 2, 6)
    ),
    "neet-support": (date(2017, 1, 10), date(2017, 2, 20), date(2017, 3, 20), date(2017, 3, 20)),
    "young-carers": (date(2017, 2, 6),) * 4,
}  # fmt: skip
# From then a case received in April is not open long by June's end.
NEET_FROM = 10
ELSEWHERE = 5
CLOSED_BEFORE = date(2016, 10, 3), date(2017, 3, 15)
BEFORE_THAT = date(2016, 5, 3), date(2016, 8, 15)
BEGAN, SUSTAINED, STARTS = date(2017, 1, 16), 20, 25
STEPPED_UP = date(2017, 6, 16)
REPORTED = 2


@dataclass
class Case:
    """A case: its name and child, when it was received, and what happened to it."""

    name: str
    child: str
    received: date
    data: dict[str, str]
    facts: list[tuple[str, date, dict[str, object]]] = field(default_factory=list)

    def then(self, kind: str, day: date, /, **data: object) -> None:
        """Something happens to it."""
        self.facts.append((kind, day, data))

    def events(self) -> Iterator[Event]:
        """All of it."""
        told = {"notification_type": "Existing TAF", **self.data}
        yield event("notification.received", self.name, self.child, self.received, told)
        for number, (kind, day, data) in enumerate(self.facts):
            yield event(kind, self.name, self.child, day, data, f"{number}")


class Leaf:
    """One provider's cases in one district, or area, from before April until June."""

    def __init__(self, provider: Provider, leaf: str) -> None:
        self._provider, self._leaf, self._codes = provider, leaf, provider.codes
        self._numbers = count()
        hidden = AREAS.get(leaf, (leaf,))
        self._districts = cycle(hidden)
        self.cases: list[Case] = []
        self._passed: list[Case] = []
        self._held: dict[str, list[Case]] = {}
        self._ever: list[Case] = []
        self._with_destination: list[Case] = []
        self._sustained = 0

    def live(self) -> list[Case]:
        """All cases, once they have lived."""
        received = RECEIVED[self._codes.service]
        for cohort, day in zip(COHORTS, received, strict=True):
            self._held[cohort] = [self._case(day) for _ in range(self._of(f"held {cohort}"))]
        for _ in range(self._of("ever closed before")):
            case = self._case(CLOSED_BEFORE[0])
            case.then("case.closed", CLOSED_BEFORE[1], outcome="Other")
            self._ever.append(case)
        for at, month in enumerate(MONTHS):
            self._month(at, month)
        self._at_the_end()
        return self.cases

    def _of(self, name: str, month: str = "") -> int:
        return self._provider.numbers.get((name, self._leaf, month), 0)

    def _case(self, received: date, child: str = "") -> Case:
        number = next(self._numbers)
        of = f"{self._codes.service} {self._provider.name} {self._leaf or 'nowhere'} {number}"
        district = next(self._districts)
        data = {"district": district} if district else {}
        case = Case(f"case {of}", child or f"child {of}", received, data)
        self._allocate(case, received)
        self.cases.append(case)
        return case

    def _allocate(self, case: Case, day: date) -> None:
        case.then("case.allocated", day, service=self._codes.service, provider=self._provider.name)

    def _month(self, at: int, month: str) -> None:
        first = date.fromisoformat(f"{month}-01")
        new = self._receive(month, first)
        leaving: list[Case] = []
        for cohort in (*COHORTS, *(f"new {it}" for it in MONTHS[:at])):
            went, came = (self._of(f"{it} {cohort} {month}") for it in ("went", "came"))
            held = self._held[cohort]
            leaving += held[:went]
            self._held[cohort] = held[went:] + [self._come(cohort, first) for _ in range(came)]
        at_once = self._of(f"closed at once {month}")
        closing = self._of("closed", month) - at_once
        closed = leaving[:closing] + (new[-at_once:] if at_once else [])
        self._held[f"new {month}"] = new[: len(new) - at_once]
        self._close(closed, month, first, at_once)
        gone = self._of("gone", month)
        later = self._of("gone later", month)
        for case in leaving[closing : closing + gone] + self._passed[:later]:
            case.then("case.allocated", _on(first, LEFT), service=self._codes.service)
        self._passed = self._passed[later:] + leaving[closing + gone :]
        for case in leaving[closing + gone :]:
            case.then("case.allocated", _on(first, LEFT), service="other")
        self._destinations(at, month, first, closed)

    def _receive(self, month: str, first: date) -> list[Case]:
        new = self._of("new", month)
        worker, contact, plan = (self._of(it, month) for it in ("worker", "contact", "plan"))
        worker_late, contact_late, plan_late = (
            self._of(f"{it} late", month) for it in ("worker", "contact", "plan")
        )
        early, other, good, open_yet, last = (_on(first, it) for it in DAYS[month])
        if self._codes.all_old_are_long:
            early, other = (max(it, _on(first, NEET_FROM)) for it in (early, other))
        late_contacts = self._of("contacted", month) - contact
        referrer = self._of("referrer", month)
        found = []
        for number in range(new):
            day = good
            if number < plan_late:
                day = early
            elif number < contact_late:
                day = other
            elif number < worker_late:
                day = open_yet
            elif number >= worker + worker_late and self._codes.worker:
                day = last
            elif number >= contact + contact_late and self._codes.contact:
                day = open_yet
            case = self._case(day)
            found.append(case)
            if worker_late <= number < worker_late + worker:
                case.then("worker.assigned", day)
            contacted = day
            if number < contact_late:
                contacted = _on(day, day.day + LATER)
            if number < late_contacts or contact_late <= number < contact_late + contact:
                if referrer:
                    case.then("referrer.contacted", contacted)
                    referrer -= 1
                case.then("contact.made", contacted)
            if plan_late <= number < plan_late + plan:
                case.then("plan.completed", day)
        return found

    def _come(self, cohort: str, first: date) -> Case:
        """One that was the service's, then another's from before April, and is its own again."""
        received = RECEIVED[self._codes.service][COHORTS.index(cohort)]
        case = self._case(received)
        case.then("case.allocated", received + timedelta(days=ELSEWHERE), service="other")
        self._allocate(case, _on(first, CAME))
        return case

    def _close(self, closed: list[Case], month: str, first: date, at_once: int) -> None:
        achieved, disengaged, evidence = (
            self._of(it, month) for it in ("achieved", "disengaged", "evidence")
        )
        for number, case in enumerate(closed):
            outcome = "Other"
            if number < achieved:
                outcome = "Outcomes achieved"
            elif number < achieved + disengaged:
                outcome = "Disengaged"
            day = _on(first, AT_ONCE if number >= len(closed) - at_once else CLOSED)
            if at_once and day < case.received:
                day = _on(first, DAYS[month][-1])
            data: dict[str, object] = {"outcome": outcome}
            if number < evidence:
                data["troubled_families_evidence"] = True
            case.then("case.closed", day, **data)

    def _destinations(self, at: int, month: str, first: date, closed: list[Case]) -> None:
        """Let so many of the closed have a destination by the month's end, and stay in it."""
        newly = self._of("closed with destination", month)
        early = sorted(closed, key=lambda it: it.received)[:newly]
        for case in early:
            began = max(BEGAN, case.received + timedelta(days=2))
            case.then("destination.started", began, kind="employment")
        fresh = [it for it in closed if it not in early]
        wanted = self._of("destination", month) - len(self._with_destination) - len(early)
        waiting = [it for it in self._ever if it not in self._with_destination] + fresh
        for number, case in enumerate(waiting[:wanted]):
            is_early = not at and number < len(self._ever)
            began = BEGAN if is_early else _on(first, STARTS)
            case.then("destination.started", began, kind="education")
        self._ever += closed
        self._with_destination = [
            *self._with_destination[: self._sustained],
            *early,
            *self._with_destination[self._sustained :],
            *waiting[:wanted],
        ]
        sustained = self._of("sustained", month)
        for case in self._with_destination[self._sustained : sustained]:
            day = _on(first, STARTS)
            case.then("destination.sustained", day, kind="employment")
        self._sustained = sustained

    def _at_the_end(self) -> None:
        """What is printed of June's open cases alone: who came again, who was stepped up."""
        held = [case for cases in self._held.values() for case in cases]
        month = MONTHS[-1]
        for case in held[: self._of("again", month)]:
            earlier = self._case(BEFORE_THAT[0], case.child)
            earlier.then("case.closed", BEFORE_THAT[1], outcome="Other")
        for case in held[: self._of("stepped up", month)]:
            case.then("case.stepped-up", max(STEPPED_UP, case.received))


def cases(provider: Provider) -> Iterator[Event]:
    """The events of a provider's cases, and its workforce."""
    for leaf in provider.leaves:
        for case in Leaf(provider, leaf).live():
            yield from case.events()
    yield from _workforce(provider)


def _workforce(provider: Provider) -> Iterator[Event]:
    """Full-time equivalents over which the open cases are as many each as is printed."""
    for row in provider.rows:
        if row.code != provider.codes.caseload:
            continue
        for month, text in zip(MONTHS, row.figures, strict=True):
            held = sum(provider.numbers["open", it, month] for it in provider.under(row.area))
            if not text or not tenths(text) or not held:
                continue
            # Printed whole: an arrow between two that are the same is of what is not printed.
            is_same = month == MONTHS[-1] and text == row.figures[1]
            aside = {"up": 3, "down": -3}.get(row.arrow, 0) if is_same else 0
            each = round(10 / (tenths(text) + aside), 4)
            fte = round(held * each, 4)
            data: dict[str, object] = {
                "provider": provider.name, "service": provider.codes.service, "fte": fte,
            }  # fmt: skip
            if row.area:
                data["area"] = row.area
            day = _on(date.fromisoformat(f"{month}-01"), REPORTED)
            subject = f"{provider.name} {row.area}".strip()
            yield event("workforce.reported", subject, provider.name, day, data)


def _on(month: date, day: int) -> date:
    """A day of a month, or its last."""
    last = {4: 30, 5: 31, 6: 30}[month.month]
    return month.replace(day=min(day, last))
