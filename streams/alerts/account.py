"""One alert's account: how it stands, how it came there, and who was told."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from redis.asyncio import Redis

from schemas.connection_settings import Brokers
from streams.alerts.alert_lists import ListedAlert, decided
from streams.alerts.history import HistoryStep, history, told_of
from streams.state.open_alerts import open_change


class Account(NamedTuple):
    """An alert with its changes, and how far each receiver was told of it, in words."""

    standing: ListedAlert
    steps: list[HistoryStep]
    told: dict[str, str]


async def account(
    brokers: Brokers,
    redis: Redis,
    deployment: str,
    alert: str,
    receivers: Collection[str],
    now: datetime,
) -> Account | None:
    """The account of an alert, active or over; None where nothing is known of it.

    Raises streams.alerts.topic.log.OtherLog, aiokafka.errors.KafkaError or redis.RedisError.
    """
    steps = await history(brokers, deployment, alert, redis, receivers)
    active = await open_change(redis, deployment, alert)
    standing = [active] if active else [it.change for it in steps[-1:]]
    found = await decided(redis, deployment, standing, now)
    if not found:
        return None
    return Account(found[0], steps, await told_of(redis, deployment, receivers, alert))
