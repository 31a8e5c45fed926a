"""A stand is the time in one state under one owner; an acknowledgement lasts no longer."""

from datetime import date, datetime, timedelta

import pytest

from processors.days.calendar import LONDON
from processors.places.indicator_places import news
from processors.rules import Rules
from schemas.alerts import CaseChange, IndicatorChange
from streams.alerts.actions import Ack
from tests.support.indicatorfigures import figure
from tests.support.onechild import UNIT, OneChild, event, given, nine, received, retraction

CONTACT = "unit-contact 1"
NOW = datetime(2015, 10, 20, 12, tzinfo=LONDON)


def ack(change: CaseChange | IndicatorChange) -> Ack:
    """What `caseline alerts ack` makes of an alert."""
    return Ack(
        by="T. Lead",
        reason="Visit booked",
        at=NOW,
        until=NOW + timedelta(days=30),
        alert=change.alert,
        state=change.state,
        stand=change.stand,
        owner=change.owner,
    )


@pytest.fixture
def child(rules: Rules) -> OneChild:
    return OneChild(rules)


def breached(child: OneChild) -> CaseChange:
    told = child.on("2015-10-19", received(), given("2015-10-01", team="One", **UNIT))
    return told[CONTACT]


def test_an_acknowledgement_holds_while_something_else_changes(child: OneChild) -> None:
    before = breached(child)
    after = child.on("2015-10-20", event("worker.assigned", "2015-10-20", worker="W1"))[CONTACT]
    assert (after.version, after.worker) == (2, "W1")
    assert (after.stand, after.stand_learnt) == (1, nine("2015-10-19"))
    assert after.learnt == nine("2015-10-20")
    assert ack(before).covers(after, NOW)


def test_an_acknowledgement_ends_with_the_breach_though_it_comes_again_the_same(
    child: OneChild,
) -> None:
    before = breached(child)
    over = child.on("2015-10-20", event("contact.made", "2015-10-20", "call"))[CONTACT]
    assert (over.state, over.stand) == ("resolved", 2)
    again = child.on("2015-10-21", retraction("call", "2015-10-21"))[CONTACT]
    assert (again.state, again.since) == (before.state, before.since)
    assert (again.stand, again.stand_learnt) == (3, nine("2015-10-21"))
    assert not ack(before).covers(again, NOW)
    assert ack(again).covers(again, NOW)


def test_an_acknowledgement_ends_with_the_owner_who_gave_it(child: OneChild) -> None:
    before = breached(child)
    moved = child.on("2015-10-20", given("2015-10-20", "again", team="Two", **UNIT))[CONTACT]
    assert (moved.state, moved.owner, moved.stand) == ("breached", "Two", 2)
    assert not ack(before).covers(moved, NOW)


def test_what_ends_on_the_day_it_began_ends_its_stand(child: OneChild) -> None:
    before = child.on("2015-10-12", received(), given("2015-10-01", **UNIT))[CONTACT]
    over = child.on("2015-10-12", event("contact.made", "2015-10-12", "call"))[CONTACT]
    again = child.on("2015-10-12", retraction("call", "2015-10-12"))[CONTACT]
    assert (over.stand, again.stand, again.state) == (2, 3, "due-soon")
    assert not ack(before).covers(again, NOW)


def test_an_alert_on_an_indicator_that_comes_again_is_another_stand(rules: Rules) -> None:
    bad, good = figure(rules, "EH14", 10, 20), figure(rules, "EH14", 20, 20)
    day = date(2015, 10, 20)
    first = news([bad], {}, day, NOW)
    (before,) = first.values()
    over = news([good], first, day, NOW)
    (again,) = news([bad], over, day, NOW + timedelta(hours=1)).values()
    assert (before.stand, again.stand, again.stand_learnt) == (1, 3, NOW + timedelta(hours=1))
    assert not ack(before).covers(again, NOW)
    (moved,) = news([bad._replace(target=90.0)], first, day, NOW + timedelta(hours=2)).values()
    assert (moved.version, moved.stand, moved.stand_learnt) == (2, 1, NOW)
    assert ack(before).covers(moved, NOW)


@pytest.mark.parametrize(
    ("day", "worker"), [("2015-09-24", "W1"), ("2015-09-23", None), ("2015-10-05", "W1")]
)
def test_the_worker_is_one_who_counts_for_the_service(
    child: OneChild, day: str, worker: str | None
) -> None:
    told = child.on(
        "2015-10-19",
        received("2015-09-01"),
        event("worker.assigned", day, worker="W1"),
        given("2015-10-01", service="family-support"),
    )
    assert told["family-support-contact 1"].worker == worker


def test_an_alert_says_from_when_it_is_a_breach(child: OneChild) -> None:
    told = child.on("2015-10-14", received("2015-10-02"), given("2015-10-02", **UNIT))
    contact = told[CONTACT]
    # Ten working days are up on Friday; Monday is the first day on which more have passed.
    assert (contact.due, contact.breached_from) == (date(2015, 10, 16), date(2015, 10, 19))
