"""When units took their cases on, so that the trend of open unit cases is the printed one.

A unit case is open from its allocation. Allocation follows the notification within days, but at the
end of August just so many wait for theirs that Kent's EH05 of that month comes out.
"""

import random

from .cases import UNIT, Case
from .closing import AUGUST_END, OCTOBER_END, SEPTEMBER_END


def allocate(cases: list[Case], open_in_august: int, rng: random.Random) -> None:
    """Give every case with a service its day of allocation."""
    for case in cases:
        if case.service:
            case.allocated = rng.randint(case.received, _latest(case))
    waiting = sum(map(_open_in_august, cases)) - open_in_august
    late = [c for c in cases if _open_in_august(c) and _can_wait(c)]
    for case in rng.sample(late, max(0, min(waiting, len(late)))):
        case.allocated = rng.randint(
            AUGUST_END + 1, min(SEPTEMBER_END, case.closed or SEPTEMBER_END)
        )


def _latest(case: Case) -> int:
    """No later than ten days on, the first milestone, or the month whose stock counts the case."""
    ends = [case.received + 10]
    ends += [d for d in (case.contact, case.plan, case.closed) if d is not None]
    ends.append(SEPTEMBER_END if case.received <= SEPTEMBER_END else OCTOBER_END)
    return max(case.received, min(ends))


def _open_in_august(case: Case) -> bool:
    if case.service != UNIT or case.allocated is None or case.allocated > AUGUST_END:
        return False
    return case.closed is None or case.closed > AUGUST_END


def _can_wait(case: Case) -> bool:
    milestones = [d for d in (case.contact, case.plan) if d is not None]
    return case.received > AUGUST_END - 45 and all(d > AUGUST_END + 14 for d in milestones)
