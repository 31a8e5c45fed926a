"""What a record adds as a person, or as sessions, is the sum of what its changes change of it."""

import json
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.facts.counted_changes import counted_change
from processors.facts.counting import Counted
from processors.facts.lives import Life
from processors.record.decoding import Event, decode
from processors.record.record import Record
from processors.rules import Rules
from schemas.catalogue import load_catalogue
from schemas.events.registry import ACTIVITY_TOPIC
from tests.support.all_topics import SITE_NAMES, histories_of_all_topics, shipped_sites
from tests.support.south_east import south_east_areas
from tests.support.strategies import History

# What a record adds to a slot in a locality from a day on.
Added = Counter[tuple[int, int, int]]


@pytest.fixture(scope="module")
def everywhere() -> Rules:
    """The catalogue that ships, on the areas and sites of the histories."""
    return Rules(load_catalogue(), south_east_areas(), places=shipped_sites())


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

    def counted(self) -> dict[tuple[int, int, int], int]:
        """What all of it adds, worked out at once."""
        total = added(self._rules.counting.counted(self._record.events))
        return {it: amount for it, amount in total.items() if amount}


@settings(max_examples=60)
@given(st.data(), histories_of_all_topics(richness=2))
def test_changes_of_what_counts_add_up_to_what_all_of_a_record_counts(
    everywhere: Rules, data: st.DataObject, history: History
) -> None:
    assert everywhere.counting.is_passing
    record = OneRecord(everywhere)
    lines = data.draw(st.permutations([it for it in history.lines if it.topics]))
    for line in lines:
        # As if all were about one.
        for _, event in decode(line.topics[0], [line.message]).events:
            record.take(event)
        if data.draw(st.booleans()):
            record.settle()
    record.settle()
    assert record.summed() == record.counted()


def happened(event_type: str, day: int, **data: Any) -> Event:
    made = {
        "specversion": "1.0",
        "source": "urn:a",
        "id": f"{event_type} {day}",
        "type": event_type,
        "subject": f"{event_type} {day}",
        "partitionkey": "P1",
        "time": (datetime(2014, 1, 1, 12, tzinfo=UTC) + timedelta(days=day)).isoformat(),
        "data": data,
    }
    (found,) = decode(ACTIVITY_TOPIC, [(b"P1", json.dumps(made).encode(), ())]).events
    return found[1]


def registered() -> Event:
    said = {"date_of_birth": "2012-05-05", "district": "Dover", "active": True, "consent": True}
    return happened("registration.recorded", 0, place=SITE_NAMES[0], kind="child", **said)


def attended(day: int, **said: str) -> Event:
    return happened("session.attended", day, place=SITE_NAMES[0], kind="group", **said)


@pytest.mark.parametrize(
    "last",
    [
        attended(340),
        attended(1, date_of_birth="1990-05-05"),
        attended(1, district="Swale"),
        happened("outcome.recorded", 340, accredited=True),
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
