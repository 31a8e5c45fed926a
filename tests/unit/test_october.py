"""The October 2015 events give the scorecard that Kent printed, but for what contradicts itself."""

import asyncio
import gzip
from collections import Counter
from datetime import date
from importlib.resources import as_file, files

import pytest

from examples.october_2015 import activity, social_care
from schemas.scorecard import ScorecardRow
from schemas.settings import Settings
from streams.jobs.replay import Replay
from streams.kafka.eventfiles import read_events
from streams.october.compare_october import (
    OCTOBER,
    SEPTEMBER,
    Comparison,
    compare,
    load_printed,
    load_with_activity,
)
from streams.october.printed_supplied import (
    as_printed_then,
    load_social_care,
    number,
)
from streams.october.trend import MONTH_ENDS, load_trend, missed
from streams.state.redis_clients import load_rules
from streams.terminal.console import out
from streams.terminal.demonstrations.october import October2015
from tests.support.printed import PRINTED, rows

# Rates that no number of children gives together with EH02 of either month.
WITHOUT_PEOPLE = {("SCS02", area) for area in ("Dartford", "Gravesham", "Shepway", "Swale")}


ByMonth = dict[date, list[ScorecardRow]]


@pytest.fixture(scope="module")
def demonstration() -> October2015:
    return October2015(load_rules(Settings()).catalogue)


@pytest.fixture(scope="module")
def replayed(demonstration: October2015) -> ByMonth:
    """The scorecard of each month, of everything that the demonstration sends."""
    replay = Replay(load_rules(Settings()))
    for name in demonstration.events:
        with as_file(name) as path:
            for judged in read_events(path):
                assert not judged.bad
                replay.add(judged.good)
    replay.add(demonstration.further())
    return {day: replay.rows(day) for day in (*MONTH_ENDS, OCTOBER)}


@pytest.fixture(scope="module")
def october(replayed: ByMonth) -> list[ScorecardRow]:
    return replayed[OCTOBER]


@pytest.fixture(scope="module")
def comparison(replayed: ByMonth) -> Comparison:
    return compare(replayed[OCTOBER], replayed[SEPTEMBER], load_with_activity())


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
    assert (comparison.cells, comparison.reproduced) == (1836 + 272, 1776 + 268)


def test_every_printed_direction_of_travel_but_two_is_reproduced(comparison: Comparison) -> None:
    assert (comparison.directions, comparison.reproduced_directions) == (306 + 136, 306 + 134)


def test_what_differs_is_listed_with_its_reason_and_what_the_rest_implies(
    comparison: Comparison,
) -> None:
    assert comparison.unexplained == ()


def test_social_care_is_as_printed_but_for_rates_of_september_that_no_population_gives(
    october: list[ScorecardRow],
) -> None:
    printed = load_social_care()
    found = as_printed_then(october, printed)
    assert (found.figures, found.shown) == (66, 62)
    assert found.arrows == found.turned == 33
    rows = {(it.code, it.area): it for it in october if it.age_band == "all"}
    wrong = {
        (it.code, it.area)
        for it in printed
        if rows[it.code, it.area].previous != number(it.september)
    }
    assert wrong == WITHOUT_PEOPLE
    assert all(rows[it.code, it.area].value == number(it.october) for it in printed)


def test_what_is_printed_of_social_care_is_what_ships() -> None:
    ships = {(it.code, it.area): (it.october, it.september, it.dot) for it in load_social_care()}
    assert ships == {
        (row["code"], row["area"]): (row["overall"], row["previous"], row["dot"])
        for row in rows("ehps-2015-10-areas.csv")
        if row["code"] in {f"SCS0{digit}" for digit in range(1, 6)} and row["overall"]
    }


def test_of_the_months_before_it_is_said_what_the_events_do_not_give(replayed: ByMonth) -> None:
    printed = load_trend()
    assert [(it.code, it.month, it.printed) for it in printed] == [
        (row["code"], month, row[month])
        for month in (f"{day:%Y-%m}" for day in MONTH_ENDS)
        for row in rows("ehps-2015-trend.csv")
        if row["code"] in {it.code for it in printed}
    ]
    found = [it for day in MONTH_ENDS for it in missed(replayed[day], printed, day)]
    assert {(it.earlier.code, it.earlier.month) for it in found} == {
        (it.code, it.month) for it in printed if it.reason
    }
    of_month = Counter(it.earlier.month for it in found)
    assert (len(printed), of_month) == (54, {"2015-07": 1, "2015-09": 2})


def test_the_demonstration_says_how_much_the_stream_gives(
    demonstration: October2015, replayed: ByMonth
) -> None:
    async def read(day: date) -> list[ScorecardRow]:
        return replayed[day]

    with out.capture() as shown:
        asyncio.run(demonstration.report(read))
    said = " ".join(shown.get().split())
    assert (
        "Of 2,108 cells that Kent published for October 2015, the stream reproduces 2,044 exactly, "
        "and 440 of 442 directions of travel."
    ) in said
    assert "Of 66 figures of social care it shows 62 as printed, and 33 of 33 directions" in said
    assert "17 of 18 of July, 18 of 18 of August, 16 of 18 of September." in said


def test_what_is_printed_of_activity_is_what_ships() -> None:
    codes = {"EH33", *(f"EH{number}" for number in range(24, 31))}
    cells = [it for it in load_with_activity().cells if it.code in codes]
    ships = {(it.code, it.area, it.as_of): (it.printed, it.dot) for it in cells}
    printed = [row for row in rows("ehps-2015-10-areas.csv") if row["code"] in codes]
    assert len(cells) == len(ships) == 2 * len(printed) == 272
    for row in printed:
        key = row["code"], row["area"]
        assert ships[*key, OCTOBER] == (row["overall"], row["dot"])
        assert ships[*key, SEPTEMBER] == (row["previous"], "")


def test_every_code_of_the_print_has_a_row_in_every_area(october: list[ScorecardRow]) -> None:
    printed = {(row["code"], row["area"]) for row in rows("ehps-2015-10-areas.csv")}
    assert len({code for code, _ in printed}) == 55
    assert printed <= {(it.code, it.area) for it in october}


def test_the_events_of_social_care_are_made_again_byte_for_byte() -> None:
    text = social_care.made(social_care.Rows(PRINTED / "ehps-2015-10-areas.csv"))
    with as_file(files("streams.october") / social_care.EVENTS) as path:
        assert gzip.decompress(path.read_bytes()).decode() == text


def test_the_events_of_activity_are_made_again_byte_for_byte() -> None:
    with as_file(files("streams.october") / activity.EVENTS) as path:
        assert gzip.decompress(path.read_bytes()).decode() == activity.made()
