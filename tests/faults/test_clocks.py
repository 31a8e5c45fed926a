"""The machine's clock is set back and forward under a worker: nothing is lost, late or doubled."""

import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from schemas.events.registry import CASE_TOPIC
from streams.kafka.eventfiles import EventLine
from tests.reference.alerts import alerts
from tests.support.agreement import expected, parsed, shown
from tests.support.feeder import feeding
from tests.support.servers import Server
from tests.support.toldalerts import Alerts, check, messages_until
from tests.support.workers import CommandLine, wait_until

pytestmark = pytest.mark.services

NOON = datetime(2015, 10, 30, 12, tzinfo=UTC)
TOMORROW = date(2015, 10, 31)
HOUR, DAY = 3_600, 86_400
SET_CLOCK = Path(__file__).parents[1] / "support/set_clock.py"


def test_a_clock_set_back_an_hour_and_forward_a_day_loses_and_doubles_nothing(
    caseline: CommandLine, kafka: Server
) -> None:
    messages = messages_until(TOMORROW, 3_000, seed=9)
    lines = [EventLine(0, (key, value, ()), (CASE_TOPIC,)) for key, value in messages]
    events = parsed(lines)
    wrong_by = caseline.folder / "wrong-by"
    wrong_by.write_text("0")
    launcher: list[str | Path] = [sys.executable, SET_CLOCK, wrong_by, "worker"]
    settings: dict[str, Any] = {"clock_from": NOON.isoformat(), "alert_calm_seconds": 0}
    found = Alerts(caseline)
    with (
        feeding(kafka.address, CASE_TOPIC, messages) as feeder,
        caseline.worker(launcher=launcher, **settings) as worker,
    ):
        for seconds in (0, -HOUR, DAY, -HOUR, DAY):
            wrong_by.write_text(f"{seconds}")
            feeder.burst(len(messages) // 6).result()
            caseline.wait_for_the_end([worker])
        feeder.burst().result()
        caseline.wait_for_the_end([worker])
        true = alerts(events, TOMORROW)
        wait_until(lambda: found.true() == true, "alerts are those of the day", [worker])
    check(found, true)
    assert caseline.tally("messages") == len(messages)
    assert shown(caseline.rows(TOMORROW)) == expected(events, TOMORROW)
