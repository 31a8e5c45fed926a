"""What people decide about alerts: acknowledged by someone, or silenced for a time, and why.

caseline:{<deployment>}:alerts:acks        HASH  alert -> acknowledgement
caseline:{<deployment>}:alerts:silences    HASH  id -> silence

They are in the log before they are here (streams.alerts.decisions).
"""

import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from redis.asyncio import Redis

from schemas.alerts import AlertState, CaseChange, IndicatorChange
from streams import keys
from streams.failures import Understood

# How long what has expired can still be looked at.
KEPT = timedelta(days=30)
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
# Takes in a message of the log unless a later one of the same decision was.
TAKE = """
local known = redis.call('HGET', KEYS[2], ARGV[2])
if known and tonumber(known) >= tonumber(ARGV[3]) then return end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
if ARGV[4] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[4])
end
"""
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

    def check(self) -> None:
        """Raises NotPossible for what would be over before it began."""
        if self.until <= self.at:
            raise NotPossible(f"it would be over before it began, at {self.until:%Y-%m-%d %H:%M}")

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


class Decided(NamedTuple):
    """A decision in the log: its offset, what it is and of which, and its JSON; None once gone."""

    offset: int
    kind: str
    number: str
    text: str | None


class Actions:
    """The acknowledgements and silences of a deployment, as far as its Redis has them.

    They are made by streams.alerts.decisions. Raises redis.RedisError.
    """

    def __init__(self, redis: Redis, deployment: str) -> None:
        self._redis: Any = redis
        self._acks = f"{keys.of_deployment(deployment)}:alerts:acks"
        self._silences = f"{keys.of_deployment(deployment)}:alerts:silences"
        self._decided = f"{keys.of_deployment(deployment)}:alerts:decided"
        self._take = redis.register_script(TAKE)

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

    async def expired(self, now: datetime) -> list[Ack | Silence]:
        """What expired so long ago that it is to be forgotten."""
        made: list[Ack | Silence] = [*(await self.acks()).values(), *await self.silences()]
        return [it for it in made if it.until + KEPT < now]

    async def unlogged(self) -> list[Ack | Silence]:
        """What did not come from the log."""
        known = await self._redis.hkeys(self._decided)
        acks, silences = await self.acks(), await self.silences()
        found: list[Ack | Silence] = [
            it for it in acks.values() if f"ack {it.alert}".encode() not in known
        ]
        return found + [it for it in silences if f"silence {it.id}".encode() not in known]

    async def take(self, decided: Sequence[Decided]) -> None:
        """Take in what the log says, in any order and again: the latest of each holds."""
        for it in decided:
            await self._take(
                keys=[self._acks if it.kind == "ack" else self._silences, self._decided],
                args=[it.number, f"{it.kind} {it.number}", it.offset, it.text or ""],
            )

    async def next_offset(self) -> int | None:
        """The offset to read the log on from; None where it is to be read from its start."""
        stored = await self._redis.hget(self._decided, "next")
        return None if stored is None else int(stored)

    async def read_to(self, offset: int) -> None:
        """Note up to where the log was read."""
        await self._redis.hset(self._decided, "next", offset)

    async def begin_anew(self) -> None:
        """Have the log read from its start, whatever was read of another."""
        await self._redis.delete(self._decided)


def new_id() -> str:
    """An id for a silence."""
    return secrets.token_hex(4)


def lasting(text: str) -> timedelta | None:
    """The time that 30m, 8h, 3d or 2w says; None where it says none."""
    if not re.fullmatch(r"[1-9][0-9]{0,4}[mhdw]", text):
        return None
    return timedelta(**{UNITS[text[-1]]: int(text[:-1])})


def kind_of(action: Ack | Silence) -> str:
    """What a decision is, in the log."""
    return "ack" if isinstance(action, Ack) else "silence"
