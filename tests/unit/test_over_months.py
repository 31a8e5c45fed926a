"""What sums up which months, drawn from the windows of measures."""

from collections.abc import Collection

import pytest

from schemas.catalogue import AnyMeasure, Measure, PersonMeasure, SessionMeasure, load_catalogue
from snapshots.disclosure.counts import Block, Formulas
from snapshots.disclosure.over_months import Carried, OverMonths, carried, held_since, over_months

CATALOGUE = load_catalogue()
NEW, YEAR, OPEN = "family_support_new", "family_support_this_year", "family_support_open"
LINKS = [it for it in carried(CATALOGUE.measure, Formulas(CATALOGUE.indicator)) if it.slot == YEAR]


def of_year(period: str, *at_hand: Block) -> OverMonths:
    (found,) = over_months(LINKS, (), period, {(period, YEAR), *at_hand})
    return found


def shown(*measures: AnyMeasure) -> Formulas:
    """Formulas in which each measure is an indicator of its own."""
    count = next(it for it in CATALOGUE.indicator if it.unit == "count")
    return Formulas(
        count.model_copy(update={"code": slot, "numerator": {slot: 1}})
        for it in measures
        for slot in it.slots
    )


def test_what_is_since_april_adds_to_the_month_before_what_came_in_the_month() -> None:
    found = of_year("2017-06", ("2017-05", YEAR), ("2017-06", NEW))
    assert found.is_equal
    assert dict(found.terms) == {
        ("2017-06", YEAR): 1,
        ("2017-05", YEAR): -1,
        ("2017-06", NEW): -1,
    }


def test_april_begins_with_what_there_was_when_march_ended() -> None:
    found = of_year("2017-04", ("2017-03", YEAR), ("2017-03", OPEN), ("2017-04", NEW))
    assert found.is_equal
    assert dict(found.terms) == {
        ("2017-04", YEAR): 1,
        ("2017-03", OPEN): -1,
        ("2017-04", NEW): -1,
    }


@pytest.mark.parametrize(
    "at_hand",
    [
        [("2017-05", YEAR), ("2017-07", NEW)],  # June never went out
        [("2017-07", NEW)],
        [("2017-04", NEW), ("2017-05", NEW), ("2017-06", NEW), ("2017-07", NEW)],  # March neither
    ],
)
def test_where_a_month_is_missing_the_rest_is_no_more_than_the_whole(
    at_hand: Collection[Block],
) -> None:
    found = of_year("2017-07", *at_hand)
    assert not found.is_equal
    assert set(dict(found.terms)) == {("2017-07", YEAR), *at_hand}


def test_a_service_had_no_fewer_than_it_has_and_what_it_closed_since_april() -> None:
    helds = held_since(CATALOGUE.measure, Formulas(CATALOGUE.indicator))
    closed = "family_support_closed"
    at_hand = {(f"2017-0{it}", slot) for it in (4, 5) for slot in (YEAR, OPEN, closed)}
    found = [it for it in over_months((), helds, "2017-05", at_hand) if len(it.terms) > 1]
    assert [dict(it.terms) for it in found] == [
        {
            ("2017-05", YEAR): 1,
            ("2017-05", OPEN): -1,
            ("2017-05", closed): -1,
            ("2017-04", closed): -1,
        }
    ]


@pytest.mark.parametrize(
    ("later", "earlier", "ago"),
    [
        (
            SessionMeasure(name="year", of="session", months=12, total="participants"),
            SessionMeasure(name="month", of="session", total="participants"),
            tuple(range(12)),
        ),
        (
            PersonMeasure(name="year", of="scs-opening", months=12),
            PersonMeasure(name="month", of="scs-opening"),
            tuple(range(12)),
        ),
        (
            Measure.model_validate(
                {"name": "year", "of": "case", "state": "closed"}
                | {"window": {"day": "closed", "kind": "month-after", "months": 12}}
            ),
            Measure.model_validate(
                {"name": "month", "of": "case", "state": "closed"}
                | {"window": {"day": "closed", "kind": "month"}}
            ),
            (12,),
        ),
    ],
)
def test_several_months_are_the_sum_of_each(
    later: AnyMeasure, earlier: AnyMeasure, ago: tuple[int, ...]
) -> None:
    found = carried([later, earlier], shown(later, earlier))
    assert found == [
        Carried(slot, of, ago) for slot, of in zip(later.slots, earlier.slots, strict=True)
    ]


def test_people_whose_age_goes_on_are_no_sum_of_months() -> None:
    later = PersonMeasure(name="year", of="scs-opening", months=12, age=(0, 4))
    earlier = PersonMeasure(name="month", of="scs-opening", age=(0, 4))
    assert carried([later, earlier], shown(later, earlier)) == []


def test_what_begins_later_does_not_go_on_from_what_closed_in_the_month() -> None:
    slots = {it.slot for it in carried(CATALOGUE.measure, Formulas(CATALOGUE.indicator))}
    assert "neet_ever_closed" in slots
    assert "neet_destination" not in slots
