"""From when until when a standard is due soon and breached, and why that ends, by itself."""

from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
import pytest

from processors.alerts.deadlines import REASONS, breaches
from processors.days.calendar import NEVER, day_number
from processors.ledger.entries import by_shard
from processors.rules import Rules
from schemas.standards import Standard
from tests.support.derived import facts, spans_of
from tests.support.facts import Happening

RECEIVED, ALLOCATED = "notification.received", "case.allocated"
CLOSED, REOPENED = "case.closed", "case.reopened"
FIRST = date(2016, 3, 1)  # a Tuesday; Good Friday is the 25th, Easter Monday the 28th
ZERO = day_number(FIRST)


class Watched(NamedTuple):
    """A span in days from FIRST on; one without an end goes on."""

    begin: int
    due: int
    breach: int
    end: int | None
    ended: str


def standard(**fields: Any) -> Standard:
    made = {
        "code": "made-up",
        "title": "Made up",
        "service": "unit",
        "clock": "received",
        "milestone": "contact",
        "limit": 10,
        "unit": "days",
        "due_soon": 3,
        "severity": "warning",
        "owner": "team",
    }
    return Standard.model_validate({**made, **fields})


def on(days: int) -> date:
    return FIRST + timedelta(days=days)


def case() -> Happening:
    it = Happening()(RECEIVED, FIRST, notification_type="EHN")
    return it(ALLOCATED, FIRST, service="unit", at="T13:00:00Z")


def watched(rules: Rules, it: Happening, *standards: Standard) -> list[Watched]:
    found = spans_of(rules, facts(rules, it).case, standards)
    rows = (it.tolist() for it in (found.begin, found.due, found.breach, found.end, found.ended))
    return [
        Watched(
            begin - ZERO,
            due - ZERO,
            breach - ZERO,
            None if end == NEVER else end - ZERO,
            "" if end == NEVER else REASONS[ended],
        )
        for begin, due, breach, end, ended in zip(*rows, strict=True)
    ]


def test_a_limit_in_days_is_due_on_its_last_day_and_breached_on_the_next(rules: Rules) -> None:
    assert watched(rules, case(), standard()) == [Watched(7, 10, 11, None, "")]
    assert watched(rules, case(), standard(due_soon=0)) == [Watched(10, 10, 11, None, "")]


def test_a_limit_in_working_days_passes_over_weekends_and_bank_holidays(rules: Rules) -> None:
    # The tenth working day after Tuesday the 1st is the 15th; the 20th is the 31st, after Easter.
    ten, twenty = (standard(limit=it, unit="working-days") for it in (10, 20))
    assert watched(rules, case(), ten) == [Watched(9, 14, 15, None, "")]
    assert watched(rules, case(), twenty) == [Watched(23, 30, 31, None, "")]


def test_what_was_done_before_it_was_due_soon_is_never_watched(rules: Rules) -> None:
    assert watched(rules, case()("contact.made", on(7)), standard()) == []


@pytest.mark.parametrize(
    ("done", "why"), [(8, "done"), (10, "done"), (11, "done-late"), (30, "done-late")]
)
def test_done_ends_it_in_time_or_late(rules: Rules, done: int, why: str) -> None:
    it = case()("contact.made", on(done))
    assert watched(rules, it, standard()) == [Watched(7, 10, 11, done, why)]


def test_a_closure_ends_it_and_a_reopening_begins_it_anew_by_the_same_clock(rules: Rules) -> None:
    it = case()(CLOSED, on(9), outcome="x")(REOPENED, on(20))
    assert watched(rules, it, standard()) == [
        Watched(7, 10, 11, 9, "closed"),
        Watched(20, 10, 11, None, ""),
    ]


def test_another_service_ends_it_unless_the_case_closes_on_the_way(rules: Rules) -> None:
    given = case()(ALLOCATED, on(9), service="other")
    assert watched(rules, given, standard()) == [Watched(7, 10, 11, 9, "transferred")]
    closed = case()(CLOSED, on(9), outcome="x")(ALLOCATED, on(9), service="other", at="T14:00:00Z")
    assert watched(rules, closed, standard()) == [Watched(7, 10, 11, 9, "closed")]


def test_closed_and_reopened_within_a_day_is_an_end_and_a_new_beginning(rules: Rules) -> None:
    it = case()(CLOSED, on(9), outcome="x")(REOPENED, on(9), at="T15:00:00Z")
    assert watched(rules, it, standard()) == [
        Watched(7, 10, 11, 9, "closed"),
        Watched(9, 10, 11, None, ""),
    ]


def test_without_a_milestone_only_the_end_of_the_case_ends_it(rules: Rules) -> None:
    it = case()("contact.made", on(2))("plan.completed", on(3))(CLOSED, on(12), outcome="x")
    assert watched(rules, it, standard(milestone=None)) == [Watched(7, 10, 11, 12, "closed")]


def test_a_service_is_watched_by_the_clock_of_its_own_receipt(rules: Rules) -> None:
    it = case()(ALLOCATED, on(5), service="family-support")
    own = standard(service="family-support", clock="receipt")
    assert watched(rules, it, own) == [Watched(12, 15, 16, None, "")]
    assert watched(rules, it("contact.made", on(4)), own) == [Watched(12, 15, 16, None, "")]
    assert watched(rules, it("contact.made", on(13)), own) == [Watched(12, 15, 16, 13, "done")]


def test_a_case_of_no_service_or_another_one_is_not_watched(rules: Rules) -> None:
    it = Happening()(RECEIVED, FIRST, notification_type="EHN")
    assert watched(rules, it, standard()) == []
    assert watched(rules, case(), standard(service="young-carers")) == []
    assert watched(rules, case()) == []


def test_spans_are_of_one_standard_after_the_other(rules: Rules) -> None:
    found = spans_of(rules, facts(rules, case()).case, [standard(limit=20), standard(limit=5)])
    assert found.standard.tolist() == [0, 1]
    assert (found.breach - ZERO).tolist() == [21, 6]


def test_a_breach_is_counted_from_its_first_day_to_its_end(rules: Rules) -> None:
    def entries(it: Happening) -> list[tuple[int, int, int]]:
        columns = facts(rules, it).case
        shard = np.zeros(columns.group.max() + 1, dtype=np.int64)
        parts = breaches(spans_of(rules, columns, [standard()]), columns, 100, shard)
        (found,) = by_shard(parts, 1)
        rows = (found.slot.tolist(), (found.day - ZERO).tolist(), found.amount.tolist())
        return list(zip(*rows, strict=True))

    assert entries(case()("contact.made", on(20))) == [(100, 11, 1), (100, 20, -1)]
    assert entries(case()) == [(100, 11, 1)]
    assert entries(case()("contact.made", on(11))) == []
    assert entries(case()("contact.made", on(10))) == []
