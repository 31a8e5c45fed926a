"""What the jobs beside the workers measure: delivering alerts, and freezing months."""

from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

# `there`: the month had its release already; `elsewhere`: another process is making it.
FreezeOutcome = Literal["released", "there", "elsewhere", "failed"]
FREEZE_OUTCOMES: Final[tuple[FreezeOutcome, ...]] = ("released", "there", "elsewhere", "failed")


class DeliveryMetrics:
    """Of telling receivers of alerts.

    An attempt is `taken`, `failed`, to be tried again, or `refused`: never taken, a dead letter.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.attempts = Counter(
            "caseline_delivery_attempts",
            "Messages sent to a receiver, by how it went: taken, failed or refused.",
            ["receiver", "outcome"],
            registry=registry,
        )
        self.lag = Gauge(
            "caseline_delivery_lag_changes",
            "Offsets of the alerts topic to be read for the receiver, and changes it has to take.",
            ["receiver"],
            registry=registry,
        )
        self.seconds = Histogram(
            "caseline_delivery_seconds",
            "Time that the receiver took to answer.",
            ["receiver"],
            buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
            registry=registry,
        )

    def attempted(self, receiver: str, outcome: str, seconds: float) -> None:
        """An attempt ended, after so many seconds."""
        self.attempts.labels(receiver, outcome).inc()
        self.seconds.labels(receiver).observe(seconds)

    def stands(self, receiver: str, behind: int) -> None:
        """So many offsets and changes wait for the receiver."""
        self.lag.labels(receiver).set(behind)


class FreezeMetrics:
    """Of the schedule that freezes each month."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._runs = Counter(
            "caseline_snapshot_runs",
            "Times the schedule looked for a month to freeze, by what came of it.",
            ["outcome"],
            registry=registry,
        )
        for outcome in FREEZE_OUTCOMES:
            self._runs.labels(outcome)

    def ran(self, outcome: FreezeOutcome) -> None:
        """The schedule looked once."""
        self._runs.labels(outcome).inc()
