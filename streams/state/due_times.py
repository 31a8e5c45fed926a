"""When children are to be looked at next, by the numbers of their records: packed, four bytes each.

Seconds from 1970 UTC, rounded up; 0 where no day is known on which anything changes. What is later
than four bytes can say is looked at in 2106, and what is earlier at once.
"""

from collections.abc import Mapping
from math import ceil

import numpy as np

from processors.alerts.judging import AT_ONCE
from processors.days.calendar import NEVER
from streams.clock import midnight
from streams.state.encoding import CHANGE, NUMBER
from streams.state.numbered import Numbers

FIRST, LAST = 1, 2**32 - 1


def encode_due(deadlines: Mapping[int, int], again: float) -> bytes:
    """What days change of the times that are stored; `again` is that of those to be seen soon."""
    changes = np.empty(len(deadlines), dtype=CHANGE)
    changes["cell"] = list(deadlines)
    seconds = {day: _seconds(day, again) for day in {*deadlines.values()}}
    times = np.array([seconds[day] for day in deadlines.values()], dtype=NUMBER)
    changes["amount"] = times.view(np.int32)
    return changes.tobytes()


def first_due(times: Numbers, seconds: float, most: int, since: float = 0.0) -> list[int]:
    """The numbers of the records that are due by a time, at most so many, the longest due first.

    Those due by `since` are left out.
    """
    due = np.flatnonzero((times > max(since, 0)) & (times <= min(max(seconds, 0), LAST)))
    if len(due) > most:
        due = due[np.argpartition(times[due], most)[:most]]
    found: list[int] = due[np.argsort(times[due], kind="stable")].tolist()
    return found


def _seconds(day: int, again: float) -> int:
    if day >= NEVER:
        return 0
    return min(max(ceil(again if day == AT_ONCE else midnight(day)), FIRST), LAST)
