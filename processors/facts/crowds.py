"""Relations among the cases of a child who has very many of them, kept from change to change.

Of a child with a few cases all are looked at whenever one changes. Of one with very many, what
each case is for each relation is kept in order of days, so that a change of a case costs what it
changes: the case itself, and those others of which a relation no longer says what it said.
"""

from array import array
from bisect import bisect_left, bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from processors.days.calendar import NEVER, back
from schemas.catalogue import Relation

# Cases from which on they are a crowd.
CROWD = 64
# Of which, where one in so many changed, all are looked at.
MOST_CHANGED = 4
# About how much memory each of them takes.
BYTES_A_CASE = 1_000
# More days than a month has.
MOST_DAYS = 31


def is_crowd(changed: int, cases: int) -> bool:
    """Whether so many changed cases of so many are looked at on their own, and not all of them."""
    return cases >= CROWD and changed * MOST_CHANGED < cases


class Trait(NamedTuple):
    """What a case is for one relation.

    Its facts look back, or forward, from `anchors`. `stretches` are first and last days of what
    others look for in it, and `key` what they must share with it; those of key 0 share nothing.
    """

    key: int
    stretches: tuple[tuple[int, int], ...]
    anchors: tuple[int, ...]


# The key of a relation for which any case will do.
SHARED = 1
# Of a case without the key that a relation asks for.
NO_TRAIT = Trait(0, (), ())
# What a case is for every relation, in the order of the catalogue.
Traits = tuple[Trait, ...]
# What every relation says of a case's facts, by anchor: whether there is one, or on which day.
Said = tuple[dict[int, int], ...]


class SaidChange(NamedTuple):
    """What relations said of cases before a change and say now: of all that it changed them of."""

    before: dict[str, Said]
    now: dict[str, Said]


class Crowd:
    """What a child's cases are for every relation."""

    def __init__(self, relations: Sequence[Relation]) -> None:
        self._relations = [
            _Earlier(it) if it.before is not None else _Later(it) for it in relations
        ]
        self._nothing: Traits = (NO_TRAIT,) * len(relations)
        self._traits: dict[str, Traits] = {}

    @property
    def size(self) -> int:
        """About how many bytes of memory it takes."""
        return BYTES_A_CASE * len(self._traits)

    def add(self, traits: Mapping[str, Traits]) -> None:
        """Take in cases that were not there."""
        self._traits.update(traits)
        for number, relation in enumerate(self._relations):
            relation.add((case, of_case[number]) for case, of_case in traits.items())

    def change(self, traits: Mapping[str, Traits]) -> SaidChange:
        """Cases are now something else; the change that this makes, to them and to others."""
        old = {case: self._traits.get(case, self._nothing) for case in traits}
        touched = self._touched(old, traits)
        said = {case: self._says(case, numbers) for case, numbers in touched.items()}
        before = {case: self._said(case, of_case) for case, of_case in old.items()}
        for number, relation in enumerate(self._relations):
            for case, of_case in traits.items():
                if old[case][number] != of_case[number]:
                    relation.remove(case, old[case][number])
                    relation.add([(case, of_case[number])])
        self._traits.update(traits)
        now = {case: self._said(case, of_case) for case, of_case in traits.items()}
        for case, numbers in touched.items():
            if self._says(case, numbers) != said[case]:
                all_now = now[case] = self._said(case, self._traits[case])
                # What the others say is as it was.
                were = dict(enumerate(all_now)) | dict(zip(numbers, said[case], strict=True))
                before[case] = tuple(were.values())
        return SaidChange(before, now)

    def _touched(
        self, old: Mapping[str, Traits], traits: Mapping[str, Traits]
    ) -> dict[str, list[int]]:
        """The other cases of which relations may say something else, and which relations."""
        found: dict[str, list[int]] = {}
        for number, relation in enumerate(self._relations):
            was, now = Counter[tuple[int, int, int]](), Counter[tuple[int, int, int]]()
            for case in traits:
                if old[case][number] != traits[case][number]:
                    was.update(_keyed(old[case][number]))
                    now.update(_keyed(traits[case][number]))
            # Though others have the same stretch, each looks at those that are not its own.
            for case in {*relation.looking_at({*(was - now), *(now - was)})}.difference(traits):
                found.setdefault(case, []).append(number)
        return found

    def _said(self, case: str, traits: Traits) -> Said:
        own = self._traits.get(case, self._nothing)
        return tuple(
            {anchor: relation.says(anchor, trait.key, of_own) for anchor in trait.anchors}
            for relation, trait, of_own in zip(self._relations, traits, own, strict=True)
        )

    def _says(self, case: str, numbers: Iterable[int]) -> Said:
        """What some relations say of a case that is there."""
        own, relations = self._traits[case], self._relations
        return tuple(
            {it: relation.says(it, trait.key, trait) for it in trait.anchors}
            for relation, trait in ((relations[number], own[number]) for number in numbers)
        )


def _keyed(trait: Trait) -> Iterator[tuple[int, int, int]]:
    return ((trait.key, first, last) for first, last in trait.stretches)


class _Ordered:
    """Anchors of cases by key, in order of days."""

    def __init__(self) -> None:
        self.anchors: dict[int, list[tuple[int, str]]] = defaultdict(list)

    def add(self, cases: Iterable[tuple[str, Trait]]) -> None:
        for case, trait in cases:
            for anchor in trait.anchors:
                insort(self.anchors[trait.key], (anchor, case))

    def remove(self, case: str, trait: Trait) -> None:
        for anchor in trait.anchors:
            of_key = self.anchors[trait.key]
            del of_key[bisect_left(of_key, (anchor, case))]

    def within(self, key: int, spans: Iterable[tuple[int, int]]) -> Iterator[str]:
        """The cases with an anchor within any of spans of days, both ends included."""
        of_key, at = self.anchors[key], 0
        for first, last in sorted(spans):
            at = max(at, bisect_left(of_key, (first, "")))
            end = bisect_left(of_key, (last + 1, ""))
            for position in range(at, end):
                yield of_key[position][1]
            at = max(at, end)


class _Earlier:
    """Whether another case of the child was with a service, or closed by it, not long before."""

    def __init__(self, relation: Relation) -> None:
        self._months = relation.months
        self._begin: dict[int, array[int]] = defaultdict(lambda: array("q"))
        self._until: dict[int, array[int]] = defaultdict(lambda: array("q"))
        self._facts = _Ordered()

    def add(self, cases: Iterable[tuple[str, Trait]]) -> None:
        cases = list(cases)
        self._facts.add(cases)
        for _, trait in cases:
            for begin, until in trait.stretches:
                insort(self._begin[trait.key], begin)
                insort(self._until[trait.key], until)

    def remove(self, case: str, trait: Trait) -> None:
        self._facts.remove(case, trait)
        for begin, until in trait.stretches:
            for ordered, day in ((self._begin, begin), (self._until, until)):
                of_key = ordered[trait.key]
                del of_key[bisect_left(of_key, day)]

    def looking_at(self, stretches: Iterable[tuple[int, int, int]]) -> Iterator[str]:
        """The cases whose facts look at any of stretches, each with a key."""
        spans: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for key, begin, until in stretches:
            spans[key].append((begin, min(until + MOST_DAYS * (self._months + 1), NEVER)))
        for key, of_key in spans.items():
            yield from self._facts.within(key, of_key)

    def says(self, anchor: int, key: int, own: Trait) -> int:
        if not key:
            return False
        earliest = _back(anchor, self._months)
        # As processors.facts.counted does: all that began, but for those that ended long ago.
        found = bisect_right(self._begin[key], anchor) - bisect_right(self._until[key], earliest)
        if own.key == key:
            found -= sum((begin <= anchor) - (until <= earliest) for begin, until in own.stretches)
        return found > 0


class _Later:
    """The first day on which social care opened a case of the child, not long after.

    Its cases share a key.
    """

    def __init__(self, relation: Relation) -> None:
        self._months = relation.months
        self._days: array[int] = array("q")
        self._facts = _Ordered()

    def add(self, cases: Iterable[tuple[str, Trait]]) -> None:
        cases = list(cases)
        self._facts.add(cases)
        for _, trait in cases:
            for day, _ in trait.stretches:
                insort(self._days, day)

    def remove(self, case: str, trait: Trait) -> None:
        self._facts.remove(case, trait)
        for day, _ in trait.stretches:
            del self._days[bisect_left(self._days, day)]

    def looking_at(self, stretches: Iterable[tuple[int, int, int]]) -> Iterator[str]:
        """The cases whose facts look at any of openings."""
        yield from self._facts.within(
            SHARED, [(day - MOST_DAYS * (self._months + 1), day) for _, day, _ in stretches]
        )

    def says(self, anchor: int, _key: int, _own: Trait) -> int:
        at = bisect_left(self._days, anchor)
        if at == len(self._days):
            return NEVER
        day = self._days[at]
        return day if _back(day, self._months) < anchor else NEVER


@lru_cache(maxsize=100_000)
def _back(day: int, months: int) -> int:
    return int(back(np.array([day]), months)[0])
