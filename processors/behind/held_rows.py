"""What children add to slots, held by one who asks again and again, and kept up child by child."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from processors.alerts.phrases import alert_id
from processors.behind.counted_rows import CellSums, Subject, counted_rows
from processors.behind.found_amounts import AmountsInBlock
from processors.behind.held_block import HeldBlock, block_of, blocks_together
from processors.record.counted_record import CountedParts
from processors.rules import Rules

# Blocks of about one size that are kept apart: one more, and they are put together. So what is held
# of a child is moved as often as the children can be divided by this, down to the smallest blocks.
MOST_ALIKE = 8
SMALLEST = 500
# Of a block, the part that may be of children who are there no more; then it is made anew.
MOST_GONE = 4
# Of a reference, the hexadecimal digits that are looked for first.
FIRST_DIGITS = 16


def case_reference(child: str, case: str) -> str:
    """What a case is called in addresses: 20 hexadecimal digits, as alerts are.

    A hash, which says neither whose case it is nor which.
    """
    return alert_id(child, case)


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

    def __init__(self, blocks: Iterable[HeldBlock] = ()) -> None:
        self._blocks = [*blocks]

    def copy(self) -> "HeldRows":
        """The same, of which what is held changes apart."""
        return HeldRows(self._blocks)

    @property
    def children(self) -> int:
        """Of how many children rows are held."""
        return sum(it.there for it in self._blocks)

    def put(self, rules: Rules, records: Mapping[str, CountedParts]) -> None:
        """Hold what these children add, in place of what is held of them."""
        self.forget(records)
        if records:
            subjects, rows = counted_rows(rules, records)
            self._blocks.append(block_of(records, subjects, rows, [*map(_digest_of, subjects)]))

    def forget(self, children: Iterable[str]) -> None:
        """Hold nothing more of children."""
        encoded = [it.encode() for it in children]
        self._blocks = [it.without(encoded) for it in self._blocks]

    def tidy(self) -> None:
        """Put blocks together where there are many, and leave out much that is gone.

        Whatever is asked is answered as before.
        """
        self._blocks = [
            blocks_together([it]) if MOST_GONE * it.gone > len(it.children.is_there) else it
            for it in self._blocks
            if it.there
        ]
        while self._blocks:
            size = _size(self._blocks[-1])
            alike = next(
                (at for at, it in enumerate(reversed(self._blocks)) if _size(it) > size),
                len(self._blocks),
            )
            if alike < MOST_ALIKE:
                return
            self._blocks[-alike:] = [blocks_together(self._blocks[-alike:])]

    def amounts(self, asking: CellSums) -> list[AmountsInBlock]:
        """What every subject adds to a cell that adds anything to it."""
        slots, found = asking.slots, list[AmountsInBlock]()
        for block in self._blocks:
            rows = block.rows(slots, [asking.day])
            subject, at = np.unique(rows.subject, return_inverse=True)
            above, below = asking.sums(rows._replace(subject=at), len(subject))
            adds = (above != 0) | (below != 0)
            if adds.any():
                found.append(AmountsInBlock(block, subject[adds], above[adds], below[adds]))
        return found

    def moved(self, then: CellSums, now: CellSums) -> list[MovedSubject]:
        """The subjects that add something else to a cell than to the one it is held against."""
        found: list[MovedSubject] = []
        slots = now.slots
        for block in self._blocks:
            rows = block.rows(slots, [then.day, now.day])
            subject, at = np.unique(rows.subject, return_inverse=True)
            rows = rows._replace(subject=at)
            before, after = then.sums(rows, len(subject)), now.sums(rows, len(subject))
            differs = np.flatnonzero((before[0] != after[0]) | (before[1] != after[1]))
            columns = subject, before[0], after[0], before[1], after[1]
            found += [
                MovedSubject(block.subject(number), *counts)
                for number, *counts in zip(*(it[differs].tolist() for it in columns), strict=True)
            ]
        return found

    def find(self, reference: str) -> Subject | None:
        """The case of a reference; None where none is held."""
        digest = _digest(reference)
        found = (block.subject(it) for block in self._blocks for it in block.find(digest))
        return next(
            (it for it in found if it.is_case and case_reference(it.child, it.name) == reference),
            None,
        )


def _size(block: HeldBlock) -> int:
    """How often the smallest block has to be taken MOST_ALIKE times to be as large."""
    size, children = 0, block.there
    while children > SMALLEST:
        size, children = size + 1, children // MOST_ALIKE
    return size


def _digest_of(subject: Subject) -> int:
    return _digest(case_reference(subject.child, subject.name)) if subject.is_case else 0


def _digest(reference: str) -> int:
    return int(reference[:FIRST_DIGITS], 16)
