"""`caseline alerts list` on a real Redis: right as of when it says, and never a false all-clear."""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from processors.alerts.overview import WantedAlerts
from schemas.alerts import CaseChange, IndicatorChange
from streams.clock import Clock
from streams.serving.live_alerts import LiveAlerts
from tests.support.alerting import Recorder, alert_id, asked, change, indicator, recording
from tests.support.commands import Command
from tests.support.opencases import open_case, pushed
from tests.support.servers import Server
from tests.support.stored_state import StoredState
from tests.support.workers import CommandLine, finished, wait_until

pytestmark = pytest.mark.services

NOON = datetime(2015, 10, 31, 12, tzinfo=UTC)
DAY = timedelta(days=1)
DATA = Path(__file__).parents[1] / "data"


def test_states_of_yesterday_come_with_their_day_a_warning_and_exit_code_4(
    caseline: CommandLine, recorder: Recorder
) -> None:
    recorder.record(change(1))
    assert "Judged" in asked(caseline, "list").stdout
    for form in ("table", "json", "csv"):
        recorder.judge(time.time() - DAY.total_seconds())
        stale = asked(caseline, "list", "--format", form, code=4)
        assert "C1" in stale.stdout
        assert "is a worker running?" in stale.stderr


def test_a_deployment_that_no_worker_has_judged_is_no_all_clear(caseline: CommandLine) -> None:
    assert "of no day that is known" in asked(caseline, "list", code=4).stderr


def test_a_worker_says_as_of_when_alerts_are_right(caseline: CommandLine) -> None:
    settings: dict[str, Any] = {"clock_from": NOON.isoformat(), "alert_calm_seconds": 0}

    def listed(code: int, **changed: Any) -> str:
        run = caseline.run("alerts", "list", code=code, **changed)
        return run.stdout + run.stderr

    assert "of no day" in listed(4, **settings)
    with caseline.worker(**settings) as worker:
        wait_until(
            lambda: (
                "Judged 2015-10-31 12:0"
                in caseline.start("alerts", "list", **settings).communicate()[0]
            ),
            "all shards are judged",
            [worker],
        )
    assert "0 alerts are active" in listed(0, **settings)
    # Nobody has looked since, and it is another day.
    assert "those of 2015-10-31" in listed(4)


def test_doctor_says_that_alerts_are_those_of_another_day(
    caseline: CommandLine, kafka: Server
) -> None:
    pushed(kafka, open_case(1, datetime.now(UTC)))
    with caseline.worker(alert_calm_seconds=0) as worker:
        caseline.wait_for_the_end([worker])
    with recording(caseline) as recorder:
        assert "alerts on cases" in caseline.run("doctor").stdout
        for key in recorder.redis.keys(f"caseline:{{{recorder.deployment}:*:alerts:judged"):
            recorder.redis.zadd(key, {"at": time.time() - DAY.total_seconds()})
    told = caseline.run("doctor", code=4).stdout
    assert "is `caseline worker` running?" in " ".join(told.split())
    assert "1 wrong" in told


MISSPELT = [
    ("--standard", "unit-contct", "unit-contct: there are unit-contact"),
    ("--owner", "Unit a", "Unit a: no alert was ever for anyone of this name; is it Unit A"),
    ("--owner", "Dovr", "is it Dover"),
    ("--provider", "Porchlihgt", "Porchlihgt: no alert was ever"),
]


def test_a_name_that_is_misspelt_is_wrong_usage(caseline: CommandLine, recorder: Recorder) -> None:
    recorder.record(change(1), change(1, version=2, state="resolved"))
    silence = ("silence", "--by", "x", "--reason", "y", "--for", "1h")
    for option, name, said in MISSPELT:
        for command in (("list",), silence):
            run = asked(caseline, *command, option, name, code=2)
            assert said in " ".join(run.stderr.replace("│", "").split())
    asked(caseline, "list", "--owner", "Unit A")  # which has none now, and had one


def test_a_case_that_nothing_is_of_is_wrong_usage_and_one_without_an_alert_is_not(
    caseline: CommandLine, recorder: Recorder
) -> None:
    recorder.record(change(1))
    StoredState(caseline.settings, caseline.rules).add_file(DATA / "messy-11.jsonl.gz")
    run = asked(caseline, "list", "--case", "C1", "--case", "E-2O15", code=2)
    assert "E-2O15: no event is of a case of this name" in " ".join(
        run.stderr.replace("│", "").split()
    )
    assert "C1" in asked(caseline, "list", "--case", "C1").stdout
    assert "0 alerts are active" in asked(caseline, "list", "--case", "C332").stderr


def listed_at(caseline: CommandLine, columns: int) -> str:
    """What is listed on a terminal of so many columns."""
    environment = {**caseline.environment(), "COLUMNS": str(columns)}
    return finished(Command(["alerts", "list"], caseline.folder, environment), code=0).stdout


@pytest.mark.parametrize("columns", [80, 140])
def test_no_fact_of_a_case_goes_where_there_is_less_room(
    caseline: CommandLine, recorder: Recorder, columns: int
) -> None:
    recorder.record(
        change(1, team="Unit A", worker="W7", severity="critical", breached_from="2015-10-16"),
        change(
            2, state="due-soon", due="2015-10-16", breached_from="2099-10-19", child="P1", case="C1"
        ),
        indicator(90, area="Dover", severity="critical"),
        indicator(91, provider="Porchlight", numerator=11, value=55.0),
    )
    who = ("--by", "T. Lead", "--reason", "Visit booked", "--for", "3d")
    asked(caseline, "ack", change(1).alert, *who)
    shown = listed_at(caseline, columns)
    text = " ".join(shown.split())
    for fact in ("C1", "P1", "Thanet", "Unit A", "W7", "2015-10-16", "critical", "by T. Lead"):
        assert fact in text, fact
    assert "breached from 2099-10-19" in text
    for number, place, value in ((90, "Dover", "50 (10"), (91, "Porchlight", "55 (11")):
        (line,) = (it for it in shown.splitlines() if alert_id(number)[:8] in it)
        assert "EH14" in line
        assert place in line
        assert value in line
    assert all(len(line) <= columns for line in shown.splitlines())
    rows = json.loads(asked(caseline, "list", "--format", "json").stdout)
    assert rows[0]["worker"] == "W7"
    assert rows[0]["days_overdue"] > 3_000


def test_what_a_process_holds_of_alerts_follows_each_change_for_each_of_its_readers(
    caseline: CommandLine, recorder: Recorder
) -> None:
    made = [change(n, team=f"Unit {n % 2}") for n in range(1, 9)]
    recorder.record(*made)

    def of_one(it: CaseChange | IndicatorChange) -> bool:
        return isinstance(it, CaseChange) and it.team == "Unit 1"

    async def look() -> None:
        async with Redis.from_url(caseline.settings.redis_url) as redis:
            alerts = LiveAlerts(redis, caseline.settings, caseline.rules, Clock())

            async def seen() -> tuple[int, list[str]]:
                one = await alerts.listed(WantedAlerts(), of_one, "one")
                every = await alerts.listed(WantedAlerts(), lambda _: True, "every")
                return len(one.overview.cases), [it.first.title for it in every.overview.cases]

            told = [await seen(), await seen()]
            assert [(one, len(every)) for one, every in told] == [(4, 8), (4, 8)]
            over = made[0].model_copy(update={"state": "resolved", "version": 2})
            await asyncio.to_thread(recorder.record, over)
            one, every = await seen()
            assert (one, len(every)) == (3, 7)
            # As many as before, and one of them another.
            await asyncio.to_thread(
                recorder.record, made[1].model_copy(update={"title": "Other", "version": 2})
            )
            one, every = await seen()
            assert (one, len(every), every.count("Other")) == (3, 7, 1)

    asyncio.run(look())
