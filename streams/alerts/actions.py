"""What people decide about alerts: acknowledged by someone, or silenced for a time, and why.

caseline:{<deployment>}:alerts:acks        HASH  alert -> acknowledgement
caseline:{<deployment>}:alerts:silences    HASH  id -> silence
"""

import secrets
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from redis.asyncio import Redis

from schemas.alerts import AlertState, CaseChange, IndicatorChange
from streams.failures import Understood
from streams.state.open_alerts import deployment_prefix

# How long what has expired can still be looked at.
KEPT = timedelta(days=30)
Text = Annotated[str, Field(min_length=1)]


class NotPossible(Understood):
    """What was asked for has no meaning now."""


class _Action(BaseModel):
    """Who decided, why, when, and until when it holds."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    by: Text
    reason: Text
    at: AwareDatetime
    until: AwareDatetime

    def holds(self, now: datetime) -> bool:
        """Whether it holds now."""
        return now < self.until


class Ack(_Action):
    """Someone has seen to an alert, as long as it stays in its state under its owner.

    What was over meanwhile, and is back, is another breach. `stand` and `owner` are the alert's as
    it was then; None of what was acknowledged before they were kept.
    """

    alert: str
    state: AlertState
    stand: int | None = None
    owner: str | None = None

    def covers(self, change: CaseChange | IndicatorChange, now: datetime) -> bool:
        """Whether it holds now for the alert as it is."""
        is_same = (self.alert, self.state) == (change.alert, change.state)
        is_same = is_same and self.owner in {None, change.owner}
        return self.holds(now) and is_same and self.stand in {None, change.stand}


class Silence(_Action):
    """No alert that matches is raised for a time. A list that is empty matches all.

    `areas` are those named, `within` they and all areas below them.
    """

    id: str
    standards: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    within: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    ended_by: str | None = None

    def matches(self, change: CaseChange | IndicatorChange) -> bool:
        """Whether it is about such an alert."""
        return all(
            not wanted or has in wanted
            for wanted, has in (
                (self.standards, change.standard),
                (self.owners, change.owner),
                (self.within, change.area),
                (self.providers, change.provider),
                (self.severities, change.severity),
                (self.alerts, change.alert),
            )
        )


class Silences(tuple[Silence, ...]):
    """The silences that hold at one moment."""

    __slots__ = ()

    def __call__(self, change: CaseChange | IndicatorChange) -> bool:
        """Whether one of them withholds a change."""
        return any(silence.matches(change) for silence in self)

    @property
    def ids(self) -> frozenset[str]:
        """Which they are."""
        return frozenset(silence.id for silence in self)


class Actions:
    """The acknowledgements and silences of a deployment. Raises redis.RedisError."""

    def __init__(self, redis: Redis, deployment: str) -> None:
        self._redis: Any = redis
        self._acks = f"{deployment_prefix(deployment)}:alerts:acks"
        self._silences = f"{deployment_prefix(deployment)}:alerts:silences"

    async def acks(self) -> dict[str, Ack]:
        """Every acknowledgement, expired or not, by alert."""
        stored = await self._redis.hgetall(self._acks)
        return {alert.decode(): Ack.model_validate_json(text) for alert, text in stored.items()}

    async def silences(self) -> list[Silence]:
        """Every silence, expired or not, by when it was made."""
        stored = await self._redis.hvals(self._silences)
        found = [Silence.model_validate_json(text) for text in stored]
        return sorted(found, key=lambda it: (it.at, it.id))

    async def in_force(self, now: datetime) -> Silences:
        """The silences that hold now."""
        return Silences(it for it in await self.silences() if it.holds(now))

    async def ack(self, ack: Ack) -> None:
        """Acknowledge; one there was before of the same alert is replaced. Raises NotPossible."""
        _check(ack)
        await self._redis.hset(self._acks, ack.alert, ack.model_dump_json())
        await self.expire(ack.at)

    async def silence(self, silence: Silence) -> None:
        """Begin to withhold. Raises NotPossible."""
        _check(silence)
        await self._redis.hset(self._silences, silence.id, silence.model_dump_json())
        await self.expire(silence.at)

    async def end(self, number: str, by: str, now: datetime) -> Silence:
        """End a silence early. Raises NotPossible when there is none that holds."""
        text = await self._redis.hget(self._silences, number)
        silence = Silence.model_validate_json(text) if text else None
        if silence is None or not silence.holds(now):
            raise NotPossible(f"no silence {number} holds now: see `caseline alerts silences`")
        ended = silence.model_copy(update={"until": now, "ended_by": by})
        await self._redis.hset(self._silences, number, ended.model_dump_json())
        return ended

    async def expire(self, now: datetime) -> None:
        """Forget what expired long ago."""
        old = [alert for alert, it in (await self.acks()).items() if it.until + KEPT < now]
        if old:
            await self._redis.hdel(self._acks, *old)
        past = [it.id for it in await self.silences() if it.until + KEPT < now]
        if past:
            await self._redis.hdel(self._silences, *past)


def new_id() -> str:
    """An id for a silence."""
    return secrets.token_hex(4)


def _check(action: _Action) -> None:
    if action.until <= action.at:
        raise NotPossible(f"it would be over before it began, at {action.until:%Y-%m-%d %H:%M}")
