"""Sessions of people who have signed in by a page: kept in Redis, so that every process knows them.

What a browser has of one is its id, 256 random bits in a cookie. What is kept under the hash of the
id is who it is, and when they came and last asked:

    caseline:{<deployment>}:session:<hash>    STRING  a session, as JSON

A session ends when nobody asked by it for IDLE, LONGEST after it began, and when it is ended. It is
never begun by an id that a browser brought along.
"""

import hashlib
import secrets
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError
from redis.asyncio import Redis

from streams import keys
from streams.serving.form_tokens import form_token
from streams.serving.identity import Identity
from streams.serving.roles import Role

IDLE, LONGEST = timedelta(minutes=30), timedelta(hours=10)
# That someone asked is written down again only after so long, so that few questions write.
NOTED_EVERY = timedelta(minutes=1)
ID_BYTES = 32


class SignInSession(BaseModel):
    """What is kept of a session: who it is, when they signed in, and when they last asked."""

    model_config = ConfigDict(frozen=True)

    name: str
    subject: str
    roles: tuple[Role, ...]
    places: tuple[str, ...] = ()
    began: AwareDatetime
    asked: AwareDatetime

    @property
    def ends(self) -> datetime:
        """When it ends if nobody asks any more."""
        return min(self.asked + IDLE, self.began + LONGEST)

    def identity(self, number: str) -> Identity:
        """Who it is, by the id that they sent."""
        return Identity(
            self.name,
            frozenset(self.roles),
            frozenset(self.places),
            self.began + LONGEST,
            form_token(number),
        )


class Sessions:
    """The sessions of a deployment. Raises redis.RedisError."""

    def __init__(self, redis: Redis, deployment: str) -> None:
        self._redis: Any = redis
        self._begin = f"{keys.of_deployment(deployment)}:session:"

    async def begin(self, identity: Identity, subject: str, now: datetime) -> str:
        """Begin a session under a new id, which is told once. `subject` is the provider's name."""
        number = secrets.token_urlsafe(ID_BYTES)
        session = SignInSession(
            name=identity.name,
            subject=subject,
            roles=tuple(sorted(identity.roles)),
            places=tuple(sorted(identity.places)),
            began=now,
            asked=now,
        )
        await self._redis.set(
            self._key(number), session.model_dump_json(), px=_milliseconds(session.ends - now)
        )
        return number

    async def of(self, number: str, now: datetime, *, is_asked: bool) -> SignInSession | None:
        """The session of an id, if it is on. `is_asked` says that a person asks, and no script."""
        session = _parsed(await self._redis.get(self._key(number))) if number else None
        if session is None or now >= session.ends:
            return None
        if is_asked and now - session.asked >= NOTED_EVERY:
            session = session.model_copy(update={"asked": now})
            # Only where it still is: one that was ended meanwhile stays ended.
            await self._redis.set(
                self._key(number),
                session.model_dump_json(),
                px=_milliseconds(session.ends - now),
                xx=True,
            )
        return session

    async def end(self, number: str) -> None:
        """Have an id be good for nothing from now on."""
        await self._redis.delete(self._key(number))

    async def all(self, now: datetime) -> list[SignInSession]:
        """The sessions that are on, the oldest first."""
        found = [session async for _, session in self._kept() if now < session.ends]
        return sorted(found, key=lambda it: (it.began, it.name))

    async def end_those_of(self, name: str | None) -> int:
        """End the sessions of someone, or of everyone; how many there were."""
        ended = 0
        async for key, session in self._kept():
            if name in (None, session.name):
                ended += await self._redis.delete(key)
        return ended

    async def _kept(self) -> AsyncIterator[tuple[bytes, SignInSession]]:
        async for key in self._redis.scan_iter(match=f"{self._begin}*", count=1_000):
            session = _parsed(await self._redis.get(key))
            if session is not None:
                yield key, session

    def _key(self, number: str) -> str:
        return self._begin + hashlib.sha256(number.encode()).hexdigest()


def _milliseconds(lasts: timedelta) -> int:
    return max(1, lasts // timedelta(milliseconds=1))


def _parsed(text: bytes | None) -> SignInSession | None:
    """A session as it is kept; None for what a program of another version has kept."""
    try:
        return SignInSession.model_validate_json(text) if text else None
    except ValidationError:
        return None
