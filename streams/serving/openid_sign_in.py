"""Signing in at the OpenID provider: what is kept between leaving for it and coming back.

    caseline:{<deployment>}:sign-in:<hash>    STRING  what was asked for, as JSON, for MOST_MINUTES
    caseline:{<deployment>}:logout:<hash>     STRING  nothing: that this logout token was obeyed

The hash is of the browser's cookie and the state, so that it takes both to come back, once: neither
another browser's return nor one that nobody set out for is taken (OpenID Connect Core 1.0, 3.1.2).
A logout token is obeyed once; its hash is of its number.
"""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict
from redis.asyncio import Redis

from schemas.sign_in_settings import OpenIdClient
from streams import keys
from streams.serving.allowances import Allowances
from streams.serving.cookies import Cookie
from streams.serving.groups import Groups
from streams.serving.identity import Identity
from streams.serving.live_figures import answered
from streams.serving.logout_tokens import LEEWAY_SECONDS, REMEMBERED_SECONDS
from streams.serving.openid_provider import NotBelieved, OpenIdPerson, OpenIdProvider, ProviderAway
from streams.serving.problems import Problem, away
from streams.serving.sessions import LONGEST, Sessions, SignInFrom, SignInSession

SECRET_BYTES = 32
# Between leaving for the provider and coming back, a password and a second factor in between.
MOST_MINUTES = 10


class Departure(BaseModel):
    """What is kept of one who left for the provider.

    `anew` is when they left to prove anew who they are, if they did, in seconds.
    """

    model_config = ConfigDict(frozen=True)

    nonce: str
    verifier: str
    goes_to: str
    anew: float | None = None


@dataclass(frozen=True)
class Arrival:
    """One who came back and is signed in: who, under which session, and where they go."""

    identity: Identity
    person: OpenIdPerson
    session: str
    goes_to: str


class NoRole(Problem):
    """One who is signed in at the provider, and may do nothing here."""

    def __init__(self, person: OpenIdPerson) -> None:
        super().__init__(
            HTTPStatus.FORBIDDEN,
            f"you are signed in as {person.name}, and none of the roles that you have there may do "
            "anything here: ask whoever looks after this deployment",
        )
        self.person = person


class OpenIdSignIn:
    """How people sign in here by OpenID."""

    def __init__(
        self,
        client: OpenIdClient,
        redis: Redis,
        deployment: str,
        groups: Groups,
        now: Callable[[], datetime],
        provider: OpenIdProvider,
        refusals: Allowances,
    ) -> None:
        """`refusals` are those of an address that are kept in the audit log."""
        self._redis: Any = redis
        self._begin = f"{keys.of_deployment(deployment)}:sign-in:"
        self._logouts = f"{keys.of_deployment(deployment)}:logout:"
        self._groups, self._now, self.refusals = groups, now, refusals
        self.provider, self.sessions = provider, Sessions(redis, deployment)
        is_secure = client.site.startswith("https:")
        self.session_cookie = Cookie("caseline-session", is_secure)
        self.browser_cookie = Cookie("caseline-browser", is_secure)

    async def session(self, cookies: Sequence[str], *, is_asked: bool) -> SignInSession | None:
        """The session that a browser's cookies prove, if it is on. Raises Problem."""
        number = self.session_cookie.in_headers(cookies)
        return await answered(self.sessions.of(number, self._now(), is_asked=is_asked))

    def now(self) -> datetime:
        """The time that sessions are held to."""
        return self._now()

    async def leave(self, goes_to: str, browser: str, *, is_anew: bool = False) -> tuple[str, str]:
        """Where to sign in, and what cookie the browser is to keep. Raises Problem.

        `is_anew` has the provider ask who it is, whether or not they are signed in there.
        """
        browser = browser or secrets.token_urlsafe(SECRET_BYTES)
        state, nonce, verifier = (secrets.token_urlsafe(SECRET_BYTES) for _ in range(3))
        try:
            address = await self.provider.address(state, nonce, verifier, is_anew=is_anew)
        except ProviderAway as error:
            raise _away(error) from error
        departure = Departure(
            nonce=nonce,
            verifier=verifier,
            goes_to=goes_to,
            anew=self.provider.seconds() if is_anew else None,
        )
        kept = departure.model_dump_json()
        await answered(self._redis.set(self._key(browser, state), kept, ex=MOST_MINUTES * 60))
        return address, self.browser_cookie.given(browser, int(LONGEST.total_seconds()))

    async def arrive(
        self, browser: str, state: str, code: str, issuer: str, before: str, family: str
    ) -> Arrival:
        """Who came back, in a family of browsers. `before` is the session they had, which ends.

        Raises NoRole, or Problem where they did not leave from here or nothing proves who they
        are.
        """
        kept = await answered(self._redis.getdel(self._key(browser, state)))
        if not (browser and state and kept):
            raise refused("nobody left for it from this browser in the last minutes")
        if not code:
            raise refused("the provider did not sign you in")
        departure = Departure.model_validate_json(kept)
        try:
            person = await self.provider.person(code, issuer, departure.nonce, departure.verifier)
        except NotBelieved as error:
            raise refused(str(error)) from error
        except ProviderAway as error:
            raise _away(error) from error
        # A provider that does not say when they proved it has been asked to have them do it now.
        earliest = (departure.anew or 0.0) - LEEWAY_SECONDS
        if person.proved is not None and person.proved < earliest:
            raise refused("the provider did not have you prove anew who you are")
        identity = self._groups.identity(person.name, set(person.roles))
        if before:
            await answered(self.sessions.end(before))
        if not identity.roles:
            raise NoRole(person)
        came = SignInFrom(
            person.subject, person.session, family, is_proved=departure.anew is not None
        )
        session = await answered(self.sessions.begin(identity, came, self._now()))
        return Arrival(identity, person, session, departure.goes_to)

    async def log_out(self, text: str) -> list[SignInSession]:
        """End the sessions that a logout token says are over; which they were.

        Raises NotBelieved, ProviderAway or Problem, and then the token may be sent again.
        """
        told = await self.provider.logout(text)
        obeyed = self._logouts + hashlib.sha256(told.number.encode()).hexdigest()
        if await answered(self._redis.exists(obeyed)):
            raise NotBelieved("the token has been obeyed before")
        ended = await answered(self.sessions.end_at_provider(told.subject, told.session))
        await answered(self._redis.set(obeyed, "", ex=REMEMBERED_SECONDS))
        return ended

    def _key(self, browser: str, state: str) -> str:
        return self._begin + hashlib.sha256(f"{browser} {state}".encode()).hexdigest()


def refused(why: str) -> Problem:
    """A sign-in that came to nothing; it can be tried again."""
    return Problem(HTTPStatus.UNAUTHORIZED, f"this sign-in came to nothing, as {why}")


def _away(error: ProviderAway) -> Problem:
    return away(
        "nobody can sign in now; who is signed in already goes on. Of the provider that people "
        f"sign in at: {error}"
    )
