"""What measures of people and of sessions count on a day, and where (parts C and D)."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from processors.record.decoding import Event
from schemas.catalogue import Attended, OutcomeRule, PersonMeasure, SessionMeasure
from schemas.places import Locality, Place, Site, SiteKind
from snapshots.recount.days import month_of
from snapshots.recount.measures import within_months
from snapshots.recount.people import (
    ATTENDED,
    CLOSED,
    OPENED,
    OUTCOME,
    RecountedPerson,
    RecountedRegistration,
)
from snapshots.recount.places import Whereabouts


class People:
    """A measure of people, asked about one person."""

    def __init__(self, measure: PersonMeasure, where: Whereabouts, person: RecountedPerson) -> None:
        self._measure, self._where, self._person = measure, where, person

    def counted(self) -> Iterator[tuple[Locality, int]]:
        """How many the measure counts, and where."""
        measure, person = self._measure, self._person
        if not self._is_wanted():
            return
        if measure.once == "session":
            for place in self._places_of_sessions():
                yield Locality(only=place), 1
        elif measure.once == "site":
            for site in (self._where.sites.get(name) for name in sorted(person.visited)):
                if site and site.kind in measure.at and self._is_counted_at(site):
                    yield Locality(only=self._where.at(site)), 1
        elif self._is_there(None) and (times := self._times()):
            yield self._where.in_district(person.latest("district")), times

    def _is_wanted(self) -> bool:
        """Whether the person is what is asked for, wherever that is counted."""
        measure, person = self._measure, self._person
        if measure.age:
            youngest, oldest = measure.age
            if person.age is None or not youngest <= person.age <= oldest:
                return False
        if measure.deprived is not None and person.latest("deprived_area") != measure.deprived:
            return False
        if measure.characteristics:
            said = person.latest("characteristics") or ()
            if not set(said).intersection(measure.characteristics):
                return False
        if measure.scs_status:
            return any(it.status == measure.scs_status for it in person.scs_cases)
        return not measure.scs or bool(person.scs_cases)

    def _times(self) -> int:
        """How many things of the person count: themselves, or their cases in social care."""
        measure, person = self._measure, self._person
        if measure.of == "person":
            return 1
        if measure.of == "scs-case":
            origins = [it.origin for it in person.scs_cases]
            return sum(measure.origin is None or measure.origin(it) for it in origins)
        if measure.of == "scs-opening":
            return sum(self._is_opening(*pair) for pair in self._openings())
        reasons = [it.data["reason"] for it in self._recent(CLOSED, measure.months)]
        return sum(measure.reason is None or measure.reason(it) for it in reasons)

    def _openings(self) -> Iterator[tuple[Event, Event | None]]:
        """The openings that are recent, each with the one before it, however long ago."""
        openings = self._person.of_type(OPENED)
        for opening, before in zip(openings, [None, *openings], strict=False):
            if _is_recent(opening.day, self._person.today, self._measure.months):
                yield opening, before

    def _is_opening(self, opening: Event, before: Event | None) -> bool:
        measure = self._measure
        if measure.origin is not None and not measure.origin(opening.data["origin"]):
            return False
        if measure.again_within is None:
            return True
        return before is not None and within_months(before.day, opening.day, measure.again_within)

    def _is_counted_at(self, site: Site) -> bool:
        is_resident = self._person.latest("district") == site.district
        return (is_resident or not self._measure.resident) and self._is_there(site)

    def _is_there(self, site: Site | None) -> bool:
        """Whether they are registered, attend, and have outcomes as asked, at a site or at any."""
        measure, registrations = self._measure, self._person.registrations.values()
        return (
            (not measure.registered or any(self._is_registered(it, site) for it in registrations))
            and (measure.attended is None or self._has_attended(measure.attended, site))
            and (measure.recorded is None or self._has_outcome(measure.recorded, site))
        )

    def _is_registered(self, it: RecountedRegistration, site: Site | None) -> bool:
        measure = self._measure
        if it.latest is None or not self._is_at(it.latest.data["place"], measure.at, site):
            return False
        if measure.newly and month_of(it.first) != month_of(self._person.today):
            return False
        return measure.registration is None or measure.registration(it.latest.data["kind"])

    def _sessions(self, asked: Attended, site: Site | None) -> list[Event]:
        """The attendances that count."""
        return [
            it
            for it in self._recent(ATTENDED, asked.months)
            if self._is_at(it.data["place"], asked.at, site)
            and (asked.kind is None or asked.kind(it.data["kind"]))
        ]

    def _has_attended(self, asked: Attended, site: Site | None) -> bool:
        sessions = self._sessions(asked, None if asked.anywhere else site)
        return len({it.subject for it in sessions}) >= asked.times

    def _has_outcome(self, asked: OutcomeRule, site: Site | None) -> bool:
        registrations = self._person.registrations
        return any(
            self._is_at(place, self._measure.at, site)
            for it in self._recent(OUTCOME, asked.months)
            if it.subject in registrations and (it.data["accredited"] or not asked.accredited)
            for place in registrations[it.subject].places
        )

    def _places_of_sessions(self) -> list[Place]:
        """The places in which they attended as many different sessions as are asked for."""
        asked = self._measure.attended
        assert asked is not None
        at: dict[Place, set[str]] = defaultdict(set)
        for it in self._sessions(asked, None) if self._is_there(None) else ():
            for place in self._where.within(self._where.of_session(it)):
                at[place].add(it.subject)
        return [place for place, sessions in at.items() if len(sessions) >= asked.times]

    def _is_at(self, name: str, kinds: Sequence[SiteKind], site: Site | None) -> bool:
        """Whether a place is the site, or, without one, is of the kinds or may be of any."""
        if site is not None:
            return name == site.name
        known = self._where.sites.get(name)
        return not kinds or (known is not None and known.kind in kinds)

    def _recent(self, kind: str, months: int | None) -> list[Event]:
        person = self._person
        return [it for it in person.of_type(kind) if _is_recent(it.day, person.today, months)]


def session_amounts(
    measure: SessionMeasure, where: Whereabouts, session: Event, today: int
) -> tuple[Locality, list[int]] | None:
    """Where a measure counts a session, and what it adds to each slot; None if it does not."""
    data, site = session.data, where.sites.get(session.data["place"])
    if not _is_recent(session.day, today, measure.months):
        return None
    if measure.kind is not None and not measure.kind(data["kind"]):
        return None
    if measure.attended and not data.get("participants"):
        return None
    if measure.at and (site is None or site.kind not in measure.at):
        return None
    amounts = [1, data.get(measure.total, 0)] if measure.total else [1]
    if measure.once == "district":
        return where.of_session(session), amounts
    return (Locality(only=where.at(site)), amounts) if site else None


def _is_recent(day: int, today: int, months: int | None) -> bool:
    """Whether a day is in today's month, or in the last so many months."""
    if months is None:
        return month_of(day) == month_of(today)
    return within_months(day, today, months)
