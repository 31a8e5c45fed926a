"""A log that has lost its beginning: refused, or gone on without by name, and told ever after."""

import json

import pytest
from kafka import TopicPartition
from kafka.admin import KafkaAdminClient

from streams.kafka.batches import TP
from tests.support.examples import DATES, LOGS, good_lines, log_file
from tests.support.served import Asks, Served
from tests.support.workers import CommandLine, wait_until

pytestmark = pytest.mark.services

HOLE = TP("case-events", 1)
GO_ON = ("--from-what-is-there", "--by", "A. Analyst", "--reason", "disk lost, no copy")


def forgotten(caseline: CommandLine, tp: TP, offset: int) -> None:
    """Delete a log's records before an offset, as retention would."""
    admin = KafkaAdminClient(bootstrap_servers=caseline.settings.kafka_bootstrap)
    try:
        admin.delete_records({TopicPartition(*tp): offset})
    finally:
        admin.close()


def test_a_state_made_from_what_is_there_says_on_every_scorecard_what_is_lost(
    caseline: CommandLine,
) -> None:
    lines = good_lines(log_file(LOGS[0]))
    halves = []
    for name, part in (("first", lines[::2]), ("second", lines[1::2])):
        path = caseline.folder / f"{name}.jsonl"
        path.write_bytes(b"".join((line.message[1] or b"") + b"\n" for line in part))
        halves.append(path)
    with caseline.worker() as worker:
        caseline.run("ingest", halves[0])
        before = caseline.wait_for_the_end([worker])
    caseline.run("ingest", halves[1])
    ends = caseline.ends()
    first = before[HOLE] + 3
    assert first < ends[HOLE]
    forgotten(caseline, HOLE, first)

    with caseline.worker() as worker:
        wait_until(lambda: "partition stopped" in worker.text, "the hole is found", [worker])
        wait_until(
            lambda: all(caseline.offsets()[tp] == it for tp, it in ends.items() if tp != HOLE),
            "the others go on",
            [worker],
        )
        shown = caseline.run("scorecard", "--as-of", f"{DATES[0]}").stderr
        assert "Incomplete: case-events[1] was stopped" in shown
        for command in (("trend", "EH01"), ("cases", "EH01"), ("quality",), ("alerts", "forecast")):
            assert "Incomplete: case-events[1] was stopped" in caseline.run(*command).stderr
        told = caseline.run("rebuild", "--yes", code=1).stderr
        assert "--from-what-is-there" in told
        assert caseline.run("rebuild", "--yes", "--from-what-is-there", code=2).stderr

        told = caseline.run("rebuild", "--yes", *GO_ON).stderr

        lost = f"case-events[1] offsets 0 to {first - 1}"
        assert lost in told
        caseline.wait_for_the_end([worker])
        for form in ("table", "csv"):
            shown = caseline.run("scorecard", "--format", form).stderr
            assert lost in shown
            assert "A. Analyst had the state made without them: disk lost, no copy" in shown
            assert "was stopped" not in shown
        served = Served(caseline.settings, caseline.rules)
        page, rows = served.ask_all([Asks("/scorecard"), Asks("/api/v1/scorecard?area=Kent")])
        assert lost in page.text
        assert any(lost in note for note in rows.json()["notes"])
        told = caseline.run("doctor").stdout
        assert lost in told
        assert "Nothing wrong." in told
        month = f"{DATES[-1]:%Y-%m}"
        caseline.run("snapshot", "freeze", "--period", month, "--by", "A. Analyst")
        release = json.loads(caseline.run("snapshot", "show", month, "--format", "json").stdout)
        ((noted, count),) = [
            (text, count) for text, count in release["quality"].items() if lost in text
        ]
        assert noted.startswith("messages that the log has lost, ")
        assert count == first
        assert "nothing wrong" in caseline.run("snapshot", "verify", "--recompute").stdout
        # Its windows begin after what is lost.
        later = caseline.run("scorecard", "--as-of", "2034-01-31", "--format", "json")
        assert lost not in later.stderr
        assert json.loads(later.stdout)

        caseline.run("rebuild", "--yes")  # what is known to be lost needs no second word
        caseline.wait_for_the_end([worker])
        assert lost in caseline.run("scorecard").stderr
        assert "as the log has them" in caseline.run("doctor", "--deep").stdout
