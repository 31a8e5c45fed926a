"""Where alerts lie in Redis: what is open and what is still to be published, by who wrote it.

A worker writes under the prefix of each of its partitions, in the transaction that moves the
partition's offset; the elected process writes alerts on indicators under the deployment's.

    <prefix>:alerts:open      HASH    alert -> its latest change, of the active ones
    <prefix>:alerts:outbox    STREAM  `change` -> a change
    <prefix>:alerts:counts    HASH    "<standard> <state>" -> how many are active
    <prefix>:alerts:owners    SET     whom alerts were ever for; and :providers
    <prefix>:alerts:judged    ZSET    `at`, by when there was nothing left to judge
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import ValidationError
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from processors.days.calendar import LONDON
from schemas.alerts import CHANGE, AlertState, CaseChange, IndicatorChange
from schemas.events.registry import REFERENCE_TOPIC
from streams import keys
from streams.state.alert_outbox import NAMES
from streams.state.reading import known_shards


async def prefixes(redis: Redis, deployment: str) -> list[str]:
    """Every prefix that alerts may lie under."""
    partitions = await known_shards(redis, deployment)
    return [
        keys.of_deployment(deployment),
        *(keys.of_shard(deployment, *tp) for tp in partitions),
    ]


def parsed(text: bytes) -> CaseChange | IndicatorChange | None:
    """A change as it is stored; None for what is none."""
    try:
        return CHANGE.validate_json(text)
    except ValidationError:
        return None


class _OfPrefix(NamedTuple):
    """The active alerts under a prefix by how they are stored, and what tells when they change."""

    version: object
    changes: Mapping[bytes, CaseChange | IndicatorChange]


_NONE = _OfPrefix(None, {})


async def open_changes(redis: Redis, deployment: str) -> list[CaseChange | IndicatorChange]:
    """The latest change of every alert that is active now."""
    return (await HeldAlerts(redis, deployment).now()).changes


class ActiveAlerts(NamedTuple):
    """The latest change of every active alert; `version` tells it from any other answer."""

    version: object
    changes: list[CaseChange | IndicatorChange]


class HeldAlerts:
    """The active alerts of a deployment, as one who lives on holds them.

    What lies under a prefix is read again once a change was queued there since, or another number
    of alerts is active; and of that only what is new is parsed.
    """

    def __init__(self, redis: Redis, deployment: str) -> None:
        self._redis, self._deployment = redis, deployment
        self._held: dict[str, _OfPrefix] = {}
        self._active = ActiveAlerts((), [])

    async def now(self) -> ActiveAlerts:
        """The alerts that are active now."""
        client: Any = self._redis
        there = await prefixes(self._redis, self._deployment)
        async with client.pipeline(transaction=False) as pipe:
            for prefix in there:
                pipe.xinfo_stream(f"{prefix}:alerts:outbox")
                pipe.hlen(f"{prefix}:alerts:open")
            answers = await pipe.execute(raise_on_error=False)
        held, found = self._held, dict[str, _OfPrefix]()
        for prefix, outbox, number in zip(there, answers[::2], answers[1::2], strict=True):
            version = _last_queued(outbox), _answer(number)
            found[prefix] = held.get(prefix, _NONE)
            if found[prefix].version != version:
                texts: list[bytes] = await client.hvals(f"{prefix}:alerts:open")
                found[prefix] = _OfPrefix(version, _parsed_again(texts, found[prefix].changes))
        self._held = found  # at once: others may ask meanwhile
        versions = tuple((prefix, it.version) for prefix, it in found.items())
        if versions != self._active.version:
            changes = [change for it in found.values() for change in it.changes.values()]
            self._active = ActiveAlerts(versions, changes)
        return self._active


def _last_queued(outbox: Any) -> object:
    """The last entry that an outbox ever had, None for none. Raises what Redis answered else."""
    if isinstance(outbox, ResponseError) and "no such key" in str(outbox):
        return None
    return _answer(outbox)["last-generated-id"]


def _answer(answer: Any) -> Any:
    """What Redis answered to one of several. Raises what else it did."""
    if isinstance(answer, Exception):
        raise answer
    return answer


def _parsed_again(
    texts: Iterable[bytes], known: Mapping[bytes, CaseChange | IndicatorChange]
) -> dict[bytes, CaseChange | IndicatorChange]:
    found = {text: known.get(text) or parsed(text) for text in texts}
    return {text: change for text, change in found.items() if change is not None}


async def open_alerts(redis: Redis, deployment: str) -> set[str]:
    """The ids of the alerts that are active now."""
    client: Any = redis
    found: set[str] = set()
    for prefix in await prefixes(redis, deployment):
        found |= {alert.decode() for alert in await client.hkeys(f"{prefix}:alerts:open")}
    return found


async def open_change(
    redis: Redis, deployment: str, alert: str
) -> CaseChange | IndicatorChange | None:
    """The latest change of an alert; None unless it is active now."""
    client: Any = redis
    for prefix in await prefixes(redis, deployment):
        text: bytes | None = await client.hget(f"{prefix}:alerts:open", alert)
        if text:
            return parsed(text)
    return None


async def begun_with(redis: Redis, deployment: str, digits: str) -> list[str]:
    """The ids of the active alerts that begin with some digits, in order."""
    return sorted(it for it in await open_alerts(redis, deployment) if it.startswith(digits))


async def active_counts(redis: Redis, deployment: str) -> Counter[tuple[str, AlertState]]:
    """How many alerts are active, by standard and state."""
    client: Any = redis
    found: Counter[tuple[str, AlertState]] = Counter()
    for prefix in await prefixes(redis, deployment):
        for name, count in (await client.hgetall(f"{prefix}:alerts:counts")).items():
            standard, _, state = name.decode().rpartition(" ")
            found[standard, state] += int(count)
    return found


class JudgedUntil(NamedTuple):
    """Up to when alerts are right: when they were looked at last, and what is known by now.

    `cases` is the earliest of all shards, None where a worker has never looked at one of them, or
    there is none; `indicators` None where nobody has ever watched them. `latest` is the event time
    that the state goes up to.
    """

    cases: datetime | None
    indicators: datetime | None
    latest: datetime | None


async def judged(redis: Redis, deployment: str) -> JudgedUntil:
    """When alerts were looked at last, by the deployment's clock."""
    client: Any = redis
    shards = [it for it in await known_shards(redis, deployment) if it.topic != REFERENCE_TOPIC]
    bases = [keys.of_shard(deployment, *it) for it in shards]
    async with client.pipeline(transaction=False) as pipe:
        for base in (*bases, keys.of_deployment(deployment)):
            pipe.zscore(f"{base}:alerts:judged", "at")
        for base in bases:
            pipe.hget(f"{base}:head", "latest")
        answers = await pipe.execute()
    *looked, indicators = answers[: len(bases) + 1]
    latest = max((int(it or 0) for it in answers[len(bases) + 1 :]), default=0)
    is_whole = looked and all(it is not None for it in looked)
    return JudgedUntil(
        _moment(min(looked)) if is_whole else None,
        _moment(indicators),
        _moment(latest / 1_000_000) if latest else None,
    )


async def owners_known(
    redis: Redis, deployment: str, active: Iterable[CaseChange | IndicatorChange]
) -> dict[str, set[str]]:
    """Whom alerts were ever for, by what they are called in a change: owners and providers.

    Of alerts that are `active` also those of before such names were kept.
    """
    client: Any = redis
    found: dict[str, set[str]] = {}
    for name in NAMES:
        there = found.setdefault(name, set())
        for prefix in await prefixes(redis, deployment):
            there |= {it.decode() for it in await client.smembers(f"{prefix}:alerts:{name}s")}
    for change in active:
        found["owner"].add(change.owner)
        if change.provider:
            found["provider"].add(change.provider)
    return found


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, LONDON)
