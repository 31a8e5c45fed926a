"""The catalogue's measures evaluated from scratch as of one date, for what has one key.

This is the second of the two computations that have to agree before a release is signed. It knows
no ledger, no tables and no columns: it looks at what was known on the date, of a child or of a
place, and asks of each measure what it counts (docs/indicators.md).
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from processors.record.decoding import Event, in_order
from schemas.areas import Areas
from schemas.catalogue import Catalogue, Measure, Relation
from schemas.events.registry import types_feeding
from schemas.places import Locality, Places
from snapshots.recount.attending import People, session_amounts
from snapshots.recount.cases import (
    DAYS,
    NOTIFIED,
    UNKNOWN,
    Case,
    band_of,
    by_case,
    cases_on,
    provider_of,
)
from snapshots.recount.days import WorkingDays
from snapshots.recount.measures import Countable, DatedMeasures, is_about
from snapshots.recount.people import RecountedPerson
from snapshots.recount.places import Whereabouts
from snapshots.recount.relations import ChildCases

PERSON_TYPES, SESSION_TYPES = types_feeding("person"), types_feeding("session")
EVIDENCE = "troubled_families_evidence"
# Of so many different texts it is kept which measures are about them.
MOST_TEXTS = 4096


class Added(NamedTuple):
    """What one case, person or session adds to sums of a locality and an age band, by slot."""

    subject: str
    locality: Locality
    band: str
    amounts: Sequence[tuple[str, int]]


# By locality and age band, the sum of each slot of the catalogue.
Sums = dict[tuple[Locality, str], Counter[str]]


def add_up(added: Iterable[Added], sums: Sums) -> None:
    """Add amounts to sums."""
    for _, locality, band, amounts in added:
        here = sums.get((locality, band))
        if here is None:
            here = sums[locality, band] = Counter()
        for slot, amount in amounts:
            here[slot] += amount


@dataclass(frozen=True, eq=False)
class _About:
    """The measures that are about a fact of a case, and what they rest on.

    That is days of the case, by their names, and relations.
    """

    measures: Sequence[Measure]
    days: Sequence[str]
    relations: Sequence[Relation]


# Something about a case that may count: the case, what is about it, and what there is to count.
_Fact = tuple[str, _About, Countable]


class Definitions:
    """Measures, places and working days, ready to be asked about what has one key."""

    def __init__(
        self, catalogue: Catalogue, areas: Areas, places: Places, week: WorkingDays
    ) -> None:
        self.where = Whereabouts(areas, places)
        self._week = week
        self._measures, self._relations = catalogue.case_measures, catalogue.relation
        self._about = lru_cache(MOST_TEXTS)(self._measures_about)
        self._dated = lru_cache(MOST_TEXTS)(self._measures_as_of)
        self._people = catalogue.person_measures
        self._sessions = catalogue.session_measures

    def amounts(self, events: Iterable[Event], today: int) -> Iterator[Added]:
        """What the events of one key add to each sum as of a day."""
        (found,) = self.amounts_on(events, [today])
        return found

    def amounts_on(self, events: Iterable[Event], days: Sequence[int]) -> Iterator[Iterator[Added]]:
        """The same as of several days, one after another.

        What is known of cases is worked out once for days by which the same events have come.
        """
        ordered, before = in_order(events), -1
        of_cases, types = by_case(ordered), {event.type for event in ordered}
        is_person = bool(self._people) and not types.isdisjoint(PERSON_TYPES)
        has_sessions = bool(self._sessions) and not types.isdisjoint(SESSION_TYPES)
        cases: dict[str, Case] = {}
        facts: list[_Fact] = []
        for today in days:
            known = [event for event in ordered if event.day <= today]
            # Those of an earlier day are among those of a later one, so that their number tells.
            if len(known) != before:
                cases = cases_on(today, of_cases, self._week, cases)
                facts, before = list(self._facts(known, cases.values())), len(known)
            found = [self._of_facts(facts, today)]
            if is_person and any(event.type in PERSON_TYPES for event in known):
                found.append(self._of_person(RecountedPerson(known, today)))
            if has_sessions:
                found += [self._of_session(it, today) for it in known if it.type in SESSION_TYPES]
            yield chain.from_iterable(found)

    def _facts(self, known: Sequence[Event], cases: Collection[Case]) -> Iterator[_Fact]:
        """What may count of each case, with what relations say of it."""
        kin = ChildCases(known, cases)
        for case in cases:
            for about, counted in chain(
                self._as_case(case), self._as_notifications(case), self._as_spells(case)
            ):
                for relation in about.relations:
                    kin.relate(relation, case, counted)
                yield case.subject, about, counted

    def _measures_about(self, kind: str, is_closed: bool, *texts: tuple[str, str]) -> _About | None:
        """The measures about facts of a kind with these texts; None where there are none."""
        state, said = "closed" if is_closed else "open", dict(texts)
        measures = [
            it
            for it in self._measures
            if it.of == kind and it.state in {None, state} and is_about(it, said)
        ]
        named = {name for it in measures for name in it.names}
        relations = [it for it in self._relations if it.of == kind and it.name in named]
        named |= {it.before or it.after or "" for it in relations}
        days = [name for name in DAYS if name in named]
        return _About(measures, days, relations) if measures else None

    def _measures_as_of(self, about: _About, today: int) -> DatedMeasures:
        return DatedMeasures(about.measures, today, self._week)

    def _of_facts(self, facts: Iterable[_Fact], today: int) -> Iterator[Added]:
        for subject, about, counted in facts:
            amounts = self._dated(about, today).amounts(counted)
            if amounts:
                yield Added(subject, counted.locality, counted.band, amounts)

    def _as_case(self, case: Case) -> Iterator[tuple[_About, Countable]]:
        """The case as it stands."""
        texts, flags, closure = [("holder", case.holder)], set[str](), case.closure
        if closure is not None:
            texts.append(("outcome", closure.data["outcome"]))
            flags |= {EVIDENCE} if closure.data.get(EVIDENCE) else set()
        about = self._about("case", closure is not None, *texts)
        if about:
            locality = self._locality(case, case.allocation)
            yield about, Countable(locality, case.band, case.days(about.days), flags)

    def _as_notifications(self, case: Case) -> Iterator[tuple[_About, Countable]]:
        """Each notification: its own day and type, the first one's date of birth and district."""
        for event in case.events:
            if event.type == NOTIFIED:
                said = event.data["notification_type"]
                about = self._about("notification", False, ("notification_type", said))
                if about:
                    days = {**case.days(about.days), "notified": event.day}
                    band = band_of(case.first, event.day)
                    yield about, Countable(self._locality(case, None), band, days)

    def _as_spells(self, case: Case) -> Iterator[tuple[_About, Countable]]:
        """The last time that each service had the case."""
        wanted = {it: self._about("spell", False, ("holder", it)) for it in case.services}
        if not any(wanted.values()):
            return
        for service, spell in {spell.service: spell for spell in case.spells}.items():
            about = wanted[service]
            if about:
                days = {"received": case.received}
                if spell.until is not None:
                    days["until"] = spell.until
                yield about, Countable(self._locality(case, spell.allocation), case.band, days)

    def _locality(self, case: Case, allocation: Event | None) -> Locality:
        return self.where.in_district(case.first.data.get("district"), provider_of(allocation))

    def _of_person(self, person: RecountedPerson) -> Iterator[Added]:
        for measure in self._people:
            for locality, times in People(measure, self.where, person).counted():
                yield Added("", locality, UNKNOWN, [(measure.name, times)])

    def _of_session(self, session: Event, today: int) -> Iterator[Added]:
        for measure in self._sessions:
            found = session_amounts(measure, self.where, session, today)
            if found is not None:
                locality, amounts = found
                of_slots = list(zip(measure.slots, amounts, strict=True))
                yield Added(session.subject, locality, UNKNOWN, of_slots)
