"""`caseline alerts run --once` on real services, with indicators among what there is to tell."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from streams.kafka.eventfiles import EventLine
from tests.support.opencases import line, pushed
from tests.support.servers import Server
from tests.support.workers import CommandLine

pytestmark = pytest.mark.services

NOON = datetime(2015, 10, 31, 12, tzinfo=UTC)
LONG_AGO = datetime(2015, 3, 2, 9, tzinfo=UTC)
CASES = 20  # the fewest that EH14's alert goes by


def open_too_long(number: int) -> list[EventLine]:
    """A unit's case in Dover that has been open for longer than 20 weeks."""
    child, case, later = f"child-{number}", f"case-{number}", LONG_AGO + timedelta(minutes=1)
    data = {"notification_type": "EHN", "district": "Dover"}
    return [
        line(child, case, "notification.received", LONG_AGO, **data),
        line(child, case, "case.allocated", later, service="unit"),
    ]


def test_alerts_on_indicators_are_told_once_they_have_lasted(
    caseline: CommandLine, kafka: Server
) -> None:
    settings: dict[str, Any] = {"clock_from": NOON.isoformat(), "alert_calm_seconds": 1}
    pushed(kafka, [it for number in range(CASES) for it in open_too_long(number)])
    with caseline.worker(**settings) as worker:
        caseline.wait_for_the_end([worker])
    caseline.run("alerts", "run", "--once", **settings)
    listed = caseline.start("alerts", "list", "--format", "json", **settings)
    rows = json.loads(listed.communicate()[0])
    found = {(it["indicator"], it["area"], it["state"]) for it in rows if it["indicator"]}
    assert found == {("EH14", area, "breached") for area in ("Kent", "South", "Dover")}
    caseline.run("alerts", "run", "--once", **settings)
