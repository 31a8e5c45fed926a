"""Tokens by which machines, and people with nothing else, say who they are.

A token is shown once, when it is made. What is kept of it is a hash of its secret, who has it, what
it may do, and until when:

    caseline:{<deployment>}:tokens    HASH  id -> the rest, as JSON

The secret is 256 random bits, so its plain hash can be turned back no more than it can be guessed.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence, Set
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError
from redis.asyncio import Redis

from streams import keys
from streams.serving.identity import Identity
from streams.serving.roles import Role

PREFIX = "caseline"
ID_BYTES, SECRET_BYTES = 6, 32
# What people may have a token of their own do, if they may: it reads figures, and decides nothing.
READ_BY_OWN = (Role.VIEWER, Role.MANAGER, Role.ANALYST)
MOST_OWN_DAYS = 90


class Token(BaseModel):
    """What is kept of a token. `owner` is the hash of the person who made it, where one did."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    roles: tuple[Role, ...]
    places: tuple[str, ...] = ()
    digest: str
    created: AwareDatetime
    expires: AwareDatetime
    owner: str = ""

    @property
    def identity(self) -> Identity:
        """Who has it."""
        places = frozenset(self.places)
        return Identity(self.name, frozenset(self.roles), places, self.expires)


class NewToken(NamedTuple):
    """A token, and the text that is shown once."""

    token: Token
    text: str


class Tokens:
    """The tokens of a deployment. Raises redis.RedisError."""

    def __init__(self, redis: Redis, deployment: str) -> None:
        self._redis: Any = redis
        self._key = f"{keys.of_deployment(deployment)}:tokens"

    async def create(
        self,
        name: str,
        roles: Sequence[Role],
        places: Sequence[str],
        now: datetime,
        lasts: timedelta,
        subject: str = "",
    ) -> NewToken:
        """Make a token that lasts so long; of a person, by what their provider knows them by."""
        number, secret = secrets.token_hex(ID_BYTES), secrets.token_urlsafe(SECRET_BYTES)
        token = Token(
            id=number,
            name=name,
            roles=tuple(sorted(set(roles))),
            places=tuple(sorted(set(places))),
            digest=_digest(secret),
            created=now,
            expires=now + lasts,
            owner=_of_subject(subject) if subject else "",
        )
        await self._redis.hset(self._key, number, token.model_dump_json())
        return NewToken(token, f"{PREFIX}_{number}_{secret}")

    async def all(self) -> list[Token]:
        """Every token that was made and not revoked, the oldest first."""
        stored = await self._redis.hvals(self._key)
        found = [it for text in stored if (it := _parsed(text))]
        return sorted(found, key=lambda it: (it.created, it.id))

    async def of_person(self, subject: str, now: datetime) -> list[Token]:
        """The tokens that a person made and that are good, the oldest first."""
        owner = _of_subject(subject)
        return [it for it in await self.all() if it.owner == owner and now < it.expires]

    async def revoke(self, number: str) -> bool:
        """Have a token be good for nothing from now on; whether there was one."""
        return bool(await self._redis.hdel(self._key, number))

    async def of(self, text: str, now: datetime) -> Token | None:
        """The token that a text is; None for one that is unknown, revoked or has expired."""
        prefix, _, rest = text.partition("_")
        number, _, secret = rest.partition("_")
        if prefix != PREFIX or not number or not secret or not text.isascii():
            return None
        stored = await self._redis.hget(self._key, number)
        token = _parsed(stored) if stored else None
        if token is None or not hmac.compare_digest(token.digest, _digest(secret)):
            return None
        return token if now < token.expires else None


def may_read(roles: Set[Role]) -> list[Role]:
    """What someone may have a token of their own do: see what viewers do, or what they see."""
    return [it for it in READ_BY_OWN if it in roles or it is Role.VIEWER]


def _of_subject(subject: str) -> str:
    return _digest(f"subject {subject}")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _parsed(text: bytes) -> Token | None:
    """A token as it is kept; None for what a program of another version has kept."""
    try:
        return Token.model_validate_json(text)
    except ValidationError:
        return None
