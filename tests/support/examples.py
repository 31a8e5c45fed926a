"""The two example logs that ship with the tests, and the right answers to them."""

import csv
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from processors.rules import Rules
from schemas.scorecard import ScorecardRow
from streams.jobs.replay import Replay
from streams.kafka.eventfiles import EventLine, read_events

DATA = Path(__file__).parents[1] / "data"
LOGS = ("messy-11", "messy-12")
DATES = (date(2015, 6, 30), date(2015, 10, 17), date(2016, 2, 29))
BAD_LINES = 8

# The codes that the answers are about.
ANSWERED = frozenset(f"EH{number:02}" for number in range(1, 21)) - {"EH02"}

Cell = tuple[str, str, str]


class Figures(NamedTuple):
    """A cell's figures as text, as they are written in a file."""

    numerator: str
    denominator: str
    value: str


def log_file(name: str) -> Path:
    """An example log, gzipped JSON lines."""
    return DATA / f"{name}.jsonl.gz"


def good_lines(path: Path) -> list[EventLine]:
    """The lines of an event file that are events."""
    return [line for judged in read_events(path) for line in judged.good]


def answers(name: str, day: date) -> dict[Cell, Figures]:
    """The right answers for an example log as of a date; a cell not listed is zero over zero."""
    return figures((DATA / f"{name}.{day}.csv").read_text())


def figures(text: str) -> dict[Cell, Figures]:
    """The cells of a CSV of figures."""
    return {
        (row["code"], row["area"], row["age_band"]): Figures(
            row["numerator"], row["denominator"], row["value"]
        )
        for row in csv.DictReader(text.splitlines())
    }


def answered(text: str) -> dict[Cell, Figures]:
    """What a scorecard in CSV says of the indicators the answers are about, zeros left out."""
    return {
        cell: each
        for cell, each in figures(text).items()
        if cell[0] in ANSWERED and (each.numerator, each.denominator) != ("0", "0")
    }


def replayed(
    rules: Rules, lines: Iterable[EventLine], days: Sequence[date]
) -> list[list[ScorecardRow]]:
    """The scorecards that lines make as of some dates, worked out in this process."""
    replay = Replay(rules)
    replay.add(lines)
    return [replay.rows(day) for day in days]
