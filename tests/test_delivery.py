"""Delivery on a real Kafka and a real Redis to real receivers that are down, slow, or failing."""

import json
import random
import time
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from schemas.alerts import ALERTS_TOPIC
from streams.batches import TP
from tests.alerting import (
    KEY,
    Recorder,
    alert_id,
    change,
    keys,
    life,
    receivers_file,
    recording,
    telling,
    webhook,
)
from tests.inbox import TAKEN, Answer, Inbox, Request, serving
from tests.workers import CommandLine, wait_until

pytestmark = pytest.mark.services

FAILED = Answer(500, is_taken=False)


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", KEY)


@pytest.fixture
def recorder(caseline: CommandLine):
    with recording(caseline) as it:
        yield it


def test_a_change_is_told_once_signed_and_by_owner(
    caseline: CommandLine, recorder: Recorder, tmp_path: Path
) -> None:
    with serving(Inbox()) as inbox:
        path = receivers_file(tmp_path, webhook("hook", inbox.url + "/alerts"))
        caseline.run("alerts", "run", "--once", receivers_file=path)
        began = time.monotonic()
        recorder.record(change(1), change(2, owner="Unit B"), change(3))
        with telling(caseline, path) as process:
            wait_until(lambda: len(inbox.changes) == 3, "all are told", [process])
            print(time.monotonic() - began)
            began = time.monotonic()
            recorder.record(change(4))
            wait_until(lambda: len(inbox.changes) == 4, "all are told", [process])
            print(time.monotonic() - began)
    assert recorder.waiting() == 0
    print([r.body for r in inbox.requests])
