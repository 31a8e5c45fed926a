"""What is asked of a log."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from processors.days.calendar import previous_month_end
from processors.record.erased import NOBODY, ErasedChildren
from schemas.areas import Areas
from schemas.catalogue import Catalogue
from schemas.places import NO_PLACES, Places
from schemas.release import PassedOver, Position
from snapshots.recount.disk import LogRecord

# Called with how many records have been read and how many have been evaluated.
Show = Callable[[int, int], None]


class ReadLog(Protocol):
    """Reads a log; one that several processes read can be pickled."""

    def __call__(
        self, cut: Sequence[Position], *, erased: Counter[str]
    ) -> Iterable[Sequence[LogRecord]]:
        """The records before a cut's offsets, some at a time, each partition's in order.

        How many messages of each erasure are gone is added to `erased`.
        """


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

    @property
    def messages(self) -> int:
        """How many messages lie before the cut, at most."""
        return sum(it.offset for it in self.cut)
