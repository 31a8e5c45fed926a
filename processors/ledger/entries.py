"""The ledger: dated entries of each measure, worked out over columns (docs/architecture.md).

Every measure is a *stock*: an integer for each area and band that holds for an as-of date. What
counts from one day until another enters +1 on the first and -1 on the second, so the stock on any
day, past or known future, is the sum of the entries up to it. "In the month" and "in the last n
months" are stocks too, whose exit is entered together with their entry.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.days.calendar import NEVER, Calendar, Days
from processors.facts.cases import UNKNOWN_BAND, Columns, Facts, Flags
from processors.facts.counting import Counted
from processors.record.rows import tests
from schemas.catalogue import Catalogue, Limit, Match, Measure, Start, Window


@dataclass(frozen=True)
class Entries:
    """Ledger entries: `amount` is added to the stock of (slot, locality, band) from `day` on."""

    slot: Days
    locality: Days
    band: Days
    day: Days
    amount: Days


Part = tuple[Days, Days, Days, Days, Days]


def entered(
    slot: Days, locality: Days, band: Days, begin: Days, end: Days, amount: Days
) -> tuple[Part, Part]:
    """What counts from one day until another, as columns of entries; those of never left out."""
    ends = end < NEVER
    exits = slot[ends], locality[ends], band[ends], end[ends], -amount[ends]
    return (slot, locality, band, begin, amount), exits


def together(parts: Sequence[Part]) -> Entries:
    """Entries put together from parts, of which there may be none."""
    if not parts:
        return Entries(*(np.zeros(0, dtype=np.int64) for _ in range(5)))
    return Entries(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def entries_of(found: Iterable[tuple[Counted, ...]], sign: int) -> tuple[Part, Part]:
    """Entries of what records add, or with sign -1 no longer do; without an age band."""
    flat = [it for of_record in found for it in of_record]
    columns = np.array(flat, dtype=np.int64).reshape(-1, len(Counted._fields)).T
    slot, locality, begin, end, amount = columns
    band: Days = np.full(len(slot), UNKNOWN_BAND)
    return entered(slot, locality, band, begin, end, sign * amount)


class Counts(NamedTuple):
    """What a slot counts, as columns: which case, where, from when until when, and how much."""

    slot: Days
    group: Days
    locality: Days
    band: Days
    begin: Days
    end: Days
    amount: Days


class _Group(NamedTuple):
    """What many measures share: the kind of fact, its state and its holder."""

    of: str
    state: str | None
    holder: Match | None


def _group(measure: Measure) -> _Group:
    return _Group(measure.of, measure.state, measure.holder)


class Ledger:
    """The measures of cases in a catalogue, ready to be applied to columns."""

    def __init__(self, catalogue: Catalogue, calendar: Calendar) -> None:
        self._slot = {name: index for index, name in enumerate(catalogue.slots)}
        self._groups = list(dict.fromkeys(map(_group, catalogue.case_measures)))
        # Each measure with the position of its group, worked out once: a group is dear to hash.
        self._measures = [(it, self._groups.index(_group(it))) for it in catalogue.case_measures]
        self._calendar = calendar
        self._tests = {
            name: tests(catalogue.of_cases, name)
            for name in ("holder", "outcome", "notification_type")
        }

    def entries(self, facts: Facts, further: Iterable[Part] = ()) -> Entries:
        """The entries of every measure for these facts, and further ones."""
        parts: list[Part] = []
        for counts in self.counts(facts):
            parts += entered(
                counts.slot, counts.locality, counts.band, counts.begin, counts.end, counts.amount
            )
        parts += further
        return together(parts)

    def counts(self, facts: Facts) -> Iterator[Counts]:
        """What every measure counts of these facts, slot by slot."""
        groups = [self._chosen(group, facts.of(group.of)) for group in self._groups]
        for measure, group in self._measures:
            if len(groups[group]):
                yield from self._counts(measure, facts.of(measure.of), groups[group])

    def _chosen(self, group: "_Group", rows: Columns) -> NDArray[np.intp]:
        """The rows that have changed, and have the state and holder that measures share."""
        passed: Flags = rows.sign != 0
        if group.state:
            passed &= rows.is_closed == (group.state == "closed")
        if group.holder:
            passed &= self._passes("holder", group.holder, rows.passes["holder"])
        return np.flatnonzero(passed)

    def _counts(
        self, measure: Measure, rows: Columns, chosen: NDArray[np.intp]
    ) -> Iterator[Counts]:
        """What a measure counts; what is dear is worked out for the rows that pass its tests."""
        for name in ("outcome", "notification_type"):
            match: Match | None = getattr(measure, name)
            if match is not None:
                chosen = chosen[self._passes(name, match, rows.passes[name][chosen])]
        for name in measure.flags:
            chosen = chosen[rows.flags[name][chosen]]
        if measure.limit:
            chosen = chosen[self._within(measure.limit, rows, chosen)]
        begin, end = self._period(measure, rows, chosen)
        lasting = begin < end
        chosen, begin, end = chosen[lasting], begin[lasting], end[lasting]
        amounts = [rows.sign[chosen]]
        if measure.total:
            first, last = rows.days[measure.total.start], rows.days[measure.total.end]
            amounts.append(amounts[0] * (last[chosen] - first[chosen]))
        where = rows.group[chosen], rows.locality[chosen], rows.band[chosen]
        for name, amount in zip(measure.slots, amounts, strict=True):
            slot = np.full(len(chosen), self._slot[name])
            yield Counts(slot, *where, begin, end, amount)

    def _passes(self, name: str, match: Match, bits: NDArray[np.uint32]) -> Flags:
        passed: Flags = (bits >> self._tests[name].index(match)) & 1 == 1
        return passed

    def _within(self, limit: Limit, rows: Columns, chosen: NDArray[np.intp]) -> Flags:
        start, end = rows.days[limit.start][chosen], rows.days[limit.end][chosen]
        if limit.unit == "months":
            within: Flags = end < self._calendar.leaves_last_months(start, limit.at_most)
            return within
        if limit.unit == "working-days":
            taken = self._calendar.working_days(start, end)
        else:
            taken = np.where(end >= NEVER, NEVER, end - start)
        within = (taken > limit.more_than) & (taken <= limit.at_most)
        return within | (end >= NEVER) if limit.unended else within

    def _period(
        self, measure: Measure, rows: Columns, chosen: NDArray[np.intp]
    ) -> tuple[Days, Days]:
        """The first day each row chosen counts, and the first on which it no longer does."""
        begin, end = rows.begin[chosen], rows.end[chosen]
        for start in measure.starts:
            begin = np.maximum(begin, self._start(start, rows.days[start.day][chosen]))
        if measure.window:
            opens, shuts = self._window(measure.window, rows.days[measure.window.day][chosen])
            begin, end = np.maximum(begin, opens), np.minimum(end, shuts)
        return begin, end

    def _start(self, start: Start, day: Days) -> Days:
        day = day + start.days
        if start.working_days is None:
            return day
        return self._calendar.working_day_after(day, start.working_days)

    def _window(self, window: Window, day: Days) -> tuple[Days, Days]:
        calendar = self._calendar
        if window.kind == "last-months":
            return day, calendar.leaves_last_months(day, window.months)
        if window.kind == "month":
            return day, calendar.first_of_month(day, 1)
        if window.kind == "financial-year":
            return day, calendar.first_of_financial_year(day, 1)
        if window.kind == "until-year-end":
            return np.full(len(day), -NEVER), calendar.first_of_financial_year(day, 1)
        first = window.months if window.kind == "month-after" else 1
        return (
            calendar.first_of_month(day, first),
            calendar.first_of_month(day, window.months + 1),
        )
