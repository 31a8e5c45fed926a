"""Signing in at a real OpenID provider, and what is not taken for it, with a Redis between."""

import asyncio
import json
import logging
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from redis.asyncio import Redis
from typer.testing import CliRunner, Result

from processors.rules import Rules
from schemas.audit_entries import AUDIT_TOPIC
from schemas.settings import Settings
from streams.cli import app
from streams.clock import Clock
from streams.kafka import audit_log
from streams.kafka.audit_log import Audited
from streams.serving import figure_watch, own_tokens, page_answers
from streams.serving.allowances import Allowances
from streams.serving.figure_watch import FigureWatch
from streams.serving.openid_provider import KNOWN_FOR_SECONDS, OpenIdProvider
from streams.serving.openid_sign_in import OpenIdSignIn
from streams.serving.parameters import Query
from streams.serving.roles import FORM, ROUTES, ROUTES_BY_NAME, SIGNED_IN, Role
from streams.serving.sessions import LONGEST, Sessions, reference_of_id
from streams.serving.site import Call
from tests.support.openid import (
    GROUPS,
    SECRET,
    Provider,
    asked_of,
    form_token_in,
    openid_provider,
    openid_settings,
)
from tests.support.ports import free_ports
from tests.support.redis_servers import SECRET as PASSWORD
from tests.support.redis_servers import USER, acl_lines, server
from tests.support.served import ADDRESS, Asks, Served
from tests.support.workers import CommandLine

pytestmark = pytest.mark.services

PAGE = {"accept": "text/html"}
FORM_HEADERS = {**PAGE, "content-type": FORM, "origin": ADDRESS}
INDICATORS = "/api/v1/indicators"


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis that lets in the user of docs/operating.md alone."""
    (port,) = free_ports(1)
    folder = tmp_path_factory.mktemp("redis")
    who = {"username": USER, "password": PASSWORD}
    with server(folder, port, "user default off", *acl_lines(), **who):
        yield f"redis://{USER}:{PASSWORD}@127.0.0.1:{port}/0"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with openid_provider([ADDRESS]) as it:
        yield it


@pytest.fixture
def honest(provider: Provider) -> Iterator[Provider]:
    """The provider, which is honest again after the test."""
    yield provider
    provider.acts("itself")


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> list[Audited]:
    """What the audit log is told of."""
    found: list[Audited] = []
    monkeypatch.setattr(audit_log.AuditLog, "note", lambda _, it: found.append(it))
    return found


@dataclass
class Browser:
    """A browser on the site: its cookies, and what the site would see of its provider."""

    settings: Settings
    rules: Rules
    provider: Provider
    ahead: timedelta = timedelta(0)
    cookies: dict[str, str] = field(default_factory=dict)
    seconds: Any = time.time
    shared: list[OpenIdProvider] = field(default_factory=list)
    refusals: Allowances = field(default_factory=lambda: Allowances(10, time.monotonic))

    def asks(
        self, path: str, method: str = "GET", headers: dict[str, str] = PAGE, body: bytes = b""
    ) -> httpx.Response:
        """What the site answers, whose cookies are kept."""
        clock = Clock(self.ahead)

        def openid(redis: Redis) -> OpenIdSignIn:
            client = self.settings.openid
            assert client
            # One process keeps what its provider said of itself from one question to the next.
            if not self.shared:
                self.shared.append(OpenIdProvider(client, lambda: self.seconds()))
            self.shared[0]._turn = asyncio.Lock()
            deployment = self.settings.deployment
            return OpenIdSignIn(
                client, redis, deployment, GROUPS, clock.now, self.shared[0], self.refusals
            )

        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {**headers, "cookie": cookie} if cookie else headers
        served = Served(self.settings, self.rules, clock, openid=openid)
        (answer,) = served.ask_all([Asks(path, method=method, headers=sent, body=body)])
        for it in answer.headers.get_list("set-cookie"):
            name, _, rest = it.partition("=")
            value = rest.partition(";")[0]
            if value:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        return answer

    def leaves(self, goes_to: str = "/account") -> str:
        """Where the site sends it to sign in."""
        answer = self.asks(f"/sign-in?{urlencode({'next': goes_to})}")
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def signs_in_anew(self, name: str, goes_to: str = "") -> httpx.Response:
        """What the site answers once someone has proved anew who they are."""
        answer = self.asks(f"/sign-in/again?next={goes_to}")
        assert answer.status_code == 303, answer.text
        asked = asked_of(answer.headers["location"])
        assert (asked["prompt"], asked["max_age"]) == ("login", "0")
        return self.asks(path_of(self.provider.returned(answer.headers["location"], name)))

    def ends(self, which: str) -> httpx.Response:
        """What the site answers to the form that ends sessions."""
        token = form_token_in(self.asks("/account").text)
        body = urlencode({"session": which, "form_token": token}).encode()
        return self.asks("/account/sessions/end", "POST", FORM_HEADERS, body)

    def signs_in(self, name: str, goes_to: str = "/account") -> httpx.Response:
        """What the site answers once someone has signed in."""
        return self.asks(path_of(self.provider.returned(self.leaves(goes_to), name)))

    @property
    def session(self) -> str:
        return self.cookies.get("caseline-session", "")


def path_of(address: str) -> str:
    assert address.startswith(f"{ADDRESS}/")
    return address.removeprefix(ADDRESS)


@pytest.fixture
def browser(provider: Provider, redis_url: str, rules: Rules, deployment: str) -> Browser:
    settings = Settings(redis_url=redis_url, kafka_bootstrap="localhost:1", deployment=deployment)
    return Browser(openid_settings(settings, provider.issuer, ADDRESS), rules, provider)


def another(browser: Browser) -> Browser:
    return replace(browser, cookies={})


def test_one_who_signs_in_is_who_the_provider_says_until_they_sign_out(
    browser: Browser, noted: list[Audited]
) -> None:
    refused = browser.asks("/account")
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Bearer")
    assert '<a href="/sign-in?next=/account">' in refused.text
    leaves = browser.leaves("/account")
    asked = asked_of(leaves)
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert len(asked["code_challenge"]) == len(asked["state"]) == len(asked["nonce"]) == 43
    assert SECRET not in leaves
    back = browser.asks(path_of(browser.provider.returned(leaves, "manager")))
    assert (back.status_code, back.headers["location"]) == (303, "/account")
    assert back.headers["cache-control"] == "no-store"
    page = browser.asks("/account")
    assert page.status_code == 200
    assert "manager@example.org" in page.text
    assert "of Thanet" in page.text
    assert browser.asks("/operations").status_code == 403
    body = urlencode({"form_token": form_token_in(page.text)}).encode()
    kept = dict(browser.cookies)
    out = browser.asks("/sign-out", "POST", FORM_HEADERS, body)
    assert out.status_code == 200
    assert f"url={browser.provider.issuer}/session/end?client_id=caseline" in out.text
    assert out.headers["clear-site-data"] == '"cache"'
    assert not browser.session
    browser.cookies = kept
    assert browser.asks("/account").status_code == 401
    assert browser.asks("/signed-out").status_code == 200
    told = [(it.result, it.who, it.roles, it.route, it.query) for it in noted]
    who = "manager@example.org", ("manager",)
    assert told == [
        ("signed-in", *who, "sign-in-return", "subject=manager"),
        ("denied", *who, "operations-page", ""),
        ("signed-out", *who, "sign-out", ""),
    ]
    assert {it.origin for it in noted if it.result != "denied"} == {"127.0.0.1"}


def test_every_process_knows_a_session_and_what_is_kept_of_it_proves_nothing(
    browser: Browser,
) -> None:
    browser.signs_in("analyst")
    browser.shared.clear()  # as another process, which knows of no provider
    assert browser.asks("/account").status_code == 200

    async def kept() -> dict[bytes, bytes]:
        redis: Any = Redis.from_url(browser.settings.redis_url)
        async with redis:
            every = [it async for it in redis.scan_iter(f"*{browser.settings.deployment}*")]
            names = [it for it in every if b":session:" in it]
            assert all([0 < await redis.ttl(it) <= 1_800 for it in names])
            # Which sessions there are of someone, and of their session at the provider.
            listed = {*every} - {*names}
            assert len(listed) == 2
            assert all([0 < await redis.ttl(it) <= 36_000 for it in listed])
            return {it: await redis.get(it) for it in names}

    found = asyncio.run(kept())
    assert len(found) == 1
    assert browser.session not in repr(found)
    assert set(json.loads(*found.values())) == {
        *("name", "subject", "roles", "places", "began", "asked"),
        *("browser", "at_provider", "proved"),
    }


@pytest.mark.parametrize(
    "mode",
    [
        *("other-key", "unknown-key", "unsigned", "secret-signed", "wrong-nonce", "no-nonce"),
        *("wrong-audience", "wrong-party", "wrong-issuer", "expired", "not-yet"),
    ],
)
def test_a_token_that_is_not_for_this_sign_in_is_not_believed(
    mode: str, honest: Provider, browser: Browser, noted: list[Audited]
) -> None:
    honest.acts(mode)
    answer = browser.signs_in("analyst")
    assert answer.status_code == 401, mode
    assert "came to nothing" in answer.text
    assert not browser.session
    assert [(it.result, it.who, it.origin) for it in noted] == [
        ("sign-in-refused", "unknown", "127.0.0.1")
    ]


def test_clocks_may_differ_by_less_than_a_minute(honest: Provider, browser: Browser) -> None:
    honest.acts("just-expired")
    assert browser.signs_in("analyst").status_code == 303


def test_a_key_that_the_provider_has_changed_is_fetched(honest: Provider, browser: Browser) -> None:
    assert browser.signs_in("analyst").status_code == 303
    honest.acts("rotated")
    assert another(browser).signs_in("analyst").status_code == 303


def test_a_return_that_nobody_left_for_is_refused_and_a_code_is_good_once(
    browser: Browser,
) -> None:
    back = path_of(browser.provider.returned(browser.leaves(), "analyst"))
    said = asked_of(back)
    # Another browser, into which a stranger would have someone come as them.
    stranger = another(browser)
    stranger.leaves()
    assert stranger.asks(back).status_code == 401
    # A state of one's own making, with a code of someone's.
    forged = urlencode({**said, "state": "x" * 43})
    assert browser.asks(f"/sign-in/return?{forged}").status_code == 401
    for lacking in ("state", "code"):
        left = urlencode({name: it for name, it in said.items() if name != lacking})
        assert another(browser).asks(f"/sign-in/return?{left}").status_code == 401
    assert browser.asks(back).status_code == 303
    assert browser.asks(back).status_code == 401
    # The same code, by a return that was left for: the provider knows it no more.
    state = asked_of(browser.leaves())["state"]
    replayed = urlencode({**said, "state": state})
    assert browser.asks(f"/sign-in/return?{replayed}").status_code == 401
    assert browser.asks(f"{back}&code=again").status_code == 400


def test_refused_returns_of_an_address_fill_no_log_and_hold_nobody_off(
    browser: Browser, noted: list[Audited]
) -> None:
    browser.refusals = Allowances(2, time.monotonic)
    for _ in range(5):
        assert browser.asks("/sign-in/return?state=x&code=y").status_code == 401
    assert [it.result for it in noted] == ["sign-in-refused"] * 2
    assert browser.signs_in("analyst").status_code == 303


def test_the_answer_of_another_provider_is_refused(browser: Browser) -> None:
    for issuer in ({"iss": "https://elsewhere.example.org"}, {}):
        back = path_of(browser.provider.returned(browser.leaves(), "analyst"))
        said = {**asked_of(back), "iss": "", **issuer}
        assert browser.asks(f"/sign-in/return?{urlencode(said)}").status_code == 401
        assert not browser.session


def test_what_a_provider_says_of_a_failure_is_not_shown(browser: Browser) -> None:
    answer = browser.signs_in("nobody-they-know")
    assert answer.status_code == 401
    assert "did not sign you in" in answer.text
    assert "no such person" not in answer.text


def test_who_has_no_role_here_is_told_so_and_has_no_session(
    browser: Browser, noted: list[Audited]
) -> None:
    answer = browser.signs_in("stranger")
    assert answer.status_code == 403
    assert "You are signed in as stranger@example.org" in answer.text
    assert '<a href="/sign-in">Sign in again</a>' in answer.text
    assert not browser.session
    assert [(it.result, it.who, it.query) for it in noted] == [
        ("denied", "stranger@example.org", "subject=stranger")
    ]


@pytest.mark.parametrize("goes_to", ["//evil.example", "/\\evil.example", "/sign-in"])
def test_nobody_is_led_elsewhere_by_signing_in(goes_to: str, browser: Browser) -> None:
    assert browser.signs_in("analyst", goes_to).headers["location"] == "/"


def test_signing_in_begins_another_session_than_a_browser_brought(browser: Browser) -> None:
    browser.signs_in("manager")
    first = browser.session
    browser.signs_in("analyst")
    assert first != browser.session
    before = another(browser)
    before.cookies["caseline-session"] = first
    assert before.asks("/account").status_code == 401
    # One that was never begun here is none, before signing in and after.
    planted = another(browser)
    planted.cookies["caseline-session"] = "x" * 43
    assert planted.asks("/account").status_code == 401
    planted.signs_in("analyst")
    assert planted.session != "x" * 43
    assert planted.asks("/account").status_code == 200


def test_a_session_ends_after_half_an_hour_without_a_question_and_after_ten_hours(
    browser: Browser,
) -> None:
    def asked_after(minutes: int, **headers: str) -> int:
        browser.ahead = timedelta(minutes=minutes)
        return browser.asks("/account", headers={**PAGE, **headers}).status_code

    browser.signs_in("analyst")
    assert [asked_after(29), asked_after(58), asked_after(89)] == [200, 200, 401]
    browser.ahead = timedelta(0)
    browser.signs_in("analyst")
    # What a page's script asks for keeps no session on.
    assert [asked_after(29, **{"sec-fetch-dest": "empty"}), asked_after(31)] == [200, 401]
    browser.ahead = timedelta(0)
    browser.signs_in("analyst")
    asyncio.run(keep_asking(browser.settings, browser.session, until=LONGEST))
    longest = LONGEST // timedelta(minutes=1)
    assert [asked_after(longest - 1), asked_after(longest)] == [200, 401]


async def keep_asking(settings: Settings, number: str, until: timedelta) -> None:
    """Have a session be asked by every 25 minutes, as it goes on."""
    began = Clock().now()
    async with Redis.from_url(settings.redis_url) as redis:
        sessions = Sessions(redis, settings.deployment)
        for minutes in range(25, until // timedelta(minutes=1), 25):
            now = began + timedelta(minutes=minutes)
            assert await sessions.of(number, now, is_asked=True)


def test_a_form_without_the_token_of_its_session_is_refused(browser: Browser) -> None:
    other = another(browser)
    other.signs_in("lead")
    theirs = form_token_in(other.asks("/account").text)
    browser.signs_in("lead")
    ours = form_token_in(browser.asks("/account").text)
    assert ours != theirs

    def sent(body: bytes, **headers: str) -> int:
        path = f"/alerts/{'0' * 20}/acknowledge"
        return browser.asks(path, "POST", {**FORM_HEADERS, **headers}, body).status_code

    wish = "note=Visit+booked&for=3d"
    for token in ("", "&form_token=", f"&form_token={theirs}", f"&form_token={ours}" * 2):
        assert sent(f"{wish}{token}".encode()) == 403
    assert sent(f"{wish}&form_token={ours}".encode(), origin="http://evil.example") == 403
    # With it, it comes to what decides, which knows no such alert.
    assert sent(f"{wish}&form_token={ours}".encode()) == 409
    # What is no form is taken where the browser says that a page from here asks.
    path, json_body = f"/api/v1/alerts/{'0' * 20}/acknowledge", b'{"note": "x", "for": "3d"}'
    as_json = {"content-type": "application/json"}
    assert browser.asks(path, "POST", as_json, json_body).status_code == 403
    from_here = {**as_json, "origin": ADDRESS}
    assert browser.asks(path, "POST", from_here, json_body).status_code == 409


def test_a_provider_that_is_away_keeps_nobody_out_who_is_signed_in(
    browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    browser.signs_in("analyst")
    browser.settings = openid_settings(browser.settings, "http://127.0.0.1:1", ADDRESS)
    browser.shared.clear()
    with caplog.at_level(logging.WARNING):
        away = browser.asks("/sign-in")
        again = browser.asks("/sign-in")
    assert away.status_code == again.status_code == 503
    assert "nobody can sign in now" in away.text.lower()
    assert away.headers["retry-after"]
    assert [it.message for it in caplog.records].count("the OpenID provider is away") == 1
    assert browser.asks("/account").status_code == 200
    page = browser.asks("/account").text
    body = urlencode({"form_token": form_token_in(page)}).encode()
    assert browser.asks("/sign-out", "POST", FORM_HEADERS, body).status_code == 200
    assert browser.asks("/account").status_code == 401


def test_metadata_of_another_issuer_is_refused(browser: Browser) -> None:
    # The same provider by another name, which is not the one that its document has.
    named = browser.provider.issuer.replace("127.0.0.1", "localhost")
    browser.settings = openid_settings(browser.settings, named, ADDRESS)
    answer = browser.asks("/sign-in")
    assert answer.status_code == 503
    assert "of another issuer" in answer.text


def test_sessions_are_listed_and_ended_by_command(
    browser: Browser, caseline: CommandLine, tmp_path: Path
) -> None:
    other = another(browser)
    browser.signs_in("manager")
    other.signs_in("analyst")
    settings = browser.settings
    by_browser = {"redis_url": settings.redis_url, "deployment": settings.deployment}

    def session(*arguments: str, **changed: object) -> Result:
        environment = caseline.environment(**by_browser, **changed)
        return CliRunner().invoke(
            app, ["session", *arguments], env={**environment, "COLUMNS": "200"}
        )

    listed = session("list").stdout
    assert "manager@example.org" in listed
    assert "analyst@example.org" in listed
    assert browser.session not in listed
    assert session("end", "--name", "manager@example.org", "--by", "op").exit_code == 0
    assert browser.asks("/account").status_code == 401
    assert other.asks("/account").status_code == 200
    assert session("end", "--name", "manager@example.org").exit_code == 1
    assert session("end").exit_code == 2
    assert session("end", "--name", "a", "--everyone").exit_code == 2
    unsaid = session("end", "--everyone", kafka_bootstrap=settings.kafka_bootstrap)
    assert unsaid.exit_code == 1, "there is no Kafka where the browser's site looks for it"
    assert "1 session ended" in unsaid.stderr
    assert "this was done, but the audit log could not" in " ".join(unsaid.stderr.split())
    assert other.asks("/account").status_code == 401
    caseline.run("topics", "export", AUDIT_TOPIC, tmp_path / "audit.jsonl")
    (said,) = map(json.loads, (tmp_path / "audit.jsonl").read_bytes().splitlines())
    assert (said["who"], said["route"], said["result"], said["cases"], said["query"]) == (
        *("op", "caseline session end", "signed-out", 1),
        "name=manager%40example.org",
    )


FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def sessions_on(page: str) -> list[str]:
    """The references of the sessions that a page of an account has."""
    return re.findall(r'id="session-([0-9a-f]{20})"', page)


def test_one_sees_where_one_is_signed_in_and_ends_it_once_it_is_certain_who_one_is(
    browser: Browser, noted: list[Audited]
) -> None:
    elsewhere, third, someone = another(browser), another(browser), another(browser)
    browser.signs_in("lead")
    assert "signed in nowhere else" in browser.asks("/account").text
    back = path_of(browser.provider.returned(elsewhere.leaves(), "lead"))
    elsewhere.asks(back, headers={**PAGE, "user-agent": FIREFOX})
    third.signs_in("lead")
    someone.signs_in("manager")
    page = browser.asks("/account").text
    assert len(sessions_on(page)) == 3
    assert ">Firefox</th>" in page
    assert page.count(">Another browser</th>") == 2
    assert page.count("This one") == 1
    assert '<a href="/sign-in/again">' in page
    assert "<button>End" not in page
    # Signed in by a session of the provider's, maybe: whoever sits there cannot end the others.
    assert browser.ends("others").status_code == 403
    assert browser.signs_in_anew("lead").headers["location"] == "/account"
    page = browser.asks("/account").text
    (firefox,) = re.findall(r'id="session-(\w+)">Firefox', page)
    not_theirs = sessions_on(someone.asks("/account").text)[0]
    assert len(sessions_on(page)) == 3  # that from which they went on is over
    own = browser.session
    for which, status in ((not_theirs, 303), (firefox, 303), (firefox, 303), ("x", 422)):
        assert browser.ends(which).status_code == status
    assert [it.asks("/account").status_code for it in (elsewhere, third, someone)] == [
        401,
        200,
        200,
    ]
    assert browser.ends("others").headers["location"] == "/account"
    assert browser.session == own
    assert third.asks("/account").status_code == 401
    assert sessions_on(browser.asks("/account").text) == [reference_of_id(own)]
    ended = [(it.who, it.cases, it.origin) for it in noted if it.route == "end-sessions"]
    assert ended == [("lead@example.org", 1, "127.0.0.1")] * 2
    browser.ahead = timedelta(minutes=11)
    assert browser.ends("others").status_code == 403


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[Audited]:
    """What the audit log had before it was done."""
    found: list[Audited] = []

    async def write(_: audit_log.AuditLog, it: Audited) -> None:
        found.append(it)

    monkeypatch.setattr(audit_log.AuditLog, "write", write)
    return found


def wishes(browser: Browser, path: str, **fields: str) -> httpx.Response:
    """What the site answers to a form of the page that connects other programs."""
    token = form_token_in(browser.asks("/connect").text)
    body = urlencode({**fields, "form_token": token}).encode()
    return browser.asks(path, "POST", FORM_HEADERS, body)


def bearing(browser: Browser, token: str, path: str, method: str = "GET") -> httpx.Response:
    """What a program is answered that has a token."""
    headers = {"authorization": f"Bearer {token}", "accept": "text/html", "origin": ADDRESS}
    body = b"name=x&role=viewer&days=1" if method == "POST" else b""
    return another(browser).asks(path, method, {**headers, "content-type": FORM}, body)


def test_a_token_of_ones_own_does_no_more_than_one_may_and_is_ones_own_to_revoke(
    browser: Browser, noted: list[Audited], written: list[Audited]
) -> None:
    make, wish = "/connect/tokens", {"name": "Power BI", "role": "manager", "days": "30"}
    browser.signs_in("manager")
    assert '<a href="/sign-in/again?next=/connect">' in browser.asks("/connect").text
    assert wishes(browser, make, **wish).status_code == 403
    assert browser.signs_in_anew("manager", "/connect").headers["location"] == "/connect"
    for wrong, status in (
        ({"role": "analyst"}, 403),
        ({"role": "operator"}, 422),
        ({"days": "91"}, 422),
        ({"name": "[red]"}, 422),
    ):
        assert wishes(browser, make, **{**wish, **wrong}).status_code == status
    assert not written
    page = wishes(browser, make, **wish)
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
    (token,) = re.findall(r'value="(caseline_[^"]+)"', page.text)
    told = bearing(browser, token, "/account").text
    assert "manager@example.org (Power BI)" in told
    assert "<dd>manager</dd>" in told
    assert bearing(browser, token, make, "POST").status_code == 400
    assert bearing(browser, token, "/cases?code=EH05").status_code == 403

    someone = another(browser)
    someone.signs_in("lead")
    (number,) = re.findall(r'id="token-([0-9a-f]{12})"', browser.asks("/connect").text)
    assert number not in someone.asks("/connect").text
    assert wishes(someone, f"{make}/revoke", token=number).status_code == 404
    assert wishes(browser, f"{make}/revoke", token=number).headers["location"] == "/connect"
    assert bearing(browser, token, "/account").status_code == 401
    assert wishes(browser, f"{make}/revoke", token=number).status_code == 404
    found = [(it.who, it.route, it.query, it.result) for it in written]
    assert found == [
        ("manager@example.org", "make-token", "name=Power BI&role=manager&days=30", "token-made"),
        ("manager@example.org", "revoke-token", f"token={number}", "token-revoked"),
    ]


def test_no_token_is_made_that_the_audit_log_lacks(browser: Browser) -> None:
    browser.signs_in_anew("lead")
    wish = {"name": "Excel", "role": "viewer", "days": "1"}
    assert wishes(browser, "/connect/tokens", **wish).status_code == 503
    assert "You have none." in browser.asks("/connect").text


def test_someone_has_so_many_tokens_of_their_own(
    browser: Browser, noted: list[Audited], written: list[Audited], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_tokens, "MOST_OWN", 1)
    browser.signs_in_anew("lead")
    wish = {"name": "Excel", "role": "viewer", "days": "1"}
    made = [wishes(browser, "/connect/tokens", **wish).status_code for _ in range(2)]
    assert made == [200, 409]


def test_who_was_not_asked_anew_who_they_are_has_proved_nothing(
    honest: Provider, browser: Browser
) -> None:
    browser.signs_in("lead")
    honest.acts("not-anew")
    answer = browser.signs_in_anew("lead")
    assert answer.status_code == 401
    assert "prove anew" in answer.text
    assert browser.ends("others").status_code == 403


def told(browser: Browser, token: str) -> httpx.Response:
    """What the site answers its provider."""
    body = urlencode({"logout_token": token}).encode()
    return browser.asks("/sign-out/back-channel", "POST", {"content-type": FORM}, body)


def test_who_signs_out_at_the_provider_is_signed_out_here(
    browser: Browser, noted: list[Audited]
) -> None:
    other, someone = another(browser), another(browser)
    other.signs_in("lead")
    someone.signs_in("analyst")
    browser.signs_in("lead")
    stranger = another(browser)  # who asks as the provider does, without a cookie
    token = browser.provider.logout_token("lead")
    answer = told(stranger, token)
    assert (answer.status_code, answer.text) == (200, "{}")
    assert answer.headers["cache-control"] == "no-store"
    status = [it.asks("/account").status_code for it in (browser, other, someone)]
    assert status == [401, 200, 200]
    # The same again, which somebody may have overheard.
    browser.signs_in("lead")
    replayed = told(stranger, token)
    assert replayed.status_code == 400
    assert "obeyed before" in replayed.json()["detail"]
    assert browser.asks("/account").status_code == 200
    assert told(stranger, browser.provider.logout_token("lead", is_of_all=True)).status_code == 200
    status = [it.asks("/account").status_code for it in (browser, other, someone)]
    assert status == [401, 401, 200]
    # Of one who is not signed in any more.
    assert told(stranger, browser.provider.logout_token("lead")).status_code == 200
    ended = [(it.who, it.query, it.result, it.cases) for it in noted if it.cases]
    who = "lead@example.org", "subject=lead", "signed-out"
    assert ended == [(*who, 1), (*who, 2)]


@pytest.mark.parametrize(
    "mode", ["other-key", "unknown-key", "unsigned", "secret-signed", "no-kind"]
)
def test_a_logout_that_the_provider_did_not_send_ends_nothing(
    mode: str, honest: Provider, browser: Browser, noted: list[Audited]
) -> None:
    browser.signs_in("lead")
    honest.acts(mode)
    refused = told(another(browser), honest.logout_token("lead"))
    assert refused.status_code == 400, mode
    assert refused.headers["content-type"] == "application/problem+json"
    assert browser.asks("/account").status_code == 200
    results = [(it.result, it.who, it.origin) for it in noted if it.route == "back-channel-logout"]
    assert results == [("sign-out-refused", "unknown", "127.0.0.1")]


def test_strangers_have_the_provider_not_asked_for_its_keys_time_and_again(
    honest: Provider, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.signs_in("lead")
    (shared,) = browser.shared
    fetched, fetch = [], shared._fetched_keys

    async def counted(found: Any) -> Any:
        fetched.append(found)
        return await fetch(found)

    monkeypatch.setattr(shared, "_fetched_keys", counted)
    honest.acts("unknown-key")
    forged = honest.logout_token("lead")
    assert [told(another(browser), forged).status_code for _ in range(3)] == [400] * 3
    assert not fetched
    later = time.time() + 30
    browser.seconds = lambda: later
    assert [told(another(browser), forged).status_code for _ in range(3)] == [400] * 3
    assert len(fetched) == 1


def test_what_the_provider_says_of_itself_is_asked_for_again_in_time(browser: Browser) -> None:
    browser.signs_in("analyst")
    known = browser.shared[0]._discovered
    browser.leaves()
    assert browser.shared[0]._discovered is known
    later = time.time() + KNOWN_FOR_SECONDS + 1
    browser.seconds = lambda: later
    browser.leaves()
    assert browser.shared[0]._discovered is not known


def test_nobody_is_signed_in_by_a_page_of_another_site(browser: Browser) -> None:
    led = {**PAGE, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    answer = browser.asks("/sign-in?next=%2Fscorecard", headers=led)
    assert answer.status_code == 401
    assert '<a href="/sign-in?next=%2Fscorecard">' in answer.text
    assert not browser.cookies
    assert browser.asks("/sign-in", headers={**led, "sec-fetch-site": "none"}).status_code == 303


def test_programs_and_scripts_are_told_to_sign_in_and_never_asked_for_a_password_by_a_page(
    browser: Browser,
) -> None:
    program = browser.asks(INDICATORS, headers={"accept": "application/json"})
    assert program.status_code == 401
    assert program.headers["www-authenticate"].startswith("Basic")
    script = {"accept": "text/html", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}
    answer = browser.asks("/scorecard", headers=script)
    assert (answer.status_code, answer.headers["www-authenticate"][:6]) == (401, "Bearer")
    assert browser.asks("/alerts/x/silence", "POST", FORM_HEADERS).status_code == 401


def test_the_table_of_routes_holds_for_who_has_a_session(browser: Browser) -> None:
    browser.signs_in("lead")
    quick = {"today", "account", "operations-page", "quality-page", "releases-page", "signed-out"}
    for route in (it for it in ROUTES if it.name in quick):
        status = browser.asks(route.path).status_code
        assert (status != 403) == (Role.LEAD in route.roles), route.name
    assert ROUTES_BY_NAME["sign-out"].roles == SIGNED_IN


def test_a_stream_ends_with_the_session_that_it_was_asked_for_by(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.signs_in("analyst")
    monkeypatch.setattr(figure_watch, "HEARTBEAT_SECONDS", 0.01)
    monkeypatch.setattr(page_answers, "LOOK_AGAIN_SECONDS", 0.0)
    client, number = browser.settings.openid, browser.session
    assert client

    async def heard() -> int:
        async with Redis.from_url(browser.settings.redis_url) as redis:
            provider, now = OpenIdProvider(client), Clock().now
            openid = OpenIdSignIn(
                *(client, redis, browser.settings.deployment, GROUPS, now, provider),
                browser.refusals,
            )
            session = await openid.sessions.of(number, now(), is_asked=True)
            assert session
            figures: Any = SimpleNamespace(clock=Clock(), moment=asyncio.Event().wait)
            site: Any = SimpleNamespace(openid=openid, watch=FigureWatch(figures))
            call = Call(
                ROUTES_BY_NAME["stream"],
                Query({}),
                session.identity(number),
                cookies=[f"caseline-session={number}"],
            )
            count = 0
            async for _ in (await page_answers.stream(site, call)).parts:
                count += 1
                if count == 3:
                    await openid.sessions.end(number)
            assert not site.watch.listeners
            return count

    assert asyncio.run(heard()) == 3
