"""Acknowledgements and silences on real services outlive whatever becomes of Redis."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from snapshots.releases.kafka_reading import read_committed
from streams.alerts.actions import KEPT
from tests.support.alerting import (
    NOON,
    Recorder,
    asked,
    change,
    receivers_file,
    recording,
    silence,
    tell,
    telling,
    webhook,
)
from tests.support.inbox import Inbox, serving
from tests.support.workers import CommandLine, wait_until

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("hook_secret")]

WHO = ("--by", "T. Lead", "--reason", "Visit booked", "--for", "3d")


def decided(caseline: CommandLine, recorder: Recorder) -> str:
    """An alert is acknowledged, and its owner silenced; the silence's id."""
    recorder.record(change(1))
    asked(caseline, "ack", change(1).alert, *WHO)
    return asked(caseline, "silence", "--owner", "Unit A", *WHO).stderr.partition(":")[0]


def lose_redis(recorder: Recorder) -> None:
    recorder.redis.flushall()
    assert not recorder.redis.keys("*")


def is_all_there(caseline: CommandLine, recorder: Recorder) -> bool:
    """Whether the alert, told again, is acknowledged and silenced."""
    again = Recorder(caseline)
    again.record(change(1))
    again.redis.close()
    (row,) = json.loads(asked(caseline, "list", "--format", "json").stdout)
    return row["acknowledged_by"] == "T. Lead" and row["silenced_until"] is not None


def test_losing_all_of_redis_loses_no_decision(
    caseline: CommandLine, recorder: Recorder, tmp_path: Path
) -> None:
    decided(caseline, recorder)
    lose_redis(recorder)
    with serving(Inbox()) as inbox:
        path = receivers_file(tmp_path, webhook("hook", inbox.url))
        again = Recorder(caseline)
        again.record(change(1))
        again.redis.close()
        tell(caseline, path)
        assert inbox.told == []  # it was silenced before anyone was told
    assert is_all_there(caseline, recorder)


def test_a_process_that_tells_puts_back_what_is_lost_under_it(
    caseline: CommandLine, recorder: Recorder, tmp_path: Path
) -> None:
    decided(caseline, recorder)
    path = receivers_file(tmp_path)
    with telling(caseline, path) as process:
        key = f"caseline:{{{recorder.deployment}}}:alerts:silences"
        wait_until(lambda: "elected" in process.text, "it is elected", [process])
        recorder.redis.delete(key, f"caseline:{{{recorder.deployment}}}:alerts:decided")
        wait_until(lambda: bool(recorder.redis.exists(key)), "the silence is back", [process])


def test_a_rebuild_brings_decisions_back(caseline: CommandLine, recorder: Recorder) -> None:
    decided(caseline, recorder)
    lose_redis(recorder)
    caseline.run("rebuild", "--yes")
    assert is_all_there(caseline, recorder)


def test_a_silence_that_was_ended_stays_ended(caseline: CommandLine, recorder: Recorder) -> None:
    number = decided(caseline, recorder)
    asked(caseline, "unsilence", number, "--by", "T. Lead")
    lose_redis(recorder)
    caseline.run("rebuild", "--yes")
    assert "0 silences." in asked(caseline, "silences").stderr
    assert "1 silences." in asked(caseline, "silences", "--all").stderr


def test_what_was_decided_before_it_was_logged_is_brought_there_and_forgotten_in_time(
    caseline: CommandLine, recorder: Recorder, tmp_path: Path
) -> None:
    path = receivers_file(tmp_path)
    silence(recorder, owners=["Unit A"])
    tell(caseline, path, NOON)
    lose_redis(recorder)
    tell(caseline, path, NOON)
    key = f"caseline:{{{recorder.deployment}}}:alerts:silences"
    assert recorder.redis.hkeys(key) == [b"aa"]
    tell(caseline, path, NOON + KEPT + timedelta(days=1))
    assert recorder.redis.hkeys(key) == []
    lose_redis(recorder)
    tell(caseline, path, NOON)
    assert recorder.redis.hkeys(key) == []
    found = read_committed(caseline.settings.kafka_bootstrap, "alert-decisions")
    assert [it.value is None for messages in found for it in messages] == [False, True]


def test_nothing_is_decided_where_there_is_no_topic_for_it(bare: CommandLine) -> None:
    with recording(bare) as recorder:
        recorder.record(change(1))
        run = bare.run("alerts", "ack", change(1).alert, *WHO, code=1)
        assert "no topic alert-decisions: run `caseline topics create`" in run.stderr
        assert not recorder.redis.exists(f"caseline:{{{recorder.deployment}}}:alerts:acks")
