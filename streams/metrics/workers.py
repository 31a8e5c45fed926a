"""What a worker measures of itself, by topic and partition; never by case or child.

All of it is counted when a commit has succeeded, so that a batch folded twice counts once, and
once a batch, so that it costs the same however many events there are.
"""

import time
from collections import Counter as Counts
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from processors.alerts.changes import Told
from schemas.events.attributes import Attributes
from schemas.events.registry import VALIDATORS
from streams.kafka.batches import TP, Batch, Heard
from streams.metrics.histogram import Latencies

# Why a message may be no event: what decoding calls it, else the attribute that is wrong.
REASONS = frozenset({"json", "key", "headers", "type", "data"} | Attributes.__annotations__.keys())
OTHER = "other"
REJECTED = "rejected:"

BATCH_BOUNDS = (1, 10, 100, 1_000, 5_000, 10_000)
COMMIT_BOUNDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
LATENCY_BOUNDS = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600)

Arrivals = list[NDArray[np.int64]]


class WorkerMetrics:
    """A worker's metrics in a registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        by_topic, by_partition = ["topic"], ["topic", "partition"]
        self.registry = registry
        self.events = Counter(
            "caseline_events",
            "Valid events that are in the stored tables, repeated ones included.",
            by_topic,
            registry=registry,
        )
        self.duplicates = Counter(
            "caseline_duplicates",
            "Events among caseline_events_total that were known already and changed nothing.",
            by_topic,
            registry=registry,
        )
        self.dead_letters = Counter(
            "caseline_dead_letters",
            "Messages that were no events, by the attribute or rule that they break.",
            ["topic", "reason"],
            registry=registry,
        )
        self.commit_failures = Counter(
            "caseline_commit_failures",
            "Commits refused or not answered; the partition is then read again from its state.",
            by_topic,
            registry=registry,
        )
        self.taken = Counter(
            "caseline_partitions_taken",
            "Times a partition was taken over, at start and after each rebalance.",
            by_topic,
            registry=registry,
        )
        self.batch_events = Histogram(
            "caseline_batch_events",
            "Messages in a batch as it is folded.",
            buckets=BATCH_BOUNDS,
            registry=registry,
        )
        self.commit_seconds = Histogram(
            "caseline_commit_seconds",
            "Time from the beginning of a commit to Redis's answer.",
            buckets=COMMIT_BOUNDS,
            registry=registry,
        )
        self.event_to_table = Latencies(
            "caseline_event_to_table_seconds",
            "Time from a message's timestamp in Kafka until the stored tables had it.",
            LATENCY_BOUNDS,
            registry,
        )
        self.lag = Gauge(
            "caseline_consumer_lag_events",
            "Messages of the partition that the worker knows of and has not stored.",
            by_partition,
            registry=registry,
        )
        self.progress = Gauge(
            "caseline_partition_progress_timestamp_seconds",
            "When the partition last went on: a commit, or Kafka's word that nothing more waits.",
            by_partition,
            registry=registry,
        )
        self.waiting = Gauge(
            "caseline_partition_waiting",
            "1 while the partition, far behind, waits for its turn to be read; else 0.",
            by_partition,
            registry=registry,
        )
        self.alert_changes = Counter(
            "caseline_alert_changes",
            "Alerts on cases that changed their state, by service standard and the state since.",
            ["standard", "state"],
            registry=registry,
        )
        self.largest_record = Gauge(
            "caseline_largest_record_bytes",
            "About how much memory the largest record takes that the worker has seen of the shard.",
            by_partition,
            registry=registry,
        )
        self.unmatched = Counter(
            "caseline_unmatched_retractions",
            "Retractions that named no event that was known when they came.",
            registry=registry,
        )
        self._begin_at_zero()

    def _begin_at_zero(self) -> None:
        """Make series that might come, because an increase from nothing does not show."""
        for topic in VALIDATORS:
            for counter in (self.events, self.duplicates, self.commit_failures, self.taken):
                counter.labels(topic)
            for reason in (*REASONS, OTHER):
                self.dead_letters.labels(topic, reason)

    def meter(self, tp: TP) -> "Meter":
        """What measures a partition that this worker has taken."""
        self.taken.labels(tp.topic).inc()
        return Meter(self, tp)

    def counted(self, topic: str, tallies: Mapping[str, int]) -> None:
        """Count what a commit stored (see streams.worker.held.Read.tallies)."""
        rejected = 0
        for name, count in tallies.items():
            if name.startswith(REJECTED):
                rejected += count
                reason = name.removeprefix(REJECTED)
                known = reason if reason in REASONS else OTHER
                self.dead_letters.labels(topic, known).inc(count)
        rejected += tallies.get("quarantined", 0)
        self.events.labels(topic).inc(tallies.get("messages", 0) - rejected)
        self.duplicates.labels(topic).inc(tallies.get("duplicates", 0))

    def recorded(self, shard: TP, largest: int, unmatched: int) -> None:
        """A commit has stored records: the largest of the shard, and retractions of nothing."""
        self.largest_record.labels(shard.topic, str(shard.partition)).set(largest)
        self.unmatched.inc(unmatched)

    def told(self, changes: Sequence[Told]) -> None:
        """A commit has told these changes of alerts; those that are history are not counted."""
        states = Counts(
            (it.alert.standard, it.alert.state)
            for it in changes
            if it.before != it.alert.state and not it.alert.historic
        )
        for labels, count in states.items():
            self.alert_changes.labels(*labels).inc(count)


class Meter:
    """What is measured of one partition while this worker has it."""

    def __init__(self, metrics: WorkerMetrics, tp: TP) -> None:
        self._metrics, self._tp = metrics, tp
        self._labels = tp.topic, str(tp.partition)
        self._lag = metrics.lag.labels(*self._labels)
        self._progress = metrics.progress.labels(*self._labels)
        self._progress.set_to_current_time()
        self._waiting = metrics.waiting.labels(*self._labels)
        self.waits(is_waiting=False)
        self._arrivals: Arrivals = []
        self._end = 0

    def folded(self, batch: Batch) -> None:
        """A batch is in memory, to be stored by the next commit that begins."""
        self._metrics.batch_events.observe(len(batch.records))
        times = (record.timestamp for record in batch.records)
        self._arrivals.append(np.fromiter(times, np.int64, len(batch.records)))
        self._end = max(self._end, batch.log_end)

    def commit_begins(self) -> Arrivals:
        """When what the commit is about to store was written to Kafka; to be given to `stored`."""
        arrivals, self._arrivals = self._arrivals, []
        return arrivals

    def stored(
        self, arrivals: Arrivals, tallies: Mapping[str, int], offset: int, seconds: float
    ) -> None:
        """A commit has succeeded: the state stands at the offset, after so many seconds."""
        now = time.time()
        self._metrics.counted(self._tp.topic, tallies)
        self._metrics.commit_seconds.observe(seconds)
        self._metrics.event_to_table.observe(_ages(arrivals, now))
        self._lag.set(max(self._end - offset, 0))
        self._progress.set(now)

    def waits(self, *, is_waiting: bool) -> None:
        """Whether nothing is read of the partition until others of this worker had their turn."""
        self._waiting.set(is_waiting)

    def commit_failed(self) -> None:
        """A commit did not succeed, or whether it did is not known."""
        self._metrics.commit_failures.labels(self._tp.topic).inc()

    def read_again(self) -> None:
        """What is folded and not stored is dropped, to be read again."""
        self._arrivals = []

    def stands(self, offset: int, heard: Heard | None) -> None:
        """The state stands at the offset, and this is what Kafka last said of the log."""
        if heard is not None:
            self._end = max(self._end, heard.end)
            self._lag.set(max(self._end - offset, 0))
            if offset >= self._end:
                self._progress.set(heard.at)

    def given_up(self) -> None:
        """The partition is another worker's: what was said of it holds no more."""
        metrics = self._metrics
        for gauge in (metrics.lag, metrics.progress, metrics.waiting, metrics.largest_record):
            gauge.remove(*self._labels)


def _ages(arrivals: Sequence[NDArray[np.int64]], now: float) -> NDArray[np.float64]:
    """Seconds from each timestamp, in milliseconds, until now; a message may be without one."""
    times = np.concatenate([*arrivals, np.empty(0, np.int64)])
    return now - times[times >= 0] / 1000.0
