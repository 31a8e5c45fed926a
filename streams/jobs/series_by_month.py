"""A figure by month with what its variation says: from the live tables, or from event files."""

from collections.abc import Sequence
from datetime import date

from redis.asyncio import Redis

from processors.figures.series import CellOf, Reach, Series, series
from processors.rules import Rules
from streams.jobs.replay import Replay
from streams.state.reading import read_first_day, read_series


async def live_series(
    redis: Redis,
    deployment: str,
    rules: Rules,
    cell: CellOf,
    months: Sequence[date],
    today: date,
) -> Series:
    """A cell's figure as of each of some months, oldest first, as known now.

    Raises streams.state.reading.NothingYet, streams.state.store.OtherLayout, or redis.RedisError.
    """
    found = await read_series(redis, deployment, rules, months, cell)
    first = await read_first_day(redis, deployment, rules)
    return series(rules, cell, found.figures, Reach(first, found.latest, today))


def replayed_series(
    replayed: Replay, rules: Rules, cell: CellOf, months: Sequence[date], today: date
) -> Series:
    """A cell's figure as of each of some months, oldest first, as files say."""
    found = replayed.series(months, cell)
    return series(rules, cell, found, Reach(replayed.first_day, replayed.latest, today))
