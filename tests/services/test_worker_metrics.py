"""A real worker's metrics, as a real Prometheus finds them."""

import socket
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from streams.kafka.batches import TP
from tests.support.bad_messages import BAD
from tests.support.examples import log_file
from tests.support.monitoring import Programs, Running, fetch
from tests.support.patience import wait_for
from tests.support.ports import free_port
from tests.support.servers import Server
from tests.support.topics import send
from tests.support.workers import CommandLine, wait_until

pytestmark = pytest.mark.services

PROGRESS = "caseline_partition_progress_timestamp_seconds"


def partitions_of(series: list[dict[str, Any]]) -> set[TP]:
    return {TP(it["metric"]["topic"], int(it["metric"]["partition"])) for it in series}


def series_at(url: str, name: str) -> list[tuple[dict[str, str], float]]:
    """The labels and value of each series of a metric."""
    families = text_string_to_metric_families(fetch(url))
    samples = [sample for family in families for sample in family.samples]
    return [(dict(it.labels), it.value) for it in samples if it.name == name]


def partitions_at(url: str) -> set[TP]:
    """The partitions that are said to go on."""
    return {TP(it["topic"], int(it["partition"])) for it, _ in series_at(url, PROGRESS)}


def dead_letters_at(url: str) -> Counter[str]:
    """How many dead letters of cases there were for each reason."""
    series = series_at(url, "caseline_dead_letters_total")
    return +Counter({it["reason"]: int(n) for it, n in series if it["topic"] == "case-events"})


def test_prometheus_finds_what_a_worker_did(
    caseline: CommandLine,
    prometheus: Callable[..., Running],
    monitoring_programs: Programs,
) -> None:
    port = free_port()
    caseline.run("ingest", log_file("messy-11"), code=3)
    with caseline.worker(metrics_port=port) as worker:
        server = prometheus({"caseline-worker": f"127.0.0.1:{port}"})
        caseline.wait_for_the_end([worker])
        messages, duplicates = caseline.tally("messages"), caseline.tally("duplicates")

        def total(expression: str) -> float:
            return sum(float(it["value"][1]) for it in server.query(expression))

        rejected = "sum(caseline_dead_letters_total)"
        wait_for(
            lambda: total(f"sum(caseline_events_total) + {rejected}") == messages,
            f"{messages} messages counted",
        )
        assert total("sum(caseline_duplicates_total)") == duplicates
        assert total("caseline_event_to_table_seconds_count") == messages
        assert total("caseline_commit_seconds_count") > 0
        wait_for(lambda: total("sum(caseline_consumer_lag_events)") == 0, "no lag")
        assert total("histogram_quantile(0.99, caseline_event_to_table_seconds_bucket)") > 0
        now = time.time()
        wait_for(
            lambda: partitions_of(server.query(f"{PROGRESS} > {now}")) == worker.partitions,
            "all its partitions go on",
        )
        exposition = fetch(f"http://127.0.0.1:{port}/metrics")
        monitoring_programs.check("promtool", "check", "metrics", text=exposition)


def test_dead_letters_are_counted_by_reason_each_of_them_known(caseline: CommandLine) -> None:
    send(caseline.settings.kafka_bootstrap, "case-events", [bad.sent for bad in BAD])
    port = free_port()
    with caseline.worker(metrics_port=port) as worker:
        caseline.wait_for_the_end([worker])
        url = f"http://127.0.0.1:{port}/metrics"
        wait_for(lambda: sum(dead_letters_at(url).values()) == len(BAD), "all are counted")
        assert dead_letters_at(url) == Counter(bad.reason for bad in BAD)


def test_a_partition_of_which_nothing_is_heard_any_more_does_not_go_on(
    caseline: CommandLine, kafka: Server
) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/metrics"

    def went_on(since: float) -> bool:
        """Whether every partition has gone on since then."""
        found = [at for _, at in series_at(url, PROGRESS)]
        return bool(found) and min(found) > since

    def silence() -> float:
        """Seconds since any partition went on."""
        return time.time() - max(at for _, at in series_at(url, PROGRESS))

    with caseline.worker(metrics_port=port) as worker:
        worker.wait_to_hold(7)
        held = time.time()
        wait_until(lambda: went_on(held), "all are idle and go on", [worker])
        kafka.stop()
        wait_until(lambda: silence() > 3, "none is heard of", [worker])
        kafka.start()
        again = time.time()
        wait_until(lambda: went_on(again), "all go on again", [worker])


def test_each_of_two_workers_has_the_series_of_its_own_partitions(caseline: CommandLine) -> None:
    ports = free_port(), free_port()
    urls = [f"http://127.0.0.1:{port}/metrics" for port in ports]
    with caseline.worker(metrics_port=ports[0]) as first:
        first.wait_to_hold(7)
        assert partitions_at(urls[0]) == first.partitions
        with caseline.worker(metrics_port=ports[1]) as second:
            second.wait_to_hold(1)
            wait_until(
                lambda: (
                    partitions_at(urls[0]).isdisjoint(partitions_at(urls[1]))
                    and partitions_at(urls[1]) == second.partitions != set()
                ),
                "each has its own",
                [first, second],
            )
        wait_until(
            lambda: len(partitions_at(urls[0])) == len(first.partitions) == 19,
            "the first has all again",
            [first],
        )


def test_a_worker_whose_metrics_port_is_taken_says_so_and_ends(caseline: CommandLine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = caseline.run("worker", code=1, metrics_port=port)
    assert f"127.0.0.1:{port}: Address already in use" in done.stderr
