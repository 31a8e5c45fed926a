"""Who may ask for what: every route of the application against every role, by one table."""

import re
import socket

import pytest
from litestar.routes import HTTPRoute
from prometheus_client import generate_latest
from redis.asyncio import Redis

from processors.rules import Rules
from schemas.settings import Settings
from streams.clock import Clock
from streams.kafka.audit_log import AuditLog
from streams.kafka.intake import Intake
from streams.metrics.exposition import new_registry
from streams.metrics.serving import ServingMetrics
from streams.serving.answers import SAFE_HEADERS
from streams.serving.application import WORK, application
from streams.serving.identity import NOBODY
from streams.serving.live_figures import LiveFigures
from streams.serving.roles import EVERYONE, ROUTES, Role, Route
from streams.serving.server import OpenToOthers, is_loopback, listen
from streams.serving.site import LiveSite
from tests.support.served import Asks, Served, one_with

# Where nothing answers.
NO_REDIS = Settings(redis_url="redis://localhost:1/0", kafka_bootstrap="localhost:1")
# What shows nothing of anyone.
OPEN = {
    *("style", "script", "health", "ready", "signed-out", "back-channel-logout"),
    *("sign-in", "sign-in-again", "sign-in-return"),
}
# What waits for a Kafka that does not answer, which tests of services ask for.
PATIENT = {"operations-page", "operations", "dead-letters-page", "dead-letters"}
UNANSWERED = {503, 200, 307, 404, 400, 415}


@pytest.fixture(scope="module")
def served(rules: Rules) -> Served:
    return Served(NO_REDIS, rules)


def address(route: Route) -> str:
    return re.sub(r"\{\w+:\w+\}", "x", route.path)


def test_every_address_of_the_application_is_in_the_table(rules: Rules) -> None:
    app = application(site_of(rules))
    there = {
        (
            re.sub(r"\{(\w+)\}", r"{\1:str}", route.path_format),
            method,
        )
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for method in set(route.methods) - {"OPTIONS"}
    }
    assert there == {(route.path, method) for route in ROUTES for method in route.methods}
    assert len({route.name for route in ROUTES}) == len(ROUTES) == len(WORK)


def site_of(rules: Rules) -> LiveSite:
    redis = Redis.from_url(NO_REDIS.redis_url)
    audit = AuditLog(NO_REDIS.kafka, NO_REDIS.deployment, Clock().now)
    figures, metrics = LiveFigures(redis, NO_REDIS, rules, Clock()), ServingMetrics(new_registry())
    return LiveSite(figures, NO_REDIS, audit, Intake(NO_REDIS.kafka), metrics)


def test_a_role_is_let_in_exactly_where_the_table_says(served: Served) -> None:
    asked = [
        (route, role, it)
        for route in ROUTES
        for role in Role
        for it in route.methods
        if role not in route.roles or route.name not in PATIENT
    ]
    answers = served.ask_all(
        Asks(address(route), one_with(role), method) for route, role, method in asked
    )
    for (route, role, _), answer in zip(asked, answers, strict=True):
        may = answer.status_code in UNANSWERED if role in route.roles else answer.status_code == 403
        assert may, (route, role, answer)


def test_who_has_no_role_is_let_in_only_where_everyone_is(served: Served) -> None:
    closed = [route for route in ROUTES if route.roles != EVERYONE]
    answers = served.ask_all(Asks(address(it), one_with(), it.methods[0]) for it in closed)
    assert {answer.status_code for answer in answers} == {403}
    assert {route.name for route in ROUTES} - {it.name for it in closed} == OPEN


def test_a_method_that_a_route_does_not_have_is_refused(served: Served) -> None:
    methods = ["OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "BREW", "POST", "GET"]
    allowed: dict[str, set[str]] = {}
    for it in ROUTES:
        allowed.setdefault(it.path, set()).update(it.methods)
    asked = [(it, method) for it in ROUTES for method in methods if method not in allowed[it.path]]
    answers = served.ask_all(Asks(address(it), one_with(*Role), method) for it, method in asked)
    for (route, _), answer in zip(asked, answers, strict=True):
        assert answer.status_code == 405
        assert answer.headers["allow"] == ", ".join(sorted(allowed[route.path]))
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "127.0.0.1.nip.io"])
def test_a_name_that_strangers_gave_this_machine_is_not_answered_for(
    host: str, served: Served
) -> None:
    answer = served.ask("/scorecard", headers={"host": host})
    assert answer.status_code == 421
    assert "content-security-policy" in answer.headers
    assert served.ask("/health", headers={"host": host}).status_code == 200


def test_every_answer_has_the_headers_that_keep_a_browser_safe(served: Served) -> None:
    asked = ["/health", "/nothing", "/scorecard", "/api/v1/scorecard?area=x", "/"]
    for answer in served.ask_all(map(Asks, asked)):
        for name, value in SAFE_HEADERS.items():
            assert answer.headers[name] == value


def test_a_store_that_is_away_is_said_to_programs_and_people(served: Served) -> None:
    answer = served.ask("/api/v1/scorecard")
    assert answer.status_code == 503
    assert answer.json()["status"] == 503
    assert "does not answer" in answer.json()["detail"]
    assert answer.headers["retry-after"]
    page = served.ask("/scorecard", headers={"accept": "text/html"})
    assert page.status_code == 503
    assert "does not answer" in page.text
    assert served.ask("/ready").status_code == 503
    assert served.ask("/health").status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.1", "::", "example.org"])
def test_nobody_is_served_beyond_this_machine_without_a_sign_in(host: str) -> None:
    with pytest.raises(OpenToOthers, match="nobody has to sign in"):
        listen(NO_REDIS, host, 0)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_this_machine_is_served(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_an_answer_is_sent_without_waiting_for_a_client_to_acknowledge_its_headers(
    host: str,
) -> None:
    with listen(NO_REDIS, host, 0) as listening:
        listening.setblocking(True)
        client = socket.create_connection(listening.getsockname()[:2])
        with client, listening.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_nobody_is_no_more_than_nobody() -> None:
    assert NOBODY.roles == {Role.NOBODY}
    assert not NOBODY.sees_all
    assert not NOBODY.own_places


def test_questions_are_counted_by_route_and_status_and_never_by_what_was_asked(
    served: Served,
) -> None:
    viewer = one_with(Role.VIEWER)
    paths = [
        "/api/v1/indicators",
        "/api/v1/indicators",
        "/nothing/of/Ann",
        "/api/v1/scorecard?x=Ann",
    ]
    paths += ["/operations", "/indicators/Ann"]
    registry = served.ask_and_measure(Asks(path, viewer) for path in paths)
    counted = {
        (it.labels["route"], it.labels["status"]): it.value
        for family in registry.collect()
        for it in family.samples
        if it.name == "caseline_serve_requests_total"
    }
    assert counted == {
        ("indicators", "200"): 2,
        ("none", "404"): 1,
        ("scorecard", "400"): 1,
        ("operations-page", "403"): 1,
        ("indicator-page", "404"): 1,
    }
    text = generate_latest(registry).decode()
    assert "Ann" not in text
    assert 'caseline_serve_seconds_count{route="indicators"} 2' in text
    assert "caseline_serve_listeners 0" in text
