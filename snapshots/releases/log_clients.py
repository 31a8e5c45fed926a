"""What clients of Kafka are built from, for the two libraries that are used at this level.

The one for aiokafka and Faust is in streams.kafka.clients; all say the same of a connection.
"""

import base64
import binascii
import json
import time
from typing import Any

from kafka.net.sasl.oauth import AbstractTokenProvider

from schemas.connection_settings import Brokers, KafkaConnection

# How long a token that doesn't say is taken to hold.
TOKEN_SECONDS = 300.0


class ReleaseToken(AbstractTokenProvider):  # type: ignore[misc]
    """Gives kafka-python the token that lies in the file now."""

    def __init__(self, connection: KafkaConnection) -> None:
        self._connection = connection

    def token(self) -> str:
        """The token."""
        return self._connection.token()


def for_kafka_python(brokers: Brokers) -> dict[str, Any]:
    """What kafka-python's clients are built with. Raises OSError for files that can't be read."""
    connection = KafkaConnection.of(brokers)
    options: dict[str, Any] = {
        "bootstrap_servers": connection.servers,
        "security_protocol": connection.protocol,
    }
    if connection.has_tls:
        options["ssl_context"] = connection.tls.context()
    if connection.mechanism == "OAUTHBEARER":
        options["sasl_mechanism"] = connection.mechanism
        options["sasl_oauth_token_provider"] = ReleaseToken(connection)
    elif connection.mechanism:
        options["sasl_mechanism"] = connection.mechanism
        options["sasl_plain_username"] = connection.username
        options["sasl_plain_password"] = _password(connection)
    return options


def for_confluent(brokers: Brokers) -> dict[str, Any]:
    """What confluent-kafka's clients are built with."""
    connection = KafkaConnection.of(brokers)
    options: dict[str, Any] = {
        "bootstrap.servers": connection.bootstrap,
        "security.protocol": connection.protocol,
    }
    tls = connection.tls
    if connection.has_tls:
        files = {
            "ssl.ca.location": tls.ca_file,
            "ssl.certificate.location": tls.cert_file,
            "ssl.key.location": tls.key_file or tls.cert_file,
        }
        options |= {name: str(path) for name, path in files.items() if path}
        if tls.key_password:
            options["ssl.key.password"] = tls.key_password.get_secret_value()
        if not tls.check_hostname:
            options["ssl.endpoint.identification.algorithm"] = "none"
    if connection.mechanism == "OAUTHBEARER":
        options["sasl.mechanism"] = connection.mechanism
        options["oauth_cb"] = lambda _: _token_and_end(connection.token())
    elif connection.mechanism:
        options["sasl.mechanism"] = connection.mechanism
        options["sasl.username"] = connection.username
        options["sasl.password"] = _password(connection)
    return options


def _password(connection: KafkaConnection) -> str:
    return connection.password.get_secret_value() if connection.password else ""


def _token_and_end(token: str) -> tuple[str, float]:
    """A token and the time that it says it ends at, as librdkafka wants to know."""
    try:
        claims = token.split(".")[1]
        said = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        return token, float(said["exp"])
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error):
        return token, time.time() + TOKEN_SECONDS
