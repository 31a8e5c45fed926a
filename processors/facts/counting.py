"""Measures of people and sessions: from what is known of one to when each measure counts them.

All that a measure asks for is a list of intervals of days; it counts where they meet, once in each
scope: where the person lives, at each site, or at each place that a session is in.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from processors.days.calendar import Calendar
from processors.days.intervals import (
    ALWAYS,
    Interval,
    Intervals,
    at_least,
    crossing,
    meet,
    stretches,
    totals,
    union,
)
from processors.facts.lives import MOST_DAYS, Distinctions
from processors.facts.people import (
    ATTENDED,
    CLOSED,
    OPENED,
    OUTCOME,
    RECORDED,
    Happened,
    Person,
    ScsOpening,
    person,
)
from processors.record.decoding import Event
from processors.record.localities import Localities
from processors.record.personal import PERSON_TYPES, SESSION_TYPES
from schemas.catalogue import Attended, Catalogue, PersonMeasure, SessionMeasure
from schemas.places import NOWHERE, Locality, Place, Site, SiteKind


class Counted(NamedTuple):
    """An amount that a slot has in a locality from a first day up to, not including, an end."""

    slot: int
    locality: int
    begin: int
    end: int
    amount: int


# (what is counted, locality, begin, end, how many): what is counted is named by its subject, or not
# at all where it is the person.
Time = tuple[str, int, int, int, int]
# The same before it is known where: what is counted, from when until when how many.
Each = tuple[str, list[tuple[int, int, int]]]


class Counting:
    """The measures of people and of sessions, ready to be applied to records."""

    def __init__(self, catalogue: Catalogue, localities: Localities, calendar: Calendar) -> None:
        slots = {name: index for index, name in enumerate(catalogue.slots)}
        self._localities = localities
        self._sites = localities.graph.sites
        self._windows = _Windows(calendar)
        self._people = [(slots[it.name], it) for it in catalogue.person_measures]
        # Measures that ask the same are asked once of a person: the first that does, of each.
        self._alike_own, self._alike_there = (
            _first_alike([(it.name, asked(it)) for _, it in self._people])
            for asked in (_asked_of_own, _asked_of_there)
        )
        needed = {it for _, measure in self._people for it in (*needs(measure), *measure.at)}
        self._needed = frozenset(needed)
        self._asking = lru_cache(maxsize=1_000)(self._that_may_count)
        # Whether an attendance or an outcome says nothing of other days than it counts on, and
        # whether openings or closings in social care are asked what cases are open.
        self.is_passing = all(_is_passing(it) for _, it in self._people)
        self.flows_ask_scs = any(
            it.of in {"scs-opening", "scs-closing"} and (it.scs or it.scs_status is not None)
            for _, it in self._people
        )
        attended = [it.attended for _, it in self._people if it.attended]
        self._kinds = tuple(dict.fromkeys(it.kind for it in attended if it.kind))
        self.distinctions = Distinctions(
            reach=MOST_DAYS * (1 + max((_months(it) for _, it in self._people), default=0)),
            times=max((it.times for it in attended), default=1),
            place=lambda name: name if name in self._sites else "",
            session=lambda kind: tuple(it(kind) for it in self._kinds),
        )
        self._sessions = [
            ([slots[name] for name in it.slots], it) for it in catalogue.session_measures
        ]

    def counted(self, events: Iterable[Event]) -> tuple[Counted, ...]:
        """All that the events of one record add, whoever or whatever it is about."""
        events = list(events)
        sessions = (it for _, it in self._of_sessions(events))
        if any(event.type in PERSON_TYPES for event in events):
            return (*sessions, *self.counted_of(person(events)))
        return tuple(sessions)

    def counted_of(self, about: Person, days: Interval = ALWAYS[0]) -> Iterator[Counted]:
        """All that a person adds on days; of several cases that count on one, how many they are."""
        for slot, measure in self._asking(self._said(about)):
            times = self._times(measure, about, days, is_named=False)
            for _, locality, begin, end, amount in times:
                yield Counted(slot, locality, begin, end, amount)

    def listed(self, events: Iterable[Event]) -> Iterator[tuple[str, Counted]]:
        """What `counted` gives, each with the subject that is counted; none where it is the person.

        Each case by itself.
        """
        events = list(events)
        yield from self._of_sessions(events)
        is_person = any(event.type in PERSON_TYPES for event in events)
        about = person(events if is_person else ())
        for slot, measure in self._asking(self._said(about)):
            for subject, *time in self._times(measure, about, ALWAYS[0], is_named=True):
                yield subject, Counted(slot, *time)

    def _said(self, about: Person) -> frozenset[str]:
        """All that is said of a person on which a measure may rest."""
        kinds = (self._sites[name].kind for name in about.places if name in self._sites)
        return self._needed.intersection(about.named).union(self._needed.intersection(kinds))

    def _that_may_count(self, said: frozenset[str]) -> list[tuple[int, PersonMeasure]]:
        """The measures that may count one of whom no more than this is said."""
        return [
            (slot, measure)
            for slot, measure in self._people
            if needs(measure) <= said
            and (not measure.registered or not measure.at or said.intersection(measure.at))
        ]

    def _times(
        self, measure: PersonMeasure, about: Person, days: Interval, *, is_named: bool
    ) -> Iterator[Time]:
        """Each time that a measure counts a person, or a case of theirs, each named or together."""
        own = meet([days], self._own(measure, about))
        if not own:
            return
        if measure.once == "session":
            yield from self._at_sessions(measure, about, own)
        elif measure.once == "site":
            yield from self._at_sites(measure, about, own)
        else:
            each = [it for it in self._each(measure, about) if it[1]]
            if not is_named and measure.of != "person":
                each = _together(each)
            homes = self._homes(about, own) if each else []
            for subject, times in each:
                for begin, end, locality, amount in crossing(homes, times):
                    yield subject, locality, begin, end, amount

    def _own(self, measure: PersonMeasure, about: Person) -> Intervals:
        """When a person is what a measure asks for, wherever it is counted."""
        key = (self._alike_own[measure.name],)
        if key not in about.worked_out:
            about.worked_out[key] = self._worked_out_own(measure, about)
        return about.worked_out[key]

    def _worked_out_own(self, measure: PersonMeasure, about: Person) -> Intervals:
        asked: list[Intervals] = []
        if measure.age:
            asked.append(about.aged(*measure.age))
        if measure.deprived is not None:
            asked.append(about.marked("deprived_area", measure.deprived.__eq__))
        if measure.characteristics:
            wanted = frozenset(measure.characteristics)
            asked.append(about.marked("characteristics", lambda it: not wanted.isdisjoint(it)))
        if measure.scs or measure.scs_status:
            asked.append(
                union(
                    (it.begin, it.end)
                    for it in about.scs_cases
                    if measure.scs_status in (None, it.status)
                )
            )
        return _all(asked)

    def _each(self, measure: PersonMeasure, about: Person) -> Iterator[Each]:
        """When each thing that a measure counts where people live is there, and how many it is.

        Of one that never is there may be no times.
        """
        if measure.of == "scs-case":
            by_case: dict[str, list[Interval]] = {}
            for case in about.scs_cases:
                if measure.origin is not None and not measure.origin(case.origin):
                    continue
                if case.subject:
                    by_case.setdefault(case.subject, []).append((case.begin, case.end))
                else:
                    yield "", [(case.begin, case.end, case.cases)]
            yield from ((case, _once(union(times))) for case, times in by_case.items())
        elif measure.of == "scs-opening":
            for opening in self._openings(measure, about.openings):
                yield opening.subject, [(*self._window(opening.day, measure.months), 1)]
        elif measure.of == "scs-closing":
            for it in about.closings:
                if measure.reason is None or measure.reason(it.data["reason"]):
                    yield it.subject, [(*self._window(it.day, measure.months), 1)]
        else:
            yield "", _once(self._there(measure, about, None))

    def _openings(self, measure: PersonMeasure, openings: list[ScsOpening]) -> Iterator[ScsOpening]:
        for it in openings:
            if measure.origin is not None and not measure.origin(it.origin):
                continue
            if measure.again_within is None or (
                it.before is not None
                and it.day < self._windows.months(it.before, measure.again_within)
            ):
                yield it

    def _at_sites(self, measure: PersonMeasure, about: Person, own: Intervals) -> Iterator[Time]:
        for site in self._visited(about):
            if site.kind not in measure.at:
                continue
            locality = self._localities.number(Locality(only=Place(site.kind, site.name)))
            there = meet(own, self._there(measure, about, site))
            if measure.resident:
                there = meet(
                    there, [(b, e) for b, e, name in about.districts if name == site.district]
                )
            for begin, end in there:
                yield "", locality, begin, end, 1

    def _visited(self, about: Person) -> list[Site]:
        """The sites that a person is known of at."""
        return [self._sites[name] for name in sorted(about.places) if name in self._sites]

    def _there(self, measure: PersonMeasure, about: Person, site: Site | None) -> Intervals:
        """When a person is registered, attends and has outcomes as asked, at a site or anywhere."""
        key = self._alike_there[measure.name], site.name if site else None
        if key not in about.worked_out:
            about.worked_out[key] = self._worked_out_there(measure, about, site)
        return about.worked_out[key]

    def _worked_out_there(
        self, measure: PersonMeasure, about: Person, site: Site | None
    ) -> Intervals:
        asked: list[Intervals] = []
        if measure.registered:
            asked.append(self._registered(measure, about, site))
        if measure.attended:
            asked.append(self._attended(measure.attended, about, site))
        if measure.recorded:
            asked.append(self._recorded(measure, about, site))
        return _all(asked)

    def _registered(self, measure: PersonMeasure, about: Person, site: Site | None) -> Intervals:
        found = []
        for it in about.registrations:
            if not self._is_at(it.place, measure.at, site):
                continue
            if measure.registration is not None and not measure.registration(it.kind):
                continue
            end = min(it.end, self._windows.month(it.first)) if measure.newly else it.end
            found.append((it.begin, end))
        return union(found)

    def _attended(self, asked: Attended, about: Person, site: Site | None) -> Intervals:
        site = None if asked.anywhere else site
        by_session: dict[str, list[Interval]] = {}
        for it in about.attended:
            if not self._is_at(it.data["place"], asked.at, site):
                continue
            if asked.kind is None or asked.kind(it.data["kind"]):
                window = self._window(it.day, asked.months)
                by_session.setdefault(it.subject, []).append(window)
        # Of one session several attendances are one, on each day that any of them counts.
        sessions = by_session.values()
        return at_least(asked.times, (it for windows in sessions for it in union(windows)))

    def _recorded(self, measure: PersonMeasure, about: Person, site: Site | None) -> Intervals:
        assert measure.recorded is not None
        windows: dict[str, list[Interval]] = {}
        for it in about.outcomes:
            if it.data["accredited"] or not measure.recorded.accredited:
                window = self._window(it.day, measure.recorded.months)
                windows.setdefault(it.subject, []).append(window)
        found: Intervals = []
        for subject, of_subject in windows.items():
            recorded = stretches(about.places_of.get(subject, ()))
            here = [(b, e) for b, e, place in recorded if self._is_at(place, measure.at, site)]
            found += meet(union(of_subject), here)
        return union(found)

    def _is_at(self, name: str, kinds: tuple[SiteKind, ...], site: Site | None) -> bool:
        """Whether a place is the site, or without one of any of the kinds; any at all without."""
        if site is not None:
            return name == site.name
        if not kinds:
            return True
        known = self._sites.get(name)
        return known is not None and known.kind in kinds

    def _at_sessions(self, measure: PersonMeasure, about: Person, own: Intervals) -> Iterator[Time]:
        """Once at every place that any of the sessions attended is in."""
        assert measure.attended is not None
        places: dict[Place, list[Happened]] = {}
        for it in about.attended:
            asked = measure.attended
            if self._is_at(it.data["place"], asked.at, None) and (
                asked.kind is None or asked.kind(it.data["kind"])
            ):
                for place in self._localities.graph.places_of(self._session_at(it)):
                    places.setdefault(place, []).append(it)
        for place, attended in places.items():
            windows = [self._window(it.day, measure.attended.months) for it in attended]
            locality = self._localities.number(Locality(only=place))
            for begin, end in meet(own, union(windows)):
                yield "", locality, begin, end, 1

    def _session_at(self, it: Happened) -> Locality:
        """Where a session is: in its site's district, with its own provider, else its site's."""
        site = self._sites.get(it.data["place"])
        provider = it.data.get("provider") or (site.provider if site else None)
        return Locality(site.district if site else None, provider)

    def _homes(self, about: Person, own: Intervals) -> list[tuple[int, int, int]]:
        """The localities where a person lives on days, from when until when."""
        graph, number = self._localities.graph, self._localities.number
        return [
            (begin, end, number(Locality(name) if graph.is_district(name) else NOWHERE))
            for begin, end, name, _ in crossing(about.districts, _once(own))
        ]

    def _window(self, day: int, months: int | None) -> Interval:
        """How long a day counts: in its month, or in the last so many months."""
        windows = self._windows
        return day, windows.month(day) if months is None else windows.months(day, months)

    def _of_sessions(self, events: list[Event]) -> Iterator[tuple[str, Counted]]:
        for event in events:
            if event.type not in SESSION_TYPES:
                continue
            it = Happened(event.day, event.subject, event.data)
            for slots, measure in self._sessions:
                if measure.kind is not None and not measure.kind(event.data["kind"]):
                    continue
                if measure.attended and not event.data.get("participants"):
                    continue
                locality = self._locality(measure, it)
                if locality is None:
                    continue
                begin, end = self._window(event.day, measure.months)
                amounts = [1, event.data.get(measure.total or "", 0)]
                for slot, amount in zip(slots, amounts, strict=False):
                    yield event.subject, Counted(slot, locality, begin, end, amount)

    def _locality(self, measure: SessionMeasure, it: Happened) -> int | None:
        """Where a measure counts a session, None if nowhere."""
        if not self._is_at(it.data["place"], measure.at, None):
            return None
        if measure.once == "site":
            site = self._sites[it.data["place"]]
            return self._localities.number(Locality(only=Place(site.kind, site.name)))
        return self._localities.number(self._session_at(it))


def _together(each: Iterable[Each]) -> list[Each]:
    """How many there are of all that counts, each time that number is another one."""
    return [("", [*totals(time for _, times in each for time in times)])]


def _once(intervals: Intervals) -> list[tuple[int, int, int]]:
    """One on each day of intervals."""
    return [(begin, end, 1) for begin, end in intervals]


def _all(asked: list[Intervals]) -> Intervals:
    found = ALWAYS
    for intervals in asked:
        found = meet(found, intervals)
    return found


def _asked_of_own(measure: PersonMeasure) -> object:
    """All that a measure asks of what a person is."""
    scs = measure.scs or measure.scs_status is not None, measure.scs_status
    return measure.age, measure.deprived, frozenset(measure.characteristics), scs


def _asked_of_there(measure: PersonMeasure) -> object:
    """All that a measure asks of where a person is registered, attends and has outcomes."""
    registered = measure.registered, measure.newly, measure.registration
    return registered, measure.at, measure.attended, measure.recorded


def _first_alike(asked: list[tuple[str, object]]) -> dict[str, str]:
    """The first name of which the same is asked, by name."""
    return {name: next(first for first, that in asked if that == what) for name, what in asked}


def _months(measure: PersonMeasure) -> int:
    """For how many months what happened counts in a measure, or has what follows come again."""
    attended, recorded = measure.attended, measure.recorded
    asked = measure.months, measure.again_within, attended and attended.months
    return max(1, *(it or 0 for it in asked), recorded.months if recorded else 0)


def _is_passing(measure: PersonMeasure) -> bool:
    """Whether an attendance or an outcome says nothing of other months than it counts in.

    It would where it is enough to be known, or where attendance anywhere counts at every site that
    one ever came to.
    """
    if measure.of != "person" or measure.registered or measure.recorded:
        return True
    if measure.attended:
        return measure.once != "site" or not measure.attended.anywhere
    return measure.once == "district" and bool(measure.scs or measure.scs_status)


def needs(measure: PersonMeasure) -> frozenset[str]:
    """The types of events, and what they say, without which a measure counts nobody."""
    scs = {"scs-closing": CLOSED}.get(measure.of, OPENED)
    asked = (
        (RECORDED, measure.registered),
        (ATTENDED, measure.attended is not None),
        (OUTCOME, measure.recorded is not None),
        (scs, measure.of != "person"),
        (OPENED, measure.scs or measure.scs_status is not None),
        ("date_of_birth", measure.age is not None),
        ("deprived_area", measure.deprived is not None),
        ("characteristics", bool(measure.characteristics)),
    )
    return frozenset(name for name, is_asked in asked if is_asked)


class _Windows:
    """How long a day counts, worked out once for each."""

    def __init__(self, tables: Calendar) -> None:
        self._calendar = tables
        self.month = lru_cache(maxsize=20_000)(self._month)
        self.months = lru_cache(maxsize=20_000)(self._months)

    def _month(self, day: int) -> int:
        """The first day of the next month."""
        return int(self._calendar.first_of_month(np.array([day]), 1)[0])

    def _months(self, day: int, months: int) -> int:
        """The first as-of day on which a day is no longer in the last so many months."""
        return int(self._calendar.leaves_last_months(np.array([day]), months)[0])
