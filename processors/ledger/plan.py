"""The measures of one kind of fact, laid out so that all are applied to columns at once.

What a measure reads of a fact are its *aspects*: the tests that it passes, where and when it holds,
its days; each is a bit. A fact that is now as it was before in every aspect that a measure reads
would be entered and taken back by it, so the measure passes it over.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from processors.arrays import Flags, Positions, positions
from processors.days.calendar import NEVER, Calendar, Days
from processors.facts.columns import Columns
from processors.record.rows import TooManyTestsError
from schemas.catalogue import Limit, Match, Measure, Span, Start, Window

T = TypeVar("T")

# Bits of a number that stands for aspects, without its sign: all are set where nothing is known.
BITS = 63
EVERY_ASPECT = -1
# Rows below which the measures of each are less work to find than which rows are alike.
FEW_ROWS = 50
# Of which at least one is for where and when a fact holds, and one for days.
MOST_TESTS = BITS - 2


class Counts(NamedTuple):
    """What slots count, as columns: which case, where, from when until when, and how much."""

    slot: Days
    group: Days
    locality: Days
    band: Days
    begin: Days
    end: Days
    amount: Days


NOTHING = Counts(*(np.zeros(0, dtype=np.int64) for _ in Counts._fields))


class Plan:
    """The measures of one kind of fact, ready to be applied.

    `slots` has the number of each slot, `tests` the texts' tests in the order of their bits, by
    attribute.
    """

    def __init__(
        self,
        measures: Sequence[Measure],
        slots: Mapping[str, int],
        tests: Mapping[str, Sequence[Match]],
        calendar: Calendar,
    ) -> None:
        self._calendar = calendar
        self._tests = _Tests(measures, tests)
        self._days = sorted({day for it in measures for day in it.days_named})
        self._reads = np.array([self._read(it) for it in measures])
        self._reads_any = int(np.bitwise_or.reduce(self._reads))
        # In the order of `_compared`: where and when share a bit.
        place = [self._tests.bits] * 4
        self._aspects = np.array([1 << bit for bit in [*place, *map(self._bit, self._days)]])
        self._limits = _Choice([it.limit for it in measures])
        most = max(len(it.starts) for it in measures)
        self._starts = [
            _Choice([it.starts[number] if number < len(it.starts) else None for it in measures])
            for number in range(most)
        ]
        self._windows = _Choice([it.window for it in measures])
        self._totals = _Choice([it.total for it in measures])
        self._slots = np.array([slots[it.slots[0]] for it in measures])
        self._total_slots = np.array([slots[it.slots[-1]] for it in measures])

    def _bit(self, day: str) -> int:
        """The aspect that a day is; the last ones share a bit where there are too many."""
        return min(self._tests.bits + 1 + self._days.index(day), BITS - 1)

    def _read(self, measure: Measure) -> int:
        """The aspects that a measure reads."""
        read = self._tests.read(measure) | 1 << self._tests.bits
        for day in measure.days_named:
            read |= 1 << self._bit(day)
        return read

    def counts(self, rows: Columns) -> Counts:
        """What the measures count of facts that have changed, a row for each slot."""
        passed = self._tests.passed(rows)
        changed = self._changed(rows, passed)
        read = positions(changed & self._reads_any)
        if not len(read):
            return NOTHING
        row, measure = self._tests.pairs(passed, read)
        kept = positions(changed[row] & self._reads[measure])
        row, measure = row[kept], measure[kept]
        is_kept, since = self._limited(rows, row, measure)
        kept = positions(is_kept)
        row, measure = row[kept], measure[kept]
        begin, end = self._periods(rows, row, measure)
        begin = np.maximum(begin, since[kept])
        kept = positions(begin < end)
        row, measure, begin, end = row[kept], measure[kept], begin[kept], end[kept]
        amount, slot = rows.sign[row], self._slots[measure]
        with_total, days = self._summed(rows, row, measure)
        counted = row, begin, end
        row, begin, end = (np.concatenate([it, it[with_total]]) for it in counted)
        return Counts(
            slot=np.concatenate([slot, self._total_slots[measure[with_total]]]),
            group=rows.group[row],
            locality=rows.locality[row],
            band=rows.band[row],
            begin=begin,
            end=end,
            amount=np.concatenate([amount, amount[with_total] * days]),
        )

    def _changed(self, rows: Columns, passed: Days) -> Days:
        """The aspects of each fact that are not as before: all of them where it has no twin."""
        changed = np.where(rows.sign == 0, 0, EVERY_ASPECT)
        before, now = rows.twins
        if not len(before):
            return changed
        days = (rows.days[name] for name in self._days)
        columns = np.array([rows.begin, rows.end, rows.locality, rows.band, *days])
        differs = columns.take(before, axis=1) != columns.take(now, axis=1)
        aspects = np.where(differs, self._aspects[:, np.newaxis], 0)
        found = np.bitwise_or.reduce(aspects, axis=0) | (passed[before] ^ passed[now])
        changed[before] = changed[now] = found
        return changed

    def _limited(self, rows: Columns, row: Days, measure: Days) -> tuple[Flags, Days]:
        """Whether each fact keeps the limit of its measure, and the day from which it is known.

        That is when the span ends, however long it may be; one that may also not end is kept as
        soon as the measure starts.
        """
        kept, since = np.ones(len(row), dtype=np.bool_), np.zeros(len(row), dtype=np.int64)
        for limit, at in self._limits.present(measure):
            start, end = rows.days[limit.start][row[at]], rows.days[limit.end][row[at]]
            kept[at] = self._within(limit, start, end)
            if not limit.unended:
                since[at] = end
        return kept, since

    def _within(self, limit: Limit, start: Days, end: Days) -> Flags:
        if limit.unit == "months":
            within: Flags = end < self._calendar.leaves_last_months(start, limit.at_most)
            return within
        if limit.unit == "working-days":
            taken = self._calendar.working_days(start, end)
        else:
            taken = np.where(end >= NEVER, NEVER, end - start)
        within = (taken > limit.more_than) & (taken <= limit.at_most)
        return within | (end >= NEVER) if limit.unended else within

    def _periods(self, rows: Columns, row: Days, measure: Days) -> tuple[Days, Days]:
        """The first day each fact counts for its measure, and the first on which it does not."""
        begin, end = rows.begin[row], rows.end[row]
        for starts in self._starts:
            for start, at in starts.present(measure):
                day = self._start(start, rows.days[start.day][row[at]])
                begin[at] = np.maximum(begin[at], day)
        for window, at in self._windows.present(measure):
            opens, shuts = self._window(window, rows.days[window.day][row[at]])
            begin[at], end[at] = np.maximum(begin[at], opens), np.minimum(end[at], shuts)
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

    def _summed(self, rows: Columns, row: Days, measure: Days) -> tuple[Positions, Days]:
        """Which facts are counted with days that are summed, and how many these are."""
        found = list(self._totals.present(measure))
        days = [_length(total, rows, row[at]) for total, at in found]
        nothing = np.zeros(0, dtype=np.int64)
        return (
            np.concatenate([nothing, *(at for _, at in found)]),
            np.concatenate([nothing, *days]),
        )


class _Tests:
    """What measures test of facts: bit 0 is whether a case is closed, then flags, then texts."""

    def __init__(self, measures: Sequence[Measure], tests: Mapping[str, Sequence[Match]]) -> None:
        self._flags = sorted({flag for it in measures for flag in it.flags})
        self._texts = {
            name: tests[name] for name in tests if any(getattr(it, name) for it in measures)
        }
        self._first: dict[str, int] = {}
        self.bits = 1 + len(self._flags)
        for name, of_text in self._texts.items():
            self._first[name] = self.bits
            self.bits += len(of_text)
        if self.bits > MOST_TESTS:
            raise TooManyTestsError(f"{measures[0].of}: {self.bits} tests, at most {MOST_TESTS}")
        self._asked = [(self.read(it), self._wanted(it)) for it in measures]
        self._measures_passing = lru_cache(maxsize=10_000)(self._passing)

    def read(self, measure: Measure) -> int:
        """The bits that a measure reads."""
        return self._wanted(measure) | (measure.state is not None)

    def _wanted(self, measure: Measure) -> int:
        """Those that it wants to be set."""
        wanted = int(measure.state == "closed")
        for flag in measure.flags:
            wanted |= 1 << 1 + self._flags.index(flag)
        for name, of_text in self._texts.items():
            match: Match | None = getattr(measure, name)
            if match is not None:
                wanted |= 1 << self._first[name] + of_text.index(match)
        return wanted

    def passed(self, rows: Columns) -> Days:
        """The bits of the tests that each fact passes."""
        passed = rows.is_closed.astype(np.int64)
        for position, name in enumerate(self._flags, start=1):
            passed |= rows.flags[name].astype(np.int64) << position
        for name, first in self._first.items():
            passed |= rows.passes[name].astype(np.int64) << first
        return passed

    def pairs(self, passed: Days, rows: Positions) -> tuple[Positions, Days]:
        """Every one of the rows with every measure whose tests it passes, in order of rows."""
        if len(rows) < FEW_ROWS:
            each = [self._measures_passing(bits) for bits in passed[rows].tolist()]
            return rows.repeat([len(it) for it in each]), np.concatenate(each)
        different = np.unique(passed[rows])
        which = different.searchsorted(passed[rows])
        measures = [self._measures_passing(bits) for bits in different.tolist()]
        sizes = np.array([len(it) for it in measures], dtype=np.int64)
        firsts, size = np.cumsum(sizes) - sizes, sizes[which]
        shift = firsts[which] - (np.cumsum(size) - size)
        at = np.repeat(shift, size) + np.arange(size.sum())
        return np.repeat(rows, size), np.concatenate([np.zeros(0, dtype=np.int64), *measures])[at]

    def _passing(self, bits: int) -> Days:
        """The measures whose tests are passed by a fact that has just these bits."""
        found = [at for at, (read, wanted) in enumerate(self._asked) if read & bits == wanted]
        return np.array(found, dtype=np.int64)


class _Choice(Generic[T]):
    """One part of measures, their windows for instance: the different ones, and whose each is."""

    def __init__(self, parts: Sequence[T | None]) -> None:
        self._different = list(dict.fromkeys(it for it in parts if it is not None))
        numbers = {part: number for number, part in enumerate(self._different, start=1)}
        self._number = np.array([numbers[it] if it is not None else 0 for it in parts])

    def present(self, measure: Days) -> Iterator[tuple[T, Positions]]:
        """Each part that any of the measures has, and the positions of those that have it."""
        if not self._different:
            return
        number = self._number[measure]
        for present in positions(np.bincount(number)).tolist():
            if present:
                yield self._different[present - 1], positions(number == present)


def _length(span: Span, rows: Columns, row: Days) -> Days:
    length: Days = rows.days[span.end][row] - rows.days[span.start][row]
    return length
