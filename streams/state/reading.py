"""Reading the scorecard from the live tables: each partition at one moment, at a constant cost."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from redis.asyncio import Redis

from processors.days.calendar import day_number, month_number, previous_month_end
from processors.figures.evaluate import AsOf, scorecard
from processors.figures.population import population
from processors.record.decoding import Event
from processors.record.quality import OddFact, odd_facts
from processors.record.record import decode_record
from processors.rules import Rules
from schemas.events.registry import CASE_TOPIC, REFERENCE_TOPIC
from schemas.scorecard import ScorecardRow
from streams.failures import Understood
from streams.kafka.batches import TP
from streams.state.store import Head, PartitionStore


class NothingYet(Understood):
    """No worker has ever run for this deployment."""


class LiveScorecard(NamedTuple):
    """A scorecard's rows with where each partition stood when it was read."""

    rows: list[ScorecardRow]
    heads: dict[TP, Head]

    @property
    def latest(self) -> int | None:
        """The latest event time in the tables, in microseconds from 1970; None before any."""
        return max((head.latest for head in self.heads.values()), default=0) or None


def partitions_key(deployment: str) -> str:
    """The set of the partitions that workers of a deployment have held."""
    return f"caseline:{{{deployment}}}:partitions"


async def known_partitions(redis: Redis, deployment: str) -> list[TP]:
    """The partitions of a deployment, in order."""
    members: set[bytes] = await redis.smembers(partitions_key(deployment))  # type: ignore[assignment]
    names = [member.decode() for member in members]
    pairs = (name.rsplit(":", 1) for name in names)
    return sorted(TP(topic, int(partition)) for topic, partition in pairs)


async def read_scorecard(redis: Redis, deployment: str, rules: Rules, as_of: date) -> LiveScorecard:
    """Every row of the scorecard as of a date, from the tables as they are now.

    Raises NothingYet, streams.state.store.OtherLayout, or redis.RedisError.
    """
    dates = as_of, previous_month_end(as_of)
    stocks = await read_stocks(redis, deployment, rules, dates)
    reference = await read_reference(redis, deployment, rules)
    now, previous = (
        AsOf(stock, population(reference.events, rules.areas, day))
        for day, stock in zip(dates, stocks.by_date, strict=True)
    )
    rows = scorecard(rules.catalogue, rules.areas, now, previous)
    return LiveScorecard(rows, stocks.heads | reference.heads)


class Stocks(NamedTuple):
    """Stocks by (slot, place, band), of each date asked for, and where partitions stood."""

    by_date: list[NDArray[np.int64]]
    heads: dict[TP, Head]


async def read_stocks(redis: Redis, deployment: str, rules: Rules, dates: Sequence[date]) -> Stocks:
    """The stocks of dates, past or to come, each partition's read at one moment.

    Raises NothingYet, streams.state.store.OtherLayout, or redis.RedisError.
    """
    partitions = await _partitions(redis, deployment, CASE_TOPIC)
    stores = [PartitionStore(redis, deployment, tp, rules) for tp in partitions]
    months = [month_number(day) for day in dates]
    answers = await asyncio.gather(*(store.month_tables(months) for store in stores))
    stocks = [np.zeros(rules.shape, dtype=np.int64) for _ in dates]
    for _, tables in answers:
        for stock, table, day in zip(stocks, tables, dates, strict=False):
            stock += table.stock(day_number(day), rules.calendar)
    heads = {tp: head for tp, (head, _) in zip(partitions, answers, strict=True) if head}
    return Stocks(stocks, heads)


class Reference(NamedTuple):
    """The reference events that count, and where partitions stood."""

    events: list[Event]
    heads: dict[TP, Head]


async def read_reference(redis: Redis, deployment: str, rules: Rules) -> Reference:
    """What others supply: populations, targets, commentary. Raises as `read_stocks` does."""
    found = Reference([], {})
    for tp in await _partitions(redis, deployment, REFERENCE_TOPIC):
        store = PartitionStore(redis, deployment, tp, rules)
        head = await store.head()
        if head:
            found.heads[tp] = head
            async for events in _records(store, head):
                found.events.extend(events)
    return found


async def _partitions(redis: Redis, deployment: str, topic: str) -> list[TP]:
    partitions = await known_partitions(redis, deployment)
    if not partitions:
        raise NothingYet(
            f"deployment {deployment!r} has no state yet: start `caseline worker`, then "
            "`caseline ingest FILE`"
        )
    return [tp for tp in partitions if tp.topic == topic]


async def read_odd_facts(
    redis: Redis, deployment: str, rules: Rules, as_of: date
) -> AsyncIterator[OddFact]:
    """The odd facts in every case record, as of a date; one may come twice."""
    for tp in await known_partitions(redis, deployment):
        if tp.topic == CASE_TOPIC:
            store = PartitionStore(redis, deployment, tp, rules)
            head = await store.head()
            async for events in _records(store, head or Head()):
                for fact in odd_facts(events, rules.areas, rules.calendar, as_of):
                    yield fact


async def _records(store: PartitionStore, head: Head) -> AsyncIterator[list[Event]]:
    """The events of each record of a partition."""
    async for _, stored in store.all_records(head):
        yield list(decode_record(stored, lambda _: b"").events)
