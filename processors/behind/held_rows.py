"""What children add to slots, held by one who asks again and again, and kept up child by child."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.alerts.phrases import alert_id
from processors.arrays import Flags
from processors.behind.counted_rows import CellSums, CountedRows, Subject, counted_rows, joined
from processors.days.calendar import Days
from processors.record.record import Record
from processors.rules import Rules

# Rows that came since all were put in order, beyond which they are again.
FEWEST_FRESH = 20_000
# One in so many rows.
MOST_FRESH = 4
# Of a reference, the hexadecimal digits that are looked for first.
FIRST_DIGITS = 16

Digests = NDArray[np.uint64]


def case_reference(child: str, case: str) -> str:
    """What a case is called in addresses: 20 hexadecimal digits, as alerts are.

    A hash, which says neither whose case it is nor which.
    """
    return alert_id(child, case)


class SubjectAmount(NamedTuple):
    """What a subject adds to a numerator and a denominator."""

    subject: Subject
    above: int
    below: int


class MovedSubject(NamedTuple):
    """What a subject adds to a numerator and a denominator, before and now; they are not alike."""

    subject: Subject
    above_before: int
    above: int
    below_before: int
    below: int

    @property
    def by(self) -> tuple[int, int]:
        """How much more it adds to each."""
        return self.above - self.above_before, self.below - self.below_before


class HeldRows:
    """What the children of a shard add to slots: a question costs by the rows of its slots."""

    def __init__(self) -> None:
        self._subjects: list[Subject] = []
        self._of_child: dict[str, list[int]] = {}
        self._is_there: Flags = np.zeros(0, dtype=np.bool_)
        self._digests: Digests = np.zeros(0, dtype=np.uint64)
        self._ordered = joined([])
        self._fresh = joined([])
        self._waiting: list[CountedRows] = []

    @property
    def children(self) -> int:
        """Of how many children rows are held."""
        return len(self._of_child)

    def put(self, rules: Rules, records: Mapping[str, Record]) -> None:
        """Hold what these children add, in place of what is held of them."""
        self.forget(records)
        subjects, rows = counted_rows(rules, records)
        first = len(self._subjects)
        self._of_child.update({child: [] for child in records})
        for number, it in enumerate(subjects, first):
            self._of_child[it.child].append(number)
        self._subjects += subjects
        digests = [_digest(case_reference(it.child, it.name)) for it in subjects]
        self._digests = np.concatenate([self._digests, np.array(digests, dtype=np.uint64)])
        there = np.ones(len(subjects), dtype=np.bool_)
        self._is_there = np.concatenate([self._is_there, there])
        self._waiting.append(rows.moved(first))

    def forget(self, children: Iterable[str]) -> None:
        """Hold nothing more of children."""
        for child in children:
            gone = self._of_child.pop(child, None)
            if gone:
                self._is_there[gone] = False

    def amounts(self, asking: CellSums) -> list[SubjectAmount]:
        """What every subject adds to a cell that adds anything to it."""
        self._put_in_order()
        rows = self._rows_of(asking.slots)
        above, below = asking.sums(rows, len(self._subjects))
        at = np.flatnonzero((above != 0) | (below != 0))
        return [
            SubjectAmount(self._subjects[number], *counts)
            for number, *counts in zip(
                *(it.tolist() for it in (at, above[at], below[at])), strict=True
            )
        ]

    def moved(self, then: CellSums, now: CellSums) -> list[MovedSubject]:
        """The subjects that add something else to a cell than to the one it is held against."""
        self._put_in_order()
        rows, subjects = self._rows_of(now.slots), len(self._subjects)
        before, after = then.sums(rows, subjects), now.sums(rows, subjects)
        columns = before[0], after[0], before[1], after[1]
        at = np.flatnonzero((before[0] != after[0]) | (before[1] != after[1]))
        return [
            MovedSubject(self._subjects[number], *counts)
            for number, *counts in zip(
                *(it.tolist() for it in (at, *(column[at] for column in columns))), strict=True
            )
        ]

    def find(self, reference: str) -> Subject | None:
        """The case of a reference; None where none is held."""
        at = np.flatnonzero((self._digests == np.uint64(_digest(reference))) & self._is_there)
        found = (self._subjects[number] for number in at.tolist())
        return next(
            (it for it in found if it.is_case and case_reference(it.child, it.name) == reference),
            None,
        )

    def _rows_of(self, slots: list[int]) -> CountedRows:
        ordered, parts = self._ordered, list[CountedRows]()
        for slot in slots:
            first, end = np.searchsorted(ordered.slot, [slot, slot + 1]).tolist()
            parts.append(ordered.taken(np.arange(first, end)))
        parts.append(self._fresh.taken(np.flatnonzero(np.isin(self._fresh.slot, slots))))
        found = joined(parts)
        return found.taken(np.flatnonzero(self._is_there[found.subject]))

    def _put_in_order(self) -> None:
        """Have what came with the rest; all in the order of slots where that is much."""
        if self._waiting:
            self._fresh, self._waiting = joined([self._fresh, *self._waiting]), []
        fresh = len(self._fresh.slot)
        if fresh > max(FEWEST_FRESH, len(self._ordered.slot) // MOST_FRESH):
            self._renumber()

    def _renumber(self) -> None:
        """Leave out what is of nobody any more, and put the rest in the order of slots."""
        numbers: Days = np.cumsum(self._is_there) - 1
        rows = joined([self._ordered, self._fresh])
        rows = rows.taken(np.flatnonzero(self._is_there[rows.subject]))
        rows = rows.taken(np.argsort(rows.slot, kind="stable"))
        self._ordered = joined([rows._replace(subject=numbers[rows.subject])])
        self._fresh = joined([])
        kept = np.flatnonzero(self._is_there)
        self._subjects = [self._subjects[it] for it in kept.tolist()]
        self._digests = self._digests[kept]
        self._is_there = self._is_there[kept]
        of_child: dict[str, list[int]] = {child: [] for child in self._of_child}
        for number, it in enumerate(self._subjects):
            of_child[it.child].append(number)
        self._of_child = of_child


def _digest(reference: str) -> int:
    return int(reference[:FIRST_DIGITS], 16)
