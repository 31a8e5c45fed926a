"""From an event to a phone: a breach arrives behind Alertmanager once, soon, and is taken back."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.monitoring import Running
from tests.support.opencases import line, open_case, pushed
from tests.support.servers import Server
from tests.support.webhook import webhook
from tests.support.workers import COMMAND, CommandLine, RunningWorker, wait_until

pytestmark = pytest.mark.services

# What an alert may take from the clock's passing its deadline to the webhook.
SECONDS = 5.0
PATIENCE = 60.0
BEFORE_MIDNIGHT = datetime(2015, 10, 18, 22, 59, 35, tzinfo=UTC)  # 23:59:35 in London
MIDNIGHT = datetime(2015, 10, 18, 23, 0, tzinfo=UTC)

Told = "queue.Queue[dict[str, Any]]"


def when(worker: RunningWorker, moment: datetime) -> float:
    """When the worker's clock passes a moment, by this machine's clock."""
    said = next(it for it in worker.lines if it["message"] == "the clock is set otherwise")
    shift = datetime.fromisoformat(said["clock"]) - datetime.fromisoformat(said["time"])
    return (moment - shift).timestamp()


def test_a_breach_arrives_once_within_seconds_of_the_clock_passing_it_and_resolves(
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
            passed = when(worker, MIDNIGHT)
            assert time.time() < passed, "the machine is too slow for this test"
            raised = told.get(timeout=PATIENCE)
            arrived = time.time()
            assert passed < arrived < passed + SECONDS
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
            wait_until(lambda: "no alerts" in _listed(caseline, settings), "nothing is active")
            assert told.empty()


def _listed(caseline: CommandLine, settings: dict[str, Any]) -> str:
    said = caseline.run("alerts", "list", **settings).stderr
    return "no alerts" if "0 alerts are active" in said else said
