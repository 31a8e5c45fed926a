"""Who is believed to be whom: what a proxy says from its own address alone, and tokens."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from processors.rules import Rules
from schemas.settings import Settings
from streams.serving.groups import Groups, KnownGroup, load_groups
from streams.serving.roles import Role
from streams.serving.sign_in import BySignIn, SignIn, networks, token_in
from streams.serving.tokens import Tokens
from tests.support.served import Asks, Served

# Where nothing answers.
NO_REDIS = Settings(redis_url="redis://localhost:1/0")
GROUPS = Groups(
    group=(
        KnownGroup(name="eh-managers", roles=(Role.MANAGER,), places=("Thanet",)),
        KnownGroup(name="eh-analysts", roles=(Role.ANALYST,)),
        KnownGroup(name="feeds", roles=(Role.INTAKE,)),
    )
)
USER = {"x-forwarded-user": "ann"}


def behind(addresses: str) -> Callable[[Redis], SignIn]:
    def sign_in(redis: Redis) -> SignIn:
        tokens = Tokens(redis, "test")
        return BySignIn(tokens, lambda: datetime.now(UTC), networks(addresses), GROUPS)

    return sign_in


def served(rules: Rules, addresses: str) -> Served:
    return Served(NO_REDIS, rules, sign_in=behind(addresses))


def test_headers_are_believed_of_the_proxy_alone(rules: Rules) -> None:
    headers = {**USER, "x-forwarded-groups": "eh-analysts"}
    path = "/api/v1/indicators"
    assert served(rules, "127.0.0.0/8").ask(path, headers=headers).status_code == 200
    refused = served(rules, "10.0.0.0/8,192.168.1.7").ask(path, headers=headers)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Basic")
    assert served(rules, "").ask(path, headers=headers).status_code == 401


def test_a_group_may_do_what_it_is_said_to_and_no_more(rules: Rules) -> None:
    answers = served(rules, "127.0.0.1").ask_all(
        Asks("/api/v1/indicators", headers={**USER, "x-forwarded-groups": groups})
        for groups in (
            "eh-analysts",
            " other , eh-managers ",
            "feeds",
            "",
            "unknown",
            "EH-ANALYSTS",
        )
    )
    assert [it.status_code for it in answers] == [200, 200, 403, 403, 403, 403]


@pytest.mark.parametrize("user", ["", "  ", "a" * 201])
def test_a_proxy_that_does_not_say_who_it_is_is_not_believed(user: str, rules: Rules) -> None:
    headers = {"x-forwarded-user": user, "x-forwarded-groups": "eh-analysts"}
    assert served(rules, "127.0.0.1").ask("/scorecard", headers=headers).status_code == 401


def test_what_shows_nothing_of_anyone_takes_no_sign_in(rules: Rules) -> None:
    asked = served(rules, "").ask_all(map(Asks, ("/health", "/ready", "/scorecard", "/")))
    assert [it.status_code for it in asked] == [200, 503, 401, 401]


@pytest.mark.parametrize(
    ("credentials", "token"),
    [
        ("Bearer abc", "abc"),
        ("bearer  abc ", "abc"),
        ("Basic " + base64.b64encode(b"any:a:b").decode(), "a:b"),
        ("Basic " + base64.b64encode(b"none").decode(), ""),
        ("Basic ***", None),
        ("Basic " + base64.b64encode(b"\xff:\xff").decode(), None),
        ("Digest abc", None),
        ("", None),
        ("Bearer " + "a" * 500, None),
    ],
)
def test_a_token_is_read_where_it_may_stand(credentials: str, token: str | None) -> None:
    assert token_in(credentials) == token


@given(st.text(max_size=60))
def test_any_credentials_are_read_or_none(credentials: str) -> None:
    assert token_in(credentials) is None or isinstance(token_in(credentials), str)


def test_groups_are_read_and_refused_with_the_reason(tmp_path: Path) -> None:
    file = tmp_path / "groups.toml"
    file.write_text('[[group]]\nname = "a"\nroles = ["manager"]\nplaces = ["Dover"]\n')
    identity = load_groups(file).identity("ann", {"a"})
    assert identity.roles == {Role.MANAGER}
    assert identity.own_places == {"Dover"}
    file.write_text('[[group]]\nname = "a"\nroles = ["nobody"]\n')
    with pytest.raises(ValueError, match="does not sign in"):
        load_groups(file)
    file.write_text('[[group]]\nname = "a"\nroles = ["king"]\n')
    with pytest.raises(ValueError, match="king"):
        load_groups(file)
    assert load_groups(None) == Groups()
