"""People registered at a place, month by month, of whom so many are reached."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from .events import Event, event
from .printed import MONTHS

# Registered, no longer, and again in a later month: not new then.
LONG_AGO, NO_LONGER, BEFORE = date(2016, 12, 5), date(2017, 1, 9), date(2017, 2, 6)
AGAIN, ENDED, NEW = 6, 7, 9
# An attendance that is in the last 12 months until the month that it is named for.
UNTIL = {"2017-05": date(2016, 5, 15), "2017-06": date(2016, 6, 15)}
STEADY, VISIT = date(2017, 3, 20), 8


@dataclass
class Person:
    """One registration, and the days on which its person attends."""

    key: str
    facts: list[tuple[str, date]] = field(default_factory=list)
    attended: list[date] = field(default_factory=list)
    is_reached: bool = False
    since_april: bool = False


class Group:
    """The people of one kind at a place: so many registered and reached at each month's end."""

    def __init__(self, place: str, name: str, kind: str, said: dict[str, object]) -> None:
        self._place, self._name, self._kind, self._said = place, name, kind, said
        self.people: list[Person] = []
        self.held: list[Person] = []

    def month(self, at: int, registered: int, reached: int, newly: int = 0) -> None:
        """Bring the group to its numbers of a month, `newly` of them registered anew."""
        month = MONTHS[at]
        first = date.fromisoformat(f"{month}-01")
        for _ in range(newly):
            self._add([("registration.recorded", first.replace(day=NEW))])
        more = registered - len(self.held)
        for _ in range(max(more, 0)):
            facts = [("registration.recorded", BEFORE)]
            if at:
                facts = [
                    ("registration.recorded", LONG_AGO),
                    ("registration.ended", NO_LONGER),
                    ("registration.recorded", first.replace(day=AGAIN)),
                ]
            self._add(facts)
        if more < 0:
            self._end(-more, first, reached)
        self._reach(at, month, first, reached)

    def _add(self, facts: list[tuple[str, date]]) -> None:
        person = Person(f"{self._place} {self._name} {len(self.people)}", facts)
        self.people.append(person)
        self.held.append(person)

    def _end(self, number: int, first: date, reached: int) -> None:
        """End registrations: of the reached those too many, then of others, then of the rest.

        Whoever is reached and ends beyond those too many is replaced by one who is new.
        """
        surplus = max(sum(it.is_reached for it in self.held) - reached, 0)
        old = [it for it in self.held if it.facts[-1][1] < first]
        known = [it for it in old if it.is_reached]
        others = [it for it in old if not it.is_reached]
        ending = [*known[:surplus], *others, *known[surplus:]]
        for person in ending[:number]:
            person.facts.append(("registration.ended", first.replace(day=ENDED)))
        gone = {id(it) for it in ending[:number]}
        self.held = [it for it in self.held if id(it) not in gone]

    def _reach(self, at: int, month: str, first: date, reached: int) -> None:
        more = reached - sum(it.is_reached for it in self.held)
        if more < 0:
            for person in [it for it in self.held if it.is_reached and it.since_april][:-more]:
                person.is_reached = False
                person.since_april = False
                person.attended.append(UNTIL[month])
        for person in [it for it in self.held if not it.is_reached][: max(more, 0)]:
            person.is_reached = True
            person.since_april = not at
            if at:
                person.attended.append(first.replace(day=VISIT + 10))

    def events(self) -> Iterator[Event]:
        """All of it."""
        for person in self.people:
            if person.since_april:
                person.attended.append(STEADY)
            data = {
                "place": self._place, "kind": self._kind, "active": True, "consent": True,
                **self._said,
            }  # fmt: skip
            for number, (kind, day) in enumerate(person.facts):
                said = data if kind == "registration.recorded" else {}
                yield event(kind, f"registration {person.key}", person.key, day, said, f"{number}")
            for day in person.attended:
                shown = {"place": self._place, "kind": "open-access"}
                session = f"{self._place} {day}"
                yield event("session.attended", session, person.key, day, shown, person.key)
