"""What a provider says by a logout token: whose sessions are over (OpenID Back-Channel Logout 1.0).

A token of another kind is none, such as an ID token, which browsers have seen: the header says the
kind, `events` that it is a logout, and a nonce that it is not (2.4 and 2.6 there; ASVS 10.5.5).
"""

from dataclasses import dataclass

from joserfc import jwt
from joserfc.errors import ClaimError

KIND = "logout+jwt"
EVENT = "http://schemas.openid.net/event/backchannel-logout"
# How far the provider's clock may be off ours, as for ID tokens.
LEEWAY_SECONDS = 60
# One that was made longer ago is refused, whatever it says of its own end.
OLDEST_SECONDS = 600
# For so long one may be believed, so for so long it is remembered that it was.
REMEMBERED_SECONDS = OLDEST_SECONDS + 2 * LEEWAY_SECONDS
LONGEST_CLAIM = 200


class NoLogout(Exception):  # noqa: N818 - named for the condition
    """A token that is no logout for this deployment; the text says which part of it is not."""


@dataclass(frozen=True)
class ProviderLogout:
    """A logout: its number, and whose it is: a person, a session of the provider's, or both."""

    number: str
    subject: str
    session: str


def logout_in(signed: jwt.Token, issuer: str, client: str, now: int) -> ProviderLogout:
    """The logout that a token of the provider's tells a client of, at a moment in seconds.

    Raises NoLogout.
    """
    claims = signed.claims
    if str(signed.header.get("typ", "")).lower().removeprefix("application/") != KIND:
        raise NoLogout("typ")
    registry = jwt.JWTClaimsRegistry(
        now=now,
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": client},
        iat={"essential": True},
        exp={"essential": True},
        jti={"essential": True},
    )
    try:
        registry.validate(claims)
    except ClaimError as error:
        raise NoLogout(str(error.claim)) from error
    if now - claims["iat"] > OLDEST_SECONDS + LEEWAY_SECONDS:
        raise NoLogout("iat")
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):
        raise NoLogout("events")
    if "nonce" in claims:
        raise NoLogout("nonce")
    subject, session = _named(claims, "sub"), _named(claims, "sid")
    if not subject and not session:
        raise NoLogout("sub")
    return ProviderLogout(claims["jti"], subject, session)


def _named(claims: jwt.Claims, name: str) -> str:
    """What a claim names, if it is there."""
    found = claims.get(name, "")
    if not isinstance(found, str) or len(found) > LONGEST_CLAIM or (name in claims and not found):
        raise NoLogout(name)
    return found
