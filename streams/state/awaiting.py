"""Services that are away when a process begins: waited for, aloud, for as long as that takes.

Only what refuses who we are, or is not who it should be, ends a process: no waiting mends that.
"""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable

from aiokafka import errors as kafka
from redis import exceptions as redis
from redis.asyncio import Redis

from schemas.connection_settings import Brokers, KafkaConnection, RedisConnection
from schemas.settings import Settings
from streams.clock import Clock, clock_of
from streams.failures import chain_of, described
from streams.kafka.clients import for_aiokafka
from streams.kafka.private import reach

TRY_SECONDS = 1.0
# How often it is said that something is waited for.
SAID_SECONDS = 5.0
# How long one attempt may take.
ANSWER_SECONDS = 10.0

REFUSALS = (
    *(redis.AuthenticationError, redis.AuthorizationError, redis.NoPermissionError),
    *(kafka.AuthenticationFailedError, kafka.AuthenticationMethodNotSupported),
    *(kafka.SaslAuthenticationFailed, kafka.UnsupportedSaslMechanismError),
    *(kafka.IllegalSaslStateError, kafka.ClusterAuthorizationFailedError),
    *(kafka.GroupAuthorizationFailedError, kafka.TopicAuthorizationFailedError),
    *(kafka.TransactionalIdAuthorizationFailed, ssl.SSLCertVerificationError),
)
AWAY = (redis.RedisError, kafka.KafkaError, OSError)

log = logging.getLogger(__name__)


def is_refusal(error: BaseException) -> bool:
    """Whether a service is there, and will have nothing to do with us."""
    return any(isinstance(it, REFUSALS) for it in chain_of(error))


async def until_there(client: Redis, connection: RedisConnection, brokers: Brokers) -> None:
    """Wait until Redis and Kafka answer. Raises what refuses; OSError for files not readable."""
    options = for_aiokafka(brokers)
    kafka_is_at = KafkaConnection.of(brokers)

    async def ask_redis() -> None:
        await client.ping()

    async def ask_kafka() -> None:
        failures = await reach(kafka_is_at.servers, options)
        if failures:
            raise next(filter(is_refusal, failures), failures[0])

    await _until("Redis", str(connection), ask_redis)
    await _until("Kafka", str(kafka_is_at), ask_kafka)


async def clock_once_there(client: Redis, settings: Settings) -> Clock:
    """The deployment's clock, once Redis and Kafka answer. Raises as `until_there` does."""
    while True:
        await until_there(client, settings.redis, settings.kafka)
        try:
            return clock_of(settings)
        except redis.RedisError as error:  # away again, as it may be while Kafka is waited for
            if is_refusal(error):
                raise
            log.warning("the clock cannot be read, tried again: %s", described(error))
            await asyncio.sleep(TRY_SECONDS)


async def _until(name: str, where: str, ask: Callable[[], Awaitable[None]]) -> None:
    clock = asyncio.get_running_loop().time
    said = None
    while True:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await ask()
        except AWAY as error:
            if is_refusal(error):
                raise
            if said is None or clock() - said >= SAID_SECONDS:
                said = clock()
                log.warning("%s does not answer at %s, waited for: %s", name, where, _why(error))
            await asyncio.sleep(TRY_SECONDS)
        else:
            if said is not None:
                log.info("%s answers at %s", name, where)
            return


def _why(error: BaseException) -> str:
    """A failure, with what the system said where a client says nothing."""
    texts = (it.strerror for it in chain_of(error) if isinstance(it, OSError) and it.strerror)
    if isinstance(error, redis.RedisError):
        return described(error)
    return next(texts, str(error)) or type(error).__name__
