"""`caseline alerts show` on real services."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.alerting import Recorder, alert_id, change, life, receivers_file, tell, webhook
from tests.support.inbox import Inbox, serving
from tests.support.workers import CommandLine

pytestmark = pytest.mark.services


def test_an_alert_is_shown_to_whoever_has_none_of_the_receivers_secrets(
    caseline: CommandLine, recorder: Recorder, tmp_path: Path
) -> None:
    recorder.record(change(1))
    path = receivers_file(tmp_path, webhook("hook", "http://127.0.0.1:1/hook"))
    shown = caseline.run("alerts", "show", alert_id(1), receivers_file=path).stdout
    assert "receiver hook" in shown


@pytest.mark.usefixtures("hook_secret")
def test_each_change_is_shown_with_when_it_was_learnt_and_sent(
    caseline: CommandLine, recorder: Recorder, tmp_path: Path
) -> None:
    learnt = datetime(2015, 10, 20, 8, 0, 1, tzinfo=UTC)  # 9 in London
    sent = datetime(2015, 10, 20, 8, 0, 9, tzinfo=UTC)
    with serving(Inbox()) as inbox:
        path = receivers_file(tmp_path, webhook("hook", inbox.url))
        tell(caseline, path, sent)
        recorder.record(*life(1, learnt=learnt))
        tell(caseline, path, sent)
    shown = caseline.run("alerts", "show", alert_id(1), receivers_file=path).stdout
    assert shown.count("learnt 2015-10-20 09:00:01") == len(life(1))
    assert shown.count("to the topic 20") == len(life(1))
    assert shown.count("to hook 2015-10-20 09:00:09") == len(life(1))
