"""Tokens on a real Redis: made, used, listed without their secrets, revoked, and expired."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from getpass import getuser
from pathlib import Path

import pytest
import redis
from redis.asyncio import Redis
from typer.testing import CliRunner, Result

from processors.rules import Rules
from schemas.audit_entries import AUDIT_TOPIC
from schemas.settings import Settings
from streams.cli import app
from streams.clock import Clock
from streams.serving.groups import Groups
from streams.serving.sign_in import BySignIn, SignIn
from streams.serving.tokens import Tokens
from tests.support.ports import free_ports
from tests.support.served import Asks, Served
from tests.support.servers import Server
from tests.support.workers import CommandLine

pytestmark = pytest.mark.services

Run = Callable[..., Result]


@pytest.fixture
def settings(caseline: CommandLine) -> Settings:
    return caseline.settings


@pytest.fixture
def token(caseline: CommandLine) -> Run:
    def run(*arguments: str, code: int = 0, **changed: object) -> Result:
        environment = {**caseline.environment(**changed), "COLUMNS": "200"}
        result = CliRunner().invoke(app, ["token", *arguments], env=environment)
        assert result.exit_code == code, result.output
        return result

    return run


def served(settings: Settings, rules: Rules, ahead: timedelta = timedelta(0)) -> Served:
    clock = Clock(ahead)

    def sign_in(redis: Redis) -> SignIn:
        return BySignIn(Tokens(redis, settings.deployment), clock.now, (), Groups())

    return Served(settings, rules, clock, sign_in)


def bearer(text: str) -> dict[str, str]:
    return {"authorization": f"Bearer {text}"}


def basic(text: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"excel:{text}".encode()).decode()}


def test_a_token_opens_what_its_roles_do_until_it_is_revoked_or_expires(
    settings: Settings, rules: Rules, token: Run
) -> None:
    text = token("create", "--name", "report", "--role", "viewer", "--days", "7").stdout.strip()
    number = text.split("_")[1]
    path = "/api/v1/indicators"
    asked = [
        Asks(path, headers=bearer(text)),
        Asks(path, headers=basic(text)),
        Asks(path),
        Asks(path, headers=bearer(text[:-1])),
        Asks(path, headers=bearer(text + "x")),
        Asks(path, headers=bearer(f"caseline_{number}_")),
        Asks(path, headers=bearer("caseline_000000000000_" + text.split("_", 2)[2])),
    ]
    answers = served(settings, rules).ask_all(asked)
    assert [it.status_code for it in answers] == [200, 200, 401, 401, 401, 401, 401]
    for ahead, status in ((timedelta(days=6), 200), (timedelta(days=8), 401)):
        assert served(settings, rules, ahead).ask_all(asked[:1])[0].status_code == status
    listed = token("list").stdout
    assert number in listed
    assert "report" in listed
    assert text.split("_", 2)[2] not in listed
    token("revoke", number)
    assert served(settings, rules).ask_all(asked[:1])[0].status_code == 401
    token("revoke", number, code=1)


def test_nothing_that_is_kept_of_a_token_is_its_secret(
    settings: Settings, redis_server: Server, token: Run
) -> None:
    text = token("create", "--name", "feed", "--role", "intake").stdout.strip()
    with redis.Redis.from_url(redis_server.address) as client:
        kept = client.hgetall(f"caseline:{{{settings.deployment}}}:tokens")
    assert kept
    assert text.split("_", 2)[2] not in repr(kept)


def test_who_made_and_revoked_a_token_by_a_command_is_in_the_audit_log(
    caseline: CommandLine, token: Run, tmp_path: Path
) -> None:
    lead = ("--role", "caseworker-lead", "--team", "Unit 7")
    text = token("create", "--name", "T. Lead", *lead, "--by", "op").stdout.strip()
    number = text.split("_")[1]
    away = {"kafka_bootstrap": f"127.0.0.1:{free_ports(1)[0]}"}
    refused = token("create", "--name", "other", "--role", "viewer", code=1, **away)
    assert "the audit log cannot be written" in " ".join(refused.stderr.split())
    assert "other" not in token("list").stdout
    token("revoke", number, "--by", "op")
    more = token("create", "--name", "more", "--role", "viewer").stdout.split("_")[1]
    unsaid = " ".join(token("revoke", more, code=1, **away).stderr.split())
    assert "is good for nothing now" in unsaid
    assert "this was done, but the audit log could not be told of it" in unsaid
    assert more not in token("list").stdout
    caseline.run("topics", "export", AUDIT_TOPIC, tmp_path / "audit.jsonl")
    said = [json.loads(it) for it in (tmp_path / "audit.jsonl").read_bytes().splitlines()]
    assert [(it["who"], it["route"], it["result"], it["query"]) for it in said[:2]] == [
        (
            "op",
            "caseline token create",
            "token-made",
            "name=T.+Lead&role=caseworker-lead&days=90&place=Unit+7",
        ),
        ("op", "caseline token revoke", "token-revoked", f"token={number}&name=T.+Lead"),
    ]
    assert [(it["who"], it["result"]) for it in said[2:]] == [(getuser(), "token-made")]
    assert text.split("_", 2)[2] not in (tmp_path / "audit.jsonl").read_text()


def test_intake_may_not_read(settings: Settings, rules: Rules, token: Run) -> None:
    text = token("create", "--name", "feed", "--role", "intake").stdout.strip()
    asked = ("/", "/scorecard", "/api/v1/scorecard", "/api/v1/indicators", "/api/v1/status")
    answers = served(settings, rules).ask_all(Asks(it, headers=bearer(text)) for it in asked)
    assert {it.status_code for it in answers} == {403}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--name", "a", "--role", "nobody"), "there are viewer"),
        (("--name", "a", "--role", "king"), "there are viewer"),
        (("--name", " ", "--role", "viewer"), "who has it?"),
        (("--name", "a", "--role", "manager"), "a manager has places"),
        (("--name", "a", "--role", "manager", "--place", "Atlantis"), "there are Kent"),
        (("--name", "a", "--role", "viewer", "--place", "Kent"), "only a manager"),
        (("--name", "a", "--role", "caseworker-lead"), "a caseworker lead has teams"),
        (("--name", "a", "--role", "manager", "--place", "Kent", "--team", "A"), "only a casew"),
        (("--name", "a", "--role", "viewer", "--days", "0"), "--days"),
        (("--role", "viewer"), "--name"),
    ],
)
def test_a_token_that_makes_no_sense_is_not_made(
    arguments: tuple[str, ...], said: str, token: Run
) -> None:
    refused = " ".join(token("create", *arguments, code=2).stderr.split())
    assert said in refused.replace("│ ", "").replace(" │", "")
