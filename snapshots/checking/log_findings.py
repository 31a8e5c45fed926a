"""A log laid out on disk by key, and counted bucket by bucket."""

import errno
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import attrgetter
from tempfile import gettempdir

from processors.days.calendar import calendar
from processors.record.quality import Oddity, odd_facts
from schemas.events.registry import REFERENCE_TOPIC, TOPICS, group_of
from schemas.release import Position
from snapshots.checking.causes import Moves, MoveSearch
from snapshots.checking.question import LogQuestion, ReadLog, Show
from snapshots.recount.children import Placed, by_key, known, offsets_of
from snapshots.recount.days import WorkingDays, bank_holidays, day_of
from snapshots.recount.definitions import Definitions, Sums, add_up
from snapshots.recount.disk import LogRecord, Pieces, Spill, buckets_for, read_pieces, unnamed_file
from snapshots.releases.release_failures import NoRoom

# What a disk says that has no more room, or no more for whoever asks.
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
REFERENCE_TOPICS = {it.name for it in TOPICS if it.group == group_of(REFERENCE_TOPIC)}
# Called with how many records more have been read.
TellRead = Callable[[int], None]
# Called with how many records more have been counted, and what moved in them.
TellCounted = Callable[[int, Moves | None], None]


@dataclass
class LaidOut:
    """What was read of a log: where the pieces of each bucket lie in the file, and what is kept.

    `reference` has the records of reference events, which are few; `erased` how many messages of
    each erasure are gone.
    """

    pieces: list[Pieces]
    reference: list[LogRecord]
    erased: Counter[str]


@dataclass
class LogSums:
    """Sums on both of a question's dates, and odd facts by kind, of some of a log's keys."""

    sums: tuple[Sums, Sums] = field(default_factory=lambda: ({}, {}))
    quality: Counter[str] = field(
        default_factory=lambda: Counter({str(kind): 0 for kind in Oddity})
    )

    def add(self, other: "LogSums") -> None:
        """Take in what was counted of other keys."""
        for sums, more in zip(self.sums, other.sums, strict=True):
            for at, of_slots in more.items():
                sums.setdefault(at, Counter()).update(of_slots)
        self.quality.update(other.quality)


class LogFindings:
    """What is found in a log by and by, and shown how far it is."""

    def __init__(self, question: LogQuestion, show: Show) -> None:
        self.counted = LogSums()
        self.reference = list[LogRecord]()
        self.erased = Counter[str]()
        self.moves: Moves | None = None
        if question.since:
            self.moves = Moves(len(question.dates), names_cases=question.names_cases)
        self._show, self._read, self._evaluated = show, 0, 0

    def has_read(self, records: int) -> None:
        """Note that so many more have been read."""
        self._read += records
        self._show(self._read, self._evaluated)

    def has_laid_out(self, it: LaidOut) -> None:
        """Take in what is kept of what was read; reference events are as good as evaluated."""
        self.reference += it.reference
        self.erased += it.erased
        self._evaluated += len(it.reference)

    def has_counted(self, records: int, moves: Moves | None) -> None:
        """Note that so many more have been counted, and take in what moved in them."""
        self._evaluated += records
        self._show(self._read, self._evaluated)
        if self.moves and moves:
            self.moves.add(moves)


def found_here(log: ReadLog, question: LogQuestion, show: Show) -> LogFindings:
    """What is found in a log by this process alone. Raises NoRoom, and what reading raises."""
    found = LogFindings(question, show)
    with room(), unnamed_file() as file:
        spill = Spill(file, buckets_for(question.messages))
        laid_out = lay_out(log, question.cut, spill, found.has_read)
        found.has_laid_out(laid_out)
        buckets = (read_pieces(file.fileno(), it) for it in laid_out.pieces)
        found.counted = count(buckets, question, found.has_counted)
    return found


@contextmanager
def room() -> Iterator[None]:
    """Say of a disk that is full which one it is, whatever process found it so. Raises NoRoom."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise NoRoom(
            f"the log could not be laid out in {gettempdir()}, which takes about as much room "
            f"as its events: {error.strerror}. Make room, or name another folder in TMPDIR"
        ) from error


def lay_out(log: ReadLog, cut: Sequence[Position], spill: Spill, tell: TellRead) -> LaidOut:
    """Read a log up to a cut, and lay what happened to children and at places out by key.

    Raises OSError where there is no room, and what reading raises.
    """
    reference, erased = list[LogRecord](), Counter[str]()
    for batch in log(cut, erased=erased):
        spill.add(it for it in batch if it.topic not in REFERENCE_TOPICS)
        reference += [it for it in batch if it.topic in REFERENCE_TOPICS]
        tell(len(batch))
    return LaidOut(spill.pieces(), reference, erased)


def count(buckets: Iterable[list[LogRecord]], question: LogQuestion, tell: TellCounted) -> LogSums:
    """What is counted of buckets of records, each of which has all that its keys have.

    A bucket is emptied when it has been counted.
    """
    counting = _KeyCount(question)
    for bucket in buckets:
        bucket.sort(key=_position)  # whoever has read them
        for key, placed in by_key(bucket).items():
            counting.add(key, placed)
        records = len(bucket)
        bucket.clear()  # before the next one is read
        tell(records, counting.take_moves())
    return counting.counted


_position = attrgetter("topic", "partition", "offset")


class _KeyCount:
    """Counts key by key."""

    def __init__(self, question: LogQuestion) -> None:
        self.counted = LogSums()
        self._question = question
        self._days = [day_of(day) for day in question.dates]
        free = question.bank_holidays or bank_holidays(question.as_of)
        self._definitions = Definitions(
            question.catalogue, question.areas, question.places, WorkingDays(free)
        )
        self._search = (
            MoveSearch(
                self._definitions,
                self._days,
                offsets_of(question.since),
                names_cases=question.names_cases,
            )
            if question.since
            else None
        )

    def add(self, key: str, placed: Sequence[Placed]) -> None:
        """Count what has one key."""
        question = self._question
        if question.erased:
            placed = [it for it in placed if question.erased.counts(key, it.event.instant)]
            if not placed:
                return
        events = known(it.event for it in placed)
        amounts = self._definitions.amounts_on(events, self._days)
        for of_day, sums in zip(amounts, self.counted.sums, strict=True):
            add_up(of_day, sums)
        for fact in odd_facts(events, question.areas, calendar(), question.as_of):
            self.counted.quality[fact.kind] += 1
        if self._search:
            self._search.add(placed, key)

    def take_moves(self) -> Moves | None:
        """What moved since this was called last; None where it is not asked."""
        return self._search.take() if self._search else None
