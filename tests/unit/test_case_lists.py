"""The list behind a cell adds up to the cell, at every kind of place and for every code."""

from datetime import date
from functools import lru_cache

import pytest

from processors.behind.counted_rows import Question
from processors.days.calendar import day_number
from processors.rules import Rules
from schemas.areas import load_areas
from schemas.catalogue import load_catalogue
from schemas.places import Place, load_places
from streams.jobs.replay import Replay
from tests.support.all_answers import Cell, Figures, answers
from tests.support.examples import good_lines, log_file

DAY = date(2017, 6, 17)
RULES = Rules(load_catalogue(), load_areas(), places=load_places())
COMPUTED = {it.code: it for it in RULES.catalogue.indicator if it.source == "events"}


@lru_cache
def log() -> Replay:
    """The example log."""
    replayed = Replay(RULES)
    replayed.add(good_lines(log_file("all-21")))
    return replayed


@lru_cache
def asked() -> dict[str, tuple[Cell, Figures]]:
    """For every code one right answer, at the smallest kind of place that has any."""
    given = [
        (cell, answer)
        for cell, answer in answers("all-21", DAY).items()
        if cell[0] in COMPUTED and answer.numerator not in ("", "0")
    ]
    levels = RULES.graph.levels
    return {
        cell[0]: (cell, it) for cell, it in sorted(given, key=lambda it: levels.index(it[0][1]))
    }


@pytest.mark.parametrize("code", asked())
def test_a_list_adds_up_to_its_cell(code: str) -> None:
    (_, level, place, band), answer = asked()[code]
    indicator = COMPUTED[code]
    found = log().behind(Question(indicator, Place(level, place), band, day_number(DAY)))
    assert sum(it.numerator for it in found) == int(answer.numerator)
    if isinstance(indicator.denominator, dict):
        assert sum(it.denominator for it in found) == int(answer.denominator)
