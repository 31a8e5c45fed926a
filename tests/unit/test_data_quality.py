"""Data quality as indicators: what cases lack, contradicting figures, and how late events come."""

import csv
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from processors.days.calendar import day_number
from processors.record.completeness import COUNTS, Lack, Tally, cases_lack
from processors.record.lateness import Arrivals, Late
from schemas.areas import load_areas
from streams.cli import app
from tests.support.facts import Happening

TODAY = date(2017, 6, 30)
NOTIFIED = date(2017, 6, 5)


def tallied(*children: Happening, day: date = TODAY) -> dict[tuple[Lack, str], tuple[int, int]]:
    tally = Tally()
    for child in children:
        for case in cases_lack(child.events, load_areas().leaves, day_number(day)):
            tally.add(case)
    return {(it.lack, it.provider): (it.numerator, it.denominator) for it in tally.found()}


def notified(child: str = "A", **data: Any) -> Happening:
    whole = {"notification_type": "EHN", "district": "Dover", "date_of_birth": "2010-01-01"}
    kept = {name: it for name, it in {**whole, **data}.items() if it is not None}
    return Happening(child)("notification.received", NOTIFIED, **kept)


@pytest.mark.parametrize(
    ("lack", "child"),
    [
        (Lack.NO_DATE_OF_BIRTH, notified(date_of_birth=None)),
        (Lack.IMPOSSIBLE_DATES, notified(date_of_birth="2017-06-06")),
        (Lack.IMPOSSIBLE_DATES, notified()("contact.made", date(2017, 6, 4))),
        (Lack.UNKNOWN_DISTRICT, notified(district="Atlantis")),
        (Lack.UNKNOWN_DISTRICT, notified(district=None)),
        (Lack.NEVER_ALLOCATED, notified()),
        (Lack.NO_NOTIFICATION, Happening()("contact.made", NOTIFIED)),
    ],
)
def test_a_case_that_lacks_something_is_one_of_those_that_could(
    lack: Lack, child: Happening
) -> None:
    whole = notified("B")("case.allocated", NOTIFIED, service="unit", provider="Salus")
    found = tallied(child, whole)
    assert found[lack, ""] == (1, 2)
    assert found[lack, "Salus"] == (0, 1)


def test_a_case_without_a_notification_is_asked_for_nothing_that_only_that_says() -> None:
    found = tallied(Happening()("contact.made", NOTIFIED))
    assert found == {(Lack.NO_NOTIFICATION, ""): (1, 1)}
    assert {lack for lack, _ in tallied(notified())} == {*Lack} == {*COUNTS}


def test_a_case_is_its_latest_providers_and_what_is_to_come_does_not_exist_yet() -> None:
    child = notified(date_of_birth=None)
    child("case.allocated", date(2017, 6, 6), service="unit", provider="Salus")
    child("case.allocated", date(2017, 6, 20), service="unit", provider="Imago")
    assert tallied(child)[Lack.NO_DATE_OF_BIRTH, "Imago"] == (1, 1)
    earlier = tallied(child, day=date(2017, 6, 10))
    assert earlier[Lack.NO_DATE_OF_BIRTH, "Salus"] == (1, 1)
    assert tallied(child, day=date(2017, 6, 4)) == {}


def arrived(*days: date) -> list[int]:
    noons = (datetime(it.year, it.month, it.day, 12, tzinfo=UTC) for it in days)
    return [int(it.timestamp()) * 1000 for it in noons]


def test_days_from_event_to_arrival_are_by_type_and_by_the_cases_provider() -> None:
    child = notified()("case.allocated", date(2017, 6, 6), service="unit", provider="Salus")
    child("workforce.reported", date(2017, 6, 1), "S1", provider="Imago", fte=1.0)
    times = arrived(date(2017, 6, 7), date(2017, 6, 6), date(2017, 6, 11))
    arrivals = Arrivals()
    arrivals.add([("A", event, at) for event, at in zip(child.events, times, strict=True)])
    assert arrivals.found() == [
        Late("case.allocated", "", 1, 0, 0),
        Late("case.allocated", "Salus", 1, 0, 0),
        Late("notification.received", "", 1, 2, 2),
        Late("notification.received", "Salus", 1, 2, 2),
        Late("workforce.reported", "", 1, 10, 10),
        Late("workforce.reported", "Imago", 1, 10, 10),
    ]


@given(st.lists(st.integers(0, 4), min_size=5, max_size=20).filter(lambda it: len({*it}) == 5))
def test_events_that_come_again_count_as_they_came_first(order: list[int]) -> None:
    child = notified()("case.allocated", NOTIFIED, service="unit", provider="Salus")
    for day in (7, 8, 9):
        child("contact.made", date(2017, 6, day))
    once, often = Arrivals(), Arrivals()
    first = list(dict.fromkeys(order))
    for arrivals, numbers in ((once, first), (often, order)):
        seen: set[int] = set()
        for number in numbers:
            at = arrived(date(2017, 6, 25 if number in seen else 15 + number))[0]
            arrivals.add([("A", child.events[number], at)])
            seen.add(number)
    assert often.found() == once.found()


def test_an_event_dated_after_its_arrival_is_not_early() -> None:
    arrivals = Arrivals()
    arrivals.add([("A", notified().events[0], arrived(date(2017, 6, 1))[0])])
    assert arrivals.found() == [Late("notification.received", "", 1, 0, 0)]


def written(folder: Path, *events: tuple[str, str, str, dict[str, Any]]) -> Path:
    path = folder / "events.jsonl"
    lines = [
        json.dumps(
            {
                "specversion": "1.0",
                "id": str(number),
                "source": "urn:quality",
                "type": kind,
                "subject": f"of {key}",
                "partitionkey": key,
                "time": f"{day}T09:00:00Z",
                "data": data,
            }
        )
        for number, (kind, key, day, data) in enumerate(events)
    ]
    path.write_text("\n".join(lines), "utf-8")
    return path


def quality(path: Path, *arguments: str) -> Result:
    chosen = ["quality", "--file", str(path), "--as-of", f"{TODAY}", *arguments]
    return CliRunner().invoke(app, chosen)


REGISTERED = {"place": "Riverside", "kind": "child", "active": True, "consent": True}
CHILD = {**REGISTERED, "date_of_birth": "2015-01-01", "district": "Canterbury"}


def test_a_percentage_over_100_and_a_figure_that_is_supplied_as_well_are_findings(
    tmp_path: Path,
) -> None:
    supplied = {
        "code": "CEH27",
        "area": "Riverside",
        "age_band": "all",
        "period": "2017-06",
        "value": 5,
        "status": "supplied",
        "provenance": "a return",
    }
    estimate = {"area": "Riverside", "age_band": "0-4", "year": 2016, "count": 1}
    path = written(
        tmp_path,
        ("registration.recorded", "A", "2017-06-01", CHILD),
        ("registration.recorded", "B", "2017-06-02", CHILD),
        ("population.published", "Riverside", "2017-01-01", estimate),
        ("measure.supplied", "Riverside", "2017-06-29", supplied),
    )
    run = quality(path, "--show", "figures", "--format", "csv")
    assert run.exit_code == 0, run.output
    rows = list(csv.reader(run.stdout.splitlines()))
    assert rows[1:] == [
        ["over-100", "CEH28", "childrens-centre", "Riverside", "all", "200.0", ""],
        ["computed-and-supplied", "CEH27", "childrens-centre", "Riverside", "all", "2", "5"],
    ]


def test_indicators_of_quality_are_numerators_of_denominators(tmp_path: Path) -> None:
    told = {"notification_type": "EHN", "district": "Dover"}
    path = written(tmp_path, ("notification.received", "A", "2017-06-01", told))
    run = quality(path, "--show", "indicators", "--format", "json")
    assert run.exit_code == 0, run.output
    rows = {it["indicator"]: it for it in json.loads(run.stdout)}
    assert rows.keys() == {str(it) for it in Lack}
    assert rows["no-date-of-birth"] == {
        "indicator": "no-date-of-birth",
        "provider": "all",
        "numerator": 1,
        "denominator": 1,
        "value": 100.0,
    }


def test_files_say_nothing_of_arrivals_and_only_facts_have_kinds(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert quality(path, "--show", "arrivals").exit_code == 2
    assert quality(path, "--show", "figures", "--kind", "in-the-future").exit_code == 2


def test_odd_facts_of_files_are_shown_one_by_one(tmp_path: Path) -> None:
    told = {"notification_type": "EHN", "district": "Atlantis"}
    path = written(tmp_path, ("notification.received", "A", "2017-06-01", told))
    run = quality(path, "--format", "csv")
    assert run.stdout.splitlines() == [
        "kind,case,source,id",
        "unknown-district,of A,urn:quality,0",
    ]
