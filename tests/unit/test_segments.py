"""The segments, spells and days of a case (docs/indicators.md, Words), by themselves."""

from datetime import date, timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.days.calendar import NEVER, date_of, day_number
from processors.record.decoding import Event, in_order
from processors.rules import Rules
from schemas.catalogue import AGE_BANDS
from schemas.events.case import SERVICES
from tests.support.derived import Columns, derived, facts
from tests.support.facts import Happening

RECEIVED, ALLOCATED = "notification.received", "case.allocated"
CLOSED, REOPENED = "case.closed", "case.reopened"
FIRST = date(2016, 3, 1)
UNKNOWN = AGE_BANDS.index("unknown")


class Segment(NamedTuple):
    """A stretch of days from FIRST on; the last has no end."""

    begin: int
    end: int | None
    is_closed: bool
    holder: str | None
    episode: int


def segments(columns: Columns) -> list[Segment]:
    zero = day_number(FIRST)
    held = [(*SERVICES, None)[it] for it in columns.service.tolist()]
    return [
        Segment(begin - zero, None if end == NEVER else end - zero, is_closed, holder, episode)
        for begin, end, is_closed, holder, episode in zip(
            columns.begin.tolist(),
            columns.end.tolist(),
            columns.is_closed.tolist(),
            held,
            columns.episode.tolist(),
            strict=True,
        )
    ]


def on(days: int) -> date:
    return FIRST + timedelta(days=days)


def case(received: int = 0, **data: Any) -> Happening:
    return Happening()(RECEIVED, on(received), **{"notification_type": "EHN", **data})


def days_of(columns: Columns, name: str) -> list[date | None]:
    return [None if day >= NEVER else date_of(day) for day in columns.days[name].tolist()]


def test_a_case_is_cut_where_it_is_received_allocated_closed_and_reopened(rules: Rules) -> None:
    it = case()
    it(ALLOCATED, on(2), service="unit")(CLOSED, on(9), outcome="x")(REOPENED, on(20))
    assert segments(facts(rules, it).case) == [
        Segment(0, 2, False, None, 1),
        Segment(2, 9, False, "unit", 1),
        Segment(9, 20, True, "unit", 1),
        Segment(20, None, False, "unit", 2),
    ]


def test_a_case_without_a_notification_has_no_facts(rules: Rules) -> None:
    it = Happening()(ALLOCATED, on(0), service="unit")(CLOSED, on(3), outcome="x")
    assert segments(facts(rules, it).case) == []
    assert len(facts(rules, it).notification.begin) == 0


def test_an_allocation_before_the_notification_holds_from_receipt_and_a_closure_does_not_close(
    rules: Rules,
) -> None:
    it = case(5)(ALLOCATED, on(1), service="unit")(CLOSED, on(4), outcome="x")
    assert segments(facts(rules, it).case) == [Segment(5, None, False, "unit", 1)]


def test_a_closed_case_is_held_by_whom_it_had_when_it_closed(rules: Rules) -> None:
    it = case()(ALLOCATED, on(1), service="unit")(CLOSED, on(4), outcome="x")
    it(ALLOCATED, on(6), service="other")(REOPENED, on(8))
    assert [(each.begin, each.holder) for each in segments(facts(rules, it).case)] == [
        (0, None),
        (1, "unit"),
        (4, "unit"),
        (6, "unit"),
        (8, "other"),
    ]


def test_what_begins_and_ends_on_a_day_has_no_segment_and_is_an_episode(rules: Rules) -> None:
    it = case()(CLOSED, on(3), outcome="x", at="T08:00:00Z")(REOPENED, on(3), at="T09:00:00Z")
    it(CLOSED, on(3), outcome="y", at="T10:00:00Z")(REOPENED, on(5))
    assert segments(facts(rules, it).case) == [
        Segment(0, 3, False, None, 1),
        Segment(3, 5, True, None, 2),
        Segment(5, None, False, None, 3),
    ]


def test_contact_and_plan_are_the_first_from_receipt_of_the_case_on(rules: Rules) -> None:
    it = case(5)
    for day in (1, 7, 6):
        it("contact.made", on(day))
    it("plan.completed", on(4))
    found = facts(rules, it).case
    assert days_of(found, "contact") == [on(6)]
    assert days_of(found, "plan") == [None]
    assert days_of(found, "received") == [on(5)]


def test_a_service_received_the_case_when_it_first_had_it_and_counts_what_was_done_since(
    rules: Rules,
) -> None:
    it = case()(ALLOCATED, on(2), service="family-support")(ALLOCATED, on(5), service="unit")
    it(ALLOCATED, on(9), service="family-support")
    it("contact.made", on(1))("contact.made", on(7))("plan.completed", on(2))
    found = facts(rules, it).case
    assert days_of(found, "receipt") == [None, on(2), on(5), on(2)]
    assert days_of(found, "service_contact") == [None, on(7), on(7), on(7)]
    assert days_of(found, "service_plan") == [None, on(2), None, on(2)]


@pytest.mark.parametrize(
    ("assigned", "counts"),
    # Receipt is on Tuesday the 15th; five working days before is Tuesday the 8th.
    [(6, None), (7, 14), (13, 14), (14, 14), (16, 16)],
)
def test_a_worker_assigned_shortly_before_receipt_counts_as_on_its_day(
    rules: Rules, assigned: int, counts: int | None
) -> None:
    it = case()(ALLOCATED, on(14), service="family-support")
    it("worker.assigned", on(assigned), worker="W1")
    expected = None if counts is None else on(counts)
    assert days_of(facts(rules, it).case, "service_worker")[-1] == expected


def test_a_destination_is_sustained_by_what_comes_three_months_on_or_later(rules: Rules) -> None:
    it = case()("destination.started", on(1), kind="education")  # 2 March
    for day in (date(2016, 6, 1), date(2016, 6, 2), date(2016, 8, 1)):
        it("destination.sustained", day, kind="education")
    found = facts(rules, it).case
    assert days_of(found, "destination") == [on(1)]
    assert days_of(found, "sustained") == [date(2016, 6, 2)]


@pytest.mark.parametrize(
    ("born", "band"),
    [
        (None, UNKNOWN),
        ("2016-03-02", UNKNOWN),  # later
        ("2016-03-01", 0),
        ("2011-03-02", 0),
        ("2011-03-01", 1),
        ("2005-03-01", 2),
        ("2000-03-02", 2),
        ("2000-03-01", 3),
    ],
)
def test_the_band_is_of_the_completed_years_when_the_case_was_received(
    rules: Rules, born: str | None, band: int
) -> None:
    columns = facts(rules, case(date_of_birth=born)).case
    assert columns.band.tolist() == [band]


def test_each_notification_counts_of_its_own_day_and_age_in_the_first_ones_district(
    rules: Rules,
) -> None:
    it = case(0, district="Dover", date_of_birth="2011-03-04")
    it(RECEIVED, on(9), notification_type="CDT", district="Thanet", date_of_birth="1999-01-01")
    found = facts(rules, it).notification
    assert days_of(found, "notified") == [on(0), on(9)]
    assert days_of(found, "received") == [on(0), on(0)]
    assert found.band.tolist() == [0, 1]
    places = {rules.localities.all[number].district for number in found.locality.tolist()}
    assert places == {"Dover"}


def test_what_was_true_before_is_taken_away_and_what_has_not_changed_is_neither(
    rules: Rules,
) -> None:
    (before,) = case().rows(rules).values()
    (now,) = case()(CLOSED, on(3), outcome="x").rows(rules).values()
    found = derived(rules, [before], [now], [before]).case
    assert found.sign.tolist() == [-1, 1, 1, 0]
    assert found.group.tolist() == [0, 1, 1, 2]


def test_a_service_has_a_case_until_it_is_gone_and_on_the_day_that_it_ends(rules: Rules) -> None:
    held = facts(
        rules,
        case()(ALLOCATED, on(1), service="family-support")(ALLOCATED, on(4), service="unit")(
            ALLOCATED, on(6), service="family-support"
        )(CLOSED, on(8), outcome="x"),
    ).spell
    assert held is not None
    zero = day_number(FIRST)
    spells = [
        (SERVICES[service], begin - zero, until - zero)
        for service, begin, until in zip(
            held.service.tolist(), held.begin.tolist(), held.days["until"].tolist(), strict=True
        )
    ]
    assert spells == [("family-support", 1, 3), ("family-support", 6, 7), ("family-support", 8, 8)]


STEPS = st.sampled_from([ALLOCATED, CLOSED, REOPENED])


@given(
    st.integers(0, 6),
    st.lists(st.tuples(STEPS, st.integers(0, 12), st.sampled_from(SERVICES)), max_size=8),
)
def test_on_every_day_one_segment_says_how_the_case_stands(
    rules: Rules, received: int, steps: list[tuple[str, int, str]]
) -> None:
    it = case(received)
    for kind, day, service in steps:
        it(kind, on(day), **_data(kind, service))
    found = segments(facts(rules, it).case)
    for day in range(14):
        here = [each for each in found if each.begin <= day and (each.end or 99) > day]
        if day < received:
            assert here == []
            continue
        (segment,) = here
        assert (segment.is_closed, segment.holder) == standing(it.events, received, day)


def _data(kind: str, service: str) -> dict[str, str]:
    return {ALLOCATED: {"service": service}, CLOSED: {"outcome": "x"}}.get(kind, {})


def standing(events: list[Event], received: int, day: int) -> tuple[bool, str | None]:
    """Whether a case is closed, and who has it, read from its events up to a day."""
    zero = day_number(FIRST)
    known = in_order(it for it in events if it.day - zero <= day)
    of_state = [it for it in known if it.type in {CLOSED, REOPENED} and it.day - zero >= received]
    last = of_state[-1] if of_state and of_state[-1].type == CLOSED else None
    given = [
        it for it in known if it.type == ALLOCATED and (last is None or it.instant <= last.instant)
    ]
    return last is not None, given[-1].data["service"] if given else None
