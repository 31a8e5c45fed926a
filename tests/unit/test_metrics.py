"""What a worker measures of itself: counted once, when stored, and let go with its partition."""

import socket
import urllib.request

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from processors.alerts.changes import Told
from processors.alerts.told import Alert
from schemas.alerts import AlertState
from schemas.settings import Settings
from streams.kafka.batches import TP, Batch, Heard, KafkaRecord
from streams.metrics.exposition import PortNotServed, new_registry, served
from streams.metrics.histogram import Latencies
from streams.metrics.workers import REASONS, Meter, WorkerMetrics
from tests.support.patience import SECONDS
from tests.support.ports import free_port

CASES = TP("case-events", 3)
LABELS = {"topic": "case-events", "partition": "3"}
BOUNDS = (0.5, 1, 10)


@pytest.fixture
def metrics() -> WorkerMetrics:
    return WorkerMetrics(CollectorRegistry())


@pytest.fixture
def meter(metrics: WorkerMetrics) -> Meter:
    return metrics.meter(CASES)


def batch(*timestamps: int, start: int = 0, log_end: int = 100) -> Batch:
    records = [KafkaRecord(None, None, (), at, start + n) for n, at in enumerate(timestamps)]
    return Batch(CASES, 1, start, start + len(records), records, log_end)


def value(metrics: WorkerMetrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


@given(st.lists(st.lists(st.floats(0, 20) | st.sampled_from(BOUNDS))))
def test_many_observations_in_one_step_are_those_of_the_library_one_by_one(
    steps: list[list[float]],
) -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    bulk = Latencies("it_seconds", "It.", BOUNDS, ours)
    single = Histogram("it_seconds", "It.", buckets=BOUNDS, registry=theirs)
    for values in steps:
        bulk.observe(np.array(values))
        for seconds in values:
            single.observe(seconds)
    for bound in ("0.5", "1.0", "10.0", "+Inf"):
        labels = {"le": bound}
        expected = theirs.get_sample_value("it_seconds_bucket", labels)
        assert ours.get_sample_value("it_seconds_bucket", labels) == expected
    total = theirs.get_sample_value("it_seconds_sum")
    assert ours.get_sample_value("it_seconds_sum") == pytest.approx(total)


def test_nothing_is_counted_before_it_is_stored(metrics: WorkerMetrics, meter: Meter) -> None:
    meter.folded(batch(1_000, 2_000))
    assert value(metrics, "caseline_events_total", topic="case-events") == 0
    assert value(metrics, "caseline_event_to_table_seconds_count") == 0

    tallies = {"messages": 5, "duplicates": 1, "rejected:key": 2}
    meter.stored(meter.commit_begins(), tallies, offset=2, seconds=0.01)

    assert value(metrics, "caseline_events_total", topic="case-events") == 3
    assert value(metrics, "caseline_duplicates_total", topic="case-events") == 1
    labels = {"topic": "case-events", "reason": "key"}
    assert value(metrics, "caseline_dead_letters_total", **labels) == 2
    assert value(metrics, "caseline_event_to_table_seconds_count") == 2
    assert value(metrics, "caseline_consumer_lag_events", **LABELS) == 98


def test_what_is_dropped_to_be_read_again_counts_once(metrics: WorkerMetrics, meter: Meter) -> None:
    meter.folded(batch(1_000, 2_000))
    meter.commit_begins()
    meter.commit_failed()
    meter.folded(batch(3_000))
    meter.read_again()
    meter.folded(batch(1_000, 2_000, 3_000))
    meter.stored(meter.commit_begins(), {"messages": 3}, offset=3, seconds=0.01)
    assert value(metrics, "caseline_event_to_table_seconds_count") == 3
    assert value(metrics, "caseline_commit_failures_total", topic="case-events") == 1


def test_a_batch_folded_while_a_commit_is_under_way_belongs_to_the_next(
    metrics: WorkerMetrics, meter: Meter
) -> None:
    meter.folded(batch(1_000))
    first = meter.commit_begins()
    meter.folded(batch(2_000, start=1))
    meter.stored(first, {"messages": 1}, offset=1, seconds=0.01)
    assert value(metrics, "caseline_event_to_table_seconds_count") == 1


def test_a_message_without_a_timestamp_has_no_latency(metrics: WorkerMetrics, meter: Meter) -> None:
    meter.folded(batch(-1, 1_000))
    meter.stored(meter.commit_begins(), {"messages": 2}, offset=2, seconds=0.01)
    assert value(metrics, "caseline_event_to_table_seconds_count") == 1


def test_a_partition_goes_on_only_by_a_commit_or_by_hearing_that_nothing_waits(
    metrics: WorkerMetrics, meter: Meter
) -> None:
    progress = "caseline_partition_progress_timestamp_seconds"
    began = value(metrics, progress, **LABELS)
    meter.stands(5, None)
    meter.stands(5, Heard(end=6, at=1.0))
    assert value(metrics, progress, **LABELS) == began
    assert value(metrics, "caseline_consumer_lag_events", **LABELS) == 1
    meter.stands(6, Heard(end=6, at=2.0))
    assert value(metrics, progress, **LABELS) == 2.0
    assert value(metrics, "caseline_consumer_lag_events", **LABELS) == 0


def test_a_partition_that_is_given_up_loses_its_series(
    metrics: WorkerMetrics, meter: Meter
) -> None:
    meter.stands(5, Heard(end=6, at=1.0))
    assert value(metrics, "caseline_partition_waiting", **LABELS) == 0
    meter.given_up()
    assert value(metrics, "caseline_partition_waiting", **LABELS) is None
    assert value(metrics, "caseline_consumer_lag_events", **LABELS) is None
    assert value(metrics, "caseline_partition_progress_timestamp_seconds", **LABELS) is None
    assert value(metrics, "caseline_partitions_taken_total", topic="case-events") == 1


def test_the_largest_record_and_retractions_of_nothing_are_told_of_what_is_stored(
    metrics: WorkerMetrics, meter: Meter
) -> None:
    for largest, unmatched in ((5_000, 3), (4_000, 2)):
        metrics.recorded(CASES, largest, unmatched)
    assert value(metrics, "caseline_largest_record_bytes", **LABELS) == 4_000
    assert value(metrics, "caseline_unmatched_retractions_total") == 5
    meter.given_up()
    assert value(metrics, "caseline_largest_record_bytes", **LABELS) is None


def test_a_reason_that_is_not_known_is_counted_as_other(metrics: WorkerMetrics) -> None:
    metrics.counted("case-events", {"messages": 2, "rejected:Kim's address": 2})
    labels = {"topic": "case-events", "reason": "other"}
    assert value(metrics, "caseline_dead_letters_total", **labels) == 2
    assert b"Kim" not in generate_latest(metrics.registry)
    assert {"json", "key", "time", "partitionkey"} <= REASONS


def alert(standard: str, state: AlertState, *, historic: bool = False) -> Alert:
    return Alert(
        "C1", standard, 1, 1, state, 0, 0, None, historic, None, None, None, "warning", "team"
    )


def test_alerts_that_changed_their_state_are_counted_and_history_is_not(
    metrics: WorkerMetrics,
) -> None:
    changes = [
        Told("P1", alert("unit-plan", "due-soon"), None),
        Told("P2", alert("unit-plan", "due-soon"), "due-soon"),  # another team's now
        Told("P3", alert("unit-plan", "resolved"), "breached"),
        Told("P4", alert("unit-plan", "resolved", historic=True), None),
    ]
    metrics.told(changes)
    metrics.told(changes[:1])
    for state, count in (("due-soon", 2), ("resolved", 1), ("breached", None)):
        labels = {"standard": "unit-plan", "state": state}
        assert value(metrics, "caseline_alert_changes_total", **labels) == count


def test_metrics_are_served_on_the_port_of_the_settings_until_the_end() -> None:
    settings = Settings(metrics_port=free_port())
    url = f"http://127.0.0.1:{settings.metrics_port}/metrics"
    with served(settings, new_registry()):
        text = urllib.request.urlopen(url, timeout=SECONDS).read().decode()
    assert "process_resident_memory_bytes" in text
    assert "_created" not in text
    with served(settings, new_registry()):
        pass


def test_a_port_in_use_is_said_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = rf"127\.0\.0\.1:{port}: Address already in use; .*CASELINE_METRICS_PORT"
        with (
            pytest.raises(PortNotServed, match=told),
            served(Settings(metrics_port=port), new_registry()),
        ):
            pass


def test_without_a_port_nothing_is_served() -> None:
    with served(Settings(), new_registry()):
        pass
