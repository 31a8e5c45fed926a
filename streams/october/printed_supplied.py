"""What others supplied for October 2015, as it is printed: figures, and targets of four years.

Youth justice, NEET tracking, exclusions and absence have their events elsewhere, so their printed
figures (`supplied.csv`, facts of the publication) come as `measure.supplied`, and the printed
targets as `target.set`, through the same path as everything else.
"""

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from typing import Any

from schemas.catalogue import ALL_AGES
from schemas.events.registry import topics_of
from schemas.scorecard import ScorecardRow
from streams.kafka.eventfiles import EventLine
from streams.october.compare_october import FOLDER, OCTOBER, SEPTEMBER

SOURCE = "urn:caseline:october-2015:supplied"
PROVENANCE = "Kent's scorecard of October 2015, as printed"
NOT_AVAILABLE = "not available"
# The targets that are printed are of the last of these years; each of a calendar year.
YEARS = (2015, 2016, 2017, 2018)
TARGETS_SET = date(2015, 4, 1)

Data = dict[str, Any]


@dataclass(frozen=True)
class Printed:
    """What is printed of an indicator in an area; blank is not printed."""

    code: str
    area: str
    october: str
    september: str
    dot: str
    targets: str


@dataclass(frozen=True)
class AsPrinted:
    """How many printed figures and arrows a scorecard shows as printed."""

    figures: int
    shown: int
    arrows: int
    turned: int


def load_supplied() -> list[Printed]:
    """What is printed of supplied indicators, and of targets, in every area."""
    return _load("supplied.csv")


def load_social_care() -> list[Printed]:
    """What is printed of social care, which has synthetic events of its own."""
    return _load("social_care.csv")


def _load(name: str) -> list[Printed]:
    with (files(FOLDER) / name).open(encoding="utf-8") as lines:
        return [Printed(**row) for row in csv.DictReader(lines)]


def supplied_lines(printed: Iterable[Printed]) -> list[EventLine]:
    """The events that say it, each a line of an event file."""
    events = [event for row in printed for event in (*_figures(row), *_targets(row))]
    return [
        EventLine(number, (key.encode(), json.dumps(event).encode(), ()), topics_of(event["type"]))
        for number, (key, event) in enumerate(events, start=1)
    ]


def as_printed_then(rows: Iterable[ScorecardRow], printed: Iterable[Printed]) -> AsPrinted:
    """Set a scorecard of 31 October beside what is printed of it, October's and September's."""
    by_cell = {(it.code, it.area): it for it in rows if it.age_band == ALL_AGES}
    figures = shown = arrows = turned = 0
    for it in printed:
        row = by_cell[it.code, it.area]
        for text, value in ((it.october, row.value), (it.september, row.previous)):
            if is_figure(text):
                figures += 1
                shown += value == number(text)
        if it.dot:
            arrows += 1
            turned += row.direction == it.dot
    return AsPrinted(figures, shown, arrows, turned)


def is_figure(text: str) -> bool:
    """Whether a figure is printed."""
    return text not in {"", NOT_AVAILABLE}


def number(text: str) -> float:
    """A figure or a target as it is printed, whatever is beside it."""
    return float(text.strip("*% ").replace(",", ""))


def _figures(row: Printed) -> Iterator[tuple[str, Data]]:
    for day, text in ((SEPTEMBER, row.september), (OCTOBER, row.october)):
        if not text:
            continue
        given: Data = {"status": "not-available"}
        if is_figure(text):
            given = {"status": "supplied", "value": number(text)}
        data = {
            "code": row.code,
            "area": row.area,
            "age_band": ALL_AGES,
            "period": f"{day:%Y-%m}",
            "provenance": PROVENANCE,
            **given,
        }
        name = f"{row.code} {row.area} {day:%Y-%m}"
        yield row.area, _event("measure.supplied", name, row.area, day, data)


def _targets(row: Printed) -> Iterator[tuple[str, Data]]:
    targets = row.targets.split("|") if row.targets else []
    for year, text in zip(YEARS[len(YEARS) - len(targets) :], targets, strict=True):
        data = {"code": row.code, "area": row.area, "year": year, "target": number(text)}
        name = f"{row.code} {row.area} {year}"
        yield row.code, _event("target.set", name, row.code, TARGETS_SET, data)


def _event(kind: str, name: str, key: str, day: date, data: Data) -> Data:
    return {
        "specversion": "1.0",
        "id": name,
        "source": SOURCE,
        "type": kind,
        "subject": name,
        "partitionkey": key,
        "time": f"{day}T12:00:00Z",
        "data": data,
    }
