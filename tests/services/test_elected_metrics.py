"""What the elected process shows of a deployment, as it really runs."""

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.alerting import KEY, change, receivers_file, recording, webhook
from tests.support.examples import log_file
from tests.support.inbox import Answer, Inbox, serving
from tests.support.monitoring import Programs, fetch
from tests.support.ports import free_port
from tests.support.workers import CommandLine, wait_until

pytestmark = pytest.mark.services


def values_at(url: str) -> dict[str, float]:
    """The sum of each metric's series."""
    values: dict[str, float] = {}
    for family in text_string_to_metric_families(fetch(url)):
        for sample in family.samples:
            values[sample.name] = values.get(sample.name, 0.0) + sample.value
    return values


def test_the_elected_process_shows_the_scorecard_and_how_receivers_take_alerts(
    caseline: CommandLine,
    monitoring_programs: Programs,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOOK_SECRET", KEY)
    caseline.run("ingest", log_file("messy-11"), code=3)
    with caseline.worker():
        caseline.wait_for_the_end()
    port = free_port()
    url = f"http://127.0.0.1:{port}/metrics"
    answers = iter([Answer(500, is_taken=False)])
    with serving(Inbox(lambda _: next(answers, Answer()))) as inbox, recording(caseline) as record:
        path = receivers_file(tmp_path, webhook("teams", inbox.url))
        record.record(change(1))
        with caseline.worker("alerts", "run", metrics_port=port, receivers_file=path) as process:
            wait_until(lambda: bool(inbox.processed), "it is told", [process])
            wait_until(
                lambda: values_at(url).get("caseline_scorecard_up") == 1, "it looks", [process]
            )
            shown = values_at(url)
            monitoring_programs.check("promtool", "check", "metrics", text=fetch(url))
    assert shown["caseline_indicator_numerator"] > 0
    assert shown["caseline_table_lag_events"] == 0
    assert shown["caseline_delivery_attempts_total"] >= 2
    assert shown["caseline_delivery_seconds_count"] == shown["caseline_delivery_attempts_total"]


def test_a_receiver_that_is_down_is_the_further_behind_the_more_there_is_to_tell(
    caseline: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", KEY)
    port = free_port()
    url = f"http://127.0.0.1:{port}/metrics"

    def is_behind(changes: int, more: int = 0) -> bool:
        behind = values_at(url).get("caseline_delivery_lag_changes", -1)
        return changes <= behind <= changes + more

    with serving(Inbox()) as inbox, recording(caseline) as record:
        path = receivers_file(tmp_path, webhook("teams", inbox.url))
        with caseline.worker("alerts", "run", metrics_port=port, receivers_file=path) as process:
            record.record(*map(change, range(10)))
            wait_until(lambda: len(inbox.told) == 10, "it is told", [process])
            wait_until(lambda: is_behind(0), "nothing waits", [process])
            inbox.answer = lambda _: Answer(500, is_taken=False)
            record.record(*map(change, range(10, 30)))
            wait_until(lambda: is_behind(20, more=5), "20 wait", [process])
            record.record(*map(change, range(30, 60)))
            wait_until(lambda: is_behind(50, more=5), "50 wait", [process])
            inbox.answer = lambda _: Answer()
            wait_until(lambda: is_behind(0), "nothing waits any more", [process])
    assert len(inbox.told) == 60
