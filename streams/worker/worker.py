"""A worker: the one place where the live fold's clients are built and put together."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

from aiokafka.errors import KafkaConnectionError
from redis.asyncio import Redis

from processors.rules import Rules
from schemas.settings import Settings
from streams.clock import Clock
from streams.kafka.app import (
    App,
    Reading,
    WorkerFailed,
    asked_by_signal,
    create_app,
    for_embedded_broker,
    run_until,
)
from streams.kafka.consumer import BatchConsumer
from streams.kafka.deadletters import DeadLetters
from streams.metrics.exposition import new_registry, served
from streams.metrics.workers import WorkerMetrics
from streams.state.awaiting import AWAY, clock_once_there, is_refusal, until_there
from streams.state.erased_list import erased_everywhere
from streams.state.redis_clients import connect_redis, load_rules
from streams.worker.folding import Folding
from streams.worker.garbage import Garbage
from streams.worker.given import Given, Limits
from streams.worker.logwatch import LogWatch

T = TypeVar("T")

# How long one thread may go on while the other waits: what is fetched passes between the two
# several times before it is folded, each time beside a settlement that takes milliseconds.
SWITCH_SECONDS = 0.001


async def run(settings: Settings, asked: asyncio.Event | None = None) -> None:
    """Run a worker until asked to stop, or until a signal asks; wait for services that are away.

    Raises streams.kafka.app.WorkerFailed when it stops by itself, its cause saying why, what
    until_there raises, and streams.metrics.exposition.PortNotServed.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    garbage = Garbage()
    asked = asked or asked_by_signal()
    rules = load_rules(settings)
    redis = connect_redis(settings)
    metrics = WorkerMetrics(new_registry())
    letters = DeadLetters(settings.kafka, settings.deployment)
    try:
        with served(settings, metrics.registry):
            is_begun = await _before(asked, _until_there(redis, settings))
            while is_begun and (clock := await _before(asked, clock_once_there(redis, settings))):
                try:
                    rules.erased = await erased_everywhere(settings, redis)
                except AWAY as error:  # away again
                    if is_refusal(error):
                        raise
                    continue
                app = _app(settings, rules, clock, redis, letters, metrics, garbage)
                if await was_there(app, asked):
                    return
    finally:
        await letters.leave()
        await redis.aclose()


async def _until_there(redis: Redis, settings: Settings) -> bool:
    """Wait until services are there; True then."""
    await until_there(redis, settings.redis, settings.kafka)
    return True


async def was_there(app: App, asked: asyncio.Event) -> bool:
    """Run until asked to stop; False if Kafka went away before there was anything to do."""
    try:
        await run_until(app, asked)
    except WorkerFailed as failed:
        if app.has_begun or not isinstance(failed.__cause__, KafkaConnectionError):
            raise
        return False
    return True


async def _before(asked: asyncio.Event, waiting: Coroutine[Any, Any, T]) -> T | None:
    """What is waited for; None if it is asked to stop before. Raises as waiting does."""
    there, stop = asyncio.ensure_future(waiting), asyncio.ensure_future(asked.wait())
    both: list[asyncio.Future[Any]] = [there, stop]
    await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if not there.done():
        there.cancel()
        return None
    return there.result()


def _app(
    settings: Settings,
    rules: Rules,
    clock: Clock,
    redis: Redis,
    letters: DeadLetters,
    metrics: WorkerMetrics,
    garbage: Garbage,
) -> App:
    app: App

    def consumer() -> BatchConsumer:
        return app.batches

    most = settings.records_in_memory, settings.records_bytes
    kafka, deployment = settings.kafka, settings.deployment
    given = Given(
        redis=redis,
        deployment=deployment,
        rules=rules,
        clock=clock,
        limits=Limits(*most, settings.alert_calm_seconds),
        metrics=metrics,
        dead_letters=letters,
        logs=LogWatch(redis, deployment, kafka, rules, lambda it: consumer().describe(it)),
        consumer=consumer,
        garbage=garbage,
    )
    reading = Reading(
        group=f"caseline-{settings.deployment}",
        brokers=settings.kafka,
        session_timeout=settings.session_timeout,
        heartbeat_interval=settings.session_timeout / 5,
        request_timeout=max(40.0, 2 * settings.session_timeout),  # Faust wants it the longer one
    )
    if settings.kafka_is_embedded:
        reading = for_embedded_broker(reading)
    app = create_app(reading, Folding(given))
    return app
