"""What is known of a person over time, live and in the recount, by itself."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.days.calendar import FIRST_DAY, NEVER, day_number
from processors.days.intervals import Intervals
from processors.facts import people as live
from processors.record.decoding import Event, in_order
from snapshots.recount import people as recounted
from tests.support.facts import Happening

FIRST = date(2016, 3, 1)
ZERO = day_number(FIRST)
REGISTERED = {"place": "Hub", "kind": "young-person", "active": True, "consent": True}


def on(days: int) -> date:
    return FIRST + timedelta(days=days)


def days(intervals: Intervals) -> list[tuple[int, int | None]]:
    """Intervals in days from FIRST on; the last may have no end."""
    return [(begin - ZERO, None if end == NEVER else end - ZERO) for begin, end in intervals]


def registered(it: Happening, day: int, subject: str = "R1", **data: Any) -> Happening:
    return it("registration.recorded", on(day), subject, **{**REGISTERED, **data})


def as_known(it: Happening, day: int) -> recounted.RecountedPerson:
    """The recount's view of a person on a day."""
    today = ZERO + day
    return recounted.RecountedPerson(
        in_order(each for each in it.events if each.day <= today), today
    )


@pytest.mark.parametrize(
    ("born", "years", "day"),
    [
        ("2000-02-29", 16, "2016-02-29"),
        ("2000-02-29", 17, "2017-03-01"),
        ("2000-12-31", 18, "2018-12-31"),
        ("2000-01-01", 0, "2000-01-01"),
    ],
)
def test_a_birthday_is_the_day_or_the_first_of_march(born: str, years: int, day: str) -> None:
    assert live.birthday(born, years) == day_number(date.fromisoformat(day))


def test_a_registration_is_in_force_while_it_is_active_and_consented() -> None:
    it = registered(Happening(), 0)
    registered(it, 3, consent=False)
    registered(it, 5, place="Centre")
    it("registration.ended", on(9), "R1")
    registered(it, 12, active=False)
    found = live.person(it.events).registrations
    assert [(each.place, each.first - ZERO) for each in found] == [("Hub", 0), ("Centre", 0)]
    assert days([(each.begin, each.end) for each in found]) == [(0, 3), (5, 9)]
    in_force = [
        day for day in range(14) if any(r.latest for r in as_known(it, day).registrations.values())
    ]
    assert in_force == [0, 1, 2, 5, 6, 7, 8]


def test_an_end_of_what_was_never_registered_is_nothing() -> None:
    it = Happening()("registration.ended", on(1), "R1")
    assert live.person(it.events).registrations == []
    assert as_known(it, 2).registrations == {}
    assert live.person(it.events).places_of == {}


def test_a_social_care_case_keeps_its_latest_status_and_takes_its_latest_origin() -> None:
    it = Happening()("scs.status", on(0), "S1", status="cin")
    it("scs.opened", on(2), "S1", origin="referral")
    it("scs.status", on(4), "S1", status="cp")
    it("scs.closed", on(6), "S1", reason="done")
    it("scs.opened", on(8), "S1", origin="early-help-step-up")
    found = live.person(it.events).scs_cases
    assert [(each.origin, each.status) for each in found] == [
        ("referral", "cin"),
        ("referral", "cp"),
        ("early-help-step-up", "cp"),
    ]
    assert days([(each.begin, each.end) for each in found]) == [(2, 4), (4, 6), (8, None)]
    (again,) = as_known(it, 8).scs_cases
    assert again == recounted.ScsCase("early-help-step-up", "cp")
    assert as_known(it, 7).scs_cases == []


def test_where_a_person_lives_is_not_known_until_it_is_said() -> None:
    it = registered(Happening(), 2, district="Dover")
    registered(it, 5, district=None)
    registered(it, 7, district="Thanet")
    found = [(name, begin, end) for begin, end, name in live.person(it.events).districts]
    assert found == [
        (None, FIRST_DAY, ZERO + 2),
        ("Dover", ZERO + 2, ZERO + 7),
        ("Thanet", ZERO + 7, NEVER),
    ]


def test_an_age_goes_by_the_date_of_birth_that_was_said_last() -> None:
    it = registered(Happening(), 0, date_of_birth="2000-03-06")
    registered(it, 8, date_of_birth="2001-03-12")
    about = live.person(it.events)
    # 16 from the 6th by the first, and again from 12 March 2017 by the second.
    assert days(about.aged(16, 16)) == [(5, 8), (376, 741)]
    assert days(about.aged(15, 16)) == [(0, 8), (11, 741)]
    assert [as_known(it, day).age for day in (4, 5, 7, 8)] == [15, 16, 16, 14]
    assert live.person([]).aged(0, 100) == []


def test_a_mark_holds_from_when_it_is_said_until_something_else_is() -> None:
    it = registered(Happening(), 0, deprived_area=True, characteristics=["sen"])
    registered(it, 3)
    registered(it, 5, deprived_area=False, characteristics=[])
    about = live.person(it.events)
    assert days(about.marked("deprived_area", True.__eq__)) == [(0, 5)]
    assert days(about.marked("deprived_area", False.__eq__)) == [(5, None)]
    assert days(about.marked("characteristics", lambda said: "sen" in said)) == [(0, 5)]
    assert as_known(it, 4).latest("deprived_area") is True
    assert as_known(it, 5).latest("deprived_area") is False


def test_of_a_day_what_was_said_last_counts() -> None:
    it = registered(Happening(), 1, at="T15:00:00Z", district="Dover")
    registered(it, 1, at="T09:00:00Z", district="Thanet")
    assert [name for _, _, name in live.person(it.events).districts] == [None, "Dover"]
    assert as_known(it, 1).latest("district") == "Dover"


STEPS = st.lists(
    st.tuples(
        st.integers(0, 9),
        st.sampled_from(["R1", "R2"]),
        st.one_of(st.none(), st.tuples(st.booleans(), st.sampled_from(["Hub", "Centre"]))),
    ),
    max_size=6,
)


@given(STEPS)
def test_on_every_day_the_recount_knows_the_registrations_that_the_live_side_has(
    steps: list[tuple[int, str, tuple[bool, str] | None]],
) -> None:
    it = Happening()
    for day, subject, recorded in steps:
        if recorded is None:
            it("registration.ended", on(day), subject)
        else:
            registered(it, day, subject, consent=recorded[0], place=recorded[1])
    found = live.person(it.events).registrations
    for day in range(11):
        here = {(r.subject, r.place) for r in found if r.begin <= ZERO + day < r.end}
        known = as_known(it, day).registrations.items()
        said: dict[str, Event] = {name: r.latest for name, r in known if r.latest}
        assert here == {(name, event.data["place"]) for name, event in said.items()}
