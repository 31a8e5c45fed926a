"""The audit: whether the small counts of a release are protected, by whole numbers alone.

Each proof is a change of the tables. It is tried here against everything that is published, told
before or known from the definitions, in integer arithmetic and without the matrices and the solver
that found it. What the solver's tolerances or a mistake in the search may have let through is no
proof here, and the counts that it was to protect are named.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from schemas.cells import CellKey
from schemas.release import Release
from snapshots.disclosure.count_tables import counted_cells
from snapshots.disclosure.counts import Block, Quantity
from snapshots.disclosure.knowledge import Knowledge, KnownSum
from snapshots.disclosure.programme import Change


def published(release: Release, known: Knowledge, suppressed: Collection[CellKey]) -> set[Quantity]:
    """The counts that the cells left in a release reveal."""
    return {
        quantity
        for cell in counted_cells(release)
        if cell.key not in suppressed
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
    needed, fixed = _by_block(known.needs), _by_block(unchangeable)
    lowered = _by_block(known.lowered)
    spares = [(relation, known.spare(relation)) for relation in known.at_most]
    for proof in proofs:
        tried = _Tried(known, spares, proof)
        if not tried.leaves(fixed, lowered, sums):
            continue
        for quantity in _touched(needed, proof):
            moved = tried.move(quantity)
            lowest[quantity] = min(lowest[quantity], moved)
            highest[quantity] = max(highest[quantity], moved)
    return {each: (lowest[each], highest[each]) for each in known.needs}


# Counts by the tables that they are sums over.
ByBlock = Mapping[Block, Sequence[Quantity]]


def _by_block(quantities: Iterable[Quantity]) -> ByBlock:
    found: dict[Block, list[Quantity]] = defaultdict(list)
    for quantity in quantities:
        for slot, _ in quantity.expression:
            found[quantity.period, slot].append(quantity)
    return found


def _touched(quantities: ByBlock, change: Change) -> Iterator[Quantity]:
    """The counts over tables that a change has anything of; the others stay as they are."""
    return chain.from_iterable(quantities.get(block, ()) for block in change)


# A sum that is never below 0, and what it is at least in each of its places and bands.
Spare = tuple[KnownSum, NDArray[np.int64]]


class _Tried:
    """One change of the tables, put to the test."""

    def __init__(self, known: Knowledge, spares: Sequence[Spare], change: Change) -> None:
        self._known, self._spares, self._change = known, spares, change
        self._totals = {
            block: known.layouts.of(block[1]).totals(table) for block, table in change.items()
        }

    def leaves(self, fixed: ByBlock, lowered: ByBlock, sums: Collection[Sum]) -> bool:
        """Whether the tables so changed are possible and look the same from outside."""
        room = self._known.lowered
        return (
            self._is_possible()
            and not any(self.move(each) for each in _touched(fixed, self._change))
            and not any(sum(self.move(quantity) for quantity in each) for each in sums)
            and all(-self.move(each) <= room[each] for each in _touched(lowered, self._change))
        )

    def move(self, quantity: Quantity) -> int:
        """By how much a count changes."""
        moved = 0
        for slot, times in quantity.expression:
            totals = self._totals.get((quantity.period, slot))
            if totals is not None:
                where = self._known.layouts.of(slot).index[quantity.spot]
                moved += times * int(totals[where])
        return moved

    def _is_possible(self) -> bool:
        known = self._known
        versions = [
            table + self._change[block] for block in self._change for table in known.versions[block]
        ]
        return (
            all((table >= 0).all() for table in versions)
            and not any(self._moved(it).any() for it in known.equal if self._concerns(it))
            and all(
                (self._moved(relation) + spare >= 0).all()
                for relation, spare in self._spares
                if self._concerns(relation)
            )
        )

    def _concerns(self, relation: KnownSum) -> bool:
        return any(block in self._change for block, _ in relation.terms)

    def _moved(self, relation: KnownSum) -> NDArray[np.int64]:
        return relation.summed([self._totals.get(block) for block, _ in relation.terms])
