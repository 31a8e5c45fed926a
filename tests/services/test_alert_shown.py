"""`caseline alerts show` on real services."""

from pathlib import Path

import pytest

from tests.support.alerting import Recorder, alert_id, change, receivers_file, webhook
from tests.support.workers import CommandLine

pytestmark = pytest.mark.services


def test_an_alert_is_shown_to_whoever_has_none_of_the_receivers_secrets(
    caseline: CommandLine, recorder: Recorder, tmp_path: Path
) -> None:
    recorder.record(change(1))
    path = receivers_file(tmp_path, webhook("hook", "http://127.0.0.1:1/hook"))
    shown = caseline.run("alerts", "show", alert_id(1), receivers_file=path).stdout
    assert "receiver hook" in shown
