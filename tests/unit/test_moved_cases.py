"""Which events are behind a case that counts otherwise than on an earlier day."""

from datetime import date

import pytest

from processors.behind.counted_rows import CellSums, Question
from processors.behind.held_rows import HeldRows, MovedSubject
from processors.behind.moved_cases import balances, events_behind
from processors.days.calendar import day_number
from processors.figures.asking import indicator_of
from processors.record.record import Record
from processors.rules import Rules
from schemas.places import Place
from tests.support.facts import Happening

RECEIVED, ALLOCATED, CLOSED = "notification.received", "case.allocated", "case.closed"
MAY, JUNE = date(2016, 5, 31), date(2016, 6, 30)
OPEN, IN_THE_MONTH = "EH05", "EH01"


def case() -> Happening:
    """One that a unit has had since the second of May."""
    it = Happening()(RECEIVED, date(2016, 5, 2), notification_type="EHN", district="Dover")
    return it(ALLOCATED, date(2016, 5, 2), service="unit", at="T13:00:00Z")


def moved(rules: Rules, it: Happening, code: str) -> tuple[list[MovedSubject], list[list[str]]]:
    """What moved in June, and the ids of the events behind each."""
    record = Record()
    for event in it.events:
        record.apply(event, rules.make_row)
    record.settle()
    records, held = {it.child: record}, HeldRows()
    held.put(rules, records)
    kent = Place("county", "Kent")
    now = Question(indicator_of(rules, code), kent, "all", day_number(JUNE))
    then = now._replace(day=day_number(MAY))
    found = held.moved(CellSums(rules, then), CellSums(rules, now))
    behind = events_behind(rules, now, then.day, found, records)
    return found, [[event.id for event in behind[it.subject]] for it in found]


def test_what_did_not_change_has_not_moved(rules: Rules) -> None:
    assert moved(rules, case(), OPEN) == ([], [])
    it = case()("contact.made", date(2016, 6, 3))
    assert moved(rules, it, OPEN) == ([], [])


def test_the_event_behind_a_move_is_named_and_no_other(rules: Rules) -> None:
    it = case()("contact.made", date(2016, 6, 3))(CLOSED, date(2016, 6, 9), outcome="Other")
    (move,), behind = moved(rules, it, OPEN)
    assert (move.above_before, move.above) == (1, 0)
    assert behind == [["003"]]
    above, below = balances([move])
    assert (above.entered, above.left, above.left_subjects, above.by) == (0, 1, 1, -1)
    assert below == (0, 0, 0, 0)


def test_events_that_only_tell_together_are_all_named(rules: Rules) -> None:
    it = case()(CLOSED, date(2016, 6, 9), outcome="Other")(
        CLOSED, date(2016, 6, 10), outcome="Other"
    )
    (_,), behind = moved(rules, it, OPEN)
    assert behind == [["002", "003"]]


def test_a_case_that_the_month_has_left_behind_moved_by_no_event(rules: Rules) -> None:
    it = case()("contact.made", date(2016, 6, 3))
    (move,), behind = moved(rules, it, IN_THE_MONTH)
    assert (move.above_before, move.above) == (1, 0)
    assert behind == [[]]


@pytest.mark.parametrize("code", [OPEN, IN_THE_MONTH])
def test_what_entered_and_left_is_the_difference(code: str, rules: Rules) -> None:
    it = Happening()(RECEIVED, date(2016, 6, 2), notification_type="EHN", district="Dover")
    it = it(ALLOCATED, date(2016, 6, 2), service="unit", at="T13:00:00Z")
    (move,), (behind,) = moved(rules, it, code)
    assert (move.above_before, move.above) == (0, 1)
    assert "000" in behind
    assert balances([move])[0].by == 1
