"""What browsers prove by cookies and forms, where they may be led, and what claims say."""

from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from processors.rules import Rules
from schemas.settings import Settings
from streams.serving.cookies import LONGEST_COOKIE, Cookie
from streams.serving.form_tokens import form_token, without_token
from streams.serving.identity import Identity
from streams.serving.openid_provider import name_in, roles_in
from streams.serving.problems import Problem
from streams.serving.roles import Role
from streams.serving.same_origin import own_path
from tests.support.served import Served

SITE = "https://scorecard.example.org"
WHOLE = {
    "sign_in": "oidc",
    "oidc_issuer": "https://login.example.org/v2.0",
    "oidc_client_id": "caseline",
    "oidc_client_secret": "not-for-any-log",
    "site_address": SITE,
    "groups_file": "groups.toml",
}


def test_a_cookie_is_of_this_host_alone_and_no_script_reads_it() -> None:
    given = Cookie("it", is_secure=True).given("abc", 60)
    name, *rules = given.split("; ")
    assert name == "__Host-it=abc"
    assert set(rules) == {"Max-Age=60", "Path=/", "HttpOnly", "SameSite=Lax", "Secure"}
    assert "Max-Age=0" in Cookie("it", is_secure=True).taken_back()
    # Browsers take no such name, and nothing `Secure`, over http, which is this machine's alone.
    assert Cookie("it", is_secure=False).given("abc", 60).startswith("it=abc; ")
    assert "Secure" not in Cookie("it", is_secure=False).given("abc", 60)


def test_a_cookie_that_is_there_twice_or_too_long_is_none() -> None:
    cookie = Cookie("it", is_secure=True)
    assert cookie.in_headers(["a=1; __Host-it=abc; b=2"]) == "abc"
    assert cookie.in_headers(["it=abc"]) == ""
    assert cookie.in_headers(["__Host-it=abc", "__Host-it=def"]) == ""
    assert cookie.in_headers([f"__Host-it={'a' * (LONGEST_COOKIE + 1)}"]) == ""
    assert cookie.in_headers([]) == ""


@given(
    st.text("ab_-", min_size=1, max_size=8),
    st.text("ab_-", min_size=1, max_size=8),
    st.lists(st.tuples(st.text(max_size=8).filter("form_token".__ne__), st.text()), max_size=3),
)
def test_a_form_goes_on_without_its_token_and_only_with_that_of_its_session(
    session: str, other: str, fields: list[tuple[str, str]]
) -> None:
    sent = urlencode([*fields, ("form_token", form_token(session))]).encode()
    assert without_token(sent, form_token(session)) == urlencode(fields).encode()
    if session != other:
        with pytest.raises(Problem) as refused:
            without_token(sent, form_token(other))
        assert refused.value.status == 403


@pytest.mark.parametrize("body", [b"", b"\xff", b"form_token=\xff", b"a=1&" * 50])
def test_what_is_no_form_with_a_token_is_refused(body: bytes) -> None:
    with pytest.raises(Problem):
        without_token(body, form_token("a"))


@given(
    st.text(alphabet="/\\.:@?#%evil\t\n\r -abc", max_size=20)
    | st.text(max_size=20).map(lambda it: f"/{it}")
)
def test_a_way_on_leads_to_this_server_alone(text: str) -> None:
    path = own_path(text)
    # As a browser reads it, which takes `\\` for `/` and passes over what separates lines.
    read = path.replace("\\", "/").replace("\t", "").replace("\n", "").replace("\r", "")
    assert urlsplit(urljoin(SITE, read)).netloc == urlsplit(SITE).netloc
    assert path.startswith("/")


@pytest.mark.parametrize(
    "text",
    [
        *("https://evil.example", "//evil.example", "/\\evil.example", "\\/evil.example", ""),
        *("/\t/evil.example", "javascript:alert(1)", "evil", "/ü", " /scorecard"),
    ],
)
def test_what_leads_elsewhere_leads_to_the_first_page(text: str) -> None:
    assert own_path(text) == "/"
    assert own_path("/scorecard?area=Dover") == "/scorecard?area=Dover"


@pytest.mark.parametrize(
    ("claims", "name", "roles"),
    [
        ({"roles": ["a", "b", 7, None]}, "roles", {"a", "b"}),
        ({"roles": "a"}, "roles", {"a"}),
        ({}, "roles", set()),
        ({"roles": {"a": 1}}, "roles", set()),
        ({"realm_access": {"roles": ["a"]}}, "realm_access.roles", {"a"}),
        ({"https://x.example/roles": ["a"]}, "https://x.example/roles", {"a"}),
        ({"realm_access": "a"}, "realm_access.roles", set()),
    ],
)
def test_roles_are_where_the_claim_has_them(
    claims: dict[str, object], name: str, roles: set[str]
) -> None:
    assert roles_in(claims, name) == roles


@pytest.mark.parametrize(
    ("told", "name"),
    [(" Ann ", "Ann"), ("", ""), (None, ""), (["Ann"], ""), ("a\nb", ""), ("a" * 201, "")],
)
def test_a_name_is_one_that_can_be_shown(told: object, name: str) -> None:
    assert name_in({"n": told}, "n") == name


def test_signing_in_by_openid_is_set_as_a_whole(tmp_path: Path) -> None:
    settings = Settings.model_validate(WHOLE)
    assert settings.openid
    assert settings.openid.secret.get_secret_value() == "not-for-any-log"
    assert "not-for-any-log" not in repr(settings) + repr(settings.openid)
    assert Settings().openid is None
    file = tmp_path / "secret"
    file.write_text("from-a-file\n")
    by_file = {**WHOLE, "oidc_client_secret_file": file}
    del by_file["oidc_client_secret"]
    found = Settings.model_validate(by_file).openid
    assert found
    assert found.secret.get_secret_value() == "from-a-file"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        *(({name: None}, name) for name in WHOLE if name != "sign_in"),
        ({"sign_in": "token"}, "needs sign_in oidc"),
        ({"sign_in": "none", "oidc_client_secret": None}, "needs sign_in oidc"),
        ({"oidc_client_secret": ""}, "oidc_client_secret_file"),
        ({"oidc_issuer": "http://login.example.org"}, "https://"),
        ({"oidc_issuer": "https://a:b@login.example.org"}, "no address of a host"),
        ({"oidc_issuer": "https://login.example.org?x"}, "no address of a host"),
        ({"site_address": "http://scorecard.example.org"}, "https://"),
        ({"site_address": "https://example.org/scorecard"}, "has a path"),
        ({"site_address": "https://example.org:x"}, "site_address"),
        ({"oidc_scopes": "profile"}, "oidc_scopes"),
        ({"oidc_client_secret_file": "nowhere"}, "both given"),
    ],
)
def test_half_of_it_is_refused_by_what_lacks(changed: dict[str, object], said: str) -> None:
    given = {name: it for name, it in {**WHOLE, **changed}.items() if it is not None}
    with pytest.raises(ValidationError, match=said) as refused:
        Settings.model_validate(given)
    assert "not-for-any-log" not in str(refused.value)


def test_a_name_is_shown_on_a_page_and_not_obeyed(rules: Rules) -> None:
    who = Identity("<script>alert(1)</script>", frozenset({Role.VIEWER}), form_token="a" * 64)
    settings = Settings(redis_url="redis://localhost:1/0", kafka_bootstrap="localhost:1")
    page = Served(settings, rules).ask("/account", who, headers={"accept": "text/html"})
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert" in page.text
    assert f'name="form_token" value="{"a" * 64}"' in page.text


def test_http_is_for_this_machine_alone() -> None:
    for host in ("localhost:8080", "127.0.0.1:8080", "[::1]:8080"):
        Settings.model_validate({**WHOLE, "site_address": f"http://{host}"})
