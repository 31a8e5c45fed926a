"""The process that tells of alerts: one is elected, others may stand by."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from aiohttp import ClientSession
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from confluent_kafka import KafkaException
from redis.asyncio import Redis
from redis.exceptions import RedisError

from schemas.receivers import Alertmanager, Smtp, Webhook
from schemas.settings import Settings
from streams.alerts.channels.alertmanager import AlertmanagerChannel
from streams.alerts.channels.posting import open_session
from streams.alerts.channels.sending import DeliveryWatch, Unwatched
from streams.alerts.channels.webhook import WebhookChannel
from streams.alerts.decisions import keeping
from streams.alerts.delivery.digests import Digests
from streams.alerts.delivery.receiver import Delivery, Desk, StateDelivery, measure
from streams.alerts.delivery.refusals import Refusals
from streams.alerts.elected_jobs import TROUBLE, TROUBLE_SECONDS, Job, do_once, keep_doing
from streams.alerts.topic.log import AlertLog, alert_log
from streams.alerts.topic.publisher import AlertPublisher, Outboxes
from streams.failures import described, given_up
from streams.kafka.clients import for_aiokafka
from streams.keys import of_deployment
from streams.state.awaiting import is_refusal, until_there
from streams.state.election import ALERTING, Elsewhere, Term, TermOver, elected
from streams.state.redis_clients import connect_redis
from streams.state.replicas import Replicas

# When all is to be done once: attempts at a message, and how long the topic is waited for.
ATTEMPTS_ONCE = 5
WAIT_MS_ONCE = 50

# How often it is seen to that Redis has all that people decided.
KEEP_SECONDS = 2.0
# What may be over by itself.
AWAY = (RedisError, KafkaError, KafkaException, OSError)

# How often it is measured how far receivers are behind.
MEASURE_SECONDS = 5.0

Duties = Callable[[Redis], AbstractAsyncContextManager[Sequence[Job]]]

log = logging.getLogger(__name__)


@asynccontextmanager
async def nothing_more(_: Redis) -> AsyncIterator[Sequence[Job]]:
    """No further duties."""
    yield ()


@dataclass(frozen=True)
class Teller:
    """Tells one deployment's receivers; further `duties` of the elected process come before that.

    They are begun, with the Redis client of the term, when it begins, and ended with it.
    """

    settings: Settings
    receivers: Sequence[Webhook | Alertmanager | Smtp]
    now: Callable[[], datetime]
    watching: DeliveryWatch = field(default_factory=Unwatched)
    duties: Duties = nothing_more

    async def run(self) -> None:
        """Tell until cancelled, whenever elected.

        What is away is waited for. Before the first election what refuses is raised, as until_there
        does, and so is Understood.
        """
        is_settled = False
        async with connect_redis(self.settings) as redis:
            await until_there(redis, self.settings.redis, self.settings.kafka)
            while True:
                try:
                    with given_up():
                        async with (
                            elected(redis, self.settings.deployment, ALERTING) as term,
                            self._jobs(redis, term) as jobs,
                        ):
                            log.info("elected", extra={"term": term.number})
                            is_settled = True
                            await keep_doing(jobs, term)
                except (Elsewhere, TermOver) as over:
                    is_settled = True
                    log.info("standing by", extra={"reason": str(over)})
                except TROUBLE as error:
                    is_away = isinstance(error, AWAY) and not is_refusal(error)
                    if not (is_settled or is_away):
                        raise
                    log.warning("not elected, tries again", extra={"reason": described(error)})
                    await asyncio.sleep(TROUBLE_SECONDS)

    async def run_once(self) -> None:
        """Tell all there is to tell now. Raises as `run` does, and Understood."""
        async with (
            connect_redis(self.settings) as redis,
            elected(redis, self.settings.deployment, ALERTING) as term,
            self._jobs(redis, term, once=True) as jobs,
        ):
            await do_once(jobs)

    @asynccontextmanager
    async def _jobs(
        self, redis: Redis, term: Term, *, once: bool = False
    ) -> AsyncIterator[list[Job]]:
        """All jobs, in the order in which one brings about what the next has to do."""
        settings = self.settings
        publisher = AlertPublisher(settings.kafka, settings.deployment)
        key = f"{of_deployment(settings.deployment)}:alerts:replicated"
        replicas = Replicas(redis, settings.redis, key)
        outboxes = Outboxes(redis, settings.deployment, publisher, replicas)
        async with AsyncExitStack() as stack:
            session = await stack.enter_async_context(open_session())
            producer = await stack.enter_async_context(_producer(settings))
            desk = Desk(
                redis,
                settings.deployment,
                term.number,
                replicas,
                Refusals(producer, settings.deployment),
                self.watching,
                self.now,
            )
            if once:
                desk = replace(desk, most_attempts=ATTEMPTS_ONCE, wait_ms=WAIT_MS_ONCE)
            decided = keeping(settings.kafka, redis, settings.deployment, self.now)
            kept = await stack.enter_async_context(decided)
            await kept.turn()  # before anything is told that a silence withholds
            more = await stack.enter_async_context(self.duties(redis))
            jobs = [
                *more,
                Job("keep decisions", kept.turn, pause=KEEP_SECONDS),
                Job("publish alerts", outboxes.turn),
            ]
            for receiver in self.receivers:
                reader = alert_log(settings.kafka, settings.deployment, desk.wait_ms)
                found = await stack.enter_async_context(reader)
                delivery = _delivery(desk, receiver, found, session)
                jobs.append(
                    Job(f"tell {receiver.name}", delivery.turn, begin=delivery.begin, pause=0.0)
                )
            if self.receivers:
                names = [receiver.name for receiver in self.receivers]
                measuring = partial(measure, desk, found, names)
                jobs.append(Job("measure delivery", measuring, pause=MEASURE_SECONDS))
            yield jobs


def _delivery(
    desk: Desk, receiver: Webhook | Alertmanager | Smtp, log: AlertLog, session: ClientSession
) -> Delivery | Digests:
    if isinstance(receiver, Smtp):
        return Digests(desk, receiver, log)
    if isinstance(receiver, Webhook):
        return Delivery(desk, receiver, log, WebhookChannel(receiver, desk.deployment, session))
    channel = AlertmanagerChannel(receiver, session)
    return StateDelivery(desk, receiver, log, channel, alertmanager=channel)


@asynccontextmanager
async def _producer(settings: Settings) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(**for_aiokafka(settings.kafka), acks="all", enable_idempotence=True)
    try:
        await producer.start()
        yield producer
    finally:
        await producer.stop()
