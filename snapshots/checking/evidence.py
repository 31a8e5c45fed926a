"""What the log alone says of a period, up to exactly the offsets of a cut.

1. Lay the case events out on disk by child; keep the few reference events.
2. Go through the children bucket by bucket, and each case on its own.
3. Evaluate the indicators from the sums.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from processors.days.calendar import calendar, previous_month_end
from processors.record.decoding import Event
from processors.record.quality import Oddity, odd_facts
from schemas.areas import Areas
from schemas.catalogue import Catalogue
from schemas.events.registry import CASE_TOPIC, REFERENCE_TOPIC
from schemas.release import Position, ReleaseCell
from snapshots.checking.causes import Moves
from snapshots.recount.cells import Recount
from snapshots.recount.children import Placed, children, known, offsets_of
from snapshots.recount.days import WorkingDays, bank_holidays, day_of
from snapshots.recount.definitions import Definitions, Share, cases
from snapshots.recount.disk import LogRecord, Spill

# Called with how many records have been read and how many have been evaluated.
Show = Callable[[int, int], None]


@dataclass(frozen=True)
class Question:
    """What is asked of the log: the figures of a date under rules, and since which cut they moved.

    Without `since` it is not asked why they moved; without `bank_holidays` those known now count.
    """

    catalogue: Catalogue
    areas: Areas
    as_of: date
    cut: tuple[Position, ...]
    since: tuple[Position, ...] | None = None
    bank_holidays: tuple[date, ...] | None = None

    @property
    def dates(self) -> tuple[date, date]:
        """The as-of date, and the last day of the month before."""
        return self.as_of, previous_month_end(self.as_of)


@dataclass(frozen=True)
class Evidence:
    """The answer: every cell, odd facts by kind, and what lies behind differences.

    `reference` has the reference events of each child of that topic.
    """

    cells: list[ReleaseCell]
    quality: dict[str, int]
    reference: list[list[Placed]]
    moves: Moves | None


def examine(batches: Iterable[Sequence[LogRecord]], question: Question, show: Show) -> Evidence:
    """The evidence in a log's records, all before the question's cut; needs disk for their size."""
    total = sum(it.offset for it in question.cut)
    with TemporaryDirectory(prefix="caseline-log-") as folder:
        spill, reference, read = Spill(Path(folder), total), list[LogRecord](), 0
        for batch in batches:
            spill.add(it for it in batch if it.topic == CASE_TOPIC)
            reference += [it for it in batch if it.topic == REFERENCE_TOPIC]
            read += len(batch)
            show(read, 0)
        count = _Count(question)
        evaluated = len(reference)
        for bucket in spill.buckets():
            for placed in children(CASE_TOPIC, bucket).values():
                count.add(placed)
            evaluated += len(bucket)
            show(read, evaluated)
            bucket.clear()  # before the next one is read
    published = list(children(REFERENCE_TOPIC, reference).values())
    return Evidence(count.cells(known_of(published)), dict(count.quality), published, count.moves)


def known_of(reference: Iterable[Sequence[Placed]]) -> list[Event]:
    """The reference events that count."""
    return [event for placed in reference for event in known(it.event for it in placed)]


class _Count:
    """Sums, odd facts and moves, counted child by child."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._days = [day_of(day) for day in question.dates]
        free = question.bank_holidays or bank_holidays(question.as_of)
        self._definitions = Definitions(
            question.catalogue.measure, question.areas.leaves, WorkingDays(free)
        )
        self._sums: tuple[Counter[Share], Counter[Share]] = (Counter(), Counter())
        self.quality: Counter[str] = Counter({str(kind): 0 for kind in Oddity})
        since = question.since
        self.moves = Moves(self._definitions, self._days, offsets_of(since)) if since else None

    def add(self, placed: Sequence[Placed]) -> None:
        """Count one child."""
        events = known(it.event for it in placed)
        for of_case in cases(events).values():
            for day, sums in zip(self._days, self._sums, strict=True):
                for share, amount in self._definitions.shares(of_case, day):
                    sums[share] += amount
        question = self._question
        for fact in odd_facts(events, question.areas, calendar(), question.as_of):
            self.quality[fact.kind] += 1
        if self.moves:
            self.moves.add(placed)

    def cells(self, reference: Sequence[Event]) -> list[ReleaseCell]:
        """Every cell."""
        recount = Recount(self._question.catalogue, self._question.areas, reference)
        return recount.cells(*self._question.dates, self._sums)
