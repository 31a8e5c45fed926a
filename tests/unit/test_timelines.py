"""One case: what happened, what it waits for, what was corrected or taken out."""

import json
from datetime import date

import pytest

from processors.behind.case_waits import next_due
from processors.behind.timeline import Timeline, timeline
from processors.days.calendar import date_of, day_number
from processors.record.decoding import decode
from processors.record.record import Record
from processors.rules import Rules
from schemas.catalogue import load_catalogue
from schemas.events.registry import CASE_TOPIC
from schemas.standards import load_standards
from tests.support.south_east import south_east_areas

CHILD, CASE = "P1", "C1"


@pytest.fixture(scope="module")
def watched() -> Rules:
    catalogue = load_catalogue()
    return Rules(catalogue, south_east_areas(), load_standards(catalogue))


def known(rules: Rules, *events: tuple[str, str, str, int, dict[str, object]]) -> Record:
    """The record of events, each (id, type, day, revision, data)."""
    record = Record()
    for id_, kind, day, revision, data in events:
        event = {
            "specversion": "1.0",
            "id": id_,
            "source": "urn:a",
            "type": kind,
            "subject": CASE,
            "time": f"{day}T12:00:00Z",
            "partitionkey": CHILD,
            "revision": revision,
            "data": data,
        }
        decoded = decode(CASE_TOPIC, [(CHILD.encode(), json.dumps(event).encode(), ())])
        assert not decoded.rejected
        for _, it in decoded.events:
            record.apply(it, rules.make_row)
    record.settle()
    return record


STORY: tuple[tuple[str, str, str, int, dict[str, object]], ...] = (
    ("1", "notification.received", "2016-03-01", 0, {"notification_type": "EHN"}),
    (
        "1",
        "notification.received",
        "2016-03-01",
        2,
        {"notification_type": "EHN", "district": "Dover", "date_of_birth": "2010-01-01"},
    ),
    ("2", "case.allocated", "2016-03-02", 0, {"service": "unit", "team": "Unit A"}),
    ("3", "contact.made", "2016-03-03", 0, {}),
    ("4", "event.retracted", "2016-03-05", 0, {"retracts": "3"}),
    ("5", "contact.made", "2016-03-07", 0, {}),
    ("6", "case.allocated", "2016-05-02", 0, {"service": "unit", "team": "Unit B"}),
    ("7", "case.closed", "2016-06-01", 0, {"outcome": "Stepped up"}),
    ("8", "case.stepped-up", "2016-06-01", 0, {}),
)


def told(rules: Rules, day: str) -> Timeline:
    return timeline(rules, CHILD, known(rules, *STORY), CASE, day_number(date.fromisoformat(day)))


def test_events_stand_in_order_with_what_was_corrected_and_taken_out(watched: Rules) -> None:
    found = told(watched, "2016-05-31")
    assert [(it.id, it.type) for it in found.steps] == [
        ("1", "notification.received"),
        ("2", "case.allocated"),
        ("4", "event.retracted"),
        ("5", "contact.made"),
        ("6", "case.allocated"),
    ]
    assert (found.corrected, found.retracted, found.later) == (1, 1, 2)
    first, _, gone, *_ = found.steps
    assert first.revision == 2
    assert first.says == {"notification_type": "EHN", "district": "Dover"}
    assert gone.retracts == "3"
    assert gone.says == {}
    assert [it.id for it in found.steps if it.is_transfer] == ["6"]
    assert (found.received, found.closed, found.team) == ("2016-03-01", None, "Unit B")
    assert told(watched, "2016-06-01").closed == "2016-06-01"
    assert told(watched, "2016-06-01").later == 0


def test_a_case_waits_until_a_standard_is_met_or_the_case_is_closed(watched: Rules) -> None:
    before = {it.standard: it for it in told(watched, "2016-05-31").waits}
    after = {it.standard: it for it in told(watched, "2016-06-01").waits}
    standards = {it.code: it for it in watched.standards.standard if it.service == "unit"}
    assert before.keys() == after.keys() == standards.keys()
    for code, standard in standards.items():
        was, now = before[code], after[code]
        if standard.milestone == "contact":
            assert was == now
            assert (str(date_of(now.over or 0)), now.reason) == ("2016-03-07", _met(now.state))
        elif standard.milestone is None:
            assert was.state in {"running", "due-soon", "breached"}
            assert not was.is_over
            assert (now.state, now.reason) == ("met", "closed")
        else:
            assert not was.is_over
            assert now.state == ("ended-late" if was.state == "breached" else "ended")
            assert now.reason == "closed"
    assert next_due(before.values()) == min(it.due for it in before.values() if not it.is_over)
    assert next_due(after.values()) is None


def _met(state: str) -> str:
    return {"met": "done", "met-late": "done-late"}[state]


def test_of_a_case_that_there_is_not_nothing_is_told(watched: Rules) -> None:
    record = known(watched, *STORY)
    found = timeline(watched, CHILD, record, "C2", day_number(date(2016, 6, 1)))
    assert found.steps == []
    assert found.waits == []
