"""What came of the last night's comparison of the state with the log.

caseline:{<deployment>}:reconciled     HASH  day, at, shards, wrong, since
"""

from datetime import date
from typing import Any, NamedTuple

from redis.asyncio import Redis

from streams import keys


class Night(NamedTuple):
    """The outcome of the last comparison; before the first, `at` is None and `since` is set."""

    day: date
    at: float | None
    shards: int
    wrong: list[str]
    since: float | None

    @property
    def known_from(self) -> float | None:
        """When the state was last compared, or before the first time since when that is due."""
        return self.at if self.at is not None else self.since


def outcome_key(deployment: str) -> str:
    """Where the outcome of the last comparison lies."""
    return f"{keys.of_deployment(deployment)}:reconciled"


async def read_outcome(redis: Redis, deployment: str) -> Night | None:
    """The last comparison's outcome; None where none was ever due."""
    client: Any = redis
    found: dict[bytes, bytes] = await client.hgetall(outcome_key(deployment))
    if b"day" not in found:
        return None
    at, since = found.get(b"at"), found.get(b"since")
    return Night(
        date.fromisoformat(found[b"day"].decode()),
        float(at) if at else None,
        int(found.get(b"shards", 0)),
        found.get(b"wrong", b"").decode().splitlines(),
        float(since) if since else None,
    )
