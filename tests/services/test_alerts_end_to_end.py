"""From an event to a phone: a breach arrives behind Alertmanager once, and is taken back."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.faults.test_alerts import line, open_case, pushed
from tests.services.test_real_alertmanager import webhook
from tests.support.monitoring import Running
from tests.support.servers import Server
from tests.support.workers import COMMAND, CommandLine, wait_until

pytestmark = pytest.mark.services

PATIENCE = 240.0
STALE = 4  # what is listed is of another day than today
BEFORE_MIDNIGHT = datetime(2015, 10, 18, 22, 59, 35, tzinfo=UTC)  # 23:59:35 in London

Told = "queue.Queue[dict[str, Any]]"


def test_a_breach_arrives_once_when_the_clock_has_passed_it_and_is_taken_back(
    caseline: CommandLine, kafka: Server, alertmanager: Callable[[str], Running]
) -> None:
    settings: dict[str, Any] = {
        "clock_from": BEFORE_MIDNIGHT.isoformat(),
        "alert_calm_seconds": 0,
    }
    with webhook() as (url, told):
        server = alertmanager(url)
        receivers = caseline.folder / "receivers.toml"
        receivers.write_text(
            "[[receiver]]\n"
            'name = "on-call"\n'
            'kind = "alertmanager"\n'
            f'url = "{server.url}"\n'
            'states = ["breached"]\n'
        )
        settings["receivers_file"] = receivers
        # A first contact is due by Friday 16 October, so late on Monday 19.
        pushed(kafka, open_case(1, datetime(2015, 10, 2, 9, tzinfo=UTC)))
        with (
            caseline.worker(**settings) as worker,
            caseline.worker(launcher=[COMMAND, "alerts", "run"], **settings) as teller,
        ):
            caseline.wait_for_the_end([worker, teller])
            raised = told.get(timeout=PATIENCE)
            assert raised["status"] == "firing"
            labels = raised["alerts"][0]["labels"]
            assert (labels["alertname"], labels["state"]) == ("unit-contact", "breached")
            assert labels["owner"] == "Dover 1"
            done = datetime(2015, 10, 18, 23, 0, 5, tzinfo=UTC)
            pushed(kafka, [line("child-1", "case-1", "contact.made", done)])
            resolved = told.get(timeout=PATIENCE)
            assert resolved["status"] == "resolved"
            assert resolved["alerts"][0]["labels"] == labels
            assert resolved["alerts"][0]["annotations"]["reason"] == "done-late"
            wait_until(lambda: _is_all_clear(caseline, settings), "nothing is active, as of today")
            assert told.empty()


def _is_all_clear(caseline: CommandLine, settings: dict[str, Any]) -> bool:
    with caseline.start("alerts", "list", **settings) as listing:
        said = listing.communicate(timeout=PATIENCE)[1]
    assert listing.returncode in {0, STALE}, said
    return listing.returncode == 0 and "0 alerts are active" in said
