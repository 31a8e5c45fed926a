"""What others supply: the latest that is known on a date, for the period that it is of."""

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.figures.supplies import SuppliedFigure, Supplies, exact, periods_of
from tests.support.facts import Happening

DAY = timedelta(days=1)
TODAY = date(2017, 6, 17)
MEASURE = {"code": "EH35", "area": "Dover", "age_band": "all", "provenance": "made up"}


def published(it: Happening, day: date = TODAY, **data: Any) -> Happening:
    return it(
        "population.published", day, **{"area": "Dover", "age_band": "0-4", "count": 7, **data}
    )


def supplied(it: Happening, day: date = TODAY, **data: Any) -> Happening:
    return it(
        "measure.supplied", day, **{**MEASURE, "period": "2017-06", "status": "supplied", **data}
    )


def test_the_latest_year_that_is_not_after_the_dates_counts() -> None:
    it = published(Happening("A"), year=2017, count=17)
    for year in (2016, 2018):
        published(it, year=year, count=year)
    assert Supplies(it.events, TODAY).population("Dover", "0-4") == 17
    assert Supplies(it.events, TODAY.replace(year=2018)).population("Dover", "0-4") == 2018


@given(st.permutations(range(3)))
def test_of_several_for_one_year_the_latest_event_counts(order: list[int]) -> None:
    it = Happening("A")
    for number in range(3):
        published(it, TODAY - number * DAY, year=2016, count=number)
    events = [it.events[position] for position in order]
    assert Supplies(events, TODAY).population("Dover", "0-4") == 0
    assert Supplies(events, TODAY - DAY).population("Dover", "0-4") == 1


def test_groups_bands_and_places_are_apart_and_none_is_nobody() -> None:
    it = published(Happening("A"), year=2016, count=3, group="bme")
    published(it, year=2016, count=4, group="all")
    found = Supplies(it.events, TODAY)
    assert found.population("Dover", "0-4", "bme") == 3
    assert found.population("Dover", "0-4") == 4
    for place, ages, group in (("Kent", "0-4", "all"), ("Dover", "0-2", "all")):
        assert found.population(place, ages, group) == 0
    assert found.population("Dover", "0-4", "deprived") == 0


@pytest.mark.parametrize("ages", ["all", "0-18"])
def test_everyone_is_said_in_either_way(ages: str) -> None:
    found = Supplies(published(Happening("A"), year=2016, age_band=ages).events, TODAY)
    assert found.population("Dover", "all") == found.population("Dover", "0-18") == 7


def test_a_workforce_is_that_of_the_service_there_else_of_all_services_there() -> None:
    it = Happening("A")
    for number, where in enumerate(
        ({}, {"area": "South"}, {"area": "South", "service": "neet-support"})
    ):
        it("workforce.reported", TODAY, provider="x", fte=number + 0.1, **where)
    found = Supplies(it.events, TODAY)
    assert found.workforce("x", "South", "neet-support") == Fraction("2.1")
    assert found.workforce("x", "South", "unit") == Fraction("1.1")
    assert found.workforce("x", "", "unit") == Fraction("0.1")
    assert found.workforce("x", "Dover", "unit") == 0
    assert found.workforce("y", "", "unit") == 0


@pytest.mark.parametrize(
    ("said", "given"),
    [
        ({"value": 12.5}, SuppliedFigure("supplied", None, None, Fraction("12.5"), "made up")),
        (
            {"numerator": 3, "denominator": 0},
            SuppliedFigure("supplied", Fraction(3), Fraction(0), None, "made up"),
        ),
        (
            {"status": "not-available", "value": 3},
            SuppliedFigure("not-available", None, None, None, "made up"),
        ),
    ],
)
def test_a_figure_is_given_as_it_is_supplied(said: dict[str, Any], given: SuppliedFigure) -> None:
    found = Supplies(supplied(Happening("A"), **said).events, TODAY)
    assert found.given(["2017-06"]) == {("EH35", "Dover", "all"): given}


def test_a_figure_is_of_its_own_period_place_and_band() -> None:
    found = Supplies(supplied(Happening("A"), value=1).events, TODAY)
    assert found.given(["2017-05"]).get(("EH35", "Dover", "all")) is None
    assert found.given(["2017-06"]).get(("EH35", "Kent", "all")) is None
    assert found.given(["2017-06"]).get(("EH35", "Dover", "0-4")) is None
    assert found.given(["2017-06"]).get(("EH36", "Dover", "all")) is None


def test_the_first_of_the_periods_that_has_something_counts() -> None:
    it = supplied(Happening("A"), period="2017", value=17)
    found = Supplies(it.events, TODAY)
    assert found.given(periods_of(TODAY))["EH35", "Dover", "all"].value == 17
    found = Supplies(supplied(it, value=6).events, TODAY)
    assert found.given(periods_of(TODAY))["EH35", "Dover", "all"].value == 6


@pytest.mark.parametrize(
    ("day", "periods"),
    [
        (date(2017, 3, 31), ("2017-03", "2016")),
        (date(2017, 4, 1), ("2017-04", "2017")),
        (date(2017, 12, 31), ("2017-12", "2017")),
    ],
)
def test_a_day_is_in_its_month_and_in_its_year_from_april(
    day: date, periods: tuple[str, str]
) -> None:
    assert periods_of(day) == periods


def test_what_is_said_later_is_not_known_yet() -> None:
    it = supplied(published(Happening("A"), TODAY + DAY, year=2016), TODAY + DAY, value=1)
    it("workforce.reported", TODAY + DAY, provider="x", fte=1)
    found = Supplies(it.events, TODAY)
    assert found.population("Dover", "0-4") == 0
    assert found.workforce("x", "", "unit") == 0
    assert found.given(["2017-06"]).get(("EH35", "Dover", "all")) is None


@pytest.mark.parametrize("text", ["80.1", "0.1", "3", "7.25"])
def test_a_number_is_the_one_that_was_written(text: str) -> None:
    assert exact(float(text)) == Fraction(text)
