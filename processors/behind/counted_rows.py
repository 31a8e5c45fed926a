"""What each child, case, person and session adds to every slot, from which day until which.

The same facts and measures as those of the tables, kept apart by what is counted instead of being
added up: so that what is behind a figure, on any day, agrees with it to the last one.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.arrays import Flags
from processors.days.calendar import Days
from processors.facts.cases import Cases, derive
from processors.facts.columns import Columns
from processors.record.counted_record import CountedParts
from processors.rules import Rules
from schemas.catalogue import AGE_BANDS, ALL_AGES, Indicator
from schemas.places import Place

# The band of what is counted by none.
NO_BAND = -1
WORD = np.int32
Numbers = NDArray[np.signedinteger[Any]]


class Subject(NamedTuple):
    """What is counted: of a child, a case, a registration, a session; none where it is the person.

    `is_case` is of what the rules of cases count.
    """

    child: str
    name: str
    is_case: bool


class CountedRows(NamedTuple):
    """Columns with an element for each amount; `subject` is the position of what is counted.

    From day `begin` on and before `end`; `band` is an index of AGE_BANDS, or NO_BAND.
    """

    subject: Numbers
    slot: Numbers
    locality: Numbers
    band: Numbers
    begin: Numbers
    end: Numbers
    amount: Numbers

    def taken(self, at: Numbers) -> "CountedRows":
        """Those rows that are at positions, or that a mask has."""
        return CountedRows(*(column[at] for column in self))

    def moved(self, by: int) -> "CountedRows":
        """The same, of subjects so many positions on."""
        return self._replace(subject=self.subject + WORD(by))


def joined(parts: Sequence[CountedRows]) -> CountedRows:
    """Rows one after another, in numbers of four bytes: days, amounts and positions fit."""
    if not parts:
        return CountedRows(*(np.zeros(0, dtype=WORD) for _ in CountedRows._fields))
    columns = (np.concatenate(column) for column in zip(*parts, strict=True))
    limits = np.iinfo(WORD)
    return CountedRows(*(np.clip(it, limits.min, limits.max).astype(WORD) for it in columns))


def case_facts(
    rules: Rules, records: Mapping[str, CountedParts]
) -> tuple[list[Subject], Columns, Sequence[CountedRows]]:
    """The cases of records, the facts of their segments, and what they add to slots."""
    subjects: list[Subject] = []
    now: list[bytes] = []
    children: list[int] = []
    for number, (child, record) in enumerate(records.items()):
        for case, rows in record.settled.items():
            subjects.append(Subject(child, case, is_case=True))
            now.append(rows)
            children.append(number)
    cases = Cases([b""] * len(now), now, children)
    facts = derive(cases, rules.localities, rules.calendar, rules.unheld, rules.wanted)
    first = len(now)  # what is counted comes after as many groups of what was before, which is none
    counted = [
        CountedRows(it.group - first, it.slot, it.locality, it.band, it.begin, it.end, it.amount)
        for it in rules.ledger.counts(facts)
    ]
    return subjects, facts.case, counted


def counted_rows(
    rules: Rules, records: Mapping[str, CountedParts]
) -> tuple[list[Subject], CountedRows]:
    """All that records add to slots, and what is counted of them."""
    subjects, _, parts = case_facts(rules, records)
    numbers: dict[tuple[str, str], int] = {(it.child, it.name): n for n, it in enumerate(subjects)}
    others: list[tuple[int, ...]] = []
    for child, record in records.items():
        if record.personal:
            for name, it in rules.counting.listed(record.personal.events):
                number = numbers.setdefault((child, name), len(subjects))
                if number == len(subjects):
                    subjects.append(Subject(child, name, is_case=False))
                others.append((number, it.slot, it.locality, NO_BAND, it.begin, it.end, it.amount))
    columns = np.array(others, dtype=np.int64).reshape(-1, len(CountedRows._fields)).T
    return subjects, joined([*parts, CountedRows(*columns)])


class Question(NamedTuple):
    """Whose list is asked for: an indicator's, of a place, in a band, on a day."""

    indicator: Indicator
    place: Place
    band: str
    day: int


class CellSums:
    """A question made ready: which slots count how often, and in which localities."""

    def __init__(self, rules: Rules, question: Question) -> None:
        self._rules, self._question = rules, question
        indicator, slots = question.indicator, rules.catalogue.slots
        below = indicator.denominator if isinstance(indicator.denominator, dict) else {}
        self._times = np.zeros((2, len(rules.slots)), dtype=np.int64)
        for row, terms in enumerate((indicator.numerator, below)):
            for name, times in terms.items():
                self._times[row, slots.index(name)] = times
        elsewhere = rules.graph.district_of(question.place)
        place_below = elsewhere if indicator.denominator_of and elsewhere else question.place
        self._places = question.place, place_below
        self._is_in = np.zeros((2, 0), dtype=np.int64)
        self._band = None if question.band == ALL_AGES else [*AGE_BANDS].index(question.band)

    @property
    def day(self) -> int:
        """The day that is asked for."""
        return self._question.day

    @property
    def slots(self) -> list[int]:
        """The slots that are asked for."""
        found: list[int] = np.flatnonzero(self._times.any(axis=0)).tolist()
        return found

    def sums(self, rows: CountedRows, subjects: int) -> tuple[Days, Days]:
        """What each of so many subjects adds to numerator and denominator."""
        day, band = self._question.day, self._band
        is_asked: Flags = np.any(self._times, axis=0)
        counting = (rows.begin <= day) & (day < rows.end) & is_asked[rows.slot]
        if band is not None:
            counting &= rows.band == band
        found = rows.taken(np.flatnonzero(counting))
        is_in = self._localities()
        return (
            self._sum(found, self._times[0], is_in[0], subjects),
            self._sum(found, self._times[1], is_in[1], subjects),
        )

    def _sum(self, rows: CountedRows, times: Days, is_in: Days, subjects: int) -> Days:
        amounts = rows.amount * times[rows.slot] * is_in[rows.locality]
        # Sums of whole numbers far below 2**53 are whole in floating point.
        return np.bincount(rows.subject, amounts, subjects).astype(np.int64)

    def _localities(self) -> Days:
        """Whether each locality is in the places, as 0 and 1; more become known meanwhile."""
        rules, known = self._rules, self._is_in.shape[1]
        more = rules.localities.all[known:]
        if more:
            within = [[*rules.graph.places_of(it)] for it in more]
            added = [[place in it for it in within] for place in self._places]
            self._is_in = np.concatenate([self._is_in, np.array(added, dtype=np.int64)], axis=1)
        return self._is_in
