"""The recount of logs of every topic against their answers, at every kind of place.

The logs are messy on purpose: shuffled, duplicated, corrected, retracted, with invalid lines.
"""

import csv
from collections.abc import Iterator
from datetime import date
from functools import cache

import pytest

from schemas.areas import load_areas
from schemas.catalogue import load_catalogue
from schemas.places import load_places
from schemas.scorecard import ScorecardRow
from snapshots.checking.evidence import Question, recounted
from snapshots.recount.disk import LogRecord
from tests.support.examples import DATA, good_lines, log_file

LOGS = ("all-21", "all-22")
DATES = (date(2016, 2, 29), date(2017, 6, 17), date(2017, 6, 30))
# What the answers call some kinds of place.
LEVELS = {"centre": "childrens-centre", "hub": "youth-hub"}
NUMBERS = ("numerator", "denominator", "value")

Cell = tuple[str, str, str, str]
Numbers = tuple[float | None, ...]


@cache
def records(name: str) -> list[LogRecord]:
    """An example log as if it had been sent, one partition a topic."""
    lines = enumerate(good_lines(log_file(name)))
    return [
        LogRecord(topic, 0, offset, key, value, tuple(headers))
        for offset, line in lines
        for key, value, headers in [line.message]
        for topic in line.topics
    ]


def rows(name: str, day: date) -> list[ScorecardRow]:
    question = Question(load_catalogue(), load_areas(), day, (), places=load_places())
    return recounted([records(name)], question)


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
        (it.code, it.level, it.area, it.age_band): (it.numerator, it.denominator, it.value)
        for it in rows(name, day)
    }
    right = dict(answers(name, day))
    assert len(right) > 1_500
    assert {cell: found.get(cell) for cell in right} == right
    unlisted = {cell for cell in found.keys() - right.keys() if any(found[cell][:2])}
    # Those of no known age have no population to be a rate of, and the answers leave them out.
    assert {(code, band) for code, _, _, band in unlisted} <= {("EH02", "unknown")}
    assert all(found[cell][2] is None for cell in unlisted)
