"""What is odd and lacking in the records of many children, added up child by child."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import NamedTuple

from processors.days.calendar import Calendar, day_number
from processors.record.completeness import CaseLacks, Completeness, Tally, cases_lack
from processors.record.decoding import Event
from processors.record.quality import OddFact, Oddity, odd_facts
from schemas.areas import Areas


class ChildQuality(NamedTuple):
    """What is odd about one child's cases, and what each of them lacks."""

    facts: tuple[OddFact, ...]
    cases: tuple[CaseLacks, ...]


@dataclass(frozen=True)
class QualityAsOf:
    """What the quality of records is judged by: the areas, the calendar, and a date."""

    areas: Areas
    calendar: Calendar
    as_of: date

    def of_child(self, events: Iterable[Event]) -> ChildQuality:
        """The quality of one child's events, as it stands on the date."""
        known, today = [*events], day_number(self.as_of)
        facts = odd_facts(known, self.areas, self.calendar, self.as_of)
        return ChildQuality(tuple(facts), tuple(cases_lack(known, self._leaves, today)))

    @cached_property
    def _leaves(self) -> frozenset[str]:
        return frozenset(self.areas.leaves)


class QualityFound:
    """What is found in records."""

    def __init__(self) -> None:
        self._tally = Tally()
        self._facts = set[OddFact]()

    def add(self, child: ChildQuality) -> None:
        """Take in one child; of one that comes twice each odd fact counts once."""
        self._facts.update(child.facts)
        for case in child.cases:
            self._tally.add(case)

    def add_held(self, held: "HeldQuality") -> None:
        """Take in all children that are held."""
        self._tally.add_all(held.tally)
        for facts in held.facts.values():
            self._facts.update(facts)

    @property
    def facts(self) -> list[OddFact]:
        """Every odd fact, in order of kind and case."""
        return sorted(self._facts)

    @property
    def kinds(self) -> Counter[Oddity]:
        """How many odd facts there are of each kind."""
        return Counter(fact.kind for fact in self._facts)

    @property
    def lacking(self) -> list[Completeness]:
        """How many cases lack something, of all and then by provider."""
        return self._tally.found()


@dataclass
class HeldQuality:
    """The quality of children, who may change or go one by one.

    `facts` are the odd ones by child, `tally` what all of them lack.
    """

    facts: dict[str, tuple[OddFact, ...]] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)
    _cases: dict[str, tuple[CaseLacks, ...]] = field(default_factory=dict)
    # Most children's cases are like those of many others, and so held once.
    _alike: dict[tuple[CaseLacks, ...], tuple[CaseLacks, ...]] = field(default_factory=dict)

    @property
    def children(self) -> int:
        """How many are held."""
        return len(self._cases)

    def copy(self) -> "HeldQuality":
        """The same, of which what is held changes apart."""
        return HeldQuality({**self.facts}, self.tally.copy(), {**self._cases}, self._alike)

    def put(self, child: str, quality: ChildQuality) -> None:
        """Hold a child's quality, in place of what is held of them."""
        self.forget([child])
        if quality.facts:
            self.facts[child] = quality.facts
        self._cases[child] = self._alike.setdefault(quality.cases, quality.cases)
        for case in quality.cases:
            self.tally.add(case)

    def forget(self, children: Iterable[str]) -> None:
        """Hold nothing more of children."""
        for child in children:
            self.facts.pop(child, None)
            for case in self._cases.pop(child, ()):
                self.tally.add(case, -1)
