"""Youth hubs: who is registered, reached and regular, in two ages, and their sessions."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta

from .events import Event, event
from .printed import MONTHS, Row, tenths

# Registered, reached and regular, of each age.
AGES: dict[str, tuple[tuple[str, str, str], dict[str, object]]] = {
    "8-19": (("CEH50", "CEH51", "CEH52"), {"date_of_birth": "2003-09-09"}),
    "20-24": (
        ("CEH53", "CEH54", "CEH55"),
        {"date_of_birth": "1995-09-09", "characteristics": ["sen"]},
    ),
}
NEWLY, HELD, ACCREDITED, RECORDED = "CEH59", "CEH60", "CEH78", "CEH79"
OFTEN = 8
LONG_AGO, NO_LONGER, BEFORE = date(2016, 12, 5), date(2017, 1, 9), date(2017, 2, 6)
BEGUN = date(2017, 2, 7)
REGISTERED, ENDED, RECOGNISED = 3, 2, 27

Counts = Mapping[tuple[str, int], int]
"""What is printed by code and month."""


def hub(rows: Iterable[Row]) -> Iterator[Event]:
    """The events of a hub. All its figures but the newly registered rise from month to month."""
    rows = list(rows)
    place = rows[0].place
    printed = {
        (it.code, at): tenths(text) // 10
        for it in rows
        for at, text in enumerate(it.figures)
        if text
    }
    for age in AGES:
        yield from Visitors(place, age).events(printed)
    earlier = 0
    for at in range(len(MONTHS)):
        for number in range(earlier, printed[HELD, at]):
            data: dict[str, object] = {"place": place, "kind": "open-access", "participants": 6}
            yield event(
                "session.held", f"{place} session {number}", place, _visited(at, number), data
            )
        earlier = printed[HELD, at]


class Visitors:
    """The people of one age at a hub, those first who come most."""

    def __init__(self, place: str, age: str) -> None:
        self._place, self._age = place, age
        self._codes, said = AGES[age]
        self._said = {
            "place": place,
            "kind": "young-person",
            "active": True,
            "consent": True,
            "district": place.removesuffix(" Youth Hub"),
            **said,
        }
        self._held: list[str] = []
        self._ever = 0
        self._visits: dict[str, int] = {}

    def events(self, printed: Counts) -> Iterator[Event]:
        """What happens from month to month; who is new is one of the young."""
        is_first = self._codes == AGES["8-19"][0]
        outcomes = [0, 0]
        for at in range(len(MONTHS)):
            registered, reached, regular = (printed[code, at] for code in self._codes)
            newly = min(printed[NEWLY, at], registered) if is_first else 0
            yield from self._register(at, registered, newly)
            for number, key in enumerate(self._held[:reached]):
                yield from self._visit(at, key, OFTEN if number < regular else 1)
            if is_first:
                for kind, code in enumerate((RECORDED, ACCREDITED)):
                    for key in self._held[outcomes[kind] : printed[code, at]]:
                        yield self._outcome(at, key, is_accredited=bool(kind))
                    outcomes[kind] = printed[code, at]

    def _register(self, at: int, registered: int, newly: int) -> Iterator[Event]:
        """Register so many anew, others again, and end those registrations that are too many."""
        first = date.fromisoformat(f"{MONTHS[at]}-01")
        again = registered - newly - len(self._held)
        for key in self._held[len(self._held) + min(again, 0) :]:
            yield event(
                "registration.ended", f"registration {key}", key, first.replace(day=ENDED), {}
            )
        self._held = self._held[: len(self._held) + min(again, 0)]
        for number in range(max(again, 0) + newly):
            key = f"{self._place} {self._age} {self._ever}"
            self._ever += 1
            self._held.append(key)
            days = [first.replace(day=REGISTERED)]
            if number < again:
                days = [LONG_AGO, *days] if at else [BEFORE]
            for day in days:
                name = f"registration {key}"
                yield event("registration.recorded", name, key, day, self._said)
                if day == LONG_AGO:
                    yield event("registration.ended", name, key, NO_LONGER, {})

    def _visit(self, at: int, key: str, times: int) -> Iterator[Event]:
        for visit in range(self._visits.get(key, 0), times):
            day = _visited(at, visit)
            shown = {"place": self._place, "kind": "open-access"}
            yield event("session.attended", f"{self._place} {day}", key, day, shown, key)
        self._visits[key] = max(times, self._visits.get(key, 0))

    def _outcome(self, at: int, key: str, *, is_accredited: bool) -> Event:
        day = date.fromisoformat(f"{MONTHS[at]}-{RECOGNISED}")
        name = "accredited" if is_accredited else "recorded"
        data = {"accredited": is_accredited}
        return event("outcome.recorded", f"registration {key}", key, day, data, name)


def _visited(at: int, number: int) -> date:
    """A day of a month, or for April one since February: April's are all there are by then."""
    if not at:
        return BEGUN + timedelta(days=3 * (number % 25))
    return date.fromisoformat(f"{MONTHS[at]}-04") + timedelta(days=3 * (number % 8))
