"""Settings of Kafka and Redis: where they are, who connects, and by which certificates."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings

from schemas.connection_settings import (
    KafkaConnection,
    KafkaProtocol,
    RedisConnection,
    SaslMechanism,
    Tls,
)

# Secrets that may be given themselves or as a file that holds them.
SECRETS = (
    *("kafka_sasl_password", "kafka_ssl_key_password"),
    *("redis_password", "redis_sentinel_password", "oidc_client_secret"),
)


def _redis_url(url: str) -> str:
    RedisConnection.parsed(url)
    return url


class ServiceSettings(BaseSettings):
    """How the deployment's Kafka and Redis are reached."""

    kafka_bootstrap: str = Field("localhost:9092", description="Kafka brokers, host:port,...")
    kafka_security_protocol: KafkaProtocol = Field(
        "PLAINTEXT", description="PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL, as brokers listen"
    )
    kafka_sasl_mechanism: SaslMechanism | None = Field(
        None, description="PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER"
    )
    kafka_sasl_username: str | None = Field(None, description="the user, for PLAIN and SCRAM")
    kafka_sasl_password: SecretStr | None = Field(None, description="the user's password")
    kafka_sasl_password_file: Path | None = Field(
        None, description="a file that holds the password instead"
    )
    kafka_sasl_token_file: Path | None = Field(
        None, description="a file that holds the token, for OAUTHBEARER; read at every connection"
    )
    kafka_ssl_ca_file: Path | None = Field(
        None, description="authorities (PEM) that brokers are believed by; the system's if unset"
    )
    kafka_ssl_cert_file: Path | None = Field(
        None, description="our own certificate (PEM), for mutual TLS"
    )
    kafka_ssl_key_file: Path | None = Field(None, description="the certificate's key (PEM)")
    kafka_ssl_key_password: SecretStr | None = Field(None, description="the key's password")
    kafka_ssl_key_password_file: Path | None = Field(
        None, description="a file that holds the key's password instead"
    )
    kafka_ssl_check_hostname: bool = Field(
        True, description="whether a broker's certificate must be for its host name"
    )
    kafka_is_embedded: bool = Field(
        False, description="Kafka is librdkafka's mock broker, which needs to be asked otherwise"
    )
    redis_url: Annotated[str, AfterValidator(_redis_url)] = Field(
        "redis://localhost:6379/0",
        description="Redis: redis://, rediss:// (TLS), unix://, redis+sentinel://, redis+cluster://",
        repr=False,
    )
    redis_username: str | None = Field(None, description="the user of Redis's ACL")
    redis_password: SecretStr | None = Field(None, description="the user's password")
    redis_password_file: Path | None = Field(
        None, description="a file that holds the password instead"
    )
    redis_sentinel_username: str | None = Field(None, description="the user at the Sentinels")
    redis_sentinel_password: SecretStr | None = Field(
        None, description="the password at the Sentinels"
    )
    redis_sentinel_password_file: Path | None = Field(
        None, description="a file that holds that password instead"
    )
    redis_ssl_ca_file: Path | None = Field(
        None, description="authorities (PEM) that Redis is believed by; the system's if unset"
    )
    redis_ssl_cert_file: Path | None = Field(
        None, description="our own certificate (PEM), for mutual TLS with Redis"
    )
    redis_ssl_key_file: Path | None = Field(None, description="the certificate's key (PEM)")

    @property
    def kafka(self) -> KafkaConnection:
        """What every client of Kafka is built from. Raises OSError for a secret's file."""
        tls = Tls(
            self.kafka_ssl_ca_file,
            self.kafka_ssl_cert_file,
            self.kafka_ssl_key_file,
            self._secret("kafka_ssl_key_password"),
            self.kafka_ssl_check_hostname,
        )
        return KafkaConnection(
            self.kafka_bootstrap,
            self.kafka_security_protocol,
            self.kafka_sasl_mechanism,
            self.kafka_sasl_username,
            self._secret("kafka_sasl_password"),
            self.kafka_sasl_token_file,
            tls,
        )

    @property
    def redis(self) -> RedisConnection:
        """What every client of Redis is built from. Raises OSError for a secret's file."""
        said = RedisConnection.parsed(self.redis_url)
        return replace(
            said,
            username=self.redis_username or said.username,
            password=self._secret("redis_password") or said.password,
            sentinel_username=self.redis_sentinel_username,
            sentinel_password=self._secret("redis_sentinel_password"),
            tls=Tls(self.redis_ssl_ca_file, self.redis_ssl_cert_file, self.redis_ssl_key_file),
        )

    @model_validator(mode="after")
    def _secrets_are_in_one_place(self) -> Self:
        for name in SECRETS:
            file = getattr(self, f"{name}_file")
            if file is None:
                continue
            if getattr(self, name) is not None:
                raise ValueError(f"{name} and {name}_file are both given")
            if not file.is_file():
                raise ValueError(f"{name}_file names {file}, which is not a file")
        if RedisConnection.parsed(self.redis_url).has_password and (
            self.redis_username or self._secret("redis_password")
        ):
            raise ValueError("redis_url holds a user or password, and so do other settings")
        return self

    @model_validator(mode="after")
    def _kafka_fits_together(self) -> Self:
        kafka, mechanism = self.kafka, self.kafka_sasl_mechanism
        if kafka.has_sasl != (mechanism is not None):
            wanted = "needs" if kafka.has_sasl else "takes no"
            raise ValueError(f"kafka_security_protocol {kafka.protocol} {wanted} sasl_mechanism")
        is_named = bool(kafka.username and kafka.password)
        if mechanism == "OAUTHBEARER":
            self._must_be(kafka.token_file is not None, "OAUTHBEARER needs kafka_sasl_token_file")
        elif mechanism is not None:
            self._must_be(is_named, f"{mechanism} needs kafka_sasl_username and a password")
        else:
            unused = (kafka.username, kafka.password, kafka.token_file)
            self._must_be(not any(unused), "kafka_sasl settings need kafka_security_protocol SASL_")
        self._certificates("kafka_ssl", has_tls=kafka.has_tls)
        self._certificates("redis_ssl", has_tls=RedisConnection.parsed(self.redis_url).has_tls)
        return self

    def _certificates(self, prefix: str, *, has_tls: bool) -> None:
        names = [f"{prefix}_{part}_file" for part in ("ca", "cert", "key")]
        given: Sequence[Path | None] = [getattr(self, name) for name in names]
        if not has_tls and any(given):
            how = "kafka_security_protocol SSL or SASL_SSL" if prefix[0] == "k" else "rediss://"
            raise ValueError(f"{prefix} settings need {how}")
        for name, path in zip(names, given, strict=True):
            self._must_be(path is None or path.is_file(), f"{name} names {path}, which is no file")
        self._must_be(given[2] is None or given[1] is not None, f"{names[2]} needs {names[1]}")

    @staticmethod
    def _must_be(fits: bool, otherwise: str) -> None:
        if not fits:
            raise ValueError(otherwise)

    def _secret(self, name: str) -> SecretStr | None:
        file: Path | None = getattr(self, f"{name}_file")
        if file is not None:
            return SecretStr(file.read_text("utf-8").strip())
        given: SecretStr | None = getattr(self, name)
        return given
