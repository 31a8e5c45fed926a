"""Which tokens are logouts of this deployment's provider, and which families browsers are of."""

from typing import Any

import pytest
from joserfc.jwt import Token

from streams.serving.browser_families import ANOTHER, browser_family
from streams.serving.logout_tokens import EVENT, NoLogout, ProviderLogout, logout_in

ISSUER, CLIENT, NOW = "https://login.example.org", "caseline", 1_700_000_000
HEADER = {"alg": "RS256", "typ": "logout+jwt"}
WHOLE: dict[str, Any] = {
    "iss": ISSUER,
    "aud": CLIENT,
    "iat": NOW,
    "exp": NOW + 120,
    "jti": "one",
    "sub": "ann",
    "sid": "at-nine",
    "events": {EVENT: {}},
}


def read(claims: dict[str, Any], **header: str) -> ProviderLogout:
    return logout_in(Token({**HEADER, **header}, claims), ISSUER, CLIENT, NOW)


def test_a_logout_is_of_a_person_of_a_session_or_of_both() -> None:
    assert read(WHOLE) == ProviderLogout("one", "ann", "at-nine")
    assert read({**WHOLE, "aud": [CLIENT]}).number == "one"
    for name, left in (("sub", ("", "at-nine")), ("sid", ("ann", ""))):
        found = read({it: value for it, value in WHOLE.items() if it != name})
        assert (found.subject, found.session) == left
    assert read(WHOLE, typ="application/logout+JWT").subject == "ann"
    # Clocks may differ by a minute.
    assert read({**WHOLE, "iat": NOW + 60, "exp": NOW - 59}).number == "one"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"iss": "https://elsewhere.example.org"}, "iss"),
        ({"iss": None}, "iss"),
        ({"aud": "another"}, "aud"),
        ({"aud": ["another"]}, "aud"),
        ({"aud": None}, "aud"),
        ({"iat": NOW + 61}, "iat"),
        ({"iat": NOW - 661}, "iat"),
        ({"iat": "then"}, "iat"),
        ({"iat": None}, "iat"),
        ({"exp": NOW - 60}, "exp"),
        ({"exp": None}, "exp"),
        ({"jti": None}, "jti"),
        ({"jti": ""}, "jti"),
        ({"jti": 7}, "jti"),
        ({"events": None}, "events"),
        ({"events": {}}, "events"),
        ({"events": {EVENT: True}}, "events"),
        ({"events": [EVENT]}, "events"),
        ({"events": {"http://schemas.openid.net/event/another": {}}}, "events"),
        ({"nonce": "x"}, "nonce"),
        ({"nonce": ""}, "nonce"),
        ({"sub": None, "sid": None}, "sub"),
        ({"sub": ""}, "sub"),
        ({"sub": 7}, "sub"),
        ({"sid": ["at-nine"]}, "sid"),
        ({"sid": "x" * 201}, "sid"),
    ],
)
def test_what_lacks_anything_of_a_logout_is_none(changed: dict[str, Any], why: str) -> None:
    claims = {name: it for name, it in {**WHOLE, **changed}.items() if it is not None}
    with pytest.raises(NoLogout, match=f"^{why}$"):
        read(claims)


@pytest.mark.parametrize("kind", ["JWT", "at+jwt", "logout+jwt+more", ""])
def test_a_token_of_another_kind_is_no_logout(kind: str) -> None:
    with pytest.raises(NoLogout, match="typ"):
        read(WHOLE, typ=kind)


MOZILLA, WEBKIT = "Mozilla/5.0 (X)", "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("said", "family"),
    [
        (f"{MOZILLA} Gecko/20100101 Firefox/140.0", "Firefox"),
        (f"{MOZILLA} {WEBKIT} Chrome/140.0.0.0 Safari/537.36", "Chrome"),
        (f"{MOZILLA} {WEBKIT} Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0", "Edge"),
        (f"{MOZILLA} {WEBKIT} Chrome/140.0.0.0 Mobile Safari/537.36 EdgA/140.0", "Edge"),
        (f"{MOZILLA} {WEBKIT} Version/26.0 Safari/605.1.15", "Safari"),
        (f"{MOZILLA} {WEBKIT} CriOS/140.0 Mobile/15E148 Safari/604.1", "Chrome"),
        ("curl/8.5.0", ANOTHER),
        ("", ANOTHER),
    ],
)
def test_a_browser_is_known_by_its_family_and_no_closer(said: str, family: str) -> None:
    assert browser_family(said) == family
