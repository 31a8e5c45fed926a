"""The recount of logs of every topic against their answers, at every kind of place.

The logs are messy on purpose: shuffled, duplicated, corrected, retracted, with invalid lines.
"""

import csv
from collections.abc import Iterable, Iterator
from datetime import date
from functools import cache

import pytest

from processors.rules import Rules
from schemas.areas import load_areas
from schemas.catalogue import load_catalogue
from schemas.places import load_places
from schemas.scorecard import ScorecardRow
from tests.support.examples import DATA, good_lines, log_file
from tests.support.frozenlogs import FrozenLog

LOGS = ("all-21", "all-22")
DATES = (date(2016, 2, 29), date(2017, 6, 17), date(2017, 6, 30))
# What the answers call some kinds of place.
LEVELS = {"centre": "childrens-centre", "hub": "youth-hub"}
NUMBERS = ("numerator", "denominator", "value")

Cell = tuple[str, str, str, str]
Numbers = tuple[float | None, ...]


@cache
def log(name: str) -> FrozenLog:
    """An example log, under all that ships."""
    rules = Rules(load_catalogue(), load_areas(), places=load_places())
    return FrozenLog(rules, good_lines(log_file(name)))


@cache
def recount(name: str, day: date) -> dict[Cell, ScorecardRow]:
    """What the recount says, by cell."""
    return by_cell(log(name).recount(day))


def by_cell(rows: Iterable[ScorecardRow]) -> dict[Cell, ScorecardRow]:
    return {(it.code, it.level, it.area, it.age_band): it for it in rows}


def answers(name: str, day: date) -> Iterator[tuple[Cell, Numbers]]:
    with (DATA / f"{name}.{day}.csv").open() as file:
        for row in csv.DictReader(file):
            level = LEVELS.get(row["place_kind"], row["place_kind"])
            numbers = (float(row[it]) if row[it] else None for it in NUMBERS)
            yield (row["code"], level, row["place"], row["age_band"]), tuple(numbers)


@pytest.mark.parametrize("day", DATES, ids=str)
@pytest.mark.parametrize("name", LOGS)
def test_the_recount_gives_every_answer_and_nothing_else(name: str, day: date) -> None:
    found: dict[Cell, Numbers] = {
        cell: (it.numerator, it.denominator, it.value) for cell, it in recount(name, day).items()
    }
    right = dict(answers(name, day))
    assert len(right) > 1_500
    assert {cell: found.get(cell) for cell in right} == right
    unlisted = {cell for cell in found.keys() - right.keys() if any(found[cell][:2])}
    # Those of no known age have no population to be a rate of, and the answers leave them out.
    assert {(code, band) for code, _, _, band in unlisted} <= {("EH02", "unknown")}
    assert all(found[cell][2] is None for cell in unlisted)


@pytest.mark.parametrize("day", DATES, ids=str)
@pytest.mark.parametrize("name", LOGS)
def test_a_live_scorecard_of_every_place_is_the_recount_in_every_field(
    name: str, day: date
) -> None:
    assert by_cell(log(name).scorecard(day)) == recount(name, day)
