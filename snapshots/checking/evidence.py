"""What the log alone says of a period, up to exactly the offsets of a cut.

1. Lay what happened to children and at places out on disk by key, whatever its topic; keep the few
   reference events.
2. Go through the keys bucket by bucket, and each case, person and session on its own.
3. Evaluate the indicators from the sums.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from processors.record.decoding import Event
from schemas.release import ReleaseCell
from schemas.scorecard import ScorecardRow
from snapshots.checking.causes import Moves
from snapshots.checking.counters import found_by
from snapshots.checking.log_findings import LogFindings, found_here
from snapshots.checking.question import LogQuestion, ReadLog, Show
from snapshots.recount.cells import Recount
from snapshots.recount.children import Placed, by_key, known
from snapshots.recount.places import Whereabouts


@dataclass(frozen=True)
class Evidence:
    """The answer: every cell, odd facts by kind, and what lies behind differences.

    `reference` has the reference events of each child of that topic; `erased` how many messages of
    each erasure are gone.
    """

    cells: list[ReleaseCell]
    quality: dict[str, int]
    reference: list[list[Placed]]
    moves: Moves | None
    erased: Counter[str]


def examine(log: ReadLog, question: LogQuestion, show: Show, processes: int = 1) -> Evidence:
    """The evidence in a log, all before the question's cut; needs disk for its size.

    With more than one process, so many others read and count it, for which the log is pickled.
    Raises NoRoom where there is no disk for it, CounterEnded when another process ended before it
    had counted its part, and what reading the log raises.
    """
    if processes > 1:
        found = found_by(processes, log, question, show)
    else:
        found = found_here(log, question, show)
    published = list(by_key(found.reference).values())
    cells = _recount(question, found, published).cells()
    return Evidence(cells, dict(found.counted.quality), published, found.moves, found.erased)


def recounted(log: ReadLog, question: LogQuestion) -> list[ScorecardRow]:
    """The scorecard of every indicator in every place, released or not, by the log alone."""
    found = found_here(log, question, lambda *_: None)
    published = list(by_key(found.reference).values())
    return _recount(question, found, published).scorecard()


def known_of(reference: Iterable[Sequence[Placed]]) -> list[Event]:
    """The reference events that count."""
    return [event for placed in reference for event in known(it.event for it in placed)]


def _recount(
    question: LogQuestion, found: LogFindings, reference: Iterable[Sequence[Placed]]
) -> Recount:
    return Recount(
        question.catalogue,
        question.areas,
        Whereabouts(question.areas, question.places),
        question.dates,
        found.counted.sums,
        known_of(reference),
        takes_supplied=question.takes_supplied,
    )
