"""What some children add to slots, packed: below 300 bytes for a child of two cases.

Children, and whatever is counted of them, are in the order of their names. What is counted lies in
few localities and bands, one nearly always, so these are kept once for all amounts of it that lie
there, a *group*. Amounts are kept by slot: a question looks at those of its slots alone.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from processors.arrays import Flags
from processors.behind.counted_rows import CountedRows, Subject, joined
from processors.behind.packed_column import PackedColumn, columns_together, packed_column
from processors.behind.packed_names import PackedNames, names_together, packed_names

Words = NDArray[np.int32]
Digests = NDArray[np.uint64]
Checks = NDArray[np.uint32]


class Amounts(NamedTuple):
    """What one slot counts: of which groups, from which days and before which, and how much."""

    group: Words
    begin: PackedColumn
    end: PackedColumn
    amount: PackedColumn

    def on(self, days: Iterable[int]) -> Words:
        """The positions of those that count on any of some days."""
        found: Flags = np.zeros(len(self.group), dtype=np.bool_)
        for day in days:
            found |= self.begin.at_most(day) & ~self.end.at_most(day)
        return np.flatnonzero(found).astype(np.int32)


class AmountGroups(NamedTuple):
    """What is counted, where and in which band, for each group."""

    subject: Words
    locality: PackedColumn
    band: PackedColumn


class Children(NamedTuple):
    """Children by name, which of them are still there, and where each is by a check of its name."""

    names: PackedNames
    is_there: Flags
    checks: Checks
    by_check: Words


class Subjects(NamedTuple):
    """What is counted: of which child, its name, whether it is a case, and its reference's digest.

    What is no case has no reference, and 0 for a digest.
    """

    child: Words
    names: PackedNames
    is_case: Flags
    digest: Digests


class HeldBlock(NamedTuple):
    """Some children, what is counted of them, and what that adds to each slot."""

    children: Children
    subjects: Subjects
    groups: AmountGroups
    slots: Mapping[int, Amounts]

    @property
    def there(self) -> int:
        """How many children are still there."""
        return int(np.count_nonzero(self.children.is_there))

    @property
    def gone(self) -> int:
        """How many are not."""
        return len(self.children.is_there) - self.there

    def subject(self, number: int) -> Subject:
        """What is counted, by number."""
        subjects = self.subjects
        child = self.children.names.text(int(subjects.child[number]))
        return Subject(child, subjects.names.text(number), bool(subjects.is_case[number]))

    def rows(self, slots: Iterable[int], days: Sequence[int]) -> CountedRows:
        """What slots count on any of some days, of children who are there."""
        subjects, groups = self.subjects, self.groups
        found = []
        for slot in slots:
            amounts = self.slots.get(slot)
            if amounts is None:
                continue
            at = amounts.on(days)
            subject = groups.subject[amounts.group[at]]
            at = at[self.children.is_there[subjects.child[subject]]]
            group = amounts.group[at]
            found.append(
                CountedRows(
                    groups.subject[group],
                    np.full(len(at), slot, dtype=np.int32),
                    groups.locality.values(group),
                    groups.band.values(group),
                    *(it.values(at) for it in (amounts.begin, amounts.end, amounts.amount)),
                )
            )
        return joined(found)

    def find(self, digest: int) -> list[int]:
        """The cases whose references have a digest, of children who are there."""
        found: list[int] = np.flatnonzero(self.subjects.digest == np.uint64(digest)).tolist()
        return [it for it in found if self.children.is_there[self.subjects.child[it]]]

    def without(self, encoded: Sequence[bytes]) -> "HeldBlock":
        """The same without some children, whose names are given in UTF-8; itself for none of them.

        What is of them is passed over, and left out when blocks are put together.
        """
        children = self.children
        asked = np.fromiter(map(crc32, encoded), np.uint32, len(encoded))
        first = np.searchsorted(children.checks, asked)
        last = np.searchsorted(children.checks, asked, side="right")
        gone = [
            number
            for at in np.flatnonzero(first < last).tolist()
            for number in children.by_check[first[at] : last[at]].tolist()
            if children.names.encoded(number) == encoded[at]
        ]
        if not gone:
            return self
        there = children.is_there.copy()
        there[gone] = False
        return self._replace(children=children._replace(is_there=there))


def block_of(
    names: Iterable[str], subjects: Sequence[Subject], rows: CountedRows, digests: Sequence[int]
) -> HeldBlock:
    """A block of children, of whom nothing may be counted, with what is counted and how much.

    `rows` have the positions of subjects, and `digests` are those of the references of these.
    """
    ordered = sorted(names)
    numbers = {name: number for number, name in enumerate(ordered)}
    places = sorted(range(len(subjects)), key=lambda it: subjects[it])
    own = [subjects[it] for it in places]
    moved = _inverse(np.array(places, dtype=np.int64))
    groups, group = _grouped(rows._replace(subject=moved[rows.subject]))
    in_order = np.argsort(rows.slot, kind="stable")
    slots, starts = np.unique(rows.slot[in_order], return_index=True)
    parts = np.split(in_order, starts[1:]) if len(slots) else []
    return HeldBlock(
        _children(packed_names(ordered)),
        Subjects(
            np.array([numbers[it.child] for it in own], dtype=np.int32),
            packed_names(it.name for it in own),
            np.array([it.is_case for it in own], dtype=np.bool_),
            np.array([digests[it] for it in places], dtype=np.uint64),
        ),
        groups,
        {
            slot: Amounts(
                group[at],
                *(packed_column(column[at]) for column in (rows.begin, rows.end, rows.amount)),
            )
            for slot, at in zip(slots.tolist(), parts, strict=True)
        },
    )


def blocks_together(blocks: Sequence[HeldBlock]) -> HeldBlock:
    """A block of all children of some who are still there."""
    names = names_together([it.children.names for it in blocks])
    is_there = np.concatenate([it.children.is_there for it in blocks])
    encoded = names.all_encoded()
    ordered = sorted(np.flatnonzero(is_there).tolist(), key=encoded.__getitem__)
    new_child = _numbered(np.array(ordered, dtype=np.int64), len(encoded))

    firsts = _firsts(len(it.children.is_there) for it in blocks)
    of_child = np.concatenate(
        [it.subjects.child + first for it, first in zip(blocks, firsts, strict=False)]
    )
    kept = np.flatnonzero(is_there[of_child])
    kept = kept[np.argsort(new_child[of_child[kept]], kind="stable")]
    new_subject = _numbered(kept, len(of_child))

    firsts = _firsts(len(it.subjects.child) for it in blocks)
    of_subject = np.concatenate(
        [it.groups.subject + first for it, first in zip(blocks, firsts, strict=False)]
    )
    subject = new_subject[of_subject]
    kept_groups = np.flatnonzero(subject >= 0)
    new_group = _numbered(kept_groups, len(of_subject))
    where = (
        columns_together([it.groups.locality for it in blocks]).values(kept_groups),
        columns_together([it.groups.band for it in blocks]).values(kept_groups),
    )
    firsts = _firsts(len(it.groups.subject) for it in blocks)
    return HeldBlock(
        _children(names.taken(np.array(ordered, dtype=np.int64))),
        Subjects(
            new_child[of_child[kept]].astype(np.int32),
            names_together([it.subjects.names for it in blocks]).taken(kept),
            np.concatenate([it.subjects.is_case for it in blocks])[kept],
            np.concatenate([it.subjects.digest for it in blocks])[kept],
        ),
        AmountGroups(subject[kept_groups].astype(np.int32), *map(packed_column, where)),
        dict(_slots_together(blocks, [new_group[it:] for it in firsts])),
    )


def _slots_together(
    blocks: Sequence[HeldBlock], new_groups: Sequence[NDArray[np.int64]]
) -> Iterator[tuple[int, Amounts]]:
    """What each slot counts in all blocks, given the new numbers of the groups of each."""
    for slot in sorted({slot for it in blocks for slot in it.slots}):
        of_slot = [
            (it.slots[slot], numbers[it.slots[slot].group])
            for it, numbers in zip(blocks, new_groups, strict=False)
            if slot in it.slots
        ]
        group = np.concatenate([numbers for _, numbers in of_slot])
        kept = np.flatnonzero(group >= 0)
        if not len(kept):
            continue
        columns = zip(*(amounts[1:] for amounts, _ in of_slot), strict=True)
        yield (
            slot,
            Amounts(
                group[kept].astype(np.int32),
                *(packed_column(columns_together(it).values(kept)) for it in columns),
            ),
        )


def _grouped(rows: CountedRows) -> tuple[AmountGroups, Words]:
    """The groups of rows, and which each row is of."""
    order = np.lexsort((rows.band, rows.locality, rows.subject))
    columns = [it[order] for it in (rows.subject, rows.locality, rows.band)]
    is_new: Flags = np.zeros(len(order), dtype=np.bool_)
    is_new[:1] = True
    for column in columns:
        is_new[1:] |= column[1:] != column[:-1]
    group = np.empty(len(order), dtype=np.int32)
    group[order] = np.cumsum(is_new) - 1
    subject, locality, band = (it[is_new] for it in columns)
    return AmountGroups(
        subject.astype(np.int32), packed_column(locality), packed_column(band)
    ), group


def _children(names: PackedNames) -> Children:
    checks = np.fromiter(map(crc32, names.all_encoded()), np.uint32, names.number_of_names)
    order = np.argsort(checks, kind="stable")
    there = np.ones(names.number_of_names, dtype=np.bool_)
    return Children(names, there, checks[order], order.astype(np.int32))


def _numbered(kept: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """The new number of each of so many, of whom these are kept in this order; -1 of others."""
    numbers = np.full(count, -1, dtype=np.int64)
    numbers[kept] = np.arange(len(kept))
    return numbers


def _inverse(order: NDArray[np.int64]) -> NDArray[np.int64]:
    return _numbered(order, len(order))


def _firsts(counts: Iterable[int]) -> list[int]:
    """The number of the first of each, where one follows another; and the number of all."""
    found = [0]
    for count in counts:
        found.append(found[-1] + count)
    return found
