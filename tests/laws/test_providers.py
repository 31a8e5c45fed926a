"""Figures of each provider are kept beside those of the areas, and take nothing from them."""

from collections import Counter
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.days.calendar import day_number
from processors.ledger.tables import Stock, keys
from processors.places.forecast import forecast
from processors.places.sums import WatchedPlace, WatchedPlaces
from processors.rules import Rules
from schemas.catalogue import load_catalogue
from schemas.events.registry import CASE_TOPIC
from schemas.places import Locality
from schemas.standards import load_standards
from tests.reference.alerts import alerts
from tests.reference.cases import cases
from tests.reference.identity import in_order, known
from tests.support.agreement import parsed
from tests.support.arrivals import arrivals
from tests.support.durable import Worker, deliver
from tests.support.south_east import south_east_areas
from tests.support.strategies import SOUTH_EAST, History, histories

PROVIDERS = ("é", "x")


@pytest.fixture(scope="module")
def with_providers() -> Rules:
    """The rules that ship, with two providers; the histories give cases to teams of these names."""
    catalogue = load_catalogue()
    standards = load_standards(catalogue).model_copy(update={"providers": PROVIDERS})
    return Rules(catalogue, south_east_areas(), standards)


@settings(max_examples=60)
@given(st.data(), histories())
def test_any_arrival_gives_each_provider_the_open_cases_of_brute_force(
    with_providers: Rules, data: st.DataObject, history: History
) -> None:
    worker = Worker(with_providers, CASE_TOPIC)
    deliver(worker, data.draw(arrivals(history.lines)))
    places = WatchedPlaces(with_providers)
    slot = with_providers.slots.index("open_in_units")
    for day in history.dates:
        events = list(known(parsed(history.lines)))
        expected = Counter(
            _provider_of(case_events)
            for case in cases(events, day)
            if case.is_unit and not case.closure
            for case_events in [[e for e in events if _is_of(case.notifications[0], e, day)]]
        )
        sums = places.sums(worker.stock(day_number(day)))[slot]
        found = {place.provider: int(count) for place, count in zip(places.all, sums, strict=True)}
        assert {name: found[name] for name in PROVIDERS} == {
            name: expected[name] for name in PROVIDERS
        }


def _is_of(first: dict[str, object], event: dict[str, object], day: object) -> bool:
    same = ("partitionkey", "subject")
    return event["day"] <= day and all(event[name] == first[name] for name in same)  # type: ignore[operator]


def _provider_of(events: list[dict[str, object]]) -> object:
    allocated = sorted((e for e in events if e["type"] == "case.allocated"), key=in_order)
    return allocated[-1]["data"].get("provider")  # type: ignore[attr-defined]


@settings(max_examples=40)
@given(st.data(), histories())
def test_a_forecast_is_what_brute_force_finds_on_the_day_if_nothing_happens(
    with_providers: Rules, data: st.DataObject, history: History
) -> None:
    worker = Worker(with_providers, CASE_TOPIC)
    deliver(worker, data.draw(arrivals(history.lines)))
    today = max(history.dates[:-1])
    later = today + timedelta(days=data.draw(st.integers(1, 40)))
    stocks = [worker.stock(day_number(day)) for day in (today, later)]
    rows = forecast(with_providers, stocks[0], [(later, stocks[1])])
    for day, of in ((today, "now"), (later, "later")):
        breached = Counter(
            about[2]
            for about, it in alerts(parsed(history.lines), day).items()
            if it.state == "breached"
        )
        assert {
            row.standard: row.now if of == "now" else row.later[later]
            for row in rows
            if (row.area, row.provider) == ("Kent", None)
        } == {it.code: breached[it.code] for it in with_providers.standards.standard}


def test_places_are_the_areas_from_the_top_and_then_the_providers(with_providers: Rules) -> None:
    names = ["Kent", *(it for area, below in SOUTH_EAST["Kent"].items() for it in (area, *below))]
    places = WatchedPlaces(with_providers)
    assert places.all == [
        *(WatchedPlace(name) for name in names),
        *(WatchedPlace("Kent", provider) for provider in PROVIDERS),
    ]
    graph, number = with_providers.graph, with_providers.localities.number
    districts = [*with_providers.areas.leaves, None]
    where = [number(Locality(it)) for it in districts]
    where += [number(Locality(it, name)) for it in districts for name in (*PROVIDERS, "no other")]
    assert all(graph.is_district(it) for it in districts[:-1])
    none = np.zeros(len(where), dtype=np.int64)
    stock = Stock(keys(none, np.array(where), none), none + 1)
    leaves, times = len(with_providers.areas.leaves), 4
    areas = [times * it for it in (leaves + 1, 2, 1, 1, 1, 1)]
    assert places.sums(stock)[0].tolist() == [*areas, leaves + 1, leaves + 1]
