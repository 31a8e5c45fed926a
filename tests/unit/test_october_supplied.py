"""What others supplied for October 2015 is shown as it is printed, and so are the targets."""

import pytest

from schemas.scorecard import ScorecardRow
from schemas.settings import Settings
from streams.jobs.replay import Replay
from streams.october.compare_october import OCTOBER
from streams.october.printed_supplied import (
    NOT_AVAILABLE,
    as_printed_then,
    is_figure,
    load_supplied,
    supplied_lines,
)
from streams.state.redis_clients import load_rules
from tests.support.printed import rows


@pytest.fixture(scope="module")
def replay() -> Replay:
    replayed = Replay(load_rules(Settings()))
    replayed.add(supplied_lines(load_supplied()))
    return replayed


@pytest.fixture(scope="module")
def shown(replay: Replay) -> list[ScorecardRow]:
    return replay.rows(OCTOBER)


def test_what_ships_is_what_is_printed_of_every_supplied_indicator_in_every_area(
    replay: Replay,
) -> None:
    assert replay.reference
    catalogue = load_rules(Settings()).catalogue
    supplied = {it.code for it in catalogue.indicator if it.source == "supplied"}
    printed = {
        (row["code"], row["area"]): row
        for row in rows("ehps-2015-10-areas.csv")
        if row["code"] in supplied or row["targets"]
    }
    ships = {(it.code, it.area): it for it in load_supplied()}
    assert ships.keys() == printed.keys()
    for key, row in printed.items():
        assert ships[key].targets == row["targets"]
        if key[0] in supplied and row["status"] == "reported":
            figures = ships[key].october, ships[key].september, ships[key].dot
            assert figures == (row["overall"], row["previous"], row["dot"])
        elif key[0] in supplied:
            assert ships[key].october == NOT_AVAILABLE
        else:
            assert not ships[key].october


def test_every_supplied_figure_is_shown_as_printed_and_all_arrows_but_one(
    shown: list[ScorecardRow],
) -> None:
    printed = load_supplied()
    found = as_printed_then(shown, printed)
    assert (
        found.figures
        == found.shown
        == sum(is_figure(it.october) + is_figure(it.september) for it in printed)
    )
    # EH39 of Kent moves by less than is printed.
    assert (found.arrows, found.turned) == (sum(bool(it.dot) for it in printed), found.arrows - 1)
    assert found.arrows > 100


def test_what_was_not_available_or_did_not_come_says_so(shown: list[ScorecardRow]) -> None:
    kent = {it.code: it for it in shown if (it.area, it.age_band) == ("Kent", "all")}
    assert kent["EH37"].status == "not-available"
    assert (kent["EH35"].status, kent["EH35"].previous) == ("to-be-supplied", 451)


def test_targets_of_four_years_are_right_aligned_as_printed(
    replay: Replay, shown: list[ScorecardRow]
) -> None:
    set_ = {
        (it.data["year"], it.data["target"])
        for it in replay.reference
        if it.type == "target.set" and (it.data["code"], it.data["area"]) == ("EH16", "Kent")
    }
    assert set_ == {(2016, 80), (2017, 83), (2018, 86)}
    kent = {it.code: it for it in shown if (it.area, it.age_band) == ("Kent", "all")}
    assert (kent["EH45"].target, kent["EH45"].rag) == (2.6, "Red")
    assert kent["EH16"].target is None
