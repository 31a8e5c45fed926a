"""The brute-force evaluation of every topic is held to the given answers."""

import csv
import gzip
import json
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.reference import Event
from tests.reference.everything import Figures, figures
from tests.reference.identity import known
from tests.reference.places import Cell, Places
from tests.reference.supplied import Supplied
from tests.reference.topics import parse_any

DATA = Path(__file__).parents[1] / "data"
LOGS = ("all-21", "all-22")
DATES = ("2016-02-29", "2017-06-17", "2017-06-30")
PLACES: Places = json.loads((DATA / "all-places.json").read_text())

Pair = tuple[Fraction | None, Fraction | None]


@cache
def lines(log: str) -> list[bytes]:
    return gzip.decompress((DATA / f"{log}.jsonl.gz").read_bytes()).splitlines()


@cache
def events(log: str) -> list[Event]:
    return [event for event in map(parse_any, lines(log)) if event is not None]


@cache
def found(log: str, day: str) -> Figures:
    return figures(events(log), PLACES, date.fromisoformat(day))


def answers(log: str, day: str) -> dict[Cell, dict[str, str]]:
    with (DATA / f"{log}.{day}.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {(row["code"], row["place_kind"], row["place"], row["age_band"]): row for row in rows}


def rounded(value: Fraction) -> str:
    exact = Decimal(value.numerator) / value.denominator
    return str(exact.quantize(Decimal("0.1"), ROUND_HALF_UP))


@pytest.mark.parametrize("day", DATES)
@pytest.mark.parametrize("log", LOGS)
def test_every_given_cell_agrees_and_no_other_cell_is_filled(log: str, day: str) -> None:
    def pair(row: dict[str, str]) -> Pair:
        if not row["numerator"]:
            return None, None
        return Fraction(row["numerator"]), Fraction(row["denominator"])

    given = {cell: pair(row) for cell, row in answers(log, day).items()}
    pairs = {cell: (it.numerator, it.denominator) for cell, it in found(log, day).items()}
    assert pairs == given


@pytest.mark.parametrize("day", DATES)
@pytest.mark.parametrize("log", LOGS)
def test_every_supplied_value_agrees(log: str, day: str) -> None:
    for cell, row in answers(log, day).items():
        it = found(log, day)[cell]
        if row["numerator"]:
            continue
        assert isinstance(it, Supplied)
        assert ("" if it.value is None else rounded(it.value)) == row["value"]


@pytest.mark.parametrize("log", LOGS)
def test_each_log_has_fourteen_invalid_lines(log: str) -> None:
    assert sum(parse_any(line) is None for line in lines(log)) == 14


@pytest.mark.parametrize("log", LOGS)
def test_order_and_duplication_do_not_show(log: str) -> None:
    day = date(2017, 6, 17)
    assert figures([*reversed(events(log)), *events(log)], PLACES, day) == found(log, str(day))
    assert figures(known(events(log)), PLACES, day) == found(log, str(day))


def message(of_type: str, **data: Any) -> bytes:
    return json.dumps(
        {
            "specversion": "1.0",
            "id": "1",
            "source": "urn:test",
            "type": of_type,
            "subject": "S1",
            "time": "2017-06-01T09:00:00+01:00",
            "partitionkey": "P1",
            "data": data,
        }
    ).encode()


REGISTRATION = {"place": "Riverside", "kind": "child", "active": True, "consent": True}
MEASURE = {
    "code": "EH35",
    "area": "Kent",
    "age_band": "all",
    "period": "2017-06",
    "status": "supplied",
    "provenance": "YJB",
}


@pytest.mark.parametrize(
    "line",
    [
        message("scs.opened", origin="referral", status="cin", date_of_birth="2010-01-31"),
        message("scs.status", status="lac"),
        message("scs.closed", reason="whatever"),
        message("registration.recorded", **REGISTRATION, characteristics=[], deprived_area=False),
        message("registration.recorded", **REGISTRATION, characteristics=["bme", "sen"]),
        message("registration.ended"),
        message("session.held", place="Riverside", kind="outing", participants=0),
        message("session.attended", place="Riverside", kind="group", provider=None),
        message("outcome.recorded", accredited=False),
        message("population.published", area="Kent", age_band="5-11", year=2017, count=1),
        message(
            "population.published", area="Kent", age_band="0-4", year=2017, count=1, group="bme"
        ),
        message("workforce.reported", provider="Salus", fte=12.25),
        message("workforce.reported", provider="Salus", fte=0, service="family-support"),
        message("measure.supplied", **MEASURE, value=-1.5),
        message("measure.supplied", **MEASURE, numerator=1, denominator=0),
        message("measure.supplied", **{**MEASURE, "status": "not-available", "period": "2017"}),
        message("measure.supplied", **{**MEASURE, "period": "2017-T1"}, value=0),
    ],
)
def test_a_message_that_fits_is_an_event(line: bytes) -> None:
    assert parse_any(line) is not None


@pytest.mark.parametrize(
    "line",
    [
        message("scs.opened"),
        message("scs.opened", origin="elsewhere"),
        message("scs.opened", origin="referral", status="CIN"),
        message("scs.status"),
        message("scs.closed"),
        message("registration.recorded", **{**REGISTRATION, "consent": None}),
        message("registration.recorded", **{**REGISTRATION, "active": 1}),
        message("registration.recorded", **{**REGISTRATION, "kind": "adult"}),
        message("registration.recorded", **REGISTRATION, characteristics="bme"),
        message("registration.recorded", **REGISTRATION, characteristics=["tall"]),
        message("registration.recorded", **REGISTRATION, deprived_area="yes"),
        message("session.held", place="Riverside"),
        message("session.held", place="Riverside", kind="group", participants=-1),
        message("session.attended", kind="group"),
        message("session.attended", place="Riverside", kind="group", date_of_birth="2015-02-29"),
        message("outcome.recorded"),
        message("population.published", area="Kent", age_band="11-5", year=2017, count=1),
        message("population.published", area="Kent", age_band="all", year=2017, count=1, group=""),
        message("workforce.reported", provider="Salus", fte="12"),
        message("workforce.reported", provider="Salus", fte=-1),
        message("workforce.reported", provider="Salus", fte=1, service="SCS"),
        message("measure.supplied", **MEASURE),
        message("measure.supplied", **MEASURE, numerator=1),
        message("measure.supplied", **{**MEASURE, "period": "June"}, value=1),
        message("measure.supplied", **{**MEASURE, "status": "given"}, value=1),
    ],
)
def test_a_message_that_does_not_fit_is_no_event(line: bytes) -> None:
    assert parse_any(line) is None
