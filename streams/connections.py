"""Clients of Redis, made of the deployment's settings in one place, whatever kind of Redis it is.

A master that Sentinels name and a Cluster are reached by clients of redis-py that do what the one
for a single Redis does; the code that uses them knows no difference.
"""

from typing import Any, cast

import redis
import redis.asyncio
from redis import cluster as plain_cluster
from redis import sentinel as plain_sentinel
from redis.asyncio import sentinel as async_sentinel
from redis.asyncio.cluster import ClusterNode, ClusterPipeline
from redis.asyncio.cluster import RedisCluster as AsyncRedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.connection import HiredisRespSerializer

from schemas.connection_settings import RedisConnection
from streams.sent_together import SendsTogether

# Those that redis-py has no types for.
AsyncSentinel: Any = async_sentinel.Sentinel
Sentinel: Any = plain_sentinel.Sentinel
PlainClusterNode: Any = plain_cluster.ClusterNode

# Arguments from which on a command is put together at once; lengths of which it is known how they
# are written.
MANY_ARGUMENTS, KNOWN_LENGTHS = 20, 4_096
ANSWER_SECONDS, CONNECT_SECONDS = 30, 5
TIMES = {"socket_timeout": ANSWER_SECONDS, "socket_connect_timeout": CONNECT_SECONDS}


class Cluster(AsyncRedisCluster):
    """A client of a Cluster that sends a transaction once.

    That of redis-py sends a transaction again, and without its WATCH, where the answer was lost;
    what was executed is then executed twice. Whoever sends it knows how to find out.
    """

    def pipeline(
        self, transaction: bool | None = None, shard_hint: bool | None = None
    ) -> ClusterPipeline:
        """A pipeline, which takes over how often to try again when it is made."""
        often = self.retry
        if transaction:
            self.retry = Retry(NoBackoff(), 0)
        try:
            return super().pipeline(transaction, shard_hint)
        finally:
            self.retry = often


class SentinelRedis(redis.asyncio.Redis):
    """A client of the master that Sentinels name at each connection; it closes those to them."""

    sentinels: Any

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        """Close the connections to the master and to the Sentinels."""
        await super().aclose(close_connection_pool)
        for sentinel in self.sentinels.sentinels:
            await sentinel.aclose()


class PacksQuickly:
    """A connection that packs commands of few arguments in C, and those of very many at once.

    The packer of the client that awaits copies what it has of a command again for each argument,
    which takes longer than all else where a command has thousands; that in C takes several times as
    long as to put together what there is.
    """

    def pack_command(self, *arguments: Any) -> list[bytes]:
        """A command as the bytes to be sent."""
        if len(arguments) >= MANY_ARGUMENTS:
            try:
                return [_put_together(arguments)]
            except TypeError:
                pass  # of another kind: the library's says what it makes of it
        packed: list[bytes] = _pack(*arguments)
        return packed


def _put_together(arguments: tuple[Any, ...]) -> bytes:
    """A command in Redis's protocol. Raises TypeError where that takes more than to write it."""
    if type(arguments[0]) is not str or " " in arguments[0]:
        raise TypeError(arguments[0])  # a name of several words is several arguments
    parts = [b"*%d" % len(arguments)]
    for argument in arguments:
        kind = type(argument)
        if kind is bytes:
            text = argument
        elif kind is str:
            text = argument.encode()
        elif kind is int or kind is float:
            text = repr(argument).encode()
        else:
            raise TypeError(kind)
        length = len(text)
        parts.append(_LENGTHS[length] if length < KNOWN_LENGTHS else _length(length))
        parts.append(text)
    parts.append(b"\r\n")
    return b"".join(parts)


def _length(length: int) -> bytes:
    """What comes before an argument of so many bytes, and ends the one before."""
    return b"\r\n$%d\r\n" % length


_LENGTHS = [_length(length) for length in range(KNOWN_LENGTHS)]


_pack: Any = HiredisRespSerializer().pack


def redis_client(connection: RedisConnection) -> redis.asyncio.Redis:
    """A client, to be used as that of a single Redis is; it connects when first used."""
    client = _redis_client(connection)
    if connection.kind != "cluster":
        pool = client.connection_pool
        kinds = PacksQuickly, SendsTogether, pool.connection_class
        pool.connection_class = type("Connection", kinds, {})
    return client


def _redis_client(connection: RedisConnection) -> redis.asyncio.Redis:
    options = _options(connection)
    if connection.kind == "single":
        return redis.asyncio.Redis.from_url(connection.url.get_secret_value(), **options)
    if connection.kind == "cluster":
        nodes = [ClusterNode(*node) for node in connection.nodes]
        return cast(redis.asyncio.Redis, Cluster(startup_nodes=nodes, **options))
    sentinels = AsyncSentinel(
        connection.nodes, sentinel_kwargs=_sentinel_options(connection), **options
    )
    client = sentinels.master_for(
        connection.service, redis_class=SentinelRedis, db=connection.database
    )
    client.sentinels = sentinels
    return cast(redis.asyncio.Redis, client)


async def connect_anew(client: redis.asyncio.Redis) -> None:
    """Have all that is asked from now on be asked by new connections.

    Where a Sentinel has named another master, connections may be left to the one before, which
    takes itself for the master until it is told. A Cluster's client sees to that by itself.
    """
    pool: Any = getattr(client, "connection_pool", None)
    if pool is not None:
        await pool.update_active_connections_for_reconnect()
        await pool.disconnect(inuse_connections=False)


def plain_redis_client(connection: RedisConnection) -> redis.Redis:
    """As `redis_client`, for code that doesn't await."""
    options = _options(connection)
    if connection.kind == "single":
        return redis.Redis.from_url(connection.url.get_secret_value(), **options)
    if connection.kind == "cluster":
        nodes = [PlainClusterNode(*node) for node in connection.nodes]
        return cast(redis.Redis, plain_cluster.RedisCluster(startup_nodes=nodes, **options))
    sentinels = Sentinel(connection.nodes, sentinel_kwargs=_sentinel_options(connection), **options)
    client = sentinels.master_for(connection.service, db=connection.database)
    return cast(redis.Redis, client)


def _options(connection: RedisConnection) -> dict[str, Any]:
    options: dict[str, Any] = {**TIMES, **_tls(connection)}
    if connection.username:
        options["username"] = connection.username
    if connection.password:
        options["password"] = connection.password.get_secret_value()
    return options


def _sentinel_options(connection: RedisConnection) -> dict[str, Any]:
    options: dict[str, Any] = {
        "socket_timeout": CONNECT_SECONDS,
        "socket_connect_timeout": CONNECT_SECONDS,
        **_tls(connection),
    }
    if connection.sentinel_username:
        options["username"] = connection.sentinel_username
    if connection.sentinel_password:
        options["password"] = connection.sentinel_password.get_secret_value()
    return options


def _tls(connection: RedisConnection) -> dict[str, Any]:
    if not connection.has_tls:
        return {}
    files = {
        "ssl_ca_certs": connection.tls.ca_file,
        "ssl_certfile": connection.tls.cert_file,
        "ssl_keyfile": connection.tls.key_file,
    }
    # In a URL of its own, rediss:// says so already.
    switch = {} if connection.kind == "single" else {"ssl": True}
    return {**switch, **{name: str(path) for name, path in files.items() if path}}
