"""A histogram that takes many observations in one step, for what is measured event by event."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry
from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString


class Latencies(Collector):
    """A histogram of seconds with the upper bounds given; the library's takes one at a time."""

    def __init__(
        self, name: str, documentation: str, bounds: Sequence[float], registry: CollectorRegistry
    ) -> None:
        self._name, self._documentation = name, documentation
        self._bounds = np.array(bounds)
        self._names = [*map(floatToGoString, bounds), "+Inf"]
        # Replaced as a whole, because the thread that serves it may look at any moment.
        self._seen: tuple[NDArray[np.int64], float] = np.zeros(len(self._names), np.int64), 0.0
        registry.register(self)

    def observe(self, seconds: NDArray[np.float64]) -> None:
        """Count every one of the values; a negative one, from a clock that is ahead, as 0."""
        counts, total = self._seen
        values = np.maximum(seconds, 0.0)
        found = np.searchsorted(self._bounds, values)  # the first bound not below the value
        self._seen = (
            counts + np.bincount(found, minlength=len(self._names)),
            total + float(values.sum()),
        )

    def describe(self) -> list[Metric]:
        """The metric without its values."""
        return [HistogramMetricFamily(self._name, self._documentation)]

    def collect(self) -> Iterator[Metric]:
        """The counts up to each bound, and the sum."""
        counts, total = self._seen
        upto = np.cumsum(counts).tolist()
        buckets = list(zip(self._names, map(float, upto), strict=True))
        yield HistogramMetricFamily(self._name, self._documentation, buckets, total)
