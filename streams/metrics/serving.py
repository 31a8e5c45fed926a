"""What a process of `serve` measures: questions, listeners, and how old its figures are."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30)
# The route of a question that has none, so that addresses which are made up make no series.
NO_ROUTE = "none"


class ServingMetrics:
    """The metrics of one process in a registry; no label holds who asks, or what for."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "caseline_serve_requests",
            "Questions answered, by the route of the table of roles, and the status.",
            ["route", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "caseline_serve_seconds",
            "Time from a question to the beginning of its answer.",
            ["route"],
            buckets=BOUNDS,
            registry=registry,
        )
        self._listeners = Gauge(
            "caseline_serve_listeners",
            "Who is told at the moment when figures change.",
            registry=registry,
        )
        self._data_to = Gauge(
            "caseline_serve_latest_event_timestamp_seconds",
            "The latest event time in the figures that were last shown; 0 before any.",
            registry=registry,
        )

    def answered(self, route: str, status: int, seconds: float) -> None:
        """A question was answered, beginning after so many seconds."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def shown(self, data_to: float) -> None:
        """Figures to this event time were shown."""
        self._data_to.set(data_to)

    def count_listeners(self, listeners: Callable[[], int]) -> None:
        """Have the number of listeners asked for at each look."""
        self._listeners.set_function(listeners)
