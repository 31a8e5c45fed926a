"""What clients of Kafka are built from: aiokafka's, Faust's, and those of the levels below.

Every client of the code takes its connection from here or from snapshots.releases.log_clients, and
says the same of it.
"""

import asyncio
import logging
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaError
from kafka.admin import KafkaAdminClient

from schemas.connection_settings import Brokers, KafkaConnection
from snapshots.releases.log_clients import for_confluent, for_kafka_python
from streams.failures import described

__all__ = [
    "acknowledged_producer",
    "admin_of",
    "faust_credentials",
    "for_aiokafka",
    "for_confluent",
    "stop_within",
]

# How long brokers may take to answer at all.
BOOTSTRAP_MS = 10_000

log = logging.getLogger(__name__)


class LiveToken(AbstractTokenProvider):  # type: ignore[misc]
    """Gives aiokafka the token that lies in the file now."""

    def __init__(self, connection: KafkaConnection) -> None:
        self._connection = connection

    async def token(self) -> str:
        """The token."""
        return self._connection.token()


def for_aiokafka(brokers: Brokers) -> dict[str, Any]:
    """What aiokafka's clients are built with. Raises OSError for files that cannot be read."""
    options = for_kafka_python(brokers)
    if "sasl_oauth_token_provider" in options:
        options["sasl_oauth_token_provider"] = LiveToken(KafkaConnection.of(brokers))
    return options


def acknowledged_producer(brokers: Brokers, **more: Any) -> AIOKafkaProducer:
    """A producer of what brokers have for good and once, not started.

    Raises OSError for files that cannot be read.
    """
    return AIOKafkaProducer(**for_aiokafka(brokers), acks="all", enable_idempotence=True, **more)


async def stop_within(seconds: float, producer: AIOKafkaProducer | None, name: str) -> None:
    """Stop a producer, if there is one, and only log that it will not be stopped in time."""
    if producer is None:
        return
    try:
        async with asyncio.timeout(seconds):
            await producer.stop()
    except (KafkaError, OSError, TimeoutError) as error:
        log.warning("%s: its client", name, extra={"error": described(error)})


def faust_credentials(brokers: Brokers) -> Any:
    """What a Faust application is told of who it is; None in the clear."""
    from faust import OAuthCredentials, SASLCredentials, SSLCredentials

    connection, options = KafkaConnection.of(brokers), for_aiokafka(brokers)
    context = options.get("ssl_context")
    if connection.mechanism == "OAUTHBEARER":
        provider = options["sasl_oauth_token_provider"]
        return OAuthCredentials(oauth_cb=provider, ssl_context=context)
    if connection.mechanism:
        return SASLCredentials(
            username=connection.username,
            password=options["sasl_plain_password"],
            ssl_context=context,
            mechanism=connection.mechanism,
        )
    return SSLCredentials(context=context) if context else None


def admin_of(brokers: Brokers) -> KafkaAdminClient:
    """A client for topics and groups. Raises KafkaError when the brokers do not answer."""
    return KafkaAdminClient(**for_kafka_python(brokers), bootstrap_timeout_ms=BOOTSTRAP_MS)
