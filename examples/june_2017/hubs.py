"""Youth hubs: who is registered, reached and regular, in two ages, and their sessions."""

from collections.abc import Iterable, Iterator
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


def hub(rows: Iterable[Row]) -> Iterator[Event]:
    """The events of a hub. All its figures rise from month to month."""
    rows = list(rows)
    place = rows[0].place
    district = place.removesuffix(" Youth Hub")
    printed = {
        (it.code, at): tenths(text) // 10
        for it in rows
        for at, text in enumerate(it.figures)
        if text
    }
    for age, (codes, said) in AGES.items():
        before = [0, 0, 0]
        outcomes = [0, 0]
        for at in range(len(MONTHS)):
            now = [printed[code, at] for code in codes]
            newly = min(printed[NEWLY, at], now[0] - before[0]) if age == "8-19" else 0
            for number in range(now[0]):
                key = f"{place} {age} {number}"
                if number >= before[0]:
                    is_new = number >= now[0] - newly
                    yield from _registered(place, district, key, at, said, is_new=is_new)
                was = sum(number < it for it in before[1:])
                visits = {0: 0, 1: 1, 2: OFTEN}
                times = visits[sum(number < it for it in now[1:])]
                for visit in range(visits[was], times):
                    day = _day(at, visit)
                    shown = {"place": place, "kind": "open-access"}
                    yield event("session.attended", f"{place} {day}", key, day, shown, key)
            if age == "8-19":
                wanted = [printed[ACCREDITED, at], printed[RECORDED, at]]
                for number in range(outcomes[1], wanted[1]):
                    yield _outcome(place, age, number, at, is_accredited=False)
                for number in range(outcomes[0], wanted[0]):
                    yield _outcome(place, age, number, at, is_accredited=True)
                outcomes = wanted
            before = now
    earlier = 0
    for at in range(len(MONTHS)):
        for number in range(earlier, printed[HELD, at]):
            day = _day(at, number)
            data: dict[str, object] = {"place": place, "kind": "open-access", "participants": 6}
            yield event("session.held", f"{place} session {number}", place, day, data)
        earlier = printed[HELD, at]


def _registered(
    place: str, district: str, key: str, at: int, said: dict[str, object], *, is_new: bool
) -> Iterator[Event]:
    data: dict[str, object] = {
        "place": place, "kind": "young-person", "active": True, "consent": True,
        "district": district, **said,
    }  # fmt: skip
    name = f"registration {key}"
    if is_new:
        day = date.fromisoformat(f"{MONTHS[at]}-03")
        yield event("registration.recorded", name, key, day, data)
    elif not at:
        yield event("registration.recorded", name, key, BEFORE, data)
    else:
        again = date.fromisoformat(f"{MONTHS[at]}-03")
        yield event("registration.recorded", name, key, LONG_AGO, data)
        yield event("registration.ended", name, key, NO_LONGER, {})
        yield event("registration.recorded", name, key, again, data, "again")


def _outcome(place: str, age: str, number: int, at: int, *, is_accredited: bool) -> Event:
    key = f"{place} {age} {number}"
    day = date.fromisoformat(f"{MONTHS[at]}-27")
    name = "accredited" if is_accredited else "recorded"
    data = {"accredited": is_accredited}
    return event("outcome.recorded", f"registration {key}", key, day, data, name)


def _day(at: int, number: int) -> date:
    """A day of a month, or for April one since February: April's are all that are there by then."""
    if not at:
        return BEGUN + timedelta(days=3 * (number % 25))
    return date.fromisoformat(f"{MONTHS[at]}-04") + timedelta(days=3 * (number % 8))
