"""Odd facts: valid, kept and reported (docs/events.md, Odd facts), by themselves."""

from datetime import date, timedelta
from typing import Any

import pytest

from processors.record.quality import EXPLANATIONS, Oddity, odd_facts
from processors.rules import Rules
from tests.support.facts import Happening

RECEIVED, STEPPED_UP, CLOSED = "notification.received", "case.stepped-up", "case.closed"
FIRST = date(2016, 3, 1)  # a Tuesday
LATER = FIRST + timedelta(days=90)


def on(days: int) -> date:
    return FIRST + timedelta(days=days)


def case(subject: str = "C1", **data: Any) -> Happening:
    return Happening()(RECEIVED, FIRST, subject, **{"notification_type": "EHN", **data})


def odd(rules: Rules, it: Happening, as_of: date = LATER) -> list[tuple[str, str, str]]:
    """The kind, the case and the event's id of each odd fact."""
    found = odd_facts(it.events, rules.areas, rules.calendar, as_of)
    return [(fact.kind, fact.case, fact.id) for fact in found]


def test_a_case_as_it_should_be_is_not_odd(rules: Rules) -> None:
    it = case(district="Thanet")("contact.made", FIRST)(STEPPED_UP, on(3))
    assert odd(rules, it(CLOSED, on(10), outcome="x")) == []


def test_a_case_without_a_notification_is_named_by_its_first_event(rules: Rules) -> None:
    it = Happening()("plan.completed", on(5))("contact.made", on(2))
    assert odd(rules, it) == [(Oddity.NO_NOTIFICATION, "C1", "001")]


@pytest.mark.parametrize("kind", ["contact.made", "plan.completed", CLOSED, "case.reopened"])
def test_a_milestone_or_closure_before_the_notification_is_odd(rules: Rules, kind: str) -> None:
    data = {"outcome": "x"} if kind == CLOSED else {}
    assert odd(rules, case()(kind, on(-1), **data)) == [(Oddity.BEFORE_NOTIFICATION, "C1", "001")]
    assert odd(rules, case()(kind, FIRST, at="T01:00:00Z", **data)) == []


def test_an_allocation_before_the_notification_is_not_odd(rules: Rules) -> None:
    assert odd(rules, case()("case.allocated", on(-3), service="unit")) == []


def test_what_is_dated_after_the_as_of_date_is_in_the_future(rules: Rules) -> None:
    it = case()("contact.made", on(5))
    assert odd(rules, it, on(4)) == [(Oddity.IN_THE_FUTURE, "C1", "001")]
    assert odd(rules, it, on(5)) == []


def test_a_step_up_is_odd_once_more_than_five_working_days_have_passed(rules: Rules) -> None:
    it = case()(STEPPED_UP, FIRST)
    # The fifth working day after Tuesday the 1st is the 8th.
    assert odd(rules, it, on(7)) == []
    assert odd(rules, it, on(8)) == [(Oddity.STEP_UP_NOT_CLOSED, "C1", "001")]


def test_a_closure_from_the_day_of_the_step_up_on_is_as_it_should_be(rules: Rules) -> None:
    same_day = case()(CLOSED, FIRST, outcome="x")(STEPPED_UP, FIRST, at="T13:00:00Z")
    assert odd(rules, same_day) == []
    before = case()(CLOSED, on(1), outcome="x")(STEPPED_UP, on(2))
    assert odd(rules, before) == [(Oddity.STEP_UP_NOT_CLOSED, "C1", "002")]
    late = case()(STEPPED_UP, FIRST)(CLOSED, on(30), outcome="x")
    assert odd(rules, late) == []
    assert (Oddity.STEP_UP_NOT_CLOSED, "C1", "001") in odd(rules, late, on(29))


def test_a_district_that_is_not_in_the_tree_is_odd_and_none_is_not(rules: Rules) -> None:
    assert odd(rules, case(district="Atlantis")) == [(Oddity.UNKNOWN_DISTRICT, "C1", "000")]
    assert odd(rules, case(district="East")) == [(Oddity.UNKNOWN_DISTRICT, "C1", "000")]  # no leaf
    assert odd(rules, case(district=None)) == []


def test_each_case_of_a_child_is_looked_at_by_itself_in_order(rules: Rules) -> None:
    it = Happening()("contact.made", FIRST, "C2")(RECEIVED, FIRST, "C1", notification_type="EHN")
    it("contact.made", on(-1), "C1")
    it("scs.opened", on(-9), "S1", origin="referral")  # no event of a case
    assert odd(rules, it) == [
        (Oddity.BEFORE_NOTIFICATION, "C1", "002"),
        (Oddity.NO_NOTIFICATION, "C2", "000"),
    ]


def test_every_kind_is_explained() -> None:
    assert set(EXPLANATIONS) == set(Oddity)
