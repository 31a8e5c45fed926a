"""What came of the last night's comparison of the state with the log.

caseline:{<deployment>}:reconciled     HASH  day, at, shards, wrong
"""

from datetime import date
from typing import Any, NamedTuple

from redis.asyncio import Redis

from streams import keys


class Night(NamedTuple):
    """The outcome of the last comparison; `at` is None before the first."""

    day: date
    at: float | None
    shards: int
    wrong: list[str]


def outcome_key(deployment: str) -> str:
    """Where the outcome of the last comparison lies."""
    return f"{keys.of_deployment(deployment)}:reconciled"


async def read_outcome(redis: Redis, deployment: str) -> Night | None:
    """The last comparison's outcome; None where none was ever due."""
    client: Any = redis
    found: dict[bytes, bytes] = await client.hgetall(outcome_key(deployment))
    if b"day" not in found:
        return None
    at = found.get(b"at")
    return Night(
        date.fromisoformat(found[b"day"].decode()),
        float(at) if at else None,
        int(found.get(b"shards", 0)),
        found.get(b"wrong", b"").decode().splitlines(),
    )
