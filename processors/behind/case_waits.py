"""Every standard of a case as of a day: when it is due, and whether it is met, breached or running.

An alert is told only once a standard's limit is nearly up. Here is the whole wait, from the same
facts (processors.alerts.deadlines), also where it was over in time.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple, get_args

import numpy as np

from processors.alerts.deadlines import CLOSED, DONE, DONE_LATE, REASONS, StandardWaits
from processors.behind.counted_rows import case_facts
from processors.days.calendar import NEVER
from processors.facts.columns import Columns
from processors.record.record import Record
from processors.rules import Rules
from schemas.alerts import Reason
from schemas.standards import Standard

# Of those that are over: `met` and `met-late` by what the standard asks for, `ended` before that,
# within the limit, and `ended-late` beyond it.
WaitState = Literal["running", "due-soon", "breached", "met", "met-late", "ended", "ended-late"]
WAIT_STATES: tuple[WaitState, ...] = get_args(WaitState)


class CaseWait(NamedTuple):
    """One standard of a case in one episode, as of a day; days are day numbers.

    `since` is the day from which days count, `due` that by which the limit is up, `breached_from`
    the first that breaks it, and `over` the one on which the wait ended, None while it goes on;
    `reason` says why it ended.
    """

    standard: str
    title: str
    episode: int
    since: int
    due: int
    breached_from: int
    state: WaitState
    over: int | None
    reason: Reason | None

    @property
    def is_over(self) -> bool:
        """Whether nothing is waited for any more."""
        return self.over is not None


def next_due(waits: Iterable[CaseWait]) -> int | None:
    """The earliest day by which something is still due; None for nothing."""
    return min((it.due for it in waits if not it.is_over), default=None)


def case_waits(
    rules: Rules, records: Mapping[str, Record], day: int
) -> dict[tuple[str, str], list[CaseWait]]:
    """The waits of each case of some records, by child and case, in the order of the standards."""
    subjects, segments, _ = case_facts(rules, records)
    found: dict[tuple[str, str], list[CaseWait]] = defaultdict(list)
    waits = rules.deadlines.waits(segments)
    for at in _latest(waits, segments, day):
        row = int(waits.row[at])
        subject = subjects[int(segments.group[row]) - len(subjects)]
        standard = rules.standards.standard[int(waits.standard[at])]
        one = _wait(standard, int(segments.episode[row]), waits, at, day)
        found[subject.child, subject.name].append(one)
    order = {it.code: position for position, it in enumerate(rules.standards.standard)}
    for of_case in found.values():
        of_case.sort(key=lambda it: (it.episode, order[it.standard]))
    return found


def _latest(waits: StandardWaits, segments: Columns, day: int) -> Iterable[int]:
    """Of each case, episode and standard the last segment that waited for anything by a day.

    The first, where what is asked for was done before.
    """
    row = waits.row
    counts = (segments.sign[row] > 0) & (segments.begin[row] <= day) & (waits.clock <= day)
    waited = waits.end > segments.begin[row]
    latest: dict[tuple[int, int, int], int] = {}
    for at in np.flatnonzero(counts).tolist():
        key = int(segments.group[row[at]]), int(segments.episode[row[at]]), int(waits.standard[at])
        if waited[at] or key not in latest:
            latest[key] = at
    return latest.values()


def _wait(standard: Standard, episode: int, waits: StandardWaits, at: int, day: int) -> CaseWait:
    soon, breach, end = int(waits.soon[at]), int(waits.breach[at]), int(waits.end[at])
    reason = REASONS[int(waits.ended[at])] if end <= day else None
    return CaseWait(
        standard=standard.code,
        title=standard.title,
        episode=episode,
        since=int(waits.clock[at]),
        due=int(waits.due[at]),
        breached_from=breach,
        state=_state(standard, int(waits.ended[at]), (soon, breach, end), day),
        over=end if end <= day and end < NEVER else None,
        reason=reason,
    )


def _state(standard: Standard, ended: int, days: tuple[int, int, int], day: int) -> WaitState:
    soon, breach, end = days
    if end > day:
        return "breached" if day >= breach else "due-soon" if day >= soon else "running"
    if ended in {DONE, DONE_LATE}:
        return "met" if ended == DONE else "met-late"
    is_late = end > breach
    if ended == CLOSED and standard.milestone is None:
        return "met-late" if end >= breach else "met"
    return "ended-late" if is_late else "ended"
