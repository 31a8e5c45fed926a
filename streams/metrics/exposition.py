"""Serving a process's metrics to Prometheus over HTTP, from a registry of its own."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import (
    CollectorRegistry,
    ProcessCollector,
    disable_created_metrics,
    start_http_server,
)

from schemas.settings import Settings
from streams.failures import Understood


class PortNotServed(Understood):
    """Metrics were asked for on a port that cannot be had."""


def new_registry() -> CollectorRegistry:
    """A registry with nothing in it but the process's own memory, CPU time and files."""
    # Else every counter comes with a second series, of when it began.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    return registry


@contextmanager
def served(settings: Settings, registry: CollectorRegistry) -> Iterator[None]:
    """Serve the registry at `metrics_port`, unless that is 0, for as long as the context lasts.

    Raises PortNotServed when the port is in use or not ours to have.
    """
    if not settings.metrics_port:
        yield
        return
    address = settings.metrics_host, settings.metrics_port
    try:
        server, thread = start_http_server(address[1], address[0], registry)
    except OSError as error:
        raise PortNotServed(
            f"metrics cannot be served on {address[0]}:{address[1]}: {error.strerror or error}; "
            "give every process on a machine a CASELINE_METRICS_PORT of its own, or 0 for none"
        ) from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
