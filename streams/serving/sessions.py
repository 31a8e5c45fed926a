"""Sessions of people who have signed in by a page: kept in Redis, so that every process knows them.

What a browser has of one is its id, 256 random bits in a cookie. What is kept under the hash of the
id is who it is, and when they came and last asked; and, by person and by what the provider calls
its own session, which sessions there are:

    caseline:{<deployment>}:session:<hash>     STRING  a session, as JSON
    caseline:{<deployment>}:sessions:<hash>    ZSET    hashes of ids, by when each ends at last

A session ends when nobody asked by it for IDLE, LONGEST after it began, and when it is ended. It is
never begun by an id that a browser brought along. A list is there for as long as any of its
sessions can be.
"""

import hashlib
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
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
# How long someone who signed in anew may end their other sessions.
PROVED_FOR = timedelta(minutes=10)
# Hexadecimal digits by which a page names a session.
REFERENCE_DIGITS = 20


@dataclass(frozen=True)
class SignInFrom:
    """Where a session begins: in which family of browsers, and what the provider says of it.

    `subject` is what the provider knows the person by, and `session` what it calls its own session;
    nothing where it does not say. `is_proved` says that it had them prove anew who they are.
    """

    subject: str
    session: str = ""
    browser: str = ""
    is_proved: bool = False


class SignInSession(BaseModel):
    """What is kept of a session: who it is, when they signed in, and when they last asked.

    `browser` is the family of the browser that it began in, `at_provider` the hash of what the
    provider calls its session, and `proved` when they last proved there who they are, if they were
    asked to.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    subject: str
    roles: tuple[Role, ...]
    places: tuple[str, ...] = ()
    began: AwareDatetime
    asked: AwareDatetime
    browser: str = ""
    at_provider: str = ""
    proved: AwareDatetime | None = None

    @property
    def ends(self) -> datetime:
        """When it ends if nobody asks any more."""
        return min(self.asked + IDLE, self.began + LONGEST)

    def is_proved(self, now: datetime) -> bool:
        """Whether who it is of has just proved that it is them."""
        return self.proved is not None and now - self.proved < PROVED_FOR

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
        self._begin = f"{keys.of_deployment(deployment)}:session"

    async def begin(self, identity: Identity, came: SignInFrom, now: datetime) -> str:
        """Begin a session under a new id, which is told once."""
        number = secrets.token_urlsafe(ID_BYTES)
        session = SignInSession(
            name=identity.name,
            subject=came.subject,
            roles=tuple(sorted(identity.roles)),
            places=tuple(sorted(identity.places)),
            began=now,
            asked=now,
            browser=came.browser,
            at_provider=_at_provider(came.session) if came.session else "",
            proved=now if came.is_proved else None,
        )
        hashed = _hash(number)
        async with self._redis.pipeline(transaction=True) as step:
            for listed in self._lists(session):
                step.zremrangebyscore(listed, "-inf", now.timestamp())
                step.zadd(listed, {hashed: (now + LONGEST).timestamp()})
                step.pexpire(listed, _milliseconds(LONGEST))
            step.set(
                self._key(hashed), session.model_dump_json(), px=_milliseconds(session.ends - now)
            )
            await step.execute()
        return number

    async def of(self, number: str, now: datetime, *, is_asked: bool) -> SignInSession | None:
        """The session of an id, if it is on. `is_asked` says that a person asks, and no script."""
        key = self._key(_hash(number))
        session = _parsed(await self._redis.get(key)) if number else None
        if session is None or now >= session.ends:
            return None
        if is_asked and now - session.asked >= NOTED_EVERY:
            session = session.model_copy(update={"asked": now})
            # Only where it still is: one that was ended meanwhile stays ended.
            await self._redis.set(
                key, session.model_dump_json(), px=_milliseconds(session.ends - now), xx=True
            )
        return session

    async def of_person(self, subject: str, now: datetime) -> Mapping[str, SignInSession]:
        """The sessions of a person that are on, by their references, the latest used first."""
        found = await self._listed(self._list_of_person(subject))
        on = {reference_of(it): session for it, session in found.items() if now < session.ends}
        return dict(sorted(on.items(), key=lambda it: it[1].asked, reverse=True))

    async def end(self, number: str) -> None:
        """Have an id be good for nothing from now on."""
        hashed = _hash(number)
        session = _parsed(await self._redis.get(self._key(hashed)))
        if session is not None:
            await self._drop(hashed, session)

    async def end_others(self, subject: str, number: str, reference: str | None) -> int:
        """End the sessions of a person but that of an id; how many there were.

        Only the one that a reference names, where there is one.
        """
        own, ended = _hash(number), 0
        for hashed, session in (await self._listed(self._list_of_person(subject))).items():
            if hashed != own and reference in (None, reference_of(hashed)):
                ended += await self._drop(hashed, session)
        return ended

    async def end_at_provider(self, subject: str, session: str) -> list[SignInSession]:
        """End the sessions that are over at the provider; which they were.

        They are those of a person, those that began by a session of the provider's, or, where both
        are given, what is of both. One of the person's of which the provider never said by which of
        its sessions it began may be the one, and ends too.
        """
        listed = self._list_of_person(subject) if subject else self._list_at_provider(session)
        may_be = {"", _at_provider(session)}
        return [
            it
            for hashed, it in (await self._listed(listed)).items()
            if not session or it.at_provider in may_be
            if await self._drop(hashed, it)
        ]

    async def all(self, now: datetime) -> list[SignInSession]:
        """The sessions that are on, the oldest first."""
        found = [session async for _, session in self._kept() if now < session.ends]
        return sorted(found, key=lambda it: (it.began, it.name))

    async def end_those_of(self, name: str | None) -> int:
        """End the sessions of someone, or of everyone; how many there were."""
        ended = 0
        async for hashed, session in self._kept():
            if name in (None, session.name):
                ended += await self._drop(hashed, session)
        return ended

    async def _kept(self) -> AsyncIterator[tuple[str, SignInSession]]:
        async for key in self._redis.scan_iter(match=f"{self._begin}:*", count=1_000):
            session = _parsed(await self._redis.get(key))
            if session is not None:
                yield key.decode().rpartition(":")[2], session

    async def _listed(self, name: str) -> Mapping[str, SignInSession]:
        """What is kept of the sessions of a list, by the hashes of their ids."""
        hashes = [it.decode() for it in await self._redis.zrange(name, 0, -1)]
        if not hashes:
            return {}
        texts = await self._redis.mget([self._key(it) for it in hashes])
        found = zip(hashes, map(_parsed, texts), strict=True)
        return {hashed: session for hashed, session in found if session is not None}

    async def _drop(self, hashed: str, session: SignInSession) -> int:
        """Have a session be gone; 1, or 0 if it was."""
        async with self._redis.pipeline(transaction=True) as step:
            step.delete(self._key(hashed))
            for listed in self._lists(session):
                step.zrem(listed, hashed)
            dropped, *_ = await step.execute()
        return int(dropped)

    def _lists(self, session: SignInSession) -> list[str]:
        found = [self._list_of_person(session.subject)]
        if session.at_provider:
            found.append(f"{self._begin}s:{session.at_provider}")
        return found

    def _list_of_person(self, subject: str) -> str:
        return f"{self._begin}s:{_hash(f'subject {subject}')}"

    def _list_at_provider(self, session: str) -> str:
        return f"{self._begin}s:{_at_provider(session)}"

    def _key(self, hashed: str) -> str:
        return f"{self._begin}:{hashed}"


def reference_of(hashed: str) -> str:
    """What a page calls a session, by the hash of its id: nothing follows from it."""
    return hashed[:REFERENCE_DIGITS]


def reference_of_id(number: str) -> str:
    """What a page calls the session of an id."""
    return reference_of(_hash(number))


def _at_provider(session: str) -> str:
    """What is kept of what the provider calls its session."""
    return _hash(f"session {session}")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _milliseconds(lasts: timedelta) -> int:
    return max(1, lasts // timedelta(milliseconds=1))


def _parsed(text: bytes | None) -> SignInSession | None:
    """A session as it is kept; None for what a program of another version has kept."""
    try:
        return SignInSession.model_validate_json(text) if text else None
    except ValidationError:
        return None
