"""The OpenID provider that people sign in at: where it sends them, and what it says of them.

Authorization code flow with PKCE (OpenID Connect Core 1.0, RFC 7636), by the provider's discovery
document. Nothing of the provider's tokens is kept: who someone is follows from their ID token,
once.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from httpx2 import AsyncClient, HTTPError, InvalidURL
from joserfc import jwt
from joserfc.errors import BadSignatureError, ClaimError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from schemas.sign_in_settings import OpenIdClient
from streams.failures import described
from streams.serving.logout_tokens import LEEWAY_SECONDS, NoLogout, ProviderLogout, logout_in

DISCOVERY = "/.well-known/openid-configuration"
# Where people come back to, and where once they have signed out at the provider too.
RETURN, SIGNED_OUT = "/sign-in/return", "/signed-out"
# A provider that takes longer is away.
MOST_SECONDS = 10.0
# For how long what the provider says of itself is believed before it is asked again.
KNOWN_FOR_SECONDS = 3_600.0
# One that does not answer is left alone for so long, so that people need not wait in turn.
AWAY_FOR_SECONDS = 5.0
# Whoever likes may send what says that the provider signed it: for that its keys are asked for
# again only after so long.
KEYS_STAND_SECONDS = 10.0
# Signatures by a key that the provider alone has: neither none nor by a secret that others know.
ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512"),
)
KEY_TYPES = ("RSA", "EC")
LONGEST_NAME = 200
# What the provider is asked so that it has people prove anew who they are (OpenID Connect Core 1.0,
# 3.1.2.1).
ANEW = {"prompt": "login", "max_age": 0}

log = logging.getLogger(__name__)


class ProviderAway(Exception):  # noqa: N818 - named for the condition
    """The provider does not answer, or not as a provider does; the text says what is wrong."""


class NotBelieved(Exception):  # noqa: N818 - named for the condition
    """What came back from the provider proves nothing; the text says why, and names nobody."""


@dataclass(frozen=True)
class OpenIdPerson:
    """Who signed in, as the provider has it: a name, what it knows them by, and their roles.

    `session` is what it calls its own session, and `proved` when they last proved to it who they
    are, in seconds; nothing where it does not say.
    """

    name: str
    subject: str
    roles: frozenset[str]
    session: str = ""
    proved: float | None = None


@dataclass(frozen=True)
class Discovered:
    """What the provider says of itself, and when it was asked."""

    at: float
    authorization: str
    token: str
    keys: str
    sign_out: str | None
    is_by_post: bool
    """Whether it takes the client's secret in a body alone."""
    says_who_answers: bool
    """Whether it names itself in all that it sends people back with (RFC 9207)."""


class OpenIdProvider:
    """The provider of a deployment. `seconds` is the time of day, which its tokens are held to."""

    def __init__(self, client: OpenIdClient, seconds: Callable[[], float] = time.time) -> None:
        self._client, self.seconds = client, seconds
        self._turn = asyncio.Lock()
        self._discovered: Discovered | None = None
        self._keys: KeySet | None = None
        self._keys_asked = -math.inf
        self._away: tuple[float, ProviderAway] | None = None

    async def address(self, state: str, nonce: str, verifier: str, *, is_anew: bool = False) -> str:
        """Where people sign in, or prove anew who they are. Raises ProviderAway."""
        found = await self._found()
        async with self._asking(found) as asking:
            address, _ = asking.create_authorization_url(
                found.authorization,
                state=state,
                code_verifier=verifier,
                nonce=nonce,
                **(ANEW if is_anew else {}),
            )
        return str(address)

    async def sign_out_address(self) -> str | None:
        """Where people sign out there as well, if the provider has that and answers.

        It is not given the token by which it signed them in, so it may ask whether they mean it.
        """
        try:
            found = await self._found()
        except ProviderAway:
            return None
        if found.sign_out is None:
            return None
        back = {
            "client_id": self._client.number,
            "post_logout_redirect_uri": self._client.site + SIGNED_OUT,
        }
        return f"{found.sign_out}{'&' if '?' in found.sign_out else '?'}{urlencode(back)}"

    async def person(self, code: str, issuer: str, nonce: str, verifier: str) -> OpenIdPerson:
        """Who it is that came back with a code. `issuer` is who says so, as far as they do.

        Raises NotBelieved or ProviderAway.
        """
        found = await self._found()
        if issuer != self._client.issuer and (issuer or found.says_who_answers):
            raise NotBelieved("another provider answered than was asked")
        answer = await self._redeemed(found, code, verifier)
        text = answer.get("id_token")
        if not isinstance(text, str):
            raise ProviderAway("it gave no ID token: the scope openid is needed")
        signed = await self._signed(found, text)
        claims = self._checked(signed, nonce, answer.get("access_token"))
        subject = claims["sub"]
        if not 0 < len(subject) <= LONGEST_NAME:
            raise NotBelieved("the token does not say of whom it is")
        return OpenIdPerson(
            name_in(claims, self._client.name_claim) or subject,
            subject,
            roles_in(claims, self._client.roles_claim),
            name_in(claims, "sid"),
            claims.get("auth_time"),
        )

    async def logout(self, text: str) -> ProviderLogout:
        """Whose sessions a logout token says are over. Raises NotBelieved or ProviderAway."""
        signed = await self._signed(await self._found(), text, is_of_anyone=True)
        try:
            return logout_in(signed, self._client.issuer, self._client.number, int(self.seconds()))
        except NoLogout as error:
            log.warning("a logout token was not believed", extra={"error": str(error)})
            raise NotBelieved(f"the token is no logout for this deployment: {error}") from error

    async def _redeemed(self, found: Discovered, code: str, verifier: str) -> Mapping[str, Any]:
        """What the provider gives for a code."""
        try:
            async with self._asking(found) as asking:
                answer = await asking.fetch_token(
                    found.token,
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=verifier,
                )
        except OAuthError as error:
            log.warning("a code was not taken", extra={"error": str(error.error)[:40]})
            if error.error == "invalid_grant":
                raise NotBelieved("the provider does not know the code (any more)") from error
            raise ProviderAway(f"it refuses this client: {str(error.error)[:40]}") from error
        except (HTTPError, InvalidURL, ValueError) as error:
            raise ProviderAway(f"its token endpoint does not answer: {described(error)}") from error
        assert isinstance(answer, Mapping)
        return answer

    async def _signed(
        self, found: Discovered, text: str, *, is_of_anyone: bool = False
    ) -> jwt.Token:
        """A token, if one of the provider's keys has signed it; its keys may have changed since.

        One that `is_of_anyone` did not come from the provider by its own answer.
        """
        registry = JWSRegistry(algorithms=[*ALGORITHMS], strict_check_header=False)
        stand = is_of_anyone and self.seconds() - self._keys_asked < KEYS_STAND_SECONDS
        try:
            if self._keys is not None:
                try:
                    return jwt.decode(text, self._keys, registry=registry)
                except (InvalidKeyIdError, BadSignatureError):
                    if stand:
                        raise
            elif stand:
                raise ProviderAway("its keys were asked for just now, and did not come")
            self._keys = await self._fetched_keys(found)
            return jwt.decode(text, self._keys, registry=registry)
        except (JoseError, ValueError) as error:
            reason = type(error).__name__
            log.warning("a token was not believed", extra={"error": reason})
            raise NotBelieved("the provider has not signed the token") from error

    def _checked(self, signed: jwt.Token, nonce: str, access_token: object) -> CodeIDToken:
        """What a token says, if it is for this deployment, for this sign-in, and still good."""
        options: Any = {
            "iss": {"essential": True, "value": self._client.issuer},
            "aud": {"essential": True, "value": self._client.number},
            "sub": {"essential": True},
        }
        params = {
            "nonce": nonce,
            "client_id": self._client.number,
            "access_token": access_token,
        }
        claims = CodeIDToken(signed.claims, signed.header, options, params)
        try:
            claims.validate(now=int(self.seconds()), leeway=LEEWAY_SECONDS)
        except ClaimError as error:
            log.warning("an ID token was not believed", extra={"error": str(error.claim)})
            raise NotBelieved(f"the token is not for this sign-in: {error.claim}") from error
        return claims

    async def _found(self) -> Discovered:
        """What the provider says of itself."""
        async with self._turn:
            known = self._discovered
            if known is None or self.seconds() - known.at > KNOWN_FOR_SECONDS:
                if self._away and abs(self.seconds() - self._away[0]) < AWAY_FOR_SECONDS:
                    raise self._away[1]
                try:
                    known = self._read(await self._fetched(self._discovery))
                except ProviderAway as error:
                    log.warning("the OpenID provider is away", extra={"error": str(error)})
                    self._away = self.seconds(), error
                    raise
                self._discovered, self._keys = known, None
            return known

    @property
    def _discovery(self) -> str:
        return self._client.issuer.rstrip("/") + DISCOVERY

    def _read(self, told: Mapping[str, Any]) -> Discovered:
        if told.get("issuer") != self._client.issuer:
            raise ProviderAway(
                "its discovery document is of another issuer than CASELINE_OIDC_ISSUER"
            )
        methods = told.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        return Discovered(
            self.seconds(),
            self._endpoint(told, "authorization_endpoint"),
            self._endpoint(told, "token_endpoint"),
            self._endpoint(told, "jwks_uri"),
            self._endpoint(told, "end_session_endpoint")
            if "end_session_endpoint" in told
            else None,
            "client_secret_basic" not in methods,
            told.get("authorization_response_iss_parameter_supported") is True,
        )

    def _endpoint(self, told: Mapping[str, Any], name: str) -> str:
        """An address of the provider's, which is as safe from listeners as the issuer is."""
        address = told.get(name)
        safe = {"https", urlsplit(self._client.issuer).scheme}
        if not isinstance(address, str) or urlsplit(address).scheme not in safe:
            raise ProviderAway(f"its discovery document has no {name} that can be used")
        return address

    async def _fetched_keys(self, found: Discovered) -> KeySet:
        self._keys_asked = self.seconds()
        told = await self._fetched(found.keys)
        keys = told.get("keys")
        if not isinstance(keys, list):
            raise ProviderAway("it says nothing of its keys")
        ours: Any = [
            it
            for it in keys
            if isinstance(it, dict) and it.get("kty") in KEY_TYPES and "d" not in it
        ]
        try:
            return KeySet.import_key_set({"keys": ours})
        except (JoseError, ValueError) as error:
            raise ProviderAway("its keys cannot be read") from error

    async def _fetched(self, address: str) -> Mapping[str, Any]:
        try:
            async with AsyncClient(timeout=MOST_SECONDS) as client:
                answer = await client.get(address, headers={"Accept": "application/json"})
                answer.raise_for_status()
                told = answer.json()
        except (HTTPError, InvalidURL, ValueError) as error:
            raise ProviderAway(f"{address} does not answer: {described(error)}") from error
        if not isinstance(told, dict):
            raise ProviderAway(f"{address} does not answer as a provider does")
        return told

    def _asking(self, found: Discovered) -> AsyncOAuth2Client:
        client = self._client
        return AsyncOAuth2Client(
            client.number,
            client.secret.get_secret_value(),
            token_endpoint_auth_method=f"client_secret_{'post' if found.is_by_post else 'basic'}",
            scope=client.scopes,
            redirect_uri=client.site + RETURN,
            code_challenge_method="S256",
            timeout=MOST_SECONDS,
        )


def roles_in(claims: Mapping[str, Any], name: str) -> frozenset[str]:
    """The roles that a claim has: texts, or one. A claim within another is named with a dot."""
    found: object = claims.get(name)
    if found is None:
        found = claims
        for part in name.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    several = found if isinstance(found, list) else [found]
    return frozenset(it for it in several if isinstance(it, str))


def name_in(claims: Mapping[str, Any], name: str) -> str:
    """The name that a claim has; nothing where it has none that can be shown."""
    found = claims.get(name)
    if not isinstance(found, str) or not found.isprintable() or len(found) > LONGEST_NAME:
        return ""
    return found.strip()
