"""What was open at the end of July and of August: EH05, EH06, EH07, EH10, EH11 and EH13 of Kent.

Everything that September and October count is left as it is. What they do not count can be chosen:
when cases that were late by September's end had been received; which unit cases were another
service's before; when contacts and plans of cases received by June, or closed by September, were
made; and cases that had come and gone by September's end, with the units or with others.
"""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .cases import UNIT, Case
from .closed_cases import other_closure
from .closing import APRIL_END, AUGUST_END, JULY_END, MARCH_END, OLDEST, SEPTEMBER_END
from .milp import range_printed_as
from .printed import tenths_of
from .workdays import day, is_late, last_late

MAY_END, JUNE_END = day(2015, 5, 31), day(2015, 6, 30)
OTHER, ADVICE, TYPE = "other", "Advice and information", "Existing TAF"
"""Who else has a case that passes through, how it ends, and how it came: uncounted everywhere."""
MONTHS = {JULY_END: "2015-07", AUGUST_END: "2015-08"}
WINDOWS = {JULY_END: APRIL_END, AUGUST_END: MAY_END}
"""The day after which a case was received that a month's EH10 and EH11 count."""


class NoStockError(Exception):
    """There are too few cases to choose from for a printed figure."""


@dataclass
class EarlierStock:
    """Brings the cases to July's and August's printed stock; `cases` gets those passing through."""

    trend: dict[tuple[str, str], str]
    cases: list[Case]
    rng: random.Random

    def fit(self) -> None:
        """Raises NoStockError where a figure cannot be had."""
        self._make_late()
        self._take_over_later()
        self._plan_later()
        for code, milestone in (("EH11", "plan"), ("EH10", "contact")):
            for until in (AUGUST_END, JULY_END):
                self._average(code, milestone, until)
        self._pass_through_others()

    def _short(self, code: str, until: int, counts: Callable[[Case, int], bool]) -> int:
        """How many more, or fewer, a printed count asks for."""
        wanted = int(self.trend[code, MONTHS[until]])
        return wanted - sum(counts(case, until) for case in self.cases)

    def _some(self, cases: Iterable[Case], number: int, what: str) -> list[Case]:
        """So many of the cases; NoStockError if there are not."""
        found = list(cases)
        if not 0 <= number <= len(found):
            raise NoStockError(f"{what}: {number} of {len(found)}")
        return self.rng.sample(found, number)

    # Late cases.

    def _make_late(self) -> None:
        """Let cases that are late by September have been received earlier, and others pass by."""
        before = last_late(JULY_END)
        movable = [it for it in self.cases if _is_received_whenever(it) and it.received > before]
        short = self._short("EH13", JULY_END, _is_long_held)
        for case in self._some(movable, min(short, len(movable)), "late cases"):
            case.received = self._weekday(OLDEST, before)
        july, august = (self._short("EH13", until, _is_long_held) for until in MONTHS)
        if min(july, august) < 0:
            raise NoStockError(f"late cases are {-july} and {-august} too many")
        both = min(july, august)
        for _ in range(both):
            self._pass_through(self._weekday(OLDEST, before), AUGUST_END + 1, SEPTEMBER_END)
        for _ in range(july - both):
            self._pass_through(self._weekday(OLDEST, before), JULY_END + 1, AUGUST_END)
        for _ in range(august - both):
            received = self._weekday(before + 1, last_late(AUGUST_END))
            self._pass_through(received, AUGUST_END + 1, SEPTEMBER_END)

    def _pass_through(self, received: int, first: int, last: int) -> None:
        """A unit case that another service takes over, and ends, from the first day to the last."""
        moved = self.rng.randint(first, last - 1)
        case = other_closure(received, self.rng.randint(moved + 1, last), self.rng)
        case.allocated = received + self.rng.randint(1, 10)
        case.contact = case.allocated + self.rng.randint(1, 20)
        case.moved, case.moved_to = moved, OTHER
        case.notification_type, case.outcome = TYPE, ADVICE
        self.cases.append(case)

    # Who has them.

    def _take_over_later(self) -> None:
        """Let another service have had unit cases before, until so many are left to the units."""
        for until, last in ((AUGUST_END, SEPTEMBER_END), (JULY_END, AUGUST_END)):
            over = -self._short("EH05", until, _is_held)
            held = [
                it
                for it in self.cases
                if _is_held(it, until)
                and it.moved is None
                and not is_late(it.received, AUGUST_END)
                and (it.closed is None or it.closed > until + 1)
            ]
            for case in self._some(held, over, f"cases of the units on {MONTHS[until]}"):
                case.moved = self.rng.randint(until + 1, min(last, (case.closed or last + 1) - 1))
                case.service, case.moved_to = OTHER, UNIT

    # Contacts and plans.

    def _plan_later(self) -> None:
        """Let plans be made later, until so many are left that were made before."""
        for until, last in ((AUGUST_END, SEPTEMBER_END), (JULY_END, AUGUST_END)):
            over = -self._short("EH07", until, _is_planned)
            planned = [
                it
                for it in self.cases
                if _is_planned(it, until) and _is_free(it) and (it.closed or last) > until
            ]
            for case in self._some(planned, over, f"plans by {MONTHS[until]}"):
                case.plan = self.rng.randint(until + 1, min(last, case.closed or last))

    def _average(self, code: str, milestone: str, until: int) -> None:
        """Move milestones by days until a month's average is the printed one.

        August's comes first, and what it counts stays: July's is brought about by other cases.
        """
        counted = [it for it in self.cases if _is_averaged(it, milestone, until)]
        tenths = tenths_of(self.trend[code, MONTHS[until]])
        low, high = range_printed_as(1, len(counted), tenths)
        wanted = (low + high) // 2
        missing = wanted - sum(getattr(it, milestone) - it.received for it in counted)
        free = [
            it
            for it in counted
            if _is_free(it) and (until == AUGUST_END or not _is_averaged(it, milestone, AUGUST_END))
        ]
        for is_exact in (False, True):
            for case in self.rng.sample(free, len(free)):
                back, on = _room(case, milestone)
                step = max(back, min(on, missing))
                if not is_exact:
                    step = self.rng.randint(min(step, 0), max(step, 0))
                setattr(case, milestone, getattr(case, milestone) + step)
                missing -= step
        if not low <= wanted - missing <= high:
            raise NoStockError(f"{code} of {MONTHS[until]}: {missing} days")

    # Other services' cases.

    def _pass_through_others(self) -> None:
        """Add cases of other services that ended by September's end."""
        july, august = (self._short("EH06", until, _is_anothers) for until in MONTHS)
        if not 0 <= august <= july:
            raise NoStockError(f"cases of other services are {july} and {august} too few")
        for number in range(july):
            days = (AUGUST_END, SEPTEMBER_END) if number < august else (JULY_END, AUGUST_END)
            self._pass_others(*days)

    def _pass_others(self, after: int, last: int) -> None:
        closed = self.rng.randint(after + 1, last)
        case = other_closure(self._weekday(OLDEST, MAY_END), closed, self.rng)
        case.allocated = case.received + self.rng.randint(0, 10)
        case.service, case.notification_type, case.outcome = OTHER, TYPE, ADVICE
        self.cases.append(case)

    def _weekday(self, first: int, last: int) -> int:
        return self.rng.choice([it for it in range(first, last + 1) if (it - 1) % 7 < 5])


def _is_held(case: Case, until: int) -> bool:
    """Whether a case is open and the units' at the end of a day."""
    holder = case.moved_to if case.moved is not None and case.moved <= until else case.service
    return holder == UNIT and _is_open(case, until) and (case.allocated or until + 1) <= until


def _is_open(case: Case, until: int) -> bool:
    return case.received <= until and (case.closed is None or case.closed > until)


def _is_anothers(case: Case, until: int) -> bool:
    return _is_open(case, until) and not _is_held(case, until)


def _is_long_held(case: Case, until: int) -> bool:
    return _is_held(case, until) and is_late(case.received, until)


def _is_planned(case: Case, until: int) -> bool:
    return case.plan is not None and case.plan <= until and _is_held(case, until)


def _is_averaged(case: Case, milestone: str, until: int) -> bool:
    """Whether a month's average has an open unit case's contact or plan."""
    when: int | None = getattr(case, milestone)
    is_recent = case.received > WINDOWS[until]
    return is_recent and when is not None and when <= until and _is_held(case, until)


def _is_received_whenever(case: Case) -> bool:
    """Whether no figure of September or October changes with a case's receipt by April.

    Such cases are late by September's end, and no average of closed cases has them.
    """
    if case.service != UNIT:
        return False
    if case.closed is not None and case.closed <= SEPTEMBER_END:
        return case.closed > AUGUST_END and case.received <= MARCH_END
    return case.received <= APRIL_END


def _is_free(case: Case) -> bool:
    """Whether a case's contact and plan by September's end count no earlier than in October."""
    is_gone = case.closed is not None and case.closed <= SEPTEMBER_END
    return is_gone or case.received <= JUNE_END


def _room(case: Case, milestone: str) -> tuple[int, int]:
    """By how many days a milestone can move, back and on, with the order of both as it is.

    It stays in July or before, or in August, so that no month counts more or fewer of them.
    """
    when: int = getattr(case, milestone)
    first, last = (case.received, JULY_END) if when <= JULY_END else (JULY_END + 1, AUGUST_END)
    if milestone == "plan":
        first = max(first, case.contact or first)
    elif case.plan is not None:
        last = min(last, case.plan)
    return min(first - when, 0), max(last - when, 0)
