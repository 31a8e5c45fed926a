"""What is known of a person of whom very much is, kept in order of days from change to change.

Of a person with little everything is looked at whenever something changes. Of one with very much,
what they are, where they are registered, their cases in social care and what they attended are each
kept in order, so that a change costs what it changes: the days on which something may count
otherwise are found (processors.facts.counted_changes), and the person as they are known on those.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from operator import attrgetter
from typing import Any, NamedTuple

from processors.days.calendar import NEVER
from processors.days.intervals import Interval, Intervals
from processors.facts.chains import Chains, Key
from processors.facts.people import (
    ATTENDED,
    CLOSED,
    ENDED,
    OPENED,
    OUTCOME,
    RECORDED,
    STATUS,
    UNHEARD,
    Happened,
    Opened,
    Person,
    Registered,
    ScsOpening,
    ScsState,
    in_force,
    scs_state,
)
from processors.record.decoding import Event, place_in_order
from processors.record.personal import SAID

# Events of a person from which on they are very many.
MANY = 64
# Of which, where one in so many changed, all are looked at.
MOST_CHANGED = 4
# About how much memory each of them takes beside states.
BYTES_AN_EVENT = 50
# More days than a month has, or as many.
MOST_DAYS = 31

REGISTRATIONS, CASES = frozenset({RECORDED, ENDED}), frozenset({OPENED, STATUS, CLOSED})
# The days from one on until another on which something is said of a person; nothing by default.
Piece = tuple[int, int, Any]
NOTHING_SAID = object()


def is_life(changed: int, known: int) -> bool:
    """Whether so many changed events of so many are looked at on their own, and not all of them."""
    return known >= MANY and changed * MOST_CHANGED < known


class Distinctions(NamedTuple):
    """What of a person measures can tell apart.

    What happened counts for at most `reach` days, and one is asked to attend at most `times`
    sessions. Two places are as good as one if `place` gives the same for both, and two kinds of
    session if `session` does.
    """

    reach: int
    times: int
    place: Callable[[str], str]
    session: Callable[[str], Key]


class Flows(NamedTuple):
    """Openings and closings of cases in social care."""

    openings: list[ScsOpening]
    closings: list[Happened]


class Life:
    """A person's events, kept in order by what they say."""

    def __init__(self, events: Iterable[Event], apart: Distinctions) -> None:
        self._apart = apart
        self._said: dict[str, _InOrder] = {name: _InOrder() for name in SAID}
        self._registered: Chains[Key | None] = Chains(None, in_force, self._where)
        self._cases: Chains[ScsState] = Chains(UNHEARD, scs_state, _open_as)
        # Recordings by registration; attendances and outcomes by what measures can tell of them.
        self._recorded: dict[str, _InOrder] = {}
        self._attended: dict[Key, _InOrder] = {}
        self._outcomes: dict[Key, _InOrder] = {}
        self._openings, self._closings = _InOrder(), _InOrder()
        self._events = 0
        for event in events:
            self._add(event)
        self.changes()

    @property
    def size(self) -> int:
        """About how many bytes of memory it takes."""
        return BYTES_AN_EVENT * self._events + self._registered.size + self._cases.size

    def change(self, gone: Iterable[Event], new: Iterable[Event]) -> None:
        """Events that were there go, and others come."""
        for event in gone:
            self._remove(event)
        for event in new:
            self._add(event)

    def changes(self) -> list[Interval]:
        """The days on which a registration or a case is in another state than when last asked."""
        return [*self._registered.changes(), *self._cases.changes()]

    def counting(self, events: Iterable[Event]) -> Iterator[Interval]:
        """The days on which it may make a difference to what happened that events are there.

        One of several attendances makes none once as many came later as one is asked for: they
        count on every later day on which it would.
        """
        reach = self._apart.reach
        for event in events:
            if event.type == OPENED:  # and it may have the next be one that comes again
                yield event.day, event.day + 2 * reach
            elif event.type == CLOSED:
                yield event.day, event.day + reach
            elif event.type == ATTENDED:
                later = self._attended[self._session_of(event)].after(event)
                yield event.day, _until(event, later, reach, self._apart.times)
            elif event.type == OUTCOME:
                later = self._outcomes[_outcome_of(event)].after(event)
                yield event.day, _until(event, later, reach, 1)
            elif event.type == RECORDED and self._has_outcomes(event.subject):
                later = self._recorded[event.subject].after(event)
                yield event.day, next((it.day for it in later), NEVER)

    def saying(self, events: Iterable[Event]) -> Iterator[tuple[str, Interval]]:
        """The days on which what each attribute is rests on events that are there."""
        for event in events:
            for name in SAID.intersection(event.data):
                end = next((it.day for it in self._said[name].after(event)), NEVER)
                if event.day < end:
                    yield name, (event.day, end)

    def said(self, name: str, spans: Intervals) -> list[Piece]:
        """What an attribute is on days, from when until when."""
        found: list[Piece] = []
        for first, end in spans:
            days = self._days_said(name, first, end)
            begins = [max(first, day) for day, _ in days]
            if not begins or begins[0] > first:
                found.append((first, min([end, *begins]), NOTHING_SAID))
            for (_, value), (begin, until) in zip(days, pairwise([*begins, end]), strict=True):
                if begin < until:
                    found.append((begin, until, value))
        return found

    def openings_near(self, events: Iterable[Event]) -> Counter[ScsOpening]:
        """Those of events, and those that follow where these are, or would be."""
        places: set[int] = set()
        openings = self._openings
        for event in events:
            if event.type == OPENED:
                at = openings.place(event)
                places |= {at, at + 1} if openings.has(event, at) else {at}
        return Counter(self._opening(at) for at in places if at < len(openings.events))

    def first_recorded(self, events: Iterable[Event]) -> set[tuple[str, int]]:
        """When each registration that events are of was recorded first."""
        subjects = {event.subject for event in events if event.type in REGISTRATIONS}
        return {(it, self._first(it)) for it in subjects if it in self._recorded}

    def within(self, first: int, end: int, flows: Flows | None) -> Person:
        """The person as they are known on days; of social care's flows those given, or all."""
        outcomes = list(self._happened(self._outcomes, first, end, 1))
        earliest = first - self._apart.reach
        return Person(
            said={name: days for name in SAID if (days := self._days_said(name, first, end))},
            attended=list(self._happened(self._attended, first, end, self._apart.times)),
            outcomes=outcomes,
            openings=flows.openings if flows else self._opened(earliest, end),
            closings=flows.closings if flows else self._closings.happened(earliest, end),
            registrations=self._registrations(first, end),
            places_of={it.subject: self._places(it.subject, first, end) for it in outcomes},
            scs_cases=self._open(first, end),
        )

    def _registrations(self, first: int, end: int) -> list[Registered]:
        """Those in force on days; of those alike that last all of them, the one recorded last."""
        # What was first recorded in the month of a day, and not after it, was so within a month.
        earliest = first - MOST_DAYS
        found, lasting = self._registered.within(earliest, end)
        latest: dict[Key, Registered] = {
            (place, kind): Registered(earliest, end, "", place, kind, earliest)
            for place, kind in lasting
        }
        registrations: list[Registered] = []
        for it in found:
            (place, kind), first_ever = it.key, self._first(it.subject)
            registered = Registered(it.begin, it.end, it.subject, place, kind, first_ever)
            if it.begin > first or it.end < end:
                registrations.append(registered)
            elif it.key not in latest or latest[it.key].first < registered.first:
                latest[it.key] = registered
        return [*registrations, *latest.values()]

    def _open(self, first: int, end: int) -> list[Opened]:
        found, lasting = self._cases.within(first, end)
        opened: list[Opened] = []
        for it in found:
            origin, status = it.key
            opened.append(Opened(it.begin, it.end, it.subject, origin, status))
        for (origin, status), cases in lasting.items():
            opened.append(Opened(first, end, "", origin, status, cases))
        return opened

    def _happened(
        self, kinds: dict[Key, "_InOrder"], first: int, end: int, times: int
    ) -> Iterator[Happened]:
        """What happened on days; and of each kind before, so many different ones, the last."""
        for of_kind in kinds.values():
            subjects: set[str] = set()
            for at in range(of_kind.position(first) - 1, -1, -1):
                event = of_kind.events[at]
                if event.day < first - self._apart.reach or len(subjects) == times:
                    break
                if event.subject not in subjects:
                    subjects.add(event.subject)
                    yield Happened(event.day, event.subject, event.data)
            yield from of_kind.happened(first, end)

    def _days_said(self, name: str, first: int, end: int) -> list[tuple[int, Any]]:
        """The days on which an attribute is said within days, and last by the first of them."""
        ordered = self._said[name]
        at = max(0, bisect_right(ordered.events, first, key=_day) - 1)
        return [(it.day, it.data[name]) for it in ordered.events[at : ordered.position(end)]]

    def _places(self, subject: str, first: int, end: int) -> list[tuple[int, str]]:
        ordered = self._recorded.get(subject, NONE)
        at = max(0, bisect_right(ordered.events, first, key=_day) - 1)
        return [(it.day, it.data["place"]) for it in ordered.events[at : ordered.position(end)]]

    def _opened(self, first: int, end: int) -> list[ScsOpening]:
        ordered = self._openings
        return [self._opening(at) for at in range(ordered.position(first), ordered.position(end))]

    def _opening(self, at: int) -> ScsOpening:
        events = self._openings.events
        event, before = events[at], events[at - 1].day if at else None
        return ScsOpening(event.day, event.subject, event.data["origin"], before)

    def _first(self, subject: str) -> int:
        return self._recorded[subject].events[0].day

    def _has_outcomes(self, subject: str) -> bool:
        return any((subject, accredited) in self._outcomes for accredited in (False, True))

    def _where(self, state: Key | None) -> Key | None:
        return state and (self._apart.place(state[0]), state[1])

    def _session_of(self, event: Event) -> Key:
        data, apart = event.data, self._apart
        return apart.place(data["place"]), apart.session(data["kind"]), data.get("provider")

    def _add(self, event: Event) -> None:
        self._events += 1
        for ordered in self._ordered(event):
            ordered.add(event)
        if event.type in REGISTRATIONS:
            self._registered.add(event)
        elif event.type in CASES:
            self._cases.add(event)

    def _remove(self, event: Event) -> None:
        self._events -= 1
        for ordered in self._ordered(event):
            ordered.remove(event)
        if event.type in REGISTRATIONS:
            self._registered.remove(event)
        elif event.type in CASES:
            self._cases.remove(event)
        for kinds, key in self._kinds(event):
            if not kinds[key].events:
                del kinds[key]

    def _ordered(self, event: Event) -> Iterator["_InOrder"]:
        """All that an event is kept in the order of."""
        for name in SAID.intersection(event.data):
            yield self._said[name]
        if event.type == OPENED:
            yield self._openings
        elif event.type == CLOSED:
            yield self._closings
        for kinds, key in self._kinds(event):
            yield kinds.setdefault(key, _InOrder())

    def _kinds(self, event: Event) -> Iterator[tuple[dict[Any, "_InOrder"], Any]]:
        if event.type == RECORDED:
            yield self._recorded, event.subject
        elif event.type == ATTENDED:
            yield self._attended, self._session_of(event)
        elif event.type == OUTCOME:
            yield self._outcomes, _outcome_of(event)


class _InOrder:
    """Events in order."""

    __slots__ = ("events",)

    def __init__(self) -> None:
        self.events: list[Event] = []

    def place(self, event: Event) -> int:
        """Where an event is, or would be."""
        return bisect_left(self.events, place_in_order(event), key=place_in_order)

    def has(self, event: Event, at: int) -> bool:
        """Whether an event is there, where it would be."""
        some = self.events[at : at + 1]
        return [place_in_order(event)] == [place_in_order(it) for it in some]

    def position(self, day: int) -> int:
        """Where those begin that are not before a day."""
        return bisect_left(self.events, day, key=_day)

    def add(self, event: Event) -> None:
        self.events.insert(self.place(event), event)

    def remove(self, event: Event) -> None:
        del self.events[self.place(event)]

    def after(self, event: Event) -> Iterator[Event]:
        """Those after one that is there."""
        return (self.events[at] for at in range(self.place(event) + 1, len(self.events)))

    def happened(self, first: int, end: int) -> list[Happened]:
        """Those of some days."""
        some = self.events[self.position(first) : self.position(end)]
        return [Happened(it.day, it.subject, it.data) for it in some]


NONE = _InOrder()
_day = attrgetter("day")


def _until(event: Event, later: Iterable[Event], reach: int, times: int) -> int:
    """The day by which so many different ones came later, or on which an event counts no more."""
    subjects: set[str] = set()
    for it in later:
        if it.day >= event.day + reach:
            break
        subjects.add(it.subject)
        if len(subjects) == times:
            return it.day
    return event.day + reach


def _outcome_of(event: Event) -> Key:
    return event.subject, event.data["accredited"]


def _open_as(state: ScsState) -> Key | None:
    is_open, *what = state
    return tuple(what) if is_open else None
