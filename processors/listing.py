"""The list behind a cell: the children, cases, people or sessions that make up its two sums.

It comes from the same facts and measures as the tables, looked at on one day instead of being added
up, so that a list agrees with its cell to the last one.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from processors.days.calendar import date_of
from processors.facts.cases import Cases, derive
from processors.record.decoding import in_order
from processors.record.record import Record
from processors.rules import Rules
from schemas.catalogue import AGE_BANDS, ALL_AGES, Indicator
from schemas.places import Place

RECEIVED, ALLOCATED = "notification.received", "case.allocated"
CLOSED, REOPENED = "case.closed", "case.reopened"
# Records whose cases are worked out together.
AT_ONCE = 500


class Listed(NamedTuple):
    """Something that a cell counts.

    `child` is the partition key, `subject` what is counted of it: a case, a session, nothing where
    it is the person. `numerator` and `denominator` are what it adds to each. Of a case, the rest
    says when it was received and closed, and who was given it last, as known on the day.
    """

    child: str
    subject: str
    numerator: int
    denominator: int
    received: str | None = None
    service: str | None = None
    provider: str | None = None
    team: str | None = None
    closed: str | None = None


class Question(NamedTuple):
    """Whose list is asked for: an indicator's, of a place, in a band, on a day."""

    indicator: Indicator
    place: Place
    band: str
    day: int


def listed(
    rules: Rules, records: Iterable[tuple[str, Record]], question: Question
) -> Iterator[Listed]:
    """What makes up a cell, in the order of the records."""
    asking = _Asking(rules, question)
    waiting: dict[str, Record] = {}
    for child, record in records:
        waiting[child] = record
        if len(waiting) == AT_ONCE:
            yield from asking.of(waiting)
            waiting = {}
    yield from asking.of(waiting)


class _Asking:
    """A question made ready: which slots count how often, and in which localities."""

    def __init__(self, rules: Rules, question: Question) -> None:
        self._rules, self._question = rules, question
        indicator, slots = question.indicator, rules.catalogue.slots
        below = indicator.denominator if isinstance(indicator.denominator, dict) else {}
        self._above = {slots.index(name): times for name, times in indicator.numerator.items()}
        self._below = {slots.index(name): times for name, times in below.items()}
        elsewhere = rules.graph.district_of(question.place)
        self._place_below = elsewhere if indicator.denominator_of and elsewhere else question.place
        bands = [*AGE_BANDS]
        self._band = None if question.band == ALL_AGES else bands.index(question.band)

    def of(self, records: Mapping[str, Record]) -> Iterator[Listed]:
        """What a cell counts of some records."""
        sums: dict[tuple[str, str], list[int]] = {}
        for key, slot, locality, amount in self._amounts(records):
            if slot in self._above and self._is_in(locality, self._question.place):
                sums.setdefault(key, [0, 0])[0] += self._above[slot] * amount
            if slot in self._below and self._is_in(locality, self._place_below):
                sums.setdefault(key, [0, 0])[1] += self._below[slot] * amount
        for (child, subject), (above, below) in sums.items():
            if above or below:
                about = _about(records[child], subject, self._question.day)
                yield Listed(child, subject, above, below, *about)

    def _amounts(
        self, records: Mapping[str, Record]
    ) -> Iterator[tuple[tuple[str, str], int, int, int]]:
        """((child, subject), slot, locality, amount) of all that counts on the day, in the band."""
        rules, day = self._rules, self._question.day
        wanted = np.array([*self._above, *self._below])
        names, cases = _cases(records)
        facts = derive(cases, rules.localities, rules.calendar, rules.unheld, rules.wanted)
        for counts in rules.ledger.counts(facts):
            counting = (counts.begin <= day) & (day < counts.end) & np.isin(counts.slot, wanted)
            if self._band is not None:
                counting &= counts.band == self._band
            found = np.flatnonzero(counting)
            for at in found[np.argsort(counts.slot[found], kind="stable")].tolist():
                name = names[int(counts.group[at])]
                yield name, int(counts.slot[at]), int(counts.locality[at]), int(counts.amount[at])
        if self._band is not None:
            return  # people are not counted by band
        for child, record in records.items():
            if record.personal:
                for subject, it in rules.counting.listed(record.personal.events):
                    if it.begin <= day < it.end:
                        yield (child, subject), it.slot, it.locality, it.amount

    def _is_in(self, locality: int, place: Place) -> bool:
        rules = self._rules
        return place in rules.graph.places_of(rules.localities.all[locality])


def _cases(records: Mapping[str, Record]) -> tuple[list[tuple[str, str]], Cases]:
    """Every case of the records as new ones, and their names by group: before, then now."""
    names: list[tuple[str, str]] = []
    now: list[bytes] = []
    children: list[int] = []
    for number, (child, record) in enumerate(records.items()):
        for case, rows in record.settled.items():
            names.append((child, case))
            now.append(rows)
            children.append(number)
    return [*names, *names], Cases([b""] * len(now), now, children)


def _about(record: Record, subject: str, today: int) -> tuple[str | None, ...]:
    """When a case was received, who was given it last, and when it was last closed, by a day."""
    known = in_order(it for it in record.events if it.subject == subject and it.day <= today)
    received = next((it for it in known if it.type == RECEIVED), None)
    allocated = next((it for it in reversed(known) if it.type == ALLOCATED), None)
    holder = allocated.data if allocated else {}
    status = next((it for it in reversed(known) if it.type in {CLOSED, REOPENED}), None)
    closed = status if status and status.type == CLOSED else None
    return (
        str(date_of(received.day)) if received else None,
        holder.get("service"),
        holder.get("provider"),
        holder.get("team"),
        str(date_of(closed.day)) if closed else None,
    )
