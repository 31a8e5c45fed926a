"""What an Alertmanager is told: alerts as labels, raised, told again, and ended."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas.alerts import IndicatorChange
from streams.alerts.channels.alertmanager import annotations, labels
from tests.support.alerting import (
    HOUR,
    NOON,
    Recorder,
    alert_id,
    change,
    life,
    receivers_file,
    silence,
    tell,
    telling,
)
from tests.support.inbox import Answer, Inbox, serving
from tests.support.monitoring import Running
from tests.support.patience import SECONDS
from tests.support.webhook import webhook as webhook_behind
from tests.support.workers import CommandLine, wait_until

INDICATOR = {
    "alert": alert_id(7),
    "version": 1,
    "standard": "closed-with-outcomes",
    "title": "80 % closed",
    "state": "breached",
    "since": "2015-10-16",
    "severity": "critical",
    "owner_kind": "area",
    "owner": "East",
    "area": "East",
    "indicator": "EH16",
    "period": "2015-10",
    "numerator": 21,
    "denominator": 29,
    "value": 72.4,
    "target": 80.0,
}


def receiver(url: str, *lines: str) -> str:
    return "\n".join(
        [
            "[[receiver]]",
            'name = "on-call"',
            'kind = "alertmanager"',
            f'url = "{url}"',
            "first_retry = 0.02",
            "longest_retry = 0.2",
            *lines,
            "",
        ]
    )


def shown(alert: dict[str, Any]) -> tuple[str, str, bool]:
    """An alert's case and state, and whether it is active as it is posted."""
    ends = datetime.fromisoformat(alert["endsAt"])
    began = datetime.fromisoformat(alert["startsAt"])
    assert began <= ends
    is_active = ends > datetime.now(UTC) + timedelta(seconds=60)
    return alert["annotations"]["case"], alert["labels"]["state"], is_active


def test_labels_tell_what_and_whose_and_never_who() -> None:
    case = change(provider="Porchlight", team="Unit A", service="family-support")
    assert labels(case) == {
        "alertname": "unit-contact",
        "alert_id": alert_id(1),
        "state": "breached",
        "severity": "warning",
        "owner_kind": "team",
        "owner": "Unit A",
        "area": "Thanet",
        "provider": "Porchlight",
        "service": "family-support",
        "team": "Unit A",
    }
    assert annotations(case, None)["case"] == "C1"
    assert "P1" not in json.dumps([labels(case), annotations(case, "done")])
    indicator = IndicatorChange.model_validate_json(json.dumps(INDICATOR))
    assert labels(indicator)["indicator"] == "EH16"
    assert "provider" not in labels(indicator)
    assert annotations(indicator, None)["value"] == "72.4 (21 of 29)"


@pytest.mark.services
def test_a_state_that_follows_another_ends_it_and_what_is_over_ends(
    caseline: CommandLine, recorder: Recorder, tmp_path: Path
) -> None:
    with serving(Inbox()) as inbox:
        url = 'generator_url = "https://caseline.example/alerts/{alert}"'
        path = receivers_file(tmp_path, receiver(inbox.url + "/am/", url))
        tell(caseline, path)
        told = []
        for it in life(1):
            recorder.record(it)
            inbox.processed.clear()
            tell(caseline, path)
            told.append([shown(alert) for alert in json.loads(inbox.processed[-1].body)])
    assert {it.path for it in inbox.requests} == {"/am/api/v2/alerts"}
    assert told == [
        [("C1", "due-soon", True)],
        [("C1", "due-soon", False), ("C1", "breached", True)],
        [("C1", "breached", False)],
    ]
    (alert,) = json.loads(inbox.processed[-1].body)
    assert alert["startsAt"] == "2015-10-16T00:00:00+01:00"
    assert alert["annotations"]["reason"] == "done-late"
    assert alert["generatorURL"].endswith(f"/{alert_id(1)}")


@pytest.mark.services
def test_what_came_while_it_was_down_is_told_as_it_is_now(
    caseline: CommandLine, recorder: Recorder, tmp_path: Path
) -> None:
    with serving(Inbox()) as inbox:
        only = 'states = ["breached"]'
        path = receivers_file(tmp_path, receiver(inbox.url, only))
        tell(caseline, path)
        recorder.record(*life(1), *life(2)[:2], change(3, state="due-soon"))
        recorder.record(change(4), change(4, 2, "due-soon"))
        tell(caseline, path)
        assert [shown(it) for it in inbox.alerts] == [("C2", "breached", True)]
        recorder.record(change(2, 3, "due-soon"))
        tell(caseline, path)
    assert shown(inbox.alerts[-1]) == ("C2", "breached", False)


@pytest.mark.services
def test_what_is_active_is_told_again_in_time_but_not_while_it_is_silenced(
    caseline: CommandLine, recorder: Recorder, tmp_path: Path
) -> None:
    with serving(Inbox()) as inbox:
        again = ("resend = 0.2", "lease = 300", "most_changes = 2")
        path = receivers_file(tmp_path, receiver(inbox.url, *again))
        recorder.record(*(change(number) for number in (1, 2, 3)), *life(4)[:2])
        with telling(caseline, path) as process:
            wait_until(lambda: len(inbox.alerts) > 16, "told again and again", [process])
            assert all(len(json.loads(it.body)) <= 2 for it in inbox.requests)
            recorder.record(life(4)[2])
            wait_until(
                lambda: any(not shown(it)[2] for it in inbox.alerts), "it is over", [process]
            )
            inbox.processed.clear()
            inbox.answer = lambda _: Answer(500, is_taken=False)
            tries = len(inbox.requests)
            wait_until(lambda: len(inbox.requests) > tries, "it fails", [process])
            inbox.answer = lambda _: Answer()
        tell(caseline, path, NOON)
        inbox.processed.clear()
        tell(caseline, path, NOON)
        assert sorted(map(shown, inbox.alerts)) == [(f"C{n}", "breached", True) for n in (1, 2, 3)]
        silence(recorder, alerts=[alert_id(2)])
        inbox.processed.clear()
        tell(caseline, path, NOON)
        assert sorted(it[0] for it in map(shown, inbox.alerts)) == ["C1", "C3"]
        inbox.processed.clear()
        tell(caseline, path, NOON + HOUR)
        assert sorted(it[0] for it in map(shown, inbox.alerts)) == ["C1", "C2", "C3"]


@pytest.mark.services
def test_a_real_one_tells_what_is_behind_it_of_each_state_once_and_when_it_is_over(
    caseline: CommandLine,
    recorder: Recorder,
    tmp_path: Path,
    alertmanager: Callable[[str], Running],
) -> None:
    with webhook_behind() as (url, told):
        path = receivers_file(tmp_path, receiver(alertmanager(url).url, "resend = 0.2"))
        with telling(caseline, path):
            for it, expected in zip(
                life(1),
                (
                    [("firing", "due-soon")],
                    [("firing", "breached"), ("resolved", "due-soon")],
                    [("resolved", "breached")],
                ),
                strict=True,
            ):
                recorder.record(it)
                found = [told.get(timeout=SECONDS) for _ in expected]
                assert (
                    sorted((it["status"], it["commonLabels"]["state"]) for it in found) == expected
                )
        assert told.empty()
