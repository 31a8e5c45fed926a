"""How Kafka and Redis are reached: what every client of the code is built from, and no client.

Passwords are secrets of pydantic, which show as asterisks wherever they get to.
"""

import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple, Self
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import SecretStr

KafkaProtocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
SaslMechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"]
SENTINEL, CLUSTER = "+sentinel", "+cluster"
SCHEMES = (
    *("redis", "rediss", "unix"),
    *(f"{scheme}{kind}" for kind in (SENTINEL, CLUSTER) for scheme in ("redis", "rediss")),
)
SENTINEL_PORT, REDIS_PORT = 26379, 6379
# What a URL of Redis may say of who connects.
URL_SECRETS = {"username", "password"}
# And what else of a single Redis, as redis-py reads it: names, those with a number, those of TLS.
URL_NAMES = URL_SECRETS | {"client_name", "socket_keepalive", "retry_on_timeout"}
URL_NUMBERS = {
    *("db", "socket_timeout", "socket_connect_timeout", "socket_read_size"),
    *("health_check_interval", "max_connections", "protocol"),
}
URL_OF_TLS = {
    *("ssl_ca_certs", "ssl_ca_path", "ssl_cert_reqs", "ssl_certfile", "ssl_keyfile"),
    *("ssl_password", "ssl_check_hostname", "ssl_ciphers"),
}


@dataclass(frozen=True)
class Tls:
    """Whose certificate is believed, the system's authorities if unset, and whose is shown."""

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    key_password: SecretStr | None = None
    check_hostname: bool = True

    def context(self) -> ssl.SSLContext:
        """What Python's clients connect with. Raises OSError for files that cannot be read."""
        context = ssl.create_default_context(cafile=self.ca_file)
        context.check_hostname = self.check_hostname
        if self.cert_file:
            password = self.key_password.get_secret_value() if self.key_password else None
            context.load_cert_chain(self.cert_file, self.key_file, password)
        return context


@dataclass(frozen=True)
class KafkaConnection:
    """Brokers, and how they are reached; shown as its brokers alone."""

    bootstrap: str
    protocol: KafkaProtocol = "PLAINTEXT"
    mechanism: SaslMechanism | None = None
    username: str | None = None
    password: SecretStr | None = None
    token_file: Path | None = None
    tls: Tls = field(default_factory=Tls)

    @classmethod
    def of(cls, brokers: "Brokers") -> "KafkaConnection":
        """Brokers given by their addresses alone are reached in the clear."""
        return brokers if isinstance(brokers, KafkaConnection) else cls(brokers)

    def __str__(self) -> str:
        return self.bootstrap

    @property
    def servers(self) -> list[str]:
        """Each broker, host:port."""
        return [server.strip() for server in self.bootstrap.split(",")]

    @property
    def has_tls(self) -> bool:
        """Whether what is sent is encrypted."""
        return self.protocol.endswith("SSL")

    @property
    def has_sasl(self) -> bool:
        """Whether the client says who it is by SASL."""
        return self.protocol.startswith("SASL")

    def token(self) -> str:
        """The present token of OAUTHBEARER. Raises OSError."""
        return self.token_file.read_text("utf-8").strip() if self.token_file else ""


Brokers = str | KafkaConnection


class Node(NamedTuple):
    """Where a server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class _UrlParts(NamedTuple):
    """What of a URL is where (RFC 3986, section 3).

    Not by `urlsplit`, which takes no list of servers where one after the first is in brackets: that
    is no URL of one server.
    """

    authority: str
    path: str
    query: str

    @classmethod
    def of(cls, url: str) -> Self:
        """The parts of a URL that has a scheme."""
        whole = url.partition("://")[2].partition("#")[0]
        before, _, query = whole.partition("?")
        authority, slash, path = before.partition("/")
        return cls(authority, f"{slash}{path}", query)


class WrongUrl(ValueError):  # noqa: N818 - named for the condition
    """A URL of Redis that says too little or too much; the text doesn't show it."""


@dataclass(frozen=True)
class RedisConnection:
    """A Redis, the master that Sentinels name, or a Cluster; shown without any secret.

    `url` is what redis-py reads of a single Redis; `nodes` are Sentinels, or some of a Cluster.
    """

    shown: str
    url: SecretStr
    kind: Literal["single", "sentinel", "cluster"] = "single"
    nodes: tuple[Node, ...] = ()
    service: str = ""
    database: int = 0
    has_tls: bool = False
    username: str | None = None
    password: SecretStr | None = None
    sentinel_username: str | None = None
    sentinel_password: SecretStr | None = None
    tls: Tls = field(default_factory=Tls)

    @classmethod
    def parsed(cls, url: str) -> Self:
        """What a URL says. Raises WrongUrl.

        redis://host:6379/0, rediss:// (TLS), unix:///path,
        redis+sentinel://host:26379,host:26379/service/0, redis+cluster://host:6379,host:6379
        """
        scheme = url.partition("://")[0]
        if scheme not in SCHEMES:
            raise WrongUrl(f"must begin with one of {', '.join(f'{it}://' for it in SCHEMES)}")
        parts = _UrlParts.of(url)
        plain, kind = scheme.partition("+")[0], scheme.partition("+")[2]
        user, _, hosts = parts.authority.rpartition("@")
        shown = f"{scheme}://{hosts}{parts.path}"
        if not kind:
            _check_query(plain, parts.query)
            if plain != "unix":
                _check_server(url, parts.path)
            return cls(shown, SecretStr(url), has_tls=plain == "rediss")
        if parts.query:
            raise WrongUrl(f"{scheme}:// takes no query: there is a setting for each thing")
        port = SENTINEL_PORT if kind == "sentinel" else REDIS_PORT
        name, _, password = user.partition(":")
        service, _, database = parts.path.strip("/").partition("/")
        if kind == "sentinel" and not service:
            raise WrongUrl("redis+sentinel:// needs the name of the service: .../mymaster/0")
        if kind == "cluster" and service not in {"", "0"}:
            raise WrongUrl("a Redis Cluster has no database but 0")
        if not (database or "0").isdigit():
            raise WrongUrl("a database of Redis is a number")
        return cls(
            shown,
            SecretStr(url),
            kind="sentinel" if kind == "sentinel" else "cluster",
            nodes=tuple(_node(it, port) for it in hosts.split(",")),
            service=service if kind == "sentinel" else "",
            database=int(database or 0),
            has_tls=plain == "rediss",
            username=unquote(name) or None,
            password=SecretStr(unquote(password)) if password else None,
        )

    @property
    def has_password(self) -> bool:
        """Whether the URL holds a user or a password."""
        parts = _UrlParts.of(self.url.get_secret_value())
        return "@" in parts.authority or bool(URL_SECRETS & parse_qs(parts.query).keys())

    def __str__(self) -> str:
        return self.shown


def _check_query(scheme: str, query: str) -> None:
    """Raises WrongUrl for what a client of a single Redis would not take after `?`.

    It is not named: it may be part of a password.
    """
    asked = parse_qs(query)
    allowed = URL_NAMES | URL_NUMBERS | (URL_OF_TLS if scheme == "rediss" else set())
    if asked.keys() - allowed:
        raise WrongUrl(
            f"after `?` {scheme}:// takes {', '.join(sorted(allowed))}, and nothing else"
        )
    for name in sorted(asked.keys() & URL_NUMBERS):
        seconds = r"(\.\d+)?" if name.endswith("timeout") else ""
        if not re.fullmatch(rf"\d+{seconds}", asked[name][0]):
            raise WrongUrl(f"{name} is a {'number' if seconds else 'whole number'}")


def _check_server(url: str, path: str) -> None:
    """Raises WrongUrl for what a client would take for another server or database, or none."""
    try:
        _ = urlsplit(url).port
    except ValueError as error:
        raise WrongUrl("is no address of a server, such as redis://host:6379/0") from error
    if not (path.strip("/") or "0").isdigit():
        raise WrongUrl("a database of Redis is a number")


def _node(text: str, port: int) -> Node:
    host, colon, given = text.strip().rpartition(":")
    if not colon or text.endswith("]"):
        host, given = text.strip(), str(port)
    if not host or not given.isdigit():
        raise WrongUrl("servers are host:port,host:port")
    return Node(host.strip("[]"), int(given))
