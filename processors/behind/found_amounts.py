"""What makes up a cell, found in blocks: all that there are, named only where they are shown."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.arrays import Flags
from processors.behind.counted_rows import Subject
from processors.behind.held_block import HeldBlock
from processors.days.calendar import Days


class SubjectAmount(NamedTuple):
    """What a subject adds to a numerator and a denominator."""

    subject: Subject
    above: int
    below: int


class AmountsInBlock(NamedTuple):
    """Subjects of a block by number, in their order, and what each adds."""

    block: HeldBlock
    subject: NDArray[np.signedinteger]
    above: Days
    below: Days

    def taken(self, at: Flags) -> "AmountsInBlock":
        """Those that a mask has."""
        return AmountsInBlock(self.block, self.subject[at], self.above[at], self.below[at])

    def name(self, position: int) -> Subject:
        """Which subject is at a position."""
        return self.block.subject(int(self.subject[position]))

    def amount(self, position: int) -> SubjectAmount:
        """What is at a position."""
        return SubjectAmount(
            self.name(position), int(self.above[position]), int(self.below[position])
        )


class FoundAmounts:
    """What makes up a cell, in the order of children and of what is counted of them."""

    def __init__(self, parts: Iterable[AmountsInBlock]) -> None:
        self._parts = [it for it in parts if len(it.subject)]

    def __len__(self) -> int:
        return sum(len(it.subject) for it in self._parts)

    def __iter__(self) -> Iterator[SubjectAmount]:
        return iter(self.shown(slice(len(self))))

    @property
    def sums(self) -> tuple[int, int]:
        """What all of them add to the numerator and to the denominator."""
        above = sum(int(it.above.sum()) for it in self._parts)
        return above, sum(int(it.below.sum()) for it in self._parts)

    @property
    def pairs(self) -> Iterator[tuple[int, int]]:
        """What each adds to the numerator and to the denominator, in no order."""
        for it in self._parts:
            yield from zip(it.above.tolist(), it.below.tolist(), strict=True)

    def that(self, counts: Callable[[AmountsInBlock], Days]) -> "FoundAmounts":
        """Those of whom a column, such as what they add to the numerator, is not zero."""
        return FoundAmounts(it.taken(counts(it) != 0) for it in self._parts)

    def shown(self, which: slice) -> list[SubjectAmount]:
        """Those from one number on and before another, in order.

        Of the others no more are named than it takes to tell where these begin and end.
        """
        first, end, _ = which.indices(len(self))
        begins, ends = self._before(first), self._before(end)
        return sorted(
            part.amount(at)
            for part, begin, stop in zip(self._parts, begins, ends, strict=True)
            for at in range(begin, stop)
        )

    def _before(self, number: int) -> list[int]:
        """How many in each part are among the first so many of all.

        The middle of the part with most left is looked up in the others: they are then among the
        first with all before them, or not with all after; and so on until none are left.
        """
        low, high = [0] * len(self._parts), [len(it.subject) for it in self._parts]
        if number >= sum(high):
            return high
        while sum(low) < number:
            widths = [end - begin for begin, end in zip(low, high, strict=True)]
            widest = max(range(len(widths)), key=widths.__getitem__)
            middle = self._parts[widest].name((low[widest] + high[widest]) // 2)
            below = [
                bisect_left(_Names(part), middle, begin, end)
                for part, begin, end in zip(self._parts, low, high, strict=True)
            ]
            if sum(below) > number:
                high = below
            elif below == low:
                # The middle is the very next: all before it are taken already.
                low[widest] += 1
            else:
                low = below
        return low


class _Names(Sequence[Subject]):
    """The subjects of a part, named one by one as they are looked at."""

    def __init__(self, part: AmountsInBlock) -> None:
        self._part = part

    def __len__(self) -> int:
        return len(self._part.subject)

    def __getitem__(self, position: int) -> Subject:  # type: ignore[override]
        return self._part.name(position)
