"""Pages and the API of a deployment that has read nothing yet, or no event."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from processors.rules import Rules
from schemas.settings import Settings
from streams.serving.roles import Role
from tests.support.ports import free_ports
from tests.support.redis_servers import server
from tests.support.served import Asks, Served, one_with
from tests.support.stored_state import StoredState

pytestmark = pytest.mark.services

EVERY_ROLE = one_with(*(it for it in Role if it is not Role.NOBODY))
PAGE = {"accept": "text/html"}
# Pages of figures, each with what its address needs.
OF_FIGURES = [
    *("/", "/scorecard", "/indicators/EH05", "/compare/EH05", "/quality"),
    *("/scorecard?as_of=2015-10-31", "/cases?code=EH05", "/explanations?code=EH05"),
]
FOR_PROGRAMS = [
    *("/api/v1/scorecard", "/api/v1/scorecard.csv", "/api/v1/series?code=EH05"),
    *("/api/v1/cases?code=EH05", "/api/v1/changes", "/api/v1/forecast", "/api/v1/quality"),
]


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    (port,) = free_ports(1)
    with server(tmp_path_factory.mktemp("redis"), port):
        yield f"redis://127.0.0.1:{port}/0"


@pytest.fixture
def served(redis_url: str, rules: Rules, deployment: str, tmp_path: Path) -> Served:
    settings = Settings(
        redis_url=redis_url,
        kafka_bootstrap="localhost:1",
        deployment=deployment,
        releases=tmp_path,
    )
    return Served(settings, rules)


def test_before_anything_is_read_pages_say_so_and_what_to_do(served: Served) -> None:
    pages = served.ask_all(Asks(it, EVERY_ROLE, headers=PAGE) for it in OF_FIGURES)
    for path, page in zip(OF_FIGURES, pages, strict=True):
        assert page.status_code == 200, (path, page.text)
        assert "No event has been read yet" in page.text, path
        assert "start `caseline worker`" in page.text
        # No figure is shown, and the page follows what comes.
        assert "<table" not in page.text
        assert "data-live" in page.text
        assert (page.headers["cache-control"], "etag" in page.headers) == ("no-store", False)
    denied, releases, program = served.ask_all(
        [
            Asks("/quality", one_with(Role.VIEWER), headers=PAGE),
            Asks("/releases", EVERY_ROLE, headers=PAGE),
            Asks("/scorecard", EVERY_ROLE),
        ]
    )
    # Who may not ask is no less refused, and what needs no figures is there.
    assert denied.status_code == 403
    assert releases.status_code == 200
    assert "None yet." in releases.text
    assert "No event has been read yet" in releases.text
    assert program.status_code == 503  # which reads no words


def test_to_programs_nothing_is_no_list_of_nothing(served: Served) -> None:
    asked = [*FOR_PROGRAMS, "/ready"]
    for answer in served.ask_all(Asks(it, EVERY_ROLE) for it in asked):
        assert answer.status_code == 503, answer.url
        assert "has no state yet" in answer.json()["detail"]
        assert answer.headers["content-type"] == "application/problem+json"
    status, catalogue, health = served.ask_all(
        Asks(it, EVERY_ROLE) for it in ("/api/v1/status", "/api/v1/indicators", "/health")
    )
    assert (status.status_code, catalogue.status_code, health.status_code) == (200, 200, 200)
    assert status.json()["data_to"] is None
    assert "No event has been read yet" in status.json()["notes"][0]


def test_where_a_worker_has_read_no_event_no_zero_looks_like_a_figure(
    served: Served, rules: Rules
) -> None:
    StoredState(served.settings, rules).add([])
    page, ready = served.ask_all(
        [Asks("/scorecard", EVERY_ROLE, headers=PAGE), Asks("/ready", EVERY_ROLE)]
    )
    assert (page.status_code, ready.status_code) == (200, 200)
    assert "No event has been read yet" in page.text
    assert "<table" in page.text


def test_a_store_that_is_away_is_still_that(served: Served, rules: Rules) -> None:
    away = Served(served.settings.model_copy(update={"redis_url": "redis://localhost:1/0"}), rules)
    page = away.ask("/scorecard", EVERY_ROLE, headers=PAGE)
    assert page.status_code == 503
    assert "does not answer" in page.text
