"""The October 2015 events give the scorecard that Kent printed, but for what contradicts itself."""

from importlib.resources import as_file, files

import pytest

from schemas.settings import Settings
from streams.jobs.replay import Replay
from streams.kafka.eventfiles import read_events
from streams.october.compare import OCTOBER, SEPTEMBER, Comparison, compare, load_printed
from streams.state.clients import load_rules


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    replayed = Replay(load_rules(Settings()))
    with as_file(files("streams.october") / "events.jsonl.gz") as path:
        for judged in read_events(path):
            assert not judged.bad
            replayed.add(judged.good)
    return compare(replayed.rows(OCTOBER), replayed.rows(SEPTEMBER), load_printed())


def test_every_printed_cell_of_the_event_derived_indicators_is_compared() -> None:
    cells = load_printed().cells
    codes = {f"EH{number:02d}" for number in (*range(1, 8), *range(10, 21))}
    assert {cell.code for cell in cells} == codes
    for code in codes:
        of_code = [cell for cell in cells if cell.code == code]
        assert len({cell.area for cell in of_code}) == 17
        october = [(cell.area, cell.age_band) for cell in of_code if cell.as_of == OCTOBER]
        september = [(cell.area, cell.age_band) for cell in of_code if cell.as_of == SEPTEMBER]
        assert len(set(october)) == len(october) == 17 * 5
        assert {band for _, band in september} == {"all"}
        assert len(set(september)) == len(september) == 17


def test_the_stream_reproduces_the_printed_cells(comparison: Comparison) -> None:
    assert (comparison.cells, comparison.reproduced) == (1836, 1778)


def test_every_printed_direction_of_travel_is_reproduced(comparison: Comparison) -> None:
    assert (comparison.directions, comparison.reproduced_directions) == (306, 306)


def test_what_differs_is_listed_with_its_reason_and_what_the_rest_implies(
    comparison: Comparison,
) -> None:
    assert comparison.unexplained == ()
