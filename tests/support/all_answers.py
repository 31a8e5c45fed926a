"""The two example logs of every topic, and the right answers to them at every kind of place."""

import csv
from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from tests.support.all_topics import LEVELS
from tests.support.examples import DATA

LOGS = ("all-21", "all-22")
DATES = (date(2016, 2, 29), date(2017, 6, 17), date(2017, 6, 30))
BAD_LINES = 14
# What a supplied figure without a value is said to be.
UNSUPPLIED = {"to-be-supplied", "not-available", "no-cases"}

# Code, level, place, band.
Cell = tuple[str, str, str, str]


class Figures(NamedTuple):
    """A cell's figures as text, as they are written in a file; `value` is 3 whether 3 or 3.0."""

    numerator: str
    denominator: str
    value: str


def _figures(row: Mapping[str, str]) -> Figures:
    return Figures(row["numerator"], row["denominator"], row["value"].removesuffix(".0"))


NOTHING = Figures("", "", "")


def answers(log: str, day: date) -> dict[Cell, Figures]:
    """The right answers for an example log as of a date; a cell not listed is zero over zero."""
    with (DATA / f"{log}.{day}.csv").open(newline="") as file:
        return {
            (
                row["code"],
                LEVELS.get(row["place_kind"], row["place_kind"]),
                row["place"],
                row["age_band"],
            ): _figures(row)
            for row in csv.DictReader(file)
        }


def disagreements(text: str, given: dict[Cell, Figures]) -> dict[Cell, tuple[object, object]]:
    """Where a scorecard in CSV says something else than the answers: (what it says, the answer).

    Zero over zero is not listed there, nor is the rate of the band that has no population. A
    supplied figure without a value is one there whatever else is said of it.
    """
    said: dict[Cell, Figures] = {}
    statuses: dict[Cell, str] = {}
    for row in csv.DictReader(text.splitlines()):
        cell = row["code"], row["level"], row["area"], row["age_band"]
        assert cell not in said, f"{cell} is there twice"
        said[cell] = _figures(row)
        statuses[cell] = row["status"]
    found: dict[Cell, tuple[object, object]] = {}
    for cell, it in said.items():
        is_nothing = (it.numerator, it.denominator) == ("0", "0") or it == NOTHING
        is_no_rate = (cell[0], cell[3]) == ("EH02", "unknown") and it.value == ""
        if cell not in given and not is_nothing and not is_no_rate:
            found[cell] = it, "not listed"
    for cell, answer in given.items():
        if said.get(cell) != answer:
            found[cell] = said.get(cell), answer
        elif answer == NOTHING and statuses[cell] not in UNSUPPLIED:
            found[cell] = statuses[cell], answer
    return found
