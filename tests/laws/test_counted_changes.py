"""What a record adds as a person, or as sessions, is the sum of what its changes change of it."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.facts import lives
from processors.facts.counted_changes import counted_change
from processors.facts.counting import Counted
from processors.facts.lives import Life
from processors.facts.people import Person
from processors.record.decoding import Event, decode
from processors.record.record import Record
from processors.rules import Rules
from schemas.catalogue import load_catalogue
from schemas.events.registry import topics_of
from tests.support.all_topics import (
    CHARACTERISTICS,
    SESSION_KINDS,
    SITE_NAMES,
    histories_of_all_topics,
    shipped_sites,
)
from tests.support.south_east import south_east_areas
from tests.support.strategies import History

# What a record adds to a slot in a locality from a day on.
Added = Counter[tuple[int, int, int]]


@pytest.fixture(scope="module")
def everywhere() -> Rules:
    """The catalogue that ships, on the areas and sites of the histories."""
    return Rules(load_catalogue(), south_east_areas(), places=shipped_sites())


@contextmanager
def many_are(number: int) -> Iterator[None]:
    """So many events are very many, and are looked at on their own whatever changes."""
    with patch.object(lives, "MANY", number), patch.object(lives, "MOST_CHANGED", 0):
        yield


def added(found: Iterable[Counted]) -> Added:
    total = Added()
    for it in found:
        total[it.slot, it.locality, it.begin] += it.amount
        total[it.slot, it.locality, it.end] -= it.amount
    return total


class OneRecord:
    """A record, and the sum of what its changes changed of what it adds."""

    def __init__(self, rules: Rules) -> None:
        self._rules, self._record, self._total = rules, Record(), Added()
        self._whole: tuple[Counted, ...] | None = None
        self._life: Life | None = None

    def take(self, event: Event) -> None:
        self._record.apply(event, self._rules.make_row)

    def settle(self) -> None:
        personal = self._record.personal
        if personal:
            change = counted_change(self._rules.counting, personal, self._whole, self._life)
            self._whole, self._life = change.whole, change.life
            personal.was.clear()
            self._total.update(added(change.now))
            self._total.subtract(added(change.before))

    def summed(self) -> dict[tuple[int, int, int], int]:
        return {it: amount for it, amount in self._total.items() if amount}

    def listed(self) -> Added:
        """The same, of each case by itself."""
        return added(it for _, it in self._rules.counting.listed(self._record.events))

    def counted(self) -> dict[tuple[int, int, int], int]:
        """What all of it adds, worked out at once."""
        total = added(self._rules.counting.counted(self._record.events))
        return {it: amount for it, amount in total.items() if amount}


@settings(max_examples=60)
@given(st.data(), histories_of_all_topics(richness=2), st.booleans())
def test_changes_of_what_counts_add_up_to_what_all_of_a_record_counts(
    everywhere: Rules, data: st.DataObject, history: History, little_is_much: bool
) -> None:
    assert everywhere.counting.is_passing
    record = OneRecord(everywhere)
    lines = data.draw(st.permutations([it for it in history.lines if it.topics]))
    with many_are(2 if little_is_much else lives.MANY):
        for line in lines:
            # As if all were about one.
            for _, event in decode(line.topics[0], [line.message]).events:
                record.take(event)
            if data.draw(st.booleans()):
                record.settle()
        record.settle()
    assert record.summed() == record.counted()


SAYING = st.fixed_dictionaries(
    {},
    optional={
        "district": st.sampled_from(["Dover", "Swale", "Ashford", "Nowhere"]),
        "date_of_birth": st.sampled_from(["2012-05-05", "1999-02-28", "2000-02-29"]),
    },
)
PLACES, SESSIONS = st.sampled_from(SITE_NAMES), st.sampled_from(SESSION_KINDS)
OFTEN = st.sampled_from([True, True, True, False])
# Whom or what an event is about, and what it says of that.
KINDS: dict[str, tuple[str, st.SearchStrategy[dict[str, Any]]]] = {
    "registration.recorded": (
        "R",
        st.fixed_dictionaries(
            {
                "place": PLACES,
                "kind": st.sampled_from(["child", "carer", "young-person"]),
                "active": OFTEN,
                "consent": OFTEN,
            },
            optional={
                "deprived_area": st.booleans(),
                "characteristics": st.lists(st.sampled_from(CHARACTERISTICS), max_size=2),
            },
        ),
    ),
    "registration.ended": ("R", st.just({})),
    "outcome.recorded": ("R", st.fixed_dictionaries({"accredited": st.booleans()})),
    "session.attended": ("S", st.fixed_dictionaries({"place": PLACES, "kind": SESSIONS})),
    "session.held": ("S", st.fixed_dictionaries({"place": PLACES, "kind": SESSIONS})),
    "scs.opened": (
        "K",
        st.fixed_dictionaries(
            {"origin": st.sampled_from(["referral", "early-help-step-up"])},
            optional={"status": st.sampled_from(["cin", "cp", "lac"])},
        ),
    ),
    "scs.status": ("K", st.fixed_dictionaries({"status": st.sampled_from(["cin", "cp", "lac"])})),
    "scs.closed": ("K", st.fixed_dictionaries({"reason": st.sampled_from(["x", "step-down"])})),
    "notification.received": ("C", st.just({"notification_type": "EHN"})),
}
ALSO_SAYING = {"registration.recorded", "session.attended", "notification.received"}


@st.composite
def changes_of_a_life(draw: st.DrawFn) -> list[list[Event]]:
    """Events of one person, corrections and retractions among them, a few at a time."""
    days = st.integers(0, draw(st.sampled_from([20, 60, 400, 1_500])))
    subjects = st.integers(0, draw(st.sampled_from([1, 3, 9])))

    @st.composite
    def one(draw: st.DrawFn) -> Event:
        name = f"e{draw(st.integers(0, 40))}"
        kind = draw(st.sampled_from([*KINDS, "session.attended", "event.retracted"]))
        if kind == "event.retracted":
            return happened(kind, draw(days), id=f"r{name}", data={"retracts": name})
        prefix, said = KINDS[kind]
        data = draw(said) | (draw(SAYING) if kind in ALSO_SAYING else {})
        subject, revision = f"{prefix}{draw(subjects)}", draw(st.integers(0, 2))
        made = {"id": name, "subject": subject, "revision": revision, "data": data}
        return happened(kind, draw(days), hour=draw(st.sampled_from([0, 9, 23])), **made)

    return draw(st.lists(st.lists(one(), min_size=1, max_size=4), min_size=5, max_size=25))


@settings(max_examples=80)
@given(changes_of_a_life())
def test_of_a_long_life_what_a_change_changes_is_found_on_the_days_that_it_touches(
    everywhere: Rules, changes: list[list[Event]]
) -> None:
    record = OneRecord(everywhere)
    with many_are(1):
        for events in changes:
            for event in events:
                record.take(event)
            record.settle()
            assert record.summed() == record.counted()
    assert {it: amount for it, amount in record.listed().items() if amount} == record.counted()


def happened(event_type: str, day: int, hour: int = 12, **attributes: Any) -> Event:
    at = datetime(2014, 1, 1, hour, tzinfo=UTC) + timedelta(days=day)
    made = {
        "specversion": "1.0",
        "source": "urn:a",
        "id": f"{event_type} {day}",
        "type": event_type,
        "subject": f"{event_type} {day}",
        "partitionkey": "P1",
        "time": at.isoformat(),
        **attributes,
    }
    topic = topics_of(event_type)[0]
    (found,) = decode(topic, [(b"P1", json.dumps(made).encode(), ())]).events
    return found[1]


def registered() -> Event:
    said = {"date_of_birth": "2012-05-05", "district": "Dover", "active": True, "consent": True}
    data = {"place": SITE_NAMES[0], "kind": "child", **said}
    return happened("registration.recorded", 0, data=data)


def attended(day: int, **said: str) -> Event:
    data = {"place": SITE_NAMES[0], "kind": "group", **said}
    return happened("session.attended", day, data=data)


@pytest.mark.parametrize(
    "last",
    [
        attended(340),
        attended(1, date_of_birth="1990-05-05"),
        attended(1, district="Swale"),
        happened("outcome.recorded", 340, data={"accredited": True}),
    ],
    ids=["one more in the year", "another age", "another district", "an outcome"],
)
def test_what_one_more_attendance_says_of_other_months_is_counted_there_too(
    everywhere: Rules, last: Event
) -> None:
    record = OneRecord(everywhere)
    record.take(registered())
    for day in (*range(5, 300, 43), *range(700, 1000, 43)):
        record.take(attended(day))
    record.settle()
    record.take(last)
    record.settle()
    assert record.summed() == record.counted()


def ended(day: int, subject: str) -> Event:
    return happened("registration.ended", day, id=f"{subject} {day}", subject=subject, data={})


def test_a_registration_in_the_place_of_another_is_as_new_as_it_is_itself(
    everywhere: Rules,
) -> None:
    """On three days of a month as many are registered after as before, but another."""
    record = OneRecord(everywhere)
    data = registered().data
    for day, subject in ((0, "old"), (50, "new")):
        record.take(happened("registration.recorded", day, subject=subject, data=data))
    for it in (ended(56, "old"), ended(53, "new"), ended(56, "new")):
        record.take(it)
    record.settle()
    with many_are(1):
        record.take(happened("event.retracted", 60, data={"retracts": "new 53"}))
        record.take(ended(53, "old"))
        record.settle()
    assert record.summed() == record.counted()


def test_whoever_attends_just_often_enough_is_counted_while_they_are_of_an_age(
    everywhere: Rules,
) -> None:
    """Eight sessions at a hub in 12 months, between 8 and 19 years old."""
    record, place = OneRecord(everywhere), "Hub"
    data = {"place": place, "kind": "young-person", "active": True, "consent": True}

    def registered_as_born(day: int, born: str) -> Event:
        return happened("registration.recorded", day, data=data | {"date_of_birth": born})

    def at_hub(day: int) -> Event:
        return happened("session.attended", day, data={"place": place, "kind": "group"})

    record.take(registered_as_born(0, "2003-05-05"))
    for day in range(100, 170, 10):
        record.take(at_hub(day))
    record.settle()
    sums = [record.counted()]
    with many_are(1):
        for it in (at_hub(50), registered_as_born(200, "1980-05-05"), at_hub(210)):
            record.take(it)
            record.settle()
            sums.append(record.counted())
            assert record.summed() == sums[-1]
    assert sums[0] != sums[1] != sums[2]


def said_when_attending(number: int) -> Event:
    where = ("Dover", "Swale")[number % 2]
    return attended(number, district=where, date_of_birth="2012-05-05")


def one_more_registered(number: int) -> Event:
    return happened("registration.recorded", number, data=registered().data)


def one_more_opened(number: int) -> Event:
    return happened("scs.opened", number, data={"origin": "referral", "status": "cin"})


def one_more_status(number: int) -> Event:
    status = ("cin", "cp", "lac")[number % 3]
    return happened("scs.status", number, subject="K", data={"status": status})


def one_more_outcome(number: int) -> Event:
    return happened("outcome.recorded", number, subject="R", data={"accredited": True})


@pytest.mark.parametrize(
    "more",
    [
        attended,
        said_when_attending,
        one_more_registered,
        one_more_opened,
        one_more_status,
        one_more_outcome,
    ],
)
def test_what_is_looked_at_for_one_more_event_does_not_grow_with_a_life(
    everywhere: Rules, more: Callable[[int], Event]
) -> None:
    def looked_at(known: int) -> int:
        record, found = OneRecord(everywhere), list[int]()
        first = happened("scs.opened", 0, subject="K", id="K", data={"origin": "referral"})
        record.take(registered())
        record.take(first)
        for number in range(1, known):
            record.take(more(number))
        record.settle()
        within = Life.within

        def counting(*arguments: Any) -> Person:
            about = within(*arguments)
            happened = len(about.attended) + len(about.outcomes) + len(about.openings)
            found.append(happened + len(about.registrations) + len(about.scs_cases))
            found.append(sum(map(len, about.said.values())))
            return about

        with patch.object(Life, "within", counting):
            for number in range(known, known + 5):
                record.take(more(number))
                record.settle()
        assert found
        assert record.summed() == record.counted()
        return sum(found)

    assert looked_at(800) <= looked_at(200) <= 400
