"""What a measure counts, on which days and where: live and in the recount, each by itself.

The days are written down here, so that a rule that is broken in one of the two names itself.
"""

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from processors.days.calendar import date_of, day_number
from processors.rules import Rules
from schemas.areas import load_areas
from schemas.catalogue import Catalogue
from schemas.datafile import DataFile
from schemas.places import Locality, load_places
from snapshots.recount.days import WorkingDays, bank_holidays
from snapshots.recount.definitions import Definitions
from tests.support.derived import facts
from tests.support.facts import Happening

RECEIVED, ALLOCATED = "notification.received", "case.allocated"
CLOSED, REOPENED = "case.closed", "case.reopened"
FIRST = date(2016, 3, 1)  # a Tuesday; Easter is from the 25th to the 28th
LAST = date(2018, 3, 1)

# A catalogue has one at least; these figures are not looked at.
INDICATOR = """
[[indicator]]
code = "A1"
title = "A"
definition = "A."
family = "A"
frequency = "M"
unit = "count"
polarity = "L"
bands = "none"
levels = ["county"]
numerator = { a = 1 }
"""

# By locality, what a day counts; by day.
Counts = dict[date, Counter[Locality]]
Count = Callable[[str, Happening], Counts]


def rules_of(measures: str) -> Rules:
    """Rules of these measures alone."""
    catalogue = DataFile(f'direction = "change"\n{measures}\n{INDICATOR}'.encode())
    areas, places = load_areas(), load_places()
    return Rules(catalogue.into(Catalogue), areas, places=places)


def days() -> list[int]:
    return list(range(day_number(FIRST) - 40, day_number(LAST)))


def live(measures: str, it: Happening) -> Counts:
    """What the ledger counts."""
    rules = rules_of(measures)
    times = [
        (locality, begin, end, amount)
        for counts in rules.ledger.counts(facts(rules, it))
        for locality, begin, end, amount in zip(
            counts.locality.tolist(),
            counts.begin.tolist(),
            counts.end.tolist(),
            counts.amount.tolist(),
            strict=True,
        )
    ]
    times += [counted[1:] for counted in rules.counting.counted(it.events)]
    found = {}
    for day in days():
        here = Counter[Locality]()
        for number, begin, end, amount in times:
            if begin <= day < end:
                here[rules.localities.all[number]] += amount
        found[date_of(day)] = here
    return found


def recounted(measures: str, it: Happening) -> Counts:
    """What the recount's definitions count."""
    rules = rules_of(measures)
    week = WorkingDays(bank_holidays(LAST))
    definitions = Definitions(rules.catalogue, rules.areas, rules.places, week)
    found = {}
    for day in days():
        here = Counter[Locality]()
        for added in definitions.amounts(it.events, day):
            here[added.locality] += sum(amount for _, amount in added.amounts)
        found[date_of(day)] = here
    return found


@pytest.fixture(params=[live, recounted], ids=["live", "recounted"])
def count(request: pytest.FixtureRequest) -> Count:
    counted: Count = request.param
    return counted


def stretches(counts: Counts) -> list[tuple[str, str, int]]:
    """The first and last day of each stretch with one number, and the number; zeros left out."""
    found: list[tuple[str, str, int]] = []
    yesterday = 0
    for day, here in counts.items():
        number = here.total()
        if number and number == yesterday:
            found[-1] = (found[-1][0], str(day), number)
        elif number:
            found.append((str(day), str(day), number))
        yesterday = number
    return found


def on(days: int) -> date:
    return FIRST + timedelta(days=days)


def case(subject: str = "C1", day: date = FIRST, **data: Any) -> Happening:
    return Happening()(RECEIVED, day, subject, **{"notification_type": "EHN", **data})


def of_case(text: str) -> str:
    return f'[[measure]]\nname = "a"\nof = "case"\n{text}'


EVER = str(LAST - timedelta(days=1))


@pytest.mark.parametrize(
    ("window", "first", "last"),
    [
        ('kind = "month"', "2016-03-08", "2016-03-31"),
        ('kind = "last-months", months = 1', "2016-03-08", "2016-04-07"),
        ('kind = "last-months", months = 12', "2016-03-08", "2017-03-07"),
        ('kind = "months-after", months = 2', "2016-04-01", "2016-05-31"),
        ('kind = "month-after", months = 2', "2016-05-01", "2016-05-31"),
        ('kind = "financial-year"', "2016-03-08", "2016-03-31"),
    ],
)
def test_a_window_is_open_so_long(count: Count, window: str, first: str, last: str) -> None:
    it = case()(CLOSED, on(7), outcome="x")
    closed = of_case(f'state = "closed"\nwindow = {{ day = "closed", {window} }}')
    assert stretches(count(closed, it)) == [(first, last, 1)]


def test_a_month_end_leaves_the_last_months_at_a_month_end(count: Count) -> None:
    it = case(day=date(2016, 2, 29))
    recent = of_case('window = { day = "received", kind = "last-months", months = 12 }')
    assert stretches(count(recent, it)) == [("2016-02-29", "2017-02-27", 1)]


def test_a_start_in_working_days_passes_over_easter(count: Count) -> None:
    late = of_case('state = "open"\nstarts = [{ day = "received", working_days = 18 }]')
    # The 18th working day after the 1st is Tuesday the 29th, after Easter Monday.
    assert stretches(count(late, case())) == [("2016-03-30", EVER, 1)]


def test_a_limit_counts_what_keeps_it(count: Count) -> None:
    for most, least, counts in ((6, -1, 0), (7, -1, 1), (9, 6, 1), (9, 7, 0)):
        limit = (
            f'limit = {{ from = "received", to = "contact", unit = "days", more_than = {least}, '
            f"at_most = {most} }}"
        )
        it = case()("contact.made", on(7))
        found = stretches(count(of_case(f'starts = [{{ day = "contact" }}]\n{limit}'), it))
        assert found == [("2016-03-08", EVER, 1)] * counts, (most, least)


def test_what_keeps_a_limit_counts_once_it_has_happened(count: Count) -> None:
    """Also where the measure starts before: nobody knows yet that it will."""
    limit = 'limit = { from = "received", to = "plan", unit = "days", at_most = 9 }'
    it = case()("plan.completed", on(7))
    found = stretches(count(of_case(f'starts = [{{ day = "received", days = 4 }}]\n{limit}'), it))
    assert found == [("2016-03-08", EVER, 1)]


def test_a_limit_without_an_end_is_longer_than_any(count: Count) -> None:
    limit = 'limit = { from = "received", to = "plan", unit = "working-days", more_than = 3'
    assert stretches(count(of_case(f"{limit} }}"), case())) == []
    assert stretches(count(of_case(f"{limit}, unended = true }}"), case())) == [
        ("2016-03-01", EVER, 1)
    ]


def test_a_total_is_the_days_of_each(count: Count) -> None:
    lengths = of_case('state = "closed"\ntotal = { from = "received", to = "closed" }')
    it = case()(CLOSED, on(7), outcome="x")
    assert stretches(count(lengths, it)) == [("2016-03-08", EVER, 1 + 7)]


def test_a_case_counts_where_it_was_received_and_with_whom_has_it(count: Count) -> None:
    it = case(district="Thanet")(ALLOCATED, on(2), service="unit", provider="Salus")
    it(ALLOCATED, on(4), service="other")
    counts = count(of_case('state = "open"'), it)
    assert counts[on(1)] == {Locality("Thanet"): 1}
    assert counts[on(2)] == {Locality("Thanet", "Salus"): 1}
    assert counts[on(4)] == {Locality("Thanet"): 1}


def test_a_holder_an_outcome_and_evidence_are_those_of_the_state_that_it_has(count: Count) -> None:
    it = case()(ALLOCATED, on(2), service="unit")(CLOSED, on(4), outcome="Achieved")
    it(REOPENED, on(9))(CLOSED, on(12), outcome="Gone", troubled_families_evidence=True)
    unit = 'holder = { any_of = ["unit"] }'
    assert stretches(count(of_case(f'state = "open"\n{unit}'), it)) == [
        ("2016-03-03", "2016-03-04", 1),
        ("2016-03-10", "2016-03-12", 1),
    ]
    achieved = 'state = "closed"\noutcome = { contains_any = ["chiev"] }'
    assert stretches(count(of_case(achieved), it)) == [("2016-03-05", "2016-03-09", 1)]
    evidence = 'state = "closed"\nflags = ["troubled_families_evidence"]'
    assert stretches(count(of_case(evidence), it)) == [("2016-03-13", EVER, 1)]


def test_a_notification_counts_by_its_own_type_on_its_own_day(count: Count) -> None:
    it = case()(RECEIVED, on(9), notification_type="CDT")
    typed = '[[measure]]\nname = "a"\nof = "notification"\n'
    window = 'window = { day = "notified", kind = "month" }'
    assert stretches(count(f"{typed}{window}", it)) == [
        ("2016-03-01", "2016-03-09", 1),
        ("2016-03-10", "2016-03-31", 2),
    ]
    only = f'{typed}notification_type = {{ any_of = ["CDT"] }}\n{window}'
    assert stretches(count(only, it)) == [("2016-03-10", "2016-03-31", 1)]


EARLIER = """
[[relation]]
name = "again"
of = "notification"
to = "{to}"
before = "notified"
months = 12
{more}

[[measure]]
name = "a"
of = "notification"
flags = ["again"]
window = {{ day = "notified", kind = "month" }}
"""


@pytest.mark.parametrize(
    ("to", "more", "again"),
    [
        ("spell", "", True),
        ("closure", "", True),
        ("spell", 'holder = { any_of = ["unit"] }', True),
        ("spell", 'holder = { any_of = ["other"] }', False),
        ("closure", 'holder = { any_of = ["other"] }', False),
        ("spell", 'same = "primary_reason"', False),
    ],
)
def test_an_earlier_case_of_the_child_is_one_that_was_with_a_service(
    count: Count, to: str, more: str, again: bool
) -> None:
    it = case("C0", on(-30), primary_reason="housing")(ALLOCATED, on(-29), "C0", service="unit")
    it(CLOSED, on(-20), "C0", outcome="x")
    it(RECEIVED, on(0), "C1", notification_type="EHN", primary_reason="debt")
    found = stretches(count(EARLIER.format(to=to, more=more), it))
    assert found == [("2016-03-01", "2016-03-31", 1)] * again


@pytest.mark.parametrize(("ended", "again"), [(date(2015, 3, 2), True), (date(2015, 3, 1), False)])
def test_a_case_that_closed_a_year_ago_to_the_day_is_no_longer_recent(
    count: Count, ended: date, again: bool
) -> None:
    it = case("C0", date(2015, 1, 5))(CLOSED, ended, "C0", outcome="x")
    it(RECEIVED, FIRST, "C1", notification_type="EHN")
    found = stretches(count(EARLIER.format(to="spell", more=""), it))
    assert found == [("2016-03-01", "2016-03-31", 1)] * again


def test_a_case_that_comes_after_is_no_earlier_one(count: Count) -> None:
    it = case("C0", on(1))(RECEIVED, FIRST, "C1", notification_type="EHN")
    found = stretches(count(EARLIER.format(to="spell", more=""), it))
    assert found == [("2016-03-02", "2016-03-31", 1)]  # that of C0, after C1


def test_a_step_up_is_opened_in_social_care_within_its_months(count: Count) -> None:
    opened = """
[[relation]]
name = "opened"
of = "case"
to = "scs-opening"
after = "stepped_up"
months = 1

""" + of_case('window = { day = "opened", kind = "month" }')
    it = case()("case.stepped-up", on(2))
    near = it("scs.opened", date(2016, 4, 2), "S1", origin="early-help-step-up")
    assert stretches(count(opened, near)) == [("2016-04-02", "2016-04-30", 1)]
    far = case()("case.stepped-up", on(2))("scs.opened", date(2016, 4, 3), "S1", origin="referral")
    assert stretches(count(opened, far)) == []


def of_person(text: str) -> str:
    return f'[[measure]]\nname = "a"\nof = "person"\n{text}'


def registered(it: Happening, day: date, **data: Any) -> Happening:
    said = {"place": "Riverside", "kind": "child", "active": True, "consent": True}
    return it("registration.recorded", day, "R1", **{**said, **data})


def test_a_registration_counts_where_the_person_lives_while_it_is_in_force(count: Count) -> None:
    it = registered(Happening(), FIRST, district="Thanet")
    registered(it, on(5), district="Dover")
    it("registration.ended", on(9), "R1")
    counts = count(of_person("registered = true"), it)
    assert stretches(counts) == [("2016-03-01", "2016-03-09", 1)]
    assert counts[on(4)] == {Locality("Thanet"): 1}
    assert counts[on(5)] == {Locality("Dover"): 1}


def test_a_new_registration_is_new_until_the_end_of_its_first_month(count: Count) -> None:
    it = registered(Happening(), on(20))
    registered(it, on(40))
    new = of_person("registered = true\nnewly = true")
    assert stretches(count(new, it)) == [("2016-03-21", "2016-03-31", 1)]


def test_attendance_so_often_goes_by_different_sessions(count: Count) -> None:
    it = Happening()
    for day, session in ((0, "S1"), (1, "S1"), (3, "S2"), (5, "S3")):
        it("session.attended", on(day), session, place="Riverside", kind="group")
    often = of_person('attended = { kind = { any_of = ["group"] }, months = 1, times = 3 }')
    # S1 is gone a month after its second attendance; from then on there are two.
    assert stretches(count(often, it)) == [("2016-03-06", "2016-04-01", 1)]
    other = of_person('attended = { kind = { any_of = ["other"] }, months = 1 }')
    assert stretches(count(other, it)) == []


def test_an_age_a_mark_and_social_care_are_asked_for_together(count: Count) -> None:
    it = registered(Happening(), FIRST, date_of_birth="2011-03-11", deprived_area=True)
    it("scs.opened", on(4), "S1", origin="referral", status="cin")
    it("scs.status", on(6), "S1", status="cp")
    assert stretches(count(of_person("age = [0, 4]"), it)) == [("2016-03-01", "2016-03-10", 1)]
    both = of_person('age = [0, 4]\ndeprived = true\nscs_status = "cp"')
    assert stretches(count(both, it)) == [("2016-03-07", "2016-03-10", 1)]


def test_at_a_site_what_happened_there_counts_and_residents_alone_if_asked(count: Count) -> None:
    it = registered(Happening(), FIRST, district="Gravesham")
    site = 'registered = true\nonce = "site"\nat = ["childrens-centre"]'
    here = count(of_person(site), it)[on(3)]
    assert [(place.only.name if place.only else "") for place in here] == ["Riverside"]
    elsewhere = registered(Happening(), FIRST, district="Thanet")
    assert stretches(count(of_person(f"{site}\nresident = true"), elsewhere)) == []


def test_cases_openings_and_closings_of_social_care(count: Count) -> None:
    it = Happening()("scs.opened", FIRST, "S1", origin="referral", district="Dover")
    it("scs.closed", on(5), "S1", reason="stepped down")
    it("scs.opened", on(40), "S1", origin="referral")

    def of(kind: str, more: str = "") -> list[tuple[str, str, int]]:
        return stretches(count(f'[[measure]]\nname = "a"\nof = "scs-{kind}"\n{more}', it))

    assert of("case") == [("2016-03-01", "2016-03-05", 1), ("2016-04-10", EVER, 1)]
    assert of("opening") == [("2016-03-01", "2016-03-31", 1), ("2016-04-10", "2016-04-30", 1)]
    assert of("opening", "again_within = 12") == [("2016-04-10", "2016-04-30", 1)]
    assert of("opening", "again_within = 1") == []
    assert of("closing") == [("2016-03-06", "2016-03-31", 1)]
    assert of("closing", 'reason = { any_of = ["moved"] }') == []


def test_a_session_counts_in_its_month_with_what_it_reports(count: Count) -> None:
    it = Happening()(
        "session.held", FIRST, "S1", place="Riverside", kind="training", participants=7
    )
    text = '[[measure]]\nname = "a"\nof = "session"\n'
    assert stretches(count(text, it)) == [("2016-03-01", "2016-03-31", 1)]
    assert stretches(count(f'{text}total = "participants"', it)) == [
        ("2016-03-01", "2016-03-31", 8)
    ]
    assert stretches(count(f'{text}kind = {{ any_of = ["group"] }}', it)) == []
    assert stretches(count(f"{text}attended = true\nmonths = 2", it)) == [
        ("2016-03-01", "2016-04-30", 1)
    ]
