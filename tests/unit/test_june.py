"""The June 2017 events give the scorecard that Kent printed of commissioned services."""

import asyncio
import tomllib
from collections.abc import Callable, Iterable
from datetime import date
from importlib.resources import as_file, files

import pytest

from examples.june_2017.people import Group
from examples.june_2017.printed import place_of
from schemas.scorecard import ScorecardRow
from schemas.settings import Settings
from streams.jobs.replay import Replay
from streams.june.compare_june import (
    ARROW,
    FIGURE,
    FOLDER,
    JUNE,
    MONTH_ENDS,
    RATING,
    RowsCompared,
    compare,
    load_printed,
    load_reasons,
)
from streams.kafka.eventfiles import EventLine, read_events
from streams.state.redis_clients import load_rules
from streams.terminal.console import out
from streams.terminal.demonstrations.june import June2017
from tests.support.printed import june_2017, rows
from tests.support.printed import place_of as place_by_name

# The printed ratings of this code contradict each other, and follow no rule.
WITHOUT_RULE = "CEH65"


def as_it_is(line: EventLine) -> EventLine | None:
    return line


def replayed(change: Callable[[EventLine], EventLine | None] = as_it_is) -> Replay:
    """What ships, each line as it is or as it is changed to be; those that are none left out."""
    demonstration = June2017(load_rules(Settings()).catalogue)
    assert not demonstration.further()
    with as_file(demonstration.places) as places:
        replay = Replay(load_rules(Settings(places_file=places)))
    for file in demonstration.events:
        with as_file(file) as path:
            for judged in read_events(path):
                assert not judged.bad
                replay.add(it for it in map(change, judged.good) if it is not None)
    return replay


@pytest.fixture(scope="module")
def shipped() -> Replay:
    return replayed()


@pytest.fixture(scope="module")
def by_month(shipped: Replay) -> dict[date, list[ScorecardRow]]:
    levels = {it.level for it in load_printed()}
    return {day: shipped.rows(day, levels) for day in MONTH_ENDS}


@pytest.fixture(scope="module")
def comparison(by_month: dict[date, list[ScorecardRow]]) -> RowsCompared:
    return compare(by_month, load_printed(), load_reasons())


def test_what_ships_is_what_is_printed_of_every_block() -> None:
    months = [f"{day:%Y-%m}" for day in MONTH_ENDS]
    printed = [
        (row["group"], row["code"], *(row[it] for it in months), row["dot"], row["rag"])
        for row in rows("commissioned-2017-06.csv")
    ]
    ships = [
        (it.block, it.code.partition("@")[0], *it.figures, it.arrow, it.rag)
        for it in load_printed()
    ]
    assert ships == printed
    assert len({it.block for it in load_printed()}) == 55


def test_the_stream_gives_so_much_of_what_is_printed(comparison: RowsCompared) -> None:
    had = {
        what: (of - comparison.differing(what), of)
        for what, of in (
            (FIGURE, comparison.figures),
            (ARROW, comparison.arrows),
            (RATING, comparison.ratings),
        )
    }
    assert had == {FIGURE: (2161, 2309), ARROW: (592, 621), RATING: (443, 450)}


def test_the_demonstration_says_so_and_lists_what_differs_by_block(
    by_month: dict[date, list[ScorecardRow]], comparison: RowsCompared
) -> None:
    async def read(day: date) -> list[ScorecardRow]:
        return by_month[day]

    with out.capture() as shown:
        asyncio.run(June2017(load_rules(Settings()).catalogue).report(read))
    said = " ".join(shown.get().split())
    assert "2,161 of 2,309 figures, 592 of 621 arrows and 443 of 450 ratings." in said
    assert all(" ".join(it.reason.split()) in said for it in comparison.different)


def test_all_but_two_in_a_hundred_ratings_come_from_events_and_targets(
    comparison: RowsCompared,
) -> None:
    ruled = [it for it in load_printed() if it.rag and it.code != WITHOUT_RULE]
    wrong = [it for it in comparison.different if it.key[2] == RATING and it.key[1] != WITHOUT_RULE]
    assert len(ruled) == 439
    assert len(wrong) / len(ruled) < 0.02


def test_what_differs_is_listed_with_its_reason_and_nothing_else_is(
    comparison: RowsCompared,
) -> None:
    assert comparison.unexplained == ()
    text = (files(FOLDER) / "exceptions.toml").read_text(encoding="utf-8")
    listed = {
        (it["block"], it["code"], it["of"], it["printed"], it["streamed"])
        for it in tomllib.loads(text)["exception"]
    }
    assert listed == {(*it.key, it.printed, it.streamed) for it in comparison.different}


def test_a_provider_that_nothing_names_beforehand_is_rated_by_the_same_rule(
    shipped: Replay,
) -> None:
    """Neither its name is among the places, nor are its targets declared."""
    named = ratings(shipped.rows(JUNE, PROVIDER_LEVELS), "CXK")
    unnamed = ratings(replayed(only("Newcomer")).rows(JUNE, PROVIDER_LEVELS), "Newcomer")
    assert named == unnamed
    assert len(named) > 30


PROVIDER_LEVELS = ("provider", "provider-area", "provider-district")


def only(name: str) -> Callable[[EventLine], EventLine | None]:
    """Only what is of CXK, as if that were its name."""

    def change(line: EventLine) -> EventLine | None:
        key, value, headers = line.message
        if value is None or b"CXK" not in value:
            return None
        key, value = (it.replace(b"CXK", name.encode()) for it in (key or b"", value))
        return line._replace(message=(key, value, headers))

    return change


def ratings(found: Iterable[ScorecardRow], name: str) -> dict[tuple[str, str], str]:
    """The ratings of a provider's places, by code and by the place's name after its own."""
    return {
        (it.code, it.area.removeprefix(name)): it.rag
        for it in found
        if it.area.startswith(name) and it.rag
    }


@pytest.mark.parametrize(
    ("block", "place"),
    [
        ("NEET Support - CXK South - Dover", ("provider-district", "CXK / Dover")),
        ("Young Carers - Newcomer West", ("provider-area", "Newcomer / West")),
        ("Family Support Service - Porchlight South & East", ("provider", "Porchlight")),
        ("Youth Services - Swale - Someone Swale Youth Hub", ("youth-hub", "Swale Youth Hub")),
        ("Children's Centres - Dover - Elsewhere", ("childrens-centre", "Elsewhere")),
    ],
)
def test_the_place_of_a_block_follows_from_how_it_is_printed(
    block: str, place: tuple[str, str]
) -> None:
    assert place_of(block) == place


def test_those_who_come_take_the_place_of_others_also_where_all_were_reached() -> None:
    group = Group("Somewhere", "older", "child", {})
    group.month(0, registered=3, reached=3, newly=1)
    group.month(1, registered=4, reached=3, newly=2)
    ended = [it for it in group.people if it.facts[-1][0] == "registration.ended"]
    assert (len(group.people), len(ended)) == (5, 1)
    assert (len(group.held), sum(it.is_reached for it in group.held)) == (4, 3)


def test_every_block_is_at_a_place_that_the_catalogue_has_targets_for() -> None:
    """Two readings of the same blocks agree."""
    assert {(it.block, it.place) for it in load_printed() if "@" not in it.code} == {
        (it.block, place_by_name(it.block)) for it in june_2017()
    }
