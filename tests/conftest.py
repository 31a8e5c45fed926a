"""What tests share: the real services, names that keep tests apart, and how Hypothesis searches."""

import gc
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from processors.rules import Rules
from schemas.areas import load_areas
from schemas.catalogue import load_catalogue
from schemas.places import load_places
from schemas.settings import Settings
from schemas.standards import load_standards
from streams.kafka.topics import create_topics
from streams.state.redis_clients import load_rules
from tests.support.alerting import KEY, Recorder, recording
from tests.support.monitoring import (
    MissingError,
    Programs,
    Running,
    alertmanager_running,
    programs,
    prometheus_running,
)
from tests.support.servers import Server, ServiceError, run_services
from tests.support.topics import remove_topics
from tests.support.workers import CommandLine

# CI tries the same examples every time, so that a failure there is one of the change under test;
# elsewhere every run searches on.
# How long an example takes says how busy the machine is, and nothing of the code.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", UNHURRIED, derandomize=True)
settings.register_profile("search", UNHURRIED)
settings.load_profile("ci" if os.environ.get("CI") else "search")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin the longest files first, and let those that wait for services alternate with others.

    Processes take file after file: so the processors have work while services start and sessions
    run out, and nobody waits for a long file at the end.
    """
    files = [list(of_file) for _, of_file in groupby(items, key=lambda item: item.path)]
    long = [it for it in files if it[0].get_closest_marker("long")]
    rest = [it for it in files if not it[0].get_closest_marker("long")]
    items[:] = [item for of_file in (*_alternating(long), *_alternating(rest)) for item in of_file]


def pytest_collection_finish() -> None:
    """What there is by now stays to the end: it need not be gone through for garbage again."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    """Look for garbage once: pytest does five times at its end, however much there is."""
    gc.collect()
    gc.freeze()


def _alternating(files: list[list[pytest.Item]]) -> list[list[pytest.Item]]:
    """Files with services evenly among those without, each kind in its order."""
    placed = []
    for needs_services in (True, False):
        kind = [it for it in files if bool(it[0].get_closest_marker("services")) is needs_services]
        placed += [((place + 0.5) / len(kind), it) for place, it in enumerate(kind)]
    return [it for _, it in sorted(placed, key=lambda pair: pair[0])]


@pytest.fixture(scope="session")
def rules() -> Rules:
    """The rules that ship: the catalogue, the areas and places of Kent, and the standards."""
    catalogue = load_catalogue()
    return Rules(catalogue, load_areas(), load_standards(catalogue), load_places())


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


@pytest.fixture
def bare(kafka: Server, redis_server: Server, deployment: str, tmp_path: Path) -> CommandLine:
    """The command line of a new deployment, on a Kafka that has none of its topics."""
    remove_topics(kafka.address)
    settings = Settings(
        kafka_bootstrap=kafka.address, redis_url=redis_server.address, deployment=deployment
    )
    return CommandLine(settings, load_rules(settings), tmp_path)


@pytest.fixture
def caseline(bare: CommandLine) -> CommandLine:
    """The command line of a new deployment with empty topics."""
    create_topics(bare.settings)
    return bare


@pytest.fixture(scope="module")
def shared(
    kafka: Server, redis_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> CommandLine:
    """The command line of a deployment that all tests of a file share; its topics begin empty."""
    remove_topics(kafka.address)
    settings = Settings(
        kafka_bootstrap=kafka.address,
        redis_url=redis_server.address,
        deployment=f"test-{uuid.uuid4().hex[:12]}",
    )
    create_topics(settings)
    return CommandLine(settings, load_rules(settings), tmp_path_factory.mktemp("shared"))


@pytest.fixture(scope="session")
def monitoring_programs() -> Programs:
    """Prometheus, Alertmanager and their tools; as for services, skipped or failed without."""
    try:
        return programs()
    except MissingError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@pytest.fixture
def prometheus(
    monitoring_programs: Programs, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Running]]:
    """Starts a Prometheus as `prometheus_running` does, given no folder, until the test ends."""
    with ExitStack() as stack:
        yield lambda *given: stack.enter_context(
            prometheus_running(tmp_path_factory.mktemp("prometheus"), *given)
        )


@pytest.fixture
def alertmanager(
    monitoring_programs: Programs, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Running]]:
    """Starts an Alertmanager that tells a webhook's URL of every alert, until the test ends."""
    with ExitStack() as stack:
        yield lambda webhook: stack.enter_context(
            alertmanager_running(tmp_path_factory.mktemp("alertmanager"), webhook)
        )


@pytest.fixture
def recorder(caseline: CommandLine) -> Iterator[Recorder]:
    """Writes alerts into the deployment's Redis as a worker does."""
    with recording(caseline) as it:
        yield it


@pytest.fixture
def hook_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """The secret that webhooks of the tests are signed with, where commands look for it."""
    monkeypatch.setenv("HOOK_SECRET", KEY)
