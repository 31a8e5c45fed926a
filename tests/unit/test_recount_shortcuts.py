"""What the recount does in fewer steps comes to the same as step by step."""

from collections import defaultdict
from datetime import date
from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from examples.workload import case_events
from processors.record.decoding import Event, decode
from processors.record.record import RETRACTION, Record
from processors.rules import Rules
from schemas.events.registry import CASE_TOPIC
from snapshots.recount.children import known
from snapshots.recount.days import WorkingDays, bank_holidays, day_of
from snapshots.recount.definitions import Definitions

AS_OF, BEFORE = date(2015, 10, 31), date(2015, 9, 30)


def contact(id_: str, revision: int, day: int) -> Event:
    return Event("urn:a", id_, revision, day * 86_400_000_000, day, "contact.made", "C1", {})


RETRACTS = Event("urn:a", "r", 0, 0, 0, RETRACTION, "C1", {"retracts": "1"})
CAME = [
    *(contact(id_, revision, day) for id_ in "12" for revision in (0, 1) for day in (1, 2)),
    RETRACTS,
]


@given(st.lists(st.sampled_from(CAME), max_size=6))
def test_what_counts_of_events_is_what_their_record_has(events: list[Event]) -> None:
    record = Record()
    for event in events:
        record.apply(event, lambda _: b"")
    assert known(iter(events)) == list(record.events)


def test_what_is_known_of_cases_on_two_dates_is_what_is_known_on_each(rules: Rules) -> None:
    definitions = Definitions(
        rules.catalogue, rules.areas, rules.places, WorkingDays(bank_holidays(AS_OF))
    )
    messages = [(key, value, ()) for key, value in islice(case_events(400), 400)]
    by_child: dict[str, list[Event]] = defaultdict(list)
    for child, event in decode(CASE_TOPIC, messages).events:
        by_child[child].append(event)
    days = [day_of(AS_OF), day_of(BEFORE)]
    amounts = 0
    for events in by_child.values():
        found = [list(of_day) for of_day in definitions.amounts_on(events, days)]
        assert found == [list(definitions.amounts(events, day)) for day in days]
        amounts += sum(map(len, found))
    assert amounts
