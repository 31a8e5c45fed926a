"""Stocks added up by place: each locality in all the places that it is in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.figures.placesums import PlaceSums, terms
from processors.ledger.tables import NOTHING, Stock, keys
from processors.rules import Rules
from schemas.catalogue import AGE_BANDS, load_catalogue
from schemas.places import Locality, Place
from tests.reference.places import areas_of, with_provider
from tests.support.all_topics import SITES, shipped_sites
from tests.support.south_east import south_east_areas
from tests.support.strategies import SOUTH_EAST

SLOTS = ("one", "two")
HUB = Place("youth-hub", "Hub")
LOCALITY = st.builds(
    Locality,
    st.sampled_from(["Dover", "Ashford", "Swale", "Atlantis", None]),
    st.sampled_from(["x", "a / b", None]),
    st.none(),
) | st.just(Locality(only=HUB))
HELD = st.tuples(
    st.integers(0, 1), LOCALITY, st.integers(0, len(AGE_BANDS) - 1), st.integers(-5, 5)
)


@pytest.fixture(scope="module")
def everywhere() -> Rules:
    """The catalogue that ships, on a few areas and sites."""
    return Rules(load_catalogue(), south_east_areas(), places=shipped_sites())


def places_of(locality: Locality) -> list[Place]:
    """The places that a locality is in, as the reference has them."""
    if locality.only:
        return [locality.only]
    spots = with_provider(areas_of(locality.district, SOUTH_EAST), locality.provider)
    return [Place(*spot) for spot in spots]


def stock(rules: Rules, held: list[tuple[int, Locality, int, int]]) -> Stock:
    numbered = [(slot, rules.localities.number(it), band, n) for slot, it, band, n in held]
    slot, locality, band, amount = np.array(numbered, dtype=np.int64).reshape(-1, 4).T
    return Stock(keys(slot, locality, band), amount)


@given(st.lists(HELD, max_size=12))
def test_a_places_figure_is_the_sum_over_the_localities_in_it(
    everywhere: Rules, held: list[tuple[int, Locality, int, int]]
) -> None:
    sums = PlaceSums(SLOTS, everywhere.localities, stock(everywhere, held))
    expected = {place: [[0] * 6, [0] * 6] for place in sums.places}
    for slot, locality, band, amount in held:
        for place in places_of(locality):
            expected[place][slot][0] += amount
            expected[place][slot][1 + band] += amount
    formulas = [{"one": 1}, {"two": 1}, {}, {"one": 2, "two": -1}]
    one, two, nothing, both = sums.totals(terms(SLOTS, formulas))
    for found, slot in ((one, 0), (two, 1)):
        for place in sums.places:
            position = sums.position(place)
            assert position is not None
            assert found[position].tolist() == expected[place][slot]
        (nowhere,) = sums.positions([Place("district", "Nowhere")])
        assert not found[nowhere].any()
    assert (both == 2 * one - two).all()
    assert not nothing.any()
    assert (sums.everyone()[0] == one[:-1, 0]).all()


def test_areas_sites_and_named_providers_are_always_there_and_in_that_order(
    everywhere: Rules,
) -> None:
    sums = PlaceSums(SLOTS, everywhere.localities, NOTHING)
    areas = ["Kent", "South", "Dover", "Ashford", "East", "Swale"]
    sites = [name for name, it in SITES.items() if it["kind"] in {"centre", "hub"}]
    assert [place.name for place in sums.places] == [*areas, "x", "é", *sites]
    assert not sums.totals(terms(SLOTS, [{"one": 1, "two": 1}])).any()


def test_a_provider_that_holds_something_follows_with_its_areas(everywhere: Rules) -> None:
    held = [(0, Locality("Dover", "new"), 0, 1)]
    sums = PlaceSums(SLOTS, everywhere.localities, stock(everywhere, held))
    assert sums.places[-3:] == [
        Place("provider", "new"),
        Place("provider-area", "new / South"),
        Place("provider-district", "new / Dover"),
    ]


def test_a_place_that_holds_nothing_has_no_position(everywhere: Rules) -> None:
    sums = PlaceSums(SLOTS, everywhere.localities, NOTHING)
    assert sums.position(Place("provider", "new")) is None
    assert sums.position(Place("county", "Kent")) == 0
