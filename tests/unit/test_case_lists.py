"""The list behind a cell adds up to the cell, at every kind of place and for every code."""

from datetime import date
from functools import lru_cache
from itertools import product

import pytest

from processors.behind.counted_rows import Question
from processors.days.calendar import day_number
from processors.rules import Rules
from schemas.areas import load_areas
from schemas.catalogue import load_catalogue
from schemas.places import Place, load_places
from streams.jobs.replay import Replay
from tests.support.all_answers import DATES, Cell, Figures, answers
from tests.support.examples import good_lines, log_file

# Where right answers are looked for, in this order.
ANSWERS = [("all-21", date(2017, 6, 17)), *product(("all-22", "all-21"), DATES)]
RULES = Rules(load_catalogue(), load_areas(), places=load_places())
# Of these the example logs count nothing; their pages have a list each (test_indicator_pages).
NOT_IN_EXAMPLES = {"CEH73", "CEH74", "EH20"}
COMPUTED = {it.code: it for it in RULES.catalogue.indicator if it.source == "events"}


@lru_cache
def replayed(log: str) -> Replay:
    """An example log."""
    found = Replay(RULES)
    found.add(good_lines(log_file(log)))
    return found


@lru_cache
def asked() -> dict[str, tuple[str, date, Cell, Figures]]:
    """For every code one right answer, at the smallest kind of place that has any."""
    levels = RULES.graph.levels
    found: dict[str, tuple[str, date, Cell, Figures]] = {}
    for log, day in ANSWERS:
        given = sorted(answers(log, day).items(), key=lambda it: -levels.index(it[0][1]))
        for cell, answer in given:
            if cell[0] in COMPUTED and answer.numerator not in ("", "0"):
                found.setdefault(cell[0], (log, day, cell, answer))
    return found


def test_every_code_of_which_the_examples_count_anything_is_asked_for() -> None:
    assert COMPUTED.keys() - asked().keys() == NOT_IN_EXAMPLES


@pytest.mark.parametrize("code", sorted(asked()))
def test_a_list_adds_up_to_its_cell(code: str) -> None:
    log, day, (_, level, place, band), answer = asked()[code]
    indicator = COMPUTED[code]
    found = replayed(log).behind(Question(indicator, Place(level, place), band, day_number(day)))
    assert sum(it.numerator for it in found) == int(answer.numerator)
    if isinstance(indicator.denominator, dict):
        assert sum(it.denominator for it in found) == int(answer.denominator)
