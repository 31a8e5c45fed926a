"""Closed unit cases, from their counts: dates of receipt and closure, and outcomes."""

import random
from collections.abc import Iterator

from .cases import UNIT, Case, spread
from .closing import (
    CLASSES,
    OCTOBER_CLASSES,
    SEPTEMBER_CLASSES,
    ClosureClass,
)
from .closures import ACHIEVED, ESCALATED, LEFT_OUT, OTHER, OUTCOMES, Closures
from .geography import CELLS, Cell
from .workdays import day

WORDS: dict[str, tuple[str, ...]] = {
    ACHIEVED: ("Outcomes achieved", "Outcomes achieved", "Outcomes achieved - step across"),
    ESCALATED: ("Escalation to SCS",),
    OTHER: ("Disengaged", "Disengaged", "Consent withdrawn", "Advice and information"),
    LEFT_OUT: ("re-opened", "Closure - Open to Early Help", "Moved Out of Kent"),
}
"""What the outcomes of each kind are called, likelier ones more than once."""
OFFICE_DAYS = range(5)
TREND_MONTHS = {"2015-06": (6, 30), "2015-07": (7, 31), "2015-08": (8, 31)}
"""Earlier months to give their printed closures: month and last day."""


def closed_cases(closures: Closures, rng: random.Random) -> list[Case]:
    """Every unit case that the closure model counts."""
    cases: list[Case] = []
    october: dict[tuple[Cell, bool], list[str]] = {}
    september: dict[tuple[str, bool], list[str]] = {}
    for cell in CELLS:
        for late in (False, True):
            kinds = (k for k in OUTCOMES for _ in range(closures.october[cell, (k, late)]))
            october[cell, late] = _shuffled(kinds, rng)
    for place in {cell[0] for cell in CELLS}:
        for late in (False, True):
            kinds = (k for k in OUTCOMES for _ in range(closures.september[place, (k, late)]))
            september[place, late] = _shuffled(kinds, rng)
    for cell in CELLS:
        for kind in CLASSES:
            for case in _of_class(closures, cell, kind, rng):
                if kind in OCTOBER_CLASSES:
                    outcome = october[cell, bool(kind.late)].pop()
                elif kind in SEPTEMBER_CLASSES:
                    outcome = september[cell[0], bool(kind.late)].pop()
                else:
                    outcome = rng.choice((ACHIEVED, ACHIEVED, OTHER))
                case.outcome = rng.choice(WORDS[outcome])
                cases.append(case)
    return cases


def _shuffled(kinds: Iterator[str], rng: random.Random) -> list[str]:
    found = list(kinds)
    rng.shuffle(found)
    return found


def _of_class(
    closures: Closures, cell: Cell, kind: ClosureClass, rng: random.Random
) -> Iterator[Case]:
    count = closures.counts[cell, kind.name]
    low, high = kind.durations
    if kind.in_october_window or kind.in_september_window:
        durations = spread(closures.days[cell, kind.name], count, low, high, rng)
    else:
        durations = [rng.randint(low, min(high, low + 90)) for _ in range(count)]
    for duration in durations:
        received, closed = _likely(kind.dates(duration), rng)
        yield Case(*cell, received=received, service=UNIT, closed=closed)


def _likely(dates: list[tuple[int, int]], rng: random.Random) -> tuple[int, int]:
    """One of the pairs of dates, on weekdays if it can be."""
    weekdays = [pair for pair in dates if all((d - 1) % 7 in OFFICE_DAYS for d in pair)]
    return rng.choice(weekdays or dates)


def earlier_closures(
    trend: dict[tuple[str, str], str], cases: list[Case], rng: random.Random
) -> list[Case]:
    """Closures of June to August that, with those of `cases`, make Kent's printed EH15-EH17.

    They were received by March, so that no window of September or October holds them.
    """
    added: list[Case] = []
    for name, (month, last) in TREND_MONTHS.items():
        first, end = day(2015, month, 1), day(2015, month, last)
        wanted = _wanted_outcomes(trend, name)
        for case in cases:
            if case.closed is not None and first <= case.closed <= end:
                wanted[_kind_of(case)] -= 1
        for kind in _shuffled((k for k, n in wanted.items() for _ in range(n)), rng):
            added.append(_earlier_closure(first, end, kind, rng))
    return added


def _wanted_outcomes(trend: dict[tuple[str, str], str], month: str) -> dict[str, int]:
    closed, escalated = int(trend["EH15", month]), int(trend["EH17", month])
    achieved = round(closed * float(trend["EH16", month].rstrip("%")) / 100)
    return {ACHIEVED: achieved, ESCALATED: escalated, OTHER: closed - achieved - escalated}


def _kind_of(case: Case) -> str:
    return next(kind for kind, words in WORDS.items() if case.outcome in words)


def _earlier_closure(first: int, end: int, kind: str, rng: random.Random) -> Case:
    closed = rng.choice([d for d in range(first, end + 1) if (d - 1) % 7 in OFFICE_DAYS])
    received = rng.randint(day(2014, 11, 3), day(2015, 3, 31))
    place, age = rng.choice([cell for cell in CELLS if cell[0] and cell[1] != "unknown"])
    outcome = rng.choice(WORDS[kind])
    return Case(place, age, received=received, service=UNIT, closed=closed, outcome=outcome)
