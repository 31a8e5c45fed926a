"""What delivery keeps and takes at a time is bounded, however long it runs and much there is."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Connection, ConnectionPool, Redis

from schemas.events.registry import CASE_TOPIC
from schemas.settings import Settings
from streams.alerts.delivery.receiver_state import (
    FORGET_SECONDS,
    FORGOTTEN_AT_ONCE,
    KEPT_SECONDS,
    ReceiverState,
    WentBack,
)
from streams.alerts.elected_jobs import TROUBLE
from streams.alerts.topic.publisher import MOST_AT_ONCE, AlertPublisher, Outboxes
from streams.state.reading import partitions_key
from streams.state.replicas import NotReplicated, Replicas
from tests.support.alerting import change, keys, receivers_file, recording, tell, webhook
from tests.support.inbox import Inbox, serving
from tests.support.ports import free_ports
from tests.support.redis_servers import server, wait_for
from tests.support.servers import Server
from tests.support.workers import CommandLine

pytestmark = pytest.mark.services

NOW = 1_500_000_000.0
OLD = FORGOTTEN_AT_ONCE + 500


def on_redis(server: Server, work: Callable[[Any], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        async with Redis.from_url(server.address) as redis:
            await work(redis)

    asyncio.run(run())


def test_what_has_long_been_over_is_forgotten_while_a_process_runs(
    redis_server: Server, deployment: str
) -> None:
    async def work(redis: Any) -> None:
        state = ReceiverState(redis, deployment, "hook", 1)
        await state.take_over()
        over = {f"old-{number}": NOW - KEPT_SECONDS - 1 for number in range(OLD)}
        over |= {f"new-{number}": NOW - KEPT_SECONDS + FORGET_SECONDS / 2 for number in range(10)}
        await redis.zadd(state.key("over"), over)
        await redis.hset(state.key("versions"), mapping=dict.fromkeys(over, 3))

        async def kept() -> int:
            count: int = await redis.hlen(state.key("versions"))
            assert count == await redis.zcard(state.key("over"))
            return count

        await state.forget(NOW)
        assert await kept() == OLD - FORGOTTEN_AT_ONCE + 10
        await state.forget(NOW)
        assert await kept() == 10
        await state.forget(NOW + FORGET_SECONDS - 1)  # looks only now and then
        assert await kept() == 10
        await state.forget(NOW + FORGET_SECONDS)
        assert await kept() == 0

    on_redis(redis_server, work)


def test_what_redis_has_lost_of_a_receiver_passes_and_it_begins_again(
    redis_server: Server, deployment: str
) -> None:
    async def work(redis: Any) -> None:
        state = ReceiverState(redis, deployment, "hook", 1)
        await state.take_over()
        with pytest.raises(WentBack):
            await state.begun()
        await state.write(lambda pipe: state.queue_fields(pipe, {"next": 7}))
        assert (await state.begun())["next"] == "7"

    on_redis(redis_server, work)
    assert issubclass(WentBack, TROUBLE)


def unpublished(redis: Any, url: str, deployment: str) -> Outboxes:
    """The outboxes of a deployment, with a Kafka that is nowhere."""
    key = f"caseline:{{{deployment}}}:alerts:replicated"
    replicas = Replicas(redis, Settings(redis_url=url).redis, key)
    return Outboxes(redis, deployment, AlertPublisher("nowhere", deployment), replicas)


def test_no_more_is_published_in_one_transaction_than_a_producer_takes(
    redis_server: Server, deployment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    partitions, each = 50, 500
    taken: list[int] = []
    monkeypatch.setattr(AlertPublisher, "publish", lambda _, changes: taken.append(len(changes)))

    async def work(redis: Any) -> None:
        names = [f"{CASE_TOPIC}:{number}" for number in range(partitions)]
        await redis.sadd(partitions_key(deployment), *names)
        text = change().model_dump_json()
        async with redis.pipeline(transaction=False) as pipe:
            for name in names:
                for _ in range(each):
                    pipe.xadd(f"caseline:{{{deployment}:{name}}}:alerts:outbox", {"change": text})
            await pipe.execute()
        outboxes = unpublished(redis, redis_server.address, deployment)
        while await outboxes.turn():
            pass

    on_redis(redis_server, work)
    assert sum(taken) == partitions * each
    assert max(taken) <= MOST_AT_ONCE


def test_nothing_is_published_that_a_replica_lacks_which_may_take_over(
    deployment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []
    monkeypatch.setattr(AlertPublisher, "publish", lambda _, changes: taken.append(len(changes)))
    first, second = free_ports(2)
    url = f"redis://127.0.0.1:{first}/0"

    async def work(redis: Any) -> None:
        key = f"caseline:{{{deployment}}}:alerts:outbox"
        outboxes = unpublished(redis, url, deployment)
        os.kill(pid, signal.SIGSTOP)
        try:
            await redis.xadd(key, {"change": change().model_dump_json()})
            with pytest.raises(NotReplicated):
                await outboxes.turn()
            assert not taken
        finally:
            os.kill(pid, signal.SIGCONT)
        wait_for(lambda: replica.xlen(key), "the replica follows")
        assert await outboxes.turn()
        assert taken == [1]

    follows = (f"replicaof 127.0.0.1 {first}", "repl-diskless-sync-delay 0")
    with server(tmp_path, first), server(tmp_path, second, *follows) as replica:
        wait_for(lambda: replica.info()["master_link_status"] == "up", "the replica follows")
        pid = int(replica.info()["process_id"])
        on_redis(Server("redis", url, tmp_path), work)


@pytest.mark.usefixtures("hook_secret")
def test_a_receiver_is_told_nothing_that_a_replica_lacks_which_may_take_over(
    caseline: CommandLine, tmp_path: Path
) -> None:
    """A master that does not know what was told would never tell of its end."""
    first, second = free_ports(2)
    follows = (f"replicaof 127.0.0.1 {first}", "repl-diskless-sync-delay 0")
    settings = caseline.settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{first}/0"})
    followed = CommandLine(settings, caseline.rules, tmp_path)
    with (
        serving(Inbox()) as inbox,
        server(tmp_path, first),
        server(tmp_path, second, *follows) as replica,
        recording(followed) as recorder,
    ):
        wait_for(lambda: replica.info()["master_link_status"] == "up", "the replica follows")
        path = receivers_file(tmp_path, webhook("hook", inbox.url))
        recorder.record(change())
        pid = int(replica.info()["process_id"])
        os.kill(pid, signal.SIGSTOP)
        try:
            with pytest.raises(NotReplicated):
                tell(followed, path)
            assert not inbox.told
        finally:
            os.kill(pid, signal.SIGCONT)
        tell(followed, path)
        assert inbox.told == keys([change()])


class Moving(ConnectionPool):
    """The connections of a client whose master moves: the first few go to one, the rest to another.

    So has a client of Sentinels, whose connections are many and are made anew one by one.
    """

    def __init__(self, ports: tuple[int, int], first: int) -> None:
        super().__init__(host="127.0.0.1")
        self._ports, self._left = ports, first

    async def get_connection(self, *_: object, **__: object) -> Any:
        self._left -= 1
        connection = Connection(host="127.0.0.1", port=self._ports[self._left < 0])
        await connection.connect()  # type: ignore[no-untyped-call]
        return connection

    async def release(self, connection: Any) -> None:
        await connection.disconnect()


def test_a_new_master_confirms_nothing_that_only_the_old_one_has(
    deployment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []
    monkeypatch.setattr(AlertPublisher, "publish", lambda _, changes: taken.append(len(changes)))
    old, new, replica = free_ports(3)
    url = f"redis://127.0.0.1:{old}/0"
    key = f"caseline:{{{deployment}}}:alerts:outbox"

    async def work() -> None:
        async with Redis.from_url(url) as redis:
            await redis.xadd(key, {"change": change().model_dump_json()})
        async with Redis(connection_pool=Moving((old, new), first=2)) as moved:
            outboxes = unpublished(moved, url, deployment)
            assert not await outboxes.turn()
            assert not await outboxes.turn()
        assert not taken

    follows = (f"replicaof 127.0.0.1 {new}", "repl-diskless-sync-delay 0")
    with (
        server(tmp_path, old),
        server(tmp_path, new),
        server(tmp_path, replica, *follows) as following,
    ):
        wait_for(lambda: following.info()["master_link_status"] == "up", "the replica follows")
        asyncio.run(work())


def test_a_master_that_has_just_taken_over_is_given_time_for_a_replica(
    deployment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though there was none for long before: the old master may take over again, without."""
    monkeypatch.setattr("streams.state.replicas.PATIENCE", 0.0)
    monkeypatch.setattr("streams.state.replicas.WAIT_MS", 1)
    first, second = free_ports(2)
    watched = Settings(redis_url=f"redis+sentinel://127.0.0.1:{first}/kent/0").redis

    async def work() -> None:
        async with Redis(connection_pool=Moving((first, second), first=4)) as moved:
            replicas = Replicas(moved, watched, f"caseline:{{{deployment}}}:alerts:replicated")
            with pytest.raises(NotReplicated):
                await replicas.read(lambda pipe: pipe.ping())
            assert await replicas.read(lambda pipe: pipe.ping()) == [True]
            with pytest.raises(NotReplicated):
                await replicas.read(lambda pipe: pipe.ping())

    with server(tmp_path, first), server(tmp_path, second):
        asyncio.run(work())
