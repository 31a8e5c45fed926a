"""Trends: a figure by month and by day, for as long as there is history."""

import csv
from datetime import date
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from processors.days.calendar import previous_month_end
from streams.cli import app
from tests.support.examples import log_file

LOG = str(log_file("messy-11"))
LAST = date(2015, 10, 17)


def trend(*arguments: str) -> Result:
    chosen = ["trend", "EH05", "--as-of", f"{LAST}", "--format", "csv", "--file", LOG]
    return CliRunner().invoke(app, [*chosen, *arguments])


def rows(*arguments: str) -> list[dict[str, Any]]:
    run = trend(*arguments)
    assert run.exit_code == 0, run.output
    return list(csv.DictReader(run.stdout.splitlines()))


def shown_on(day: date) -> str:
    chosen = ["--as-of", f"{day}", "--code", "EH05", "--area", "Kent", "--age-band", "all"]
    run = CliRunner().invoke(app, ["replay", LOG, *chosen, "--format", "csv"])
    (row,) = csv.DictReader(run.stdout.splitlines())
    return row["value"]


def test_a_trend_by_month_is_of_month_ends_and_of_the_date_itself() -> None:
    found = rows("--count", "3")
    assert [it["as_of"] for it in found] == ["2015-08-31", "2015-09-30", "2015-10-17"]
    assert found[-1]["value"] == shown_on(LAST)
    assert found[-2]["value"] == shown_on(previous_month_end(LAST))


def test_all_of_it_begins_in_the_first_month_that_counts_anything() -> None:
    found = rows("--all")
    first = date.fromisoformat(found[0]["as_of"])
    assert len(found) > 3
    assert any(float(it["value"]) for it in found)
    before = rows("--since", f"{previous_month_end(first)}")
    assert len(before) == len(found) + 1
    assert before[0]["value"] == "0"
    assert before[1:] == found


def test_by_day_it_is_every_day_since_a_date() -> None:
    found = rows("--by", "day", "--since", "2015-10-10")
    assert [it["as_of"] for it in found] == [f"2015-10-{day}" for day in range(10, 18)]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--since", "2015-10-18", "--by", "day"),
        ("--since", "1990-01-01", "--by", "day"),
        ("--all", "--count", "3"),
        ("--all", "--since", "2015-01-01"),
    ],
)
def test_what_cannot_be_shown_is_refused(arguments: tuple[str, ...]) -> None:
    assert trend(*arguments).exit_code == 2
