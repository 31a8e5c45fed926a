"""What makes a record very large is shown to whoever runs a deployment, and of whom it is."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from streams.jobs.doctor import MANY_UNMATCHED
from tests.support.monitoring import fetch
from tests.support.opencases import line, open_case, pushed
from tests.support.patience import wait_for
from tests.support.ports import free_port
from tests.support.servers import Server
from tests.support.workers import CommandLine

pytestmark = pytest.mark.services

AT = datetime(2015, 10, 1, 9, tzinfo=UTC)
RETRACTIONS = MANY_UNMATCHED + 100


def test_retractions_of_nothing_are_counted_and_the_record_they_swell_is_named(
    caseline: CommandLine, kafka: Server
) -> None:
    retractions = [
        line("child-9", "case-9", "event.retracted", AT + timedelta(minutes=it), retracts=f"{it}")
        for it in range(RETRACTIONS)
    ]
    pushed(kafka, [*open_case(1, AT), *retractions])
    port = free_port()
    with caseline.worker(metrics_port=port) as worker:
        caseline.wait_for_the_end([worker])
        unmatched = caseline.tally("unmatched")
        assert unmatched >= RETRACTIONS

        def measured(name: str) -> list[float]:
            found = fetch(f"http://127.0.0.1:{port}/metrics").splitlines()
            return [float(it.split()[-1]) for it in found if it.startswith(name)]

        wait_for(
            lambda: measured("caseline_unmatched_retractions_total") == [unmatched],
            "what was stored is counted",
        )
        largest = max(measured("caseline_largest_record_bytes"))
        told = " ".join(caseline.run("doctor").stdout.split())
    assert f"{unmatched:,} of " in told
    assert "messages retract what was not there, and are kept" in told
    (row,) = json.loads(caseline.run("quality", "--largest", "1", "--format", "json").stdout)
    # A retraction is an event as well.
    assert (row["key"], row["events"]) == ("child-9", RETRACTIONS)
    assert row["retracted"] == RETRACTIONS
    assert 0 < row["bytes"] <= largest
    assert "child-9" in caseline.run("quality", "--largest", "1").stdout
