"""Where alerts lie in Redis: what is open and what is still to be published, by who wrote it.

A worker writes under the prefix of each of its partitions, in the transaction that moves the
partition's offset; the elected process writes alerts on indicators under the deployment's.

    <prefix>:alerts:open      HASH    alert -> its latest change, of the active ones
    <prefix>:alerts:outbox    STREAM  `change` -> a change
    <prefix>:alerts:counts    HASH    "<standard> <state>" -> how many are active
"""

from collections import Counter
from typing import Any

from pydantic import ValidationError
from redis.asyncio import Redis

from schemas.alerts import CHANGE, AlertState, CaseChange, IndicatorChange
from streams.state.reading import known_shards


def deployment_prefix(deployment: str) -> str:
    """What the names of a deployment's own keys begin with."""
    return f"caseline:{{{deployment}}}"


async def prefixes(redis: Redis, deployment: str) -> list[str]:
    """Every prefix that alerts may lie under."""
    partitions = await known_shards(redis, deployment)
    return [
        deployment_prefix(deployment),
        *(f"caseline:{{{deployment}:{tp.topic}:{tp.partition}}}" for tp in partitions),
    ]


def parsed(text: bytes) -> CaseChange | IndicatorChange | None:
    """A change as it is stored; None for what is none."""
    try:
        return CHANGE.validate_json(text)
    except ValidationError:
        return None


async def open_changes(redis: Redis, deployment: str) -> list[CaseChange | IndicatorChange]:
    """The latest change of every alert that is active now."""
    client: Any = redis
    found: list[bytes] = []
    for prefix in await prefixes(redis, deployment):
        found += await client.hvals(f"{prefix}:alerts:open")
    return [change for change in map(parsed, found) if change]


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


async def active_counts(redis: Redis, deployment: str) -> Counter[tuple[str, AlertState]]:
    """How many alerts are active, by standard and state."""
    client: Any = redis
    found: Counter[tuple[str, AlertState]] = Counter()
    for prefix in await prefixes(redis, deployment):
        for name, count in (await client.hgetall(f"{prefix}:alerts:counts")).items():
            standard, _, state = name.decode().rpartition(" ")
            found[standard, state] += int(count)
    return found
