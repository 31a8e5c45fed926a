"""The ledger: dated entries of each measure, worked out over columns (docs/architecture.md).

Every measure is a *stock*: an integer for each area and band that holds for an as-of date. What
counts from one day until another enters +1 on the first and -1 on the second, so the stock on any
day, past or known future, is the sum of the entries up to it. "In the month" and "in the last n
months" are stocks too, whose exit is entered together with their entry.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np

from processors.days.calendar import NEVER, Calendar, Days
from processors.facts.columns import UNKNOWN_BAND, Facts
from processors.facts.counting import Counted
from processors.ledger.plan import Counts, Plan
from processors.record.rows import tests
from schemas.catalogue import Catalogue, Measure

# The attributes that measures of cases test the text of.
TEXTS = ("holder", "outcome", "notification_type")


@dataclass(frozen=True)
class Entries:
    """Ledger entries: `amount` is added to the stock of (slot, locality, band) from `day` on."""

    slot: Days
    locality: Days
    band: Days
    day: Days
    amount: Days


# Columns of entries: those of Entries, after the number of the shard that each is of.
Part = tuple[Days, Days, Days, Days, Days, Days]


def entered(
    shard: Days, slot: Days, locality: Days, band: Days, begin: Days, end: Days, amount: Days
) -> tuple[Part, Part]:
    """What counts from one day until another, as columns of entries; those of never left out."""
    ends = end < NEVER
    exits = shard[ends], slot[ends], locality[ends], band[ends], end[ends], -amount[ends]
    return (shard, slot, locality, band, begin, amount), exits


def by_shard(parts: Sequence[Part], shards: int) -> list[Entries]:
    """The entries of each shard, put together from parts, of which there may be none."""
    if not parts:
        nothing = Entries(*(np.zeros(0, dtype=np.int64) for _ in fields(Entries)))
        return [nothing] * shards
    shard, *columns = zip(*parts, strict=True)
    together = [np.concatenate(column) for column in columns]
    if shards == 1:
        return [Entries(*together)]
    of = np.concatenate(shard)
    order = of.argsort(kind="stable")
    edges = of[order].searchsorted(np.arange(shards + 1)).tolist()
    together = [column[order] for column in together]
    return [Entries(*(column[start:end] for column in together)) for start, end in pairwise(edges)]


def entries_of(shard: int, found: Iterable[tuple[Counted, ...]], sign: int) -> tuple[Part, Part]:
    """Entries of what a shard's records add, or with sign -1 no longer do; without an age band."""
    flat = [it for of_record in found for it in of_record]
    columns = np.array(flat, dtype=np.int64).reshape(-1, len(Counted._fields)).T
    slot, locality, begin, end, amount = columns
    band: Days = np.full(len(slot), UNKNOWN_BAND)
    return entered(np.full(len(slot), shard), slot, locality, band, begin, end, sign * amount)


class Ledger:
    """The measures of cases in a catalogue, ready to be applied to columns."""

    def __init__(self, catalogue: Catalogue, calendar: Calendar) -> None:
        slots = {name: index for index, name in enumerate(catalogue.slots)}
        texts = {name: tests(catalogue.of_cases, name) for name in TEXTS}
        by_kind: dict[str, list[Measure]] = {}
        for measure in catalogue.case_measures:
            by_kind.setdefault(measure.of, []).append(measure)
        self._plans = {of: Plan(it, slots, texts, calendar) for of, it in by_kind.items()}

    def entries(self, facts: Facts, shard: Days) -> list[Part]:
        """The entries of every measure for these facts, of which `shard` has that of each group."""
        parts: list[Part] = []
        for it in self.counts(facts):
            if len(it.slot):
                of = shard[it.group]
                parts += entered(of, it.slot, it.locality, it.band, it.begin, it.end, it.amount)
        return parts

    def counts(self, facts: Facts) -> Iterator[Counts]:
        """What the measures of each kind of fact count of these."""
        for of, plan in self._plans.items():
            yield plan.counts(facts.of(of))
