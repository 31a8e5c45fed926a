"""What became of one alert: its changes, and how far each receiver was told of it."""

from collections.abc import Iterable

from redis.asyncio import Redis

from schemas.alerts import CaseChange, IndicatorChange
from schemas.connections import Brokers
from streams.alerts.delivery.receiver_state import ReceiverState
from streams.alerts.topic.log import CHANGES_READ, alert_log

WAIT_MS = 500


async def history(
    brokers: Brokers, deployment: str, alert: str
) -> list[CaseChange | IndicatorChange]:
    """The changes of an alert that the topic still has, each once.

    Raises streams.alerts.topic.log.OtherLog or aiokafka.errors.KafkaError.
    """
    found: dict[int, CaseChange | IndicatorChange] = {}
    async with alert_log(brokers, deployment, WAIT_MS) as log:
        position, end = 0, await log.end()
        while position < end:
            changes, position = await log.read(position, CHANGES_READ, WAIT_MS)
            found |= {it.change.version: it.change for it in changes if it.change.alert == alert}
    return [found[version] for version in sorted(found)]


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
