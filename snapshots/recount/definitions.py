"""The catalogue's measures evaluated from scratch as of one date, for what has one key.

This is the second of the two computations that have to agree before a release is signed. It knows
no ledger, no tables and no columns: it looks at what was known on the date, of a child or of a
place, and asks of each measure what it counts (docs/indicators.md).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from processors.record.decoding import Event, in_order
from schemas.areas import Areas
from schemas.catalogue import Catalogue, Measure
from schemas.events.registry import types_feeding
from schemas.places import Locality, Places
from snapshots.recount.attending import People, session_amounts
from snapshots.recount.cases import NOTIFIED, UNKNOWN, Case, band_of, cases, provider_of
from snapshots.recount.days import WorkingDays
from snapshots.recount.measures import Countable, counts, is_about
from snapshots.recount.people import RecountedPerson
from snapshots.recount.places import Whereabouts
from snapshots.recount.relations import ChildCases

PERSON_TYPES, SESSION_TYPES = types_feeding("person"), types_feeding("session")
EVIDENCE = "troubled_families_evidence"
# Of so many different texts it is kept which measures are about them.
MOST_TEXTS = 4096


class Share(NamedTuple):
    """Where an amount is added: a slot of the catalogue, a locality, and an age band."""

    slot: str
    locality: Locality
    band: str


class Amount(NamedTuple):
    """What one case, person or session adds to a sum."""

    subject: str
    share: Share
    amount: int


class _Fact(NamedTuple):
    """Something about a case that may count, and the measures that are about it."""

    subject: str
    measures: Sequence[Measure]
    counted: Countable


class Definitions:
    """Measures, places and working days, ready to be asked about what has one key."""

    def __init__(
        self, catalogue: Catalogue, areas: Areas, places: Places, week: WorkingDays
    ) -> None:
        self.where = Whereabouts(areas, places)
        self._week = week
        # By kind of fact and whether it is closed.
        self._measures = {
            (kind, is_closed): [
                it
                for it in catalogue.case_measures
                if it.of == kind and it.state in {None, "closed" if is_closed else "open"}
            ]
            for kind in ("case", "notification", "spell")
            for is_closed in (True, False)
        }
        self._about = lru_cache(MOST_TEXTS)(self._measures_about)
        facts: dict[str, Callable[[Case, Mapping[str, int]], Iterator[Countable]]] = {
            "case": self._as_case,
            "notification": self._as_notifications,
            "spell": self._as_spells,
        }
        # What there is of each kind of fact that measures count: the facts, and their relations.
        self._kinds = [
            (kind, found, [it for it in catalogue.relation if it.of == kind])
            for kind, found in facts.items()
            if self._measures[kind, True] or self._measures[kind, False]
        ]
        self._people = catalogue.person_measures
        self._sessions = catalogue.session_measures
        named = {day for it in catalogue.case_measures for day in it.days_named}
        self._days = named | {it.before or it.after or "" for it in catalogue.relation}

    def amounts(self, events: Iterable[Event], today: int) -> Iterator[Amount]:
        """What the events of one key add to each sum as of a day."""
        (found,) = self.amounts_on(events, [today])
        return found

    def amounts_on(
        self, events: Iterable[Event], days: Sequence[int]
    ) -> Iterator[Iterator[Amount]]:
        """The same as of several days, one after another.

        What is known of cases is worked out once for days by which the same events have come.
        """
        ordered, before = in_order(events), -1
        facts: list[_Fact] = []
        for today in days:
            known = [event for event in ordered if event.day <= today]
            # Those of an earlier day are among those of a later one, so that their number tells.
            if len(known) != before:
                facts, before = list(self._facts(known)), len(known)
            yield self._counted(known, facts, today)

    def _counted(
        self, known: Sequence[Event], facts: Iterable[_Fact], today: int
    ) -> Iterator[Amount]:
        for subject, measures, counted in facts:
            yield from self._of_fact(subject, measures, counted, today)
        if self._people and any(event.type in PERSON_TYPES for event in known):
            yield from self._of_person(RecountedPerson(known, today))
        for event in known if self._sessions else ():
            if event.type in SESSION_TYPES:
                yield from self._of_session(event, today)

    def _facts(self, known: Sequence[Event]) -> Iterator[_Fact]:
        """What may count of each case, with what relations say of it."""
        of_child = cases(known, self._week)
        kin = ChildCases(known, of_child)
        for case in of_child:
            days = case.days(self._days)
            for kind, found, relations in self._kinds:
                for counted in found(case, days):
                    for relation in relations:
                        kin.relate(relation, case, counted)
                    texts = tuple(counted.texts.items())
                    measures = self._about(kind, counted.is_closed, texts)
                    yield _Fact(case.subject, measures, counted)

    def _measures_about(
        self, kind: str, is_closed: bool, texts: tuple[tuple[str, str], ...]
    ) -> Sequence[Measure]:
        return [it for it in self._measures[kind, is_closed] if is_about(it, dict(texts))]

    def _of_fact(
        self, subject: str, measures: Sequence[Measure], counted: Countable, today: int
    ) -> Iterator[Amount]:
        for measure in measures:
            if counts(measure, counted, today, self._week):
                amounts = [1]
                if measure.total:
                    days = counted.days
                    amounts.append(days[measure.total.end] - days[measure.total.start])
                for slot, amount in zip(measure.slots, amounts, strict=True):
                    yield Amount(subject, Share(slot, counted.locality, counted.band), amount)

    def _as_case(self, case: Case, days: Mapping[str, int]) -> Iterator[Countable]:
        """The case as it stands."""
        texts, flags, closure = {"holder": case.holder}, set[str](), case.closure
        if closure is not None:
            texts["outcome"] = closure.data["outcome"]
            flags |= {EVIDENCE} if closure.data.get(EVIDENCE) else set()
        yield Countable(
            self._locality(case, case.allocation),
            band_of(case.first, case.received),
            {**days},
            texts,
            closure is not None,
            flags,
        )

    def _as_notifications(self, case: Case, days: Mapping[str, int]) -> Iterator[Countable]:
        """Each notification: its own day and type, the first one's date of birth and district."""
        for event in case.events:
            if event.type == NOTIFIED:
                yield Countable(
                    self._locality(case, None),
                    band_of(case.first, event.day),
                    {**days, "notified": event.day},
                    {"notification_type": event.data["notification_type"]},
                )

    def _as_spells(self, case: Case, _: Mapping[str, int]) -> Iterator[Countable]:
        """The last time that each service had the case."""
        for spell in {spell.service: spell for spell in case.spells}.values():
            days = {"received": case.received}
            if spell.until is not None:
                days["until"] = spell.until
            yield Countable(
                self._locality(case, spell.allocation),
                band_of(case.first, case.received),
                days,
                {"holder": spell.service},
            )

    def _locality(self, case: Case, allocation: Event | None) -> Locality:
        return self.where.in_district(case.first.data.get("district"), provider_of(allocation))

    def _of_person(self, person: RecountedPerson) -> Iterator[Amount]:
        for measure in self._people:
            for locality, times in People(measure, self.where, person).counted():
                yield Amount("", Share(measure.name, locality, UNKNOWN), times)

    def _of_session(self, session: Event, today: int) -> Iterator[Amount]:
        for measure in self._sessions:
            found = session_amounts(measure, self.where, session, today)
            if found is not None:
                locality, amounts = found
                for slot, amount in zip(measure.slots, amounts, strict=True):
                    yield Amount(session.subject, Share(slot, locality, UNKNOWN), amount)
