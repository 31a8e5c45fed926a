"""What the log alone says of a period, up to exactly the offsets of a cut.

1. Lay what happened to children and at places out on disk by key, whatever its topic; keep the few
   reference events.
2. Go through the keys bucket by bucket, and each case, person and session on its own.
3. Evaluate the indicators from the sums.
"""

import errno
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from processors.days.calendar import calendar, previous_month_end
from processors.record.decoding import Event
from processors.record.erased import NOBODY, ErasedChildren
from processors.record.quality import Oddity, odd_facts
from schemas.areas import Areas
from schemas.catalogue import Catalogue
from schemas.events.registry import REFERENCE_TOPIC, group_of
from schemas.places import NO_PLACES, Places
from schemas.release import PassedOver, Position, ReleaseCell
from schemas.scorecard import ScorecardRow
from snapshots.checking.causes import Moves
from snapshots.recount.cells import Recount
from snapshots.recount.children import Placed, by_key, known, offsets_of
from snapshots.recount.days import WorkingDays, bank_holidays, day_of
from snapshots.recount.definitions import Definitions, Share
from snapshots.recount.disk import LogRecord, Spill
from snapshots.releases.release_failures import NoRoom

# What a disk says that has no more room, or no more for whoever asks.
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

# Called with how many records have been read and how many have been evaluated.
Show = Callable[[int, int], None]


@dataclass(frozen=True)
class LogQuestion:
    """What is asked of the log: the figures of a date under rules, and since which cut they moved.

    Without `since` it is not asked why they moved; without `bank_holidays` those known now count.
    The messages in `passed_over` are left out. Where it is not `takes_supplied`, what others supply
    of a figure is, as it was in releases up to format 4. Events of `erased` children, which an
    older copy of the log may have, count no more.
    """

    catalogue: Catalogue
    areas: Areas
    as_of: date
    cut: tuple[Position, ...]
    since: tuple[Position, ...] | None = None
    bank_holidays: tuple[date, ...] | None = None
    places: Places = NO_PLACES
    passed_over: tuple[PassedOver, ...] = ()
    takes_supplied: bool = True
    names_cases: bool = False
    erased: ErasedChildren = NOBODY

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


def examine(batches: Iterable[Sequence[LogRecord]], question: LogQuestion, show: Show) -> Evidence:
    """The evidence in a log's records, all before the question's cut; needs disk for their size.

    Raises NoRoom where there is not so much.
    """
    count, published = _counted(batches, question, show)
    cells = count.recount(known_of(published)).cells()
    return Evidence(cells, dict(count.quality), published, count.moves)


def recounted(batches: Iterable[Sequence[LogRecord]], question: LogQuestion) -> list[ScorecardRow]:
    """The scorecard of every indicator in every place, released or not, by the log alone."""
    count, published = _counted(batches, question, lambda *_: None)
    return count.recount(known_of(published)).scorecard()


def known_of(reference: Iterable[Sequence[Placed]]) -> list[Event]:
    """The reference events that count."""
    return [event for placed in reference for event in known(it.event for it in placed)]


@contextmanager
def _room() -> Iterator[None]:
    """Say of a disk that is full which one it is. Raises NoRoom."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise NoRoom(
            f"the log could not be laid out in {gettempdir()}, which takes about as much room "
            f"as its events: {error.strerror}. Make room, or name another folder in TMPDIR"
        ) from error


def _counted(
    batches: Iterable[Sequence[LogRecord]], question: LogQuestion, show: Show
) -> tuple["_Count", list[list[Placed]]]:
    """What is counted, and the reference events of each key."""
    total = sum(it.offset for it in question.cut)
    with _room(), TemporaryDirectory(prefix="caseline-log-") as folder:
        spill, reference, read = Spill(Path(folder), total), list[LogRecord](), 0
        for batch in batches:
            spill.add(it for it in batch if not _is_reference(it))
            reference += filter(_is_reference, batch)
            read += len(batch)
            show(read, 0)
        count = _Count(question)
        evaluated = len(reference)
        for bucket in spill.buckets():
            for key, placed in by_key(bucket).items():
                left = [it for it in placed if question.erased.counts(key, it.event.instant)]
                if left:
                    count.add(key, left)
            evaluated += len(bucket)
            show(read, evaluated)
            bucket.clear()  # before the next one is read
    return count, list(by_key(reference).values())


def _is_reference(record: LogRecord) -> bool:
    return group_of(record.topic) == group_of(REFERENCE_TOPIC)


class _Count:
    """Sums, odd facts and moves, counted key by key."""

    def __init__(self, question: LogQuestion) -> None:
        self._question = question
        self._days = [day_of(day) for day in question.dates]
        free = question.bank_holidays or bank_holidays(question.as_of)
        self._definitions = Definitions(
            question.catalogue, question.areas, question.places, WorkingDays(free)
        )
        self._sums: tuple[Counter[Share], Counter[Share]] = (Counter(), Counter())
        self.quality: Counter[str] = Counter({str(kind): 0 for kind in Oddity})
        since = question.since
        self.moves = (
            Moves(
                self._definitions,
                self._days,
                offsets_of(since),
                names_cases=question.names_cases,
            )
            if since
            else None
        )

    def add(self, key: str, placed: Sequence[Placed]) -> None:
        """Count what has one key."""
        events = known(it.event for it in placed)
        amounts = self._definitions.amounts_on(events, self._days)
        for of_day, sums in zip(amounts, self._sums, strict=True):
            for _, share, amount in of_day:
                sums[share] += amount
        question = self._question
        for fact in odd_facts(events, question.areas, calendar(), question.as_of):
            self.quality[fact.kind] += 1
        if self.moves:
            self.moves.add(placed, key)

    def recount(self, reference: Sequence[Event]) -> Recount:
        """What the sums and the reference events make."""
        question = self._question
        return Recount(
            question.catalogue,
            question.areas,
            self._definitions.where,
            question.dates,
            self._sums,
            reference,
            takes_supplied=question.takes_supplied,
        )
