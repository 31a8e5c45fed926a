"""What tests share: the real services, and names that keep one test's state from another's."""

import os
import uuid
from collections.abc import Iterator

import pytest

from tests.servers import Server, ServiceError, run_services


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Server]]:
    """Kafka and Redis on free ports, until the session ends.

    Where they cannot be started the tests are skipped, with the reason; in CI that is a failure.
    """
    folder = tmp_path_factory.mktemp("services")
    try:
        settings = run_services("up", folder)
    except ServiceError as error:
        run_services("down", folder)
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    yield {
        "kafka": Server("kafka", settings["CASELINE_KAFKA_BOOTSTRAP"], folder),
        "redis": Server("redis", settings["CASELINE_REDIS_URL"], folder),
    }
    run_services("down", folder)


@pytest.fixture(scope="session")
def kafka(services: dict[str, Server]) -> Server:
    """The broker, its address the bootstrap server; a test may stop, kill and start it."""
    return services["kafka"]


@pytest.fixture(scope="session")
def redis_server(services: dict[str, Server]) -> Server:
    """Redis with append-only on, its address a URL; a test may stop, kill and start it."""
    return services["redis"]


@pytest.fixture(autouse=True)
def services_left_running(request: pytest.FixtureRequest) -> Iterator[None]:
    """Start again what a test has stopped, even one that failed, so that the next finds it."""
    yield
    if "services" in request.fixturenames:
        for server in request.getfixturevalue("services").values():
            if not server.running:
                server.start()


@pytest.fixture
def deployment() -> str:
    """A deployment's name that no other test uses."""
    return f"test-{uuid.uuid4().hex[:12]}"
