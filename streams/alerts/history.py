"""What became of one alert: its changes, and how far each receiver was told of it."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from redis.asyncio import Redis

from schemas.alerts import CaseChange, IndicatorChange
from schemas.connection_settings import Brokers
from streams.alerts.delivery.receiver_state import ReceiverState
from streams.alerts.topic.log import CHANGES_READ, ChangeInTopic, alert_log

WAIT_MS = 500


class HistoryStep(NamedTuple):
    """A change of one alert, when it came to the topic, and when each receiver took it."""

    change: CaseChange | IndicatorChange
    published: datetime | None
    taken: dict[str, str]


async def history(
    brokers: Brokers, deployment: str, alert: str, redis: Redis, receivers: Iterable[str]
) -> list[HistoryStep]:
    """The changes of an alert that the topic still has, each once.

    Raises streams.alerts.topic.log.OtherLog, aiokafka.errors.KafkaError or redis.RedisError.
    """
    found: dict[int, ChangeInTopic] = {}
    async with alert_log(brokers, deployment, WAIT_MS) as log:
        position, end = 0, await log.end()
        while position < end:
            changes, position = await log.read(position, CHANGES_READ, WAIT_MS)
            for it in changes:
                if it.change.alert == alert:
                    found.setdefault(it.change.version, it)
    by_receiver = {
        name: (await ReceiverState(redis, deployment, name, 0).taken([alert]))[alert]
        for name in receivers
    }
    return [
        HistoryStep(
            found[version].change,
            found[version].at,
            {name: it[str(version)] for name, it in by_receiver.items() if str(version) in it},
        )
        for version in sorted(found)
    ]


async def told_of(
    redis: Redis, deployment: str, receivers: Iterable[str], alert: str
) -> dict[str, str]:
    """How far each receiver was told of an alert, in words."""
    said = {}
    for name in receivers:
        it = (await ReceiverState(redis, deployment, name, 0).known([alert]))[alert]
        if it.held:
            said[name] = f"{it.held.change.state} is withheld by a silence"
        elif it.told:
            said[name] = f"told: {it.told.state} since {it.told.since}"
        elif it.version:
            said[name] = "told of nothing that is active"
        else:
            said[name] = "not reached yet"
    return said
