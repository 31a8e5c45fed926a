"""Figures of every topic at every place are a function of the set of events, however it arrives."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.rules import Rules
from schemas.catalogue import load_catalogue
from schemas.events.registry import GROUPS
from tests.support.agreement import rows_from_store
from tests.support.all_topics import SITES, histories_of_all_topics, shipped_sites
from tests.support.arrivals import arrivals
from tests.support.durable import Worker, deliver
from tests.support.everywhere import expected, parsed, shown
from tests.support.south_east import south_east_areas
from tests.support.strategies import SOUTH_EAST, History

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def everywhere() -> Rules:
    """The catalogue that ships, on the areas and sites of the histories."""
    return Rules(load_catalogue(), south_east_areas(), places=shipped_sites())


@settings(max_examples=50)
@given(st.data(), histories_of_all_topics())
def test_any_arrival_of_any_events_gives_the_scorecard_of_brute_force_at_every_place(
    everywhere: Rules, data: st.DataObject, history: History
) -> None:
    workers = [Worker(everywhere, group) for group in GROUPS]
    arrived = data.draw(arrivals(history.lines))
    for worker in workers:
        deliver(worker, arrived)
    events = parsed(history.lines)
    for day in history.dates:
        rows = rows_from_store(everywhere, workers, day, everywhere.graph.levels)
        assert shown(everywhere, rows) == expected(everywhere, events, SITES, SOUTH_EAST, day)
