"""Which events are behind a figure that moved between two cuts, by themselves."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from processors.days.calendar import day_number
from processors.record.decoding import Event
from schemas.areas import load_areas
from schemas.catalogue import Catalogue
from schemas.datafile import DataFile
from schemas.events.registry import CASE_TOPIC
from schemas.places import NO_PLACES, Place
from snapshots.checking.causes import Moves, MoveSearch
from snapshots.recount.children import Placed, news
from snapshots.recount.days import WorkingDays
from snapshots.recount.definitions import Definitions
from tests.support.facts import Happening

CATALOGUE = """
direction = "change"

[[measure]]
name = "open"
of = "case"
state = "open"

[[measure]]
name = "contacted"
of = "case"
starts = [{ day = "contact" }]
limit = { from = "received", to = "contact", unit = "days", at_most = 10 }

[[indicator]]
code = "A1"
title = "A"
definition = "A."
family = "A"
frequency = "M"
unit = "count"
polarity = "L"
bands = "count"
levels = ["county"]
numerator = { open = 1 }
"""
RECEIVED, CONTACT, CLOSED = "notification.received", "contact.made", "case.closed"
FIRST, SECOND, THIRD = (date(2016, 3, day) for day in (1, 2, 3))
BEFORE, TODAY = date(2016, 2, 29), date(2016, 3, 31)
KENT, THANET = Place("county", "Kent"), Place("district", "Thanet")


def case(**data: Any) -> Happening:
    return Happening()(
        RECEIVED, FIRST, **{"notification_type": "EHN", "district": "Thanet", **data}
    )


def placed(events: Sequence[Event]) -> list[Placed]:
    return [Placed(event, CASE_TOPIC, 0, offset) for offset, event in enumerate(events)]


def moves(it: Happening, cut: int) -> Moves:
    """What moved between a cut after so many of a child's events, and one after all."""
    catalogue = DataFile(CATALOGUE.encode()).into(Catalogue)
    definitions = Definitions(catalogue, load_areas(), NO_PLACES, WorkingDays([]))
    dates = [day_number(TODAY), day_number(BEFORE)]
    search = MoveSearch(definitions, dates, {(CASE_TOPIC, 0): cut})
    search.add(placed(it.events))
    return search.take()


def causes(found: Moves, slot: str, place: Place = KENT, band: str = "all") -> list[int]:
    """The offsets of the events behind a difference of today's."""
    return sorted(offset for _, _, offset in found.causes(0, [slot], place, band))


def test_the_event_that_came_is_behind_what_it_moved_and_nothing_else() -> None:
    found = moves(case()(CONTACT, SECOND), 1)
    assert causes(found, "contacted") == causes(found, "contacted", THANET) == [1]
    assert causes(found, "open") == []
    assert causes(found, "contacted", Place("district", "Dover")) == []
    assert [it.event.type for it in found.placed.values()] == [CONTACT]


def test_a_child_of_which_nothing_new_is_known_moved_nothing() -> None:
    it = case()(CONTACT, SECOND)
    assert moves(it, 2).placed == {}
    it.events.append(it.events[1])  # the same event again
    assert moves(it, 2).placed == {}


def test_as_of_a_day_before_an_event_it_moved_nothing() -> None:
    found = moves(case()(CONTACT, SECOND), 0)
    assert causes(found, "open") == [0]
    assert found.causes(1, ["open"], KENT, "all") == set()


def test_events_that_only_tell_together_are_all_behind_it() -> None:
    # Neither a contact without a notification, nor a notification without it, is contacted.
    found = moves(case()(CONTACT, SECOND), 0)
    assert causes(found, "contacted") == [0, 1]
    assert causes(found, "open") == [0]


def test_of_two_that_would_each_do_both_are_behind_it() -> None:
    found = moves(case()(CONTACT, SECOND)(CONTACT, THIRD)("plan.completed", THIRD), 1)
    assert causes(found, "contacted") == [1, 2]


def test_a_retraction_is_behind_what_it_took_away() -> None:
    it = case()(CONTACT, SECOND)
    found = moves(it("event.retracted", THIRD, retracts=it.events[1].id), 2)
    assert causes(found, "contacted") == [2]


def test_what_moved_from_one_band_to_another_is_named_in_both() -> None:
    it = case(date_of_birth="2010-01-01")
    other = case(date_of_birth="2014-01-01").events[0]
    (was,) = it.events
    it.events.append(
        Event(was.source, was.id, 1, was.instant, was.day, was.type, was.subject, other.data)
    )
    found = moves(it, 1)
    assert causes(found, "open", band="5-10") == causes(found, "open", band="0-4") == [1]


@pytest.mark.parametrize(("revision", "is_news"), [(0, False), (1, True)])
def test_only_a_higher_revision_says_something_new(revision: int, is_news: bool) -> None:
    it = case()
    (was,) = it.events
    again = Event(
        was.source, was.id, revision, was.instant, was.day, was.type, was.subject, was.data
    )
    found = news(placed([was, again]), {(CASE_TOPIC, 0): 1})
    assert [each.offset for each in found] == [1] * is_news
