"""Reading the scorecard from the live tables: each partition at one moment, at a constant cost."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from typing import NamedTuple

import numpy as np
from redis.asyncio import Redis

from processors.calendar import day_number, month_number, previous_month_end
from processors.decoding import Event
from processors.evaluate import AsOf, scorecard
from processors.fold import Rules
from processors.population import population
from processors.quality import OddFact, odd_facts
from processors.record import decode_record
from schemas.events import CASE_TOPIC, REFERENCE_TOPIC
from schemas.scorecard import ScorecardRow
from streams.batches import TP
from streams.failures import Understood
from streams.store import Head, PartitionStore


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

    Raises NothingYet, streams.store.OtherLayout, or redis.RedisError.
    """
    partitions = await known_partitions(redis, deployment)
    if not partitions:
        raise NothingYet(
            f"deployment {deployment!r} has no state yet: start `caseline worker`, then "
            "`caseline ingest FILE`"
        )
    stores = {tp: PartitionStore(redis, deployment, tp, rules) for tp in partitions}
    dates = as_of, previous_month_end(as_of)
    months = [month_number(day) for day in dates]
    stocks = [np.zeros(rules.shape, dtype=np.int64) for _ in dates]
    case_partitions = [tp for tp in partitions if tp.topic == CASE_TOPIC]
    answers = await asyncio.gather(*(stores[tp].month_tables(months) for tp in case_partitions))
    heads = {tp: head for tp, (head, _) in zip(case_partitions, answers, strict=True) if head}
    for _, tables in answers:
        for stock, table, day in zip(stocks, tables, dates, strict=False):
            stock += table.stock(day_number(day), rules.calendar)
    published: list[Event] = []
    for tp in partitions:
        if tp.topic == REFERENCE_TOPIC:
            head = await stores[tp].head()
            if head:
                heads[tp] = head
                async for events in _records(stores[tp], head):
                    published += events
    now, previous = (
        AsOf(stock, population(published, rules.areas, day))
        for day, stock in zip(dates, stocks, strict=True)
    )
    return LiveScorecard(scorecard(rules.catalogue, rules.areas, now, previous), heads)


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
