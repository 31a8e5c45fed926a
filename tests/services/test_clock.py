"""The clock of a deployment: one for all its processes, and in London."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from processors.days.calendar import day_number
from schemas.settings import Settings
from streams.clock import Clock, clock_of, midnight
from tests.support.examples import LOGS, log_file
from tests.support.servers import Server
from tests.support.workers import CommandLine

NOON = datetime(2015, 10, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.services
def test_every_process_of_a_training_system_has_the_same_clock_whenever_it_starts(
    redis_server: Server, deployment: str
) -> None:
    settings = Settings(redis_url=redis_server.address, deployment=deployment, clock_from=NOON)
    before = datetime.now(UTC)
    first = clock_of(settings)
    after = datetime.now(UTC)
    # It showed noon at some moment while it was made, and is ahead of the real one ever since.
    assert NOON - after <= first.ahead <= NOON - before
    assert clock_of(settings).ahead == first.ahead
    earlier, shown, later = first.now(), first.seconds(), first.now()
    assert earlier.timestamp() <= shown <= later.timestamp()
    # Another time to begin at, or another deployment, has a clock of its own.
    for changed in ({"clock_from": NOON + DAY}, {"deployment": f"{deployment}-2"}):
        before = datetime.now(UTC)
        other = clock_of(settings.model_copy(update=changed))
        begins = changed.get("clock_from", NOON)
        assert isinstance(begins, datetime)
        assert other.ahead <= begins - before
        assert other.ahead != first.ahead


@pytest.mark.services
def test_commands_without_redis_say_so_where_the_clock_is_set(caseline: CommandLine) -> None:
    settings = {"redis_url": "redis://127.0.0.1:1/0", "clock_from": NOON.isoformat()}
    run = caseline.run("alerts", "silences", code=1, **settings)
    assert "is CASELINE_REDIS_URL right?" in run.stderr


@pytest.mark.services
def test_commands_that_show_and_freeze_figures_go_by_the_clock_of_the_deployment(
    caseline: CommandLine,
) -> None:
    caseline.run("ingest", log_file(LOGS[0]), code=3)
    with caseline.worker() as worker:
        caseline.wait_for_the_end([worker])
    then: dict[str, Any] = {"clock_from": NOON.isoformat()}
    csv = ("--format", "csv")
    for command in (["scorecard"], ["replay", log_file(LOGS[0])], ["quality"]):
        now = caseline.run(*command, *csv).stdout
        asked = caseline.run(*command, *csv, "--as-of", f"{NOON:%Y-%m-%d}").stdout
        assert caseline.run(*command, *csv, **then).stdout == asked, command
        assert now != asked or command == ["quality"]
    shown = caseline.run("scorecard", **then).stderr
    assert f"As of {NOON:%Y-%m-%d}." in shown

    freeze = ("snapshot", "freeze", "--period", f"{NOON:%Y-%m}", "--by", "analyst")
    assert "is not over until the end" in caseline.run(*freeze, code=1, **then).stderr
    later: dict[str, Any] = {"clock_from": (NOON + 20 * DAY).isoformat()}
    made = caseline.run("snapshot", "schedule", "--once", **later).stderr
    assert f"{NOON:%Y-%m}/001 (first) released" in made
    release = json.loads(
        caseline.run("snapshot", "show", f"{NOON:%Y-%m}", "--format", "json").stdout
    )
    assert release["released_on"] == f"{NOON + 20 * DAY:%Y-%m-%d}"


def test_the_time_is_the_real_one_unless_it_is_set_otherwise() -> None:
    before = datetime.now(UTC)
    assert before <= clock_of(Settings()).now() <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("day", "begins"),
    [
        ("2015-03-28", "2015-03-28T00:00:00+00:00"),
        ("2015-03-29", "2015-03-29T00:00:00+00:00"),  # clocks go forward in the night
        ("2015-03-30", "2015-03-29T23:00:00+00:00"),
        ("2015-10-25", "2015-10-24T23:00:00+00:00"),  # and back
        ("2015-10-26", "2015-10-26T00:00:00+00:00"),
    ],
)
def test_a_day_begins_at_midnight_in_london_and_the_clock_is_on_it_from_then(
    day: str, begins: str
) -> None:
    instant = datetime.fromisoformat(begins)
    number = day_number(date.fromisoformat(day))
    assert midnight(number) == instant.timestamp()
    assert Clock(instant - datetime.now(UTC)).day() == number
    assert Clock(instant - datetime.now(UTC) - timedelta(hours=1)).day() == number - 1
