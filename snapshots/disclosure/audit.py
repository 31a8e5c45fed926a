"""The audit: whether the small counts of a release are protected, by whole numbers alone.

Each proof is a change of the tables. It is tried here against everything that is published, told
before or known from the definitions, in integer arithmetic and without the matrices and the solver
that found it. What the solver's tolerances or a mistake in the search may have let through is no
proof here, and the counts that it was to protect are named.
"""

from collections.abc import Collection, Iterable
from functools import lru_cache

import numpy as np

from schemas.cells import CellKey
from schemas.release import Release
from snapshots.disclosure.counts import Expression, Quantity
from snapshots.disclosure.knowledge import BlockSum, Knowledge
from snapshots.disclosure.layout import Table
from snapshots.disclosure.programme import Change


def published(release: Release, known: Knowledge, suppressed: Collection[CellKey]) -> set[Quantity]:
    """The counts that the cells left in a release reveal."""
    return {
        quantity
        for cell in release.cells
        if cell.status != "not-at-this-level" and cell.key not in suppressed
        for quantity in known.formulas.revealed(release.period, cell.key)
    }


# Counts that someone knows the sum of, and nothing else about any of them.
Sum = tuple[Quantity, ...]


def unprotected(
    known: Knowledge,
    unchangeable: Collection[Quantity],
    proofs: Iterable[Change],
    sums: Collection[Sum] = (),
) -> list[Quantity]:
    """The counts in need of protection of which the proofs that hold leave too few values."""
    found = ranges(known, unchangeable, proofs, sums)
    return [each for each, need in known.needs.items() if not need.is_wide(*found[each])]


def ranges(
    known: Knowledge,
    unchangeable: Collection[Quantity],
    proofs: Iterable[Change],
    sums: Collection[Sum] = (),
) -> dict[Quantity, tuple[int, int]]:
    """How far from the truth the proofs that hold let each count in need of protection be."""
    lowest = dict.fromkeys(known.needs, 0)
    highest = dict.fromkeys(known.needs, 0)
    for proof in proofs:
        tried = _Tried(known, proof)
        if not tried.leaves(unchangeable, sums):
            continue
        for quantity in known.needs:
            moved = tried.move(quantity)
            lowest[quantity] = min(lowest[quantity], moved)
            highest[quantity] = max(highest[quantity], moved)
    return {each: (lowest[each], highest[each]) for each in known.needs}


class _Tried:
    """One change of the tables, put to the test."""

    def __init__(self, known: Knowledge, change: Change) -> None:
        self._known, self._change = known, change
        self._none = np.zeros((len(known.layout.leaves), len(known.layout.ages)), dtype=np.int64)
        self._totals = lru_cache(maxsize=None)(self._total)

    def leaves(self, unchangeable: Collection[Quantity], sums: Collection[Sum] = ()) -> bool:
        """Whether the tables so changed are possible and look the same from outside."""
        return (
            self._is_possible()
            and not any(self.move(quantity) for quantity in unchangeable)
            and not any(sum(self.move(quantity) for quantity in each) for each in sums)
            and all(-self.move(each) <= room for each, room in self._known.lowered.items())
        )

    def move(self, quantity: Quantity) -> int:
        """By how much a count changes."""
        where = self._known.layout.index[quantity.area, quantity.band]
        return int(self._totals(quantity.period, quantity.expression)[where])

    def _total(self, period: str, expression: Expression) -> Table:
        summed = self._none.copy()
        for slot, times in expression:
            summed += times * self._change.get((period, slot), self._none)
        return self._known.layout.totals(summed)

    def _is_possible(self) -> bool:
        known = self._known
        versions = [
            table + self._change[block] for block in self._change for table in known.versions[block]
        ]
        return (
            all((table >= 0).all() for table in versions)
            and not any(self._moved(terms).any() for terms in known.equal)
            and all(self._stays(terms) for terms in known.at_most)
        )

    def _moved(self, terms: BlockSum) -> Table:
        return sum(
            (times * self._change.get(block, self._none) for block, times in terms), self._none
        )

    def _stays(self, terms: BlockSum) -> bool:
        """Whether a relation holds in every release of its period."""
        versions = zip(*(reversed(self._known.versions[block]) for block, _ in terms), strict=False)
        moved = self._moved(terms)
        return all(
            (
                moved + sum(times * table for (_, times), table in zip(terms, row, strict=True))
                >= 0
            ).all()
            for row in versions
        )
