"""The brute-force evaluation is itself held to the given answers, and to cases worked by hand."""

import csv
import gzip
import json
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.reference import Event, Figures, back, evaluate, known, parse, printed, working_days

DATA = Path(__file__).parents[1] / "data"
LOGS = ("messy-11", "messy-12")
DATES = ("2015-06-30", "2015-10-17", "2016-02-29")


@cache
def lines(log: str) -> list[bytes]:
    return gzip.decompress((DATA / f"{log}.jsonl.gz").read_bytes()).splitlines()


def parsed(messages: list[bytes]) -> list[Event]:
    return [event for event in map(parse, messages) if event is not None]


def answers(log: str, day: str) -> list[dict[str, str]]:
    with (DATA / f"{log}.{day}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def message(kind: str, time: str, data: dict[str, Any] | None = None, **attributes: Any) -> bytes:
    """A message about case C1 of child P1, its id made of its type and time."""
    event = {
        "specversion": "1.0",
        "id": f"{kind} {time}",
        "source": "urn:test",
        "type": kind,
        "subject": "C1",
        "time": time,
        "partitionkey": "P1",
        "data": {} if data is None else data,
    }
    return json.dumps({**event, **attributes}).encode()


NOTIFIED = message(
    "notification.received",
    "2015-06-01T09:00:00+01:00",
    {"notification_type": "EHN", "date_of_birth": "2010-06-01", "district": "Dover"},
)
TO_UNIT = message("case.allocated", "2015-06-02T09:00:00+01:00", {"service": "unit"})


def figures(*messages: bytes, as_of: str = "2015-06-30") -> Figures:
    events = parsed(list(messages))
    assert len(events) == len(messages)
    return evaluate(events, date.fromisoformat(as_of))


@pytest.mark.parametrize("day", DATES)
@pytest.mark.parametrize("log", LOGS)
def test_every_given_cell_agrees_and_no_other_cell_is_filled(log: str, day: str) -> None:
    given = {
        (row["code"], row["area"], row["age_band"]): (
            int(row["numerator"]),
            int(row["denominator"]),
        )
        for row in answers(log, day)
    }
    found = evaluate(parsed(lines(log)), date.fromisoformat(day))
    assert {cell: value for cell, value in found.items() if cell[0] != "EH02"} == given


@pytest.mark.parametrize("day", DATES)
@pytest.mark.parametrize("log", LOGS)
def test_every_given_value_is_printed_the_same(log: str, day: str) -> None:
    for row in answers(log, day):
        numerator, denominator = int(row["numerator"]), int(row["denominator"])
        assert printed(row["code"], numerator, denominator) == row["value"]


@pytest.mark.parametrize("log", LOGS)
def test_each_log_has_eight_invalid_lines(log: str) -> None:
    assert sum(parse(line) is None for line in lines(log)) == 8


@pytest.mark.parametrize("log", LOGS)
def test_order_and_duplication_do_not_show(log: str) -> None:
    events = parsed(lines(log))
    day = date(2015, 10, 17)
    assert evaluate([*reversed(events), *events], day) == evaluate(events, day)
    assert evaluate(known(events), day) == evaluate(events, day)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        NOTIFIED[:-1],
        message("case.exploded", "2015-06-01T00:00:00Z"),
        message("contact.made", "yesterday"),
        message("contact.made", "2015-06-01T00:00:00"),
        message("contact.made", "2015-06-31T00:00:00Z"),
        message("contact.made", "2015-06-01T24:00:00Z"),
        message("contact.made", "2015-06-01T00:00:00+01:60"),
        message("contact.made", "2015-06-01T00:00:00+0100"),
        message("contact.made", "2015-06-01T00:00:00Z", specversion="0.3"),
        message("contact.made", "2015-06-01T00:00:00Z", id=7),
        message("contact.made", "2015-06-01T00:00:00Z", subject=""),
        message("contact.made", "2015-06-01T00:00:00Z", subject="\ud800"),
        message("contact.made", "2015-06-01T00:00:00Z", partitionkey=None),
        message("contact.made", "2015-06-01T00:00:00Z", revision="1"),
        message("contact.made", "2015-06-01T00:00:00Z", revision=True),
        message("contact.made", "2015-06-01T00:00:00Z", revision=1.0),
        message("contact.made", "2015-06-01T00:00:00Z", revision=-1),
        message("contact.made", "2015-06-01T00:00:00Z", data=[]),  # type: ignore[arg-type]
        message("contact.made", "2015-06-01T00:00:00Z", extra=float("nan")),
        message("case.closed", "2015-06-01T00:00:00Z"),
        message("case.closed", "2015-06-01T00:00:00Z", {"outcome": None}),
        message("case.allocated", "2015-06-01T00:00:00Z", {"service": "Unit"}),
        message(
            "notification.received",
            "2015-06-01T00:00:00Z",
            {"notification_type": "EHN", "date_of_birth": "2015-02-29"},
        ),
        message("event.retracted", "2015-06-01T00:00:00Z"),
    ],
)
def test_a_message_that_does_not_fit_is_no_event(line: bytes) -> None:
    assert parse(line) is None


def test_null_is_absent_and_the_unknown_is_ignored() -> None:
    time = "2015-06-01T00:00:00Z"
    plain = message("notification.received", time, {"notification_type": "EHN"})
    odd = {"notification_type": "EHN", "district": None, "date_of_birth": None, "colour": 3}
    assert parse(message("notification.received", time, odd, revision=None, x=[])) == parse(plain)


def test_the_date_of_an_event_is_the_civil_date_in_london() -> None:
    summer, winter = "2015-06-30T23:30:00Z", "2015-12-31T23:30:00Z"
    days = [
        event["day"] for event in parsed([message("contact.made", t) for t in (summer, winter)])
    ]
    assert days == [date(2015, 7, 1), date(2015, 12, 31)]


def test_going_back_keeps_month_ends() -> None:
    assert back(date(2016, 2, 29), 3) == date(2015, 11, 30)
    assert back(date(2015, 6, 30), 3) == date(2015, 3, 31)
    assert back(date(2015, 5, 30), 3) == date(2015, 2, 28)
    assert back(date(2015, 10, 17), 12) == date(2014, 10, 17)


def test_working_days_leave_out_weekends_bank_holidays_and_the_first_day() -> None:
    assert working_days(date(2015, 12, 24), date(2015, 12, 29)) == 1
    assert working_days(date(2015, 4, 2), date(2015, 4, 7)) == 1
    assert working_days(date(2015, 6, 1), date(2015, 6, 1)) == 0
    assert working_days(date(2015, 6, 2), date(2015, 6, 1)) == 0


def test_an_open_unit_case_counts_at_every_level_and_in_its_band() -> None:
    found = figures(NOTIFIED, TO_UNIT)
    for area in ("Kent", "South", "Dover"):
        for band in ("all", "5-10"):
            assert found["EH01", area, band] == (1, 1)
            assert found["EH05", area, band] == (1, 1)
            assert found["EH09", area, band] == (0, 1)
    assert {area for _, area, _ in found} == {"Kent", "South", "Dover"}


def test_a_case_not_allocated_is_not_a_unit_case() -> None:
    found = figures(NOTIFIED)
    assert found["EH06", "Dover", "all"] == (1, 1)
    assert ("EH05", "Dover", "all") not in found


def test_an_unknown_district_counts_at_the_top_only() -> None:
    data = {"notification_type": "EHN", "district": "South"}
    found = figures(message("notification.received", "2015-06-01T09:00:00Z", data))
    assert {area for _, area, _ in found} == {"Kent"}


def test_a_retraction_holds_for_every_revision_and_when_retracted_itself() -> None:
    later = NOTIFIED[:-1] + b', "revision": 5}'
    name = json.loads(NOTIFIED)["id"]
    retraction = message("event.retracted", "2015-07-01T00:00:00Z", {"retracts": name}, id="x")
    again = message("event.retracted", "2015-07-02T00:00:00Z", {"retracts": "x"}, id="y")
    assert figures(retraction, NOTIFIED, later, TO_UNIT) == {}
    assert figures(NOTIFIED, again, TO_UNIT, retraction) == {}


def test_a_correction_moves_the_event_even_past_the_as_of_date() -> None:
    moved = message("contact.made", "2015-07-05T09:00:00Z", id="k", revision=1)
    first = message("contact.made", "2015-06-05T09:00:00Z", id="k")
    assert figures(NOTIFIED, TO_UNIT, first)["EH10", "Kent", "all"] == (4, 1)
    assert ("EH10", "Kent", "all") not in figures(NOTIFIED, TO_UNIT, first, moved)


def test_a_later_notification_counts_at_the_age_the_child_has_then() -> None:
    data = {"notification_type": "EHN"}
    first = message(
        "notification.received", "2015-05-31T12:00:00Z", {**data, "date_of_birth": "2010-06-01"}
    )
    second = message("notification.received", "2015-06-01T12:00:00Z", data)
    found = figures(first, second)
    assert found["EH01", "Kent", "5-10"] == (1, 1)
    assert found["EH06", "Kent", "0-4"] == (1, 1)


def test_the_rate_uses_the_latest_population_not_after_the_year() -> None:
    def population(year: int, count: int, band: str = "all") -> bytes:
        data = {"area": "Kent", "age_band": band, "year": year, "count": count}
        name = f"{year} {band}"
        return message(
            "population.published", "2015-01-01T00:00:00Z", data, subject=name, partitionkey=name
        )

    published = [population(2013, 5), population(2014, 300_000), population(2016, 7)]
    found = figures(NOTIFIED, *published, population(2014, 90_000, "0-4"))
    assert found["EH02", "Kent", "all"] == (1, 300_000)
    assert found["EH02", "Kent", "0-4"] == (0, 90_000)
    assert found["EH02", "Dover", "all"] == (1, 0)
    assert printed("EH02", 15, 300_000) == "0.5"
    assert printed("EH02", 1, 0) == ""
