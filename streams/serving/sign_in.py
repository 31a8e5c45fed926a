"""How who asks says who they are: a token, a session, or what a proxy says that signed them in."""

import base64
import binascii
import ipaddress
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from litestar.connection import ASGIConnection
from litestar.datastructures import State

from streams.serving.groups import Groups
from streams.serving.identity import NOBODY, Identity
from streams.serving.live_figures import answered
from streams.serving.openid_sign_in import OpenIdSignIn
from streams.serving.parameters import LONGEST_VALUE
from streams.serving.problems import Problem
from streams.serving.roles import HTML, ROUTES_BY_NAME
from streams.serving.tokens import Tokens

Connection = ASGIConnection[Any, Any, Any, State]
SignIn = Callable[[Connection], Awaitable[Identity]]
Networks = Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]

# As proxies such as oauth2-proxy send them.
USER_HEADER, GROUPS_HEADER = "x-forwarded-user", "x-forwarded-groups"
# A browser asks its user for a name and a password, which is the token.
CHALLENGE = 'Basic realm="Caseline", charset="UTF-8"'
# What a browser does not ask its user about: a script of a page, whose session is over.
UNASKED_CHALLENGE = 'Bearer realm="Caseline"'
LONGEST_CREDENTIALS = 500
LONGEST_NAME = 200


async def nobody(connection: Connection) -> Identity:
    """Whoever asks, where there is no way to sign in."""
    del connection
    return NOBODY


class BySignIn:
    """Knows people by their session or what a listed proxy says, and anyone by their token."""

    def __init__(
        self,
        tokens: Tokens,
        now: Callable[[], datetime],
        proxies: Networks,
        groups: Groups,
        openid: OpenIdSignIn | None = None,
    ) -> None:
        self._tokens, self._now = tokens, now
        self._proxies, self._groups, self._openid = proxies, groups, openid

    async def __call__(self, connection: Connection) -> Identity:
        """Who asks. Raises Problem where nothing says so."""
        credentials = connection.headers.getall("authorization", [])
        if credentials:
            return await self._by_token(credentials)
        if self._is_from_proxy(connection):
            return self._by_proxy(connection)
        if self._openid is not None:
            return await self._by_session(connection, self._openid)
        raise _unknown("sign in: send a token as Bearer, or as the password of Basic")

    async def _by_token(self, credentials: list[str]) -> Identity:
        text = token_in(credentials[0]) if len(credentials) == 1 else None
        token = await answered(self._tokens.of(text, self._now())) if text else None
        if token is None:
            raise _unknown("this token is unknown, was revoked, or has expired")
        return token.identity

    async def _by_session(self, connection: Connection, openid: OpenIdSignIn) -> Identity:
        """Who has a session.

        Nobody is led on to sign in by themselves: with the provider's own session that would begin
        one here of which nobody knew (ASVS 7.6.2).
        """
        headers = connection.headers
        cookies = headers.getall("cookie", [])
        is_by_script = headers.get("sec-fetch-dest", "") == "empty"
        session = await openid.session(cookies, is_asked=not is_by_script)
        if session is not None:
            return session.identity(openid.session_cookie.in_headers(cookies))
        is_browser = cookies or "sec-fetch-mode" in headers or HTML in headers.get("accept", "")
        if is_browser:
            raise _unknown("you are not signed in here, or not any more", UNASKED_CHALLENGE)
        raise _unknown(
            "sign in at /sign-in, or send a token as Bearer, or as the password of Basic"
        )

    def _is_from_proxy(self, connection: Connection) -> bool:
        client = connection.client
        return client is not None and is_within(client.host, self._proxies)

    def _by_proxy(self, connection: Connection) -> Identity:
        names = connection.headers.getall(USER_HEADER, [])
        if len(names) != 1 or not names[0].strip() or len(names[0]) > LONGEST_NAME:
            raise _unknown("the proxy does not say who this is")
        groups = ",".join(connection.headers.getall(GROUPS_HEADER, []))
        return self._groups.identity(names[0].strip(), {it.strip() for it in groups.split(",")})


def token_in(credentials: str) -> str | None:
    """The token in an Authorization header: after Bearer, or as the password of Basic."""
    scheme, _, rest = credentials.partition(" ")
    if len(credentials) > LONGEST_CREDENTIALS:
        return None
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(rest.strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return decoded.partition(":")[2]


def is_within(host: str, among: Networks) -> bool:
    """Whether a host is an address within one of the networks."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in among)


def networks(text: str) -> Networks:
    """Addresses and networks, separated by commas. Raises ValueError."""
    return [ipaddress.ip_network(it.strip()) for it in text.split(",") if it.strip()]


def sign_in_at(connection: Connection) -> str:
    """Where to sign in and go on from here; a question that is too long to take along is left."""
    path, sign_in = connection.scope["path"], ROUTES_BY_NAME["sign-in"].path
    asked = connection.scope["query_string"].decode("ascii", "replace")
    whole = f"{path}?{asked}" if asked else path
    if path == sign_in:
        return whole
    if path.startswith(sign_in):
        return sign_in
    goes_to = whole if len(whole) <= LONGEST_VALUE else path
    is_question = connection.scope.get("method") in ("GET", "HEAD")
    return f"{sign_in}?next={quote(goes_to, safe='/')}" if is_question else sign_in


def _unknown(detail: str, challenge: str = CHALLENGE) -> Problem:
    return Problem(HTTPStatus.UNAUTHORIZED, detail, headers={"WWW-Authenticate": challenge})
