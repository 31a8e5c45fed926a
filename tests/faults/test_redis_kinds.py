"""A worker on every kind of Redis: by TLS and ACL, a Cluster that moves a slot, a failover."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import RedisError

from examples.workload import case_events
from processors.rules import Rules
from schemas.settings import Settings
from streams.connections import redis_client
from streams.kafka.topics import create_topics
from tests.support.feeder import feeding
from tests.support.one_connection_worker import NAME
from tests.support.redis_servers import (
    READER,
    SECRET,
    Cluster,
    Watched,
    redis_cluster,
    tls_redis,
    wait_for,
    watched_redis,
)
from tests.support.servers import Server
from tests.support.topics import remove_topics
from tests.support.workers import CommandLine, assert_shown_as_replayed

pytestmark = [pytest.mark.services, pytest.mark.long]

TOPIC, DAY = "case-events", date(2015, 10, 31)
BURST = 1_500
ONE_CONNECTION_WORKER = Path(__file__).parents[1] / "support/one_connection_worker.py"
On = Callable[..., CommandLine]


@pytest.fixture
def on(kafka: Server, deployment: str, rules: Rules, tmp_path: Path) -> On:
    """The command line of a deployment with another Redis."""

    def made(**settings: Any) -> CommandLine:
        remove_topics(kafka.address)
        chosen = Settings(
            kafka_bootstrap=kafka.address,
            deployment=deployment,
            case_partitions=4,
            alert_calm_seconds=0,
            **settings,
        )
        create_topics(chosen)
        return CommandLine(chosen, rules, tmp_path)

    return made


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with redis_cluster(tmp_path) as it:
        yield it


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with watched_redis(tmp_path) as it:
        yield it


def messages(count: int) -> list[tuple[bytes, bytes]]:
    return list(islice(case_events(count + 500, seed=5), count))


def assert_rebuilt_the_same(caseline: CommandLine) -> None:
    before = caseline.rows(DAY)
    caseline.run("rebuild", "--yes")
    assert caseline.rows(DAY) == before


def test_by_tls_and_with_the_documented_users_it_works_and_shows_no_secret(
    on: On, tmp_path: Path
) -> None:
    sent = messages(BURST)
    with tls_redis(tmp_path) as settings:
        caseline = on(**settings)
        with (
            feeding(caseline.settings.kafka_bootstrap, TOPIC, sent) as feeder,
            caseline.worker() as worker,
        ):
            feeder.burst(BURST).result()
            caseline.wait_for_the_end([worker])
            doctor = caseline.run("doctor")
        assert_shown_as_replayed(caseline, sent, DAY)
        caseline.run("alerts", "run", "--once")
        assert_rebuilt_the_same(caseline)
        assert "Nothing wrong" in doctor.stdout
        assert SECRET not in worker.text + doctor.stdout
        shown = ("scorecard", "--as-of", f"{DAY}", "--format", "csv")
        reading: dict[str, Any] = {"redis_username": READER}
        assert caseline.run(*shown, **reading).stdout == caseline.run(*shown).stdout
        for command in (["trend", "EH01"], ["quality"], ["doctor"]):
            caseline.run(*command, **reading)
        assert "Redis: " in caseline.run("rebuild", "--yes", code=1, **reading).stderr
        caseline.run(*shown)
        refused = caseline.run("scorecard", code=1, redis_password="another")
        assert "WRONGPASS" in refused.stderr
        assert "another" not in refused.stderr


def test_on_a_cluster_nothing_is_lost_when_a_slot_moves_under_load(
    on: On, cluster: Cluster
) -> None:
    sent = messages(3 * BURST)
    caseline = on(redis_url=cluster.url)
    deployment = caseline.settings.deployment
    with (
        feeding(caseline.settings.kafka_bootstrap, TOPIC, sent) as feeder,
        caseline.worker() as worker,
    ):
        feeder.burst(BURST).result()
        caseline.wait_for_the_end([worker])
        burst = feeder.burst(BURST)
        for partition in range(4):
            cluster.move_slots_of(f"caseline:{{{deployment}:{TOPIC}:{partition}}}:head")
        burst.result()
        feeder.burst(BURST).result()
        caseline.wait_for_the_end([worker])
        doctor = caseline.run("doctor")
    assert "Nothing wrong" in doctor.stdout
    assert sum(cluster.keys()) > max(cluster.keys())
    assert_shown_as_replayed(caseline, sent, DAY)
    caseline.run("alerts", "run", "--once")
    assert_rebuilt_the_same(caseline)
    caseline.run("quality", "--format", "csv")
    assert caseline.tally("messages") == len(sent)


def test_after_a_failover_under_load_the_state_is_that_of_the_log(on: On, watched: Watched) -> None:
    sent = messages(4 * BURST)
    caseline = on(**watched.settings)
    with (
        feeding(caseline.settings.kafka_bootstrap, TOPIC, sent) as feeder,
        caseline.worker() as worker,
    ):
        feeder.burst(BURST).result()
        caseline.wait_for_the_end([worker])
        before = watched.master()
        burst = feeder.burst(2 * BURST)
        process = watched.servers[before]
        process.shutdown(nosave=True)
        burst.result()
        wait_for(lambda: watched.master() != before, "the Sentinels name the replica")
        feeder.burst(BURST).result()
        caseline.wait_for_the_end([worker])
        doctor = caseline.run("doctor")
    assert "Nothing wrong" in doctor.stdout
    assert_shown_as_replayed(caseline, sent, DAY)
    assert caseline.tally("messages") == len(sent)
    assert SECRET not in worker.text + doctor.stdout


def test_after_a_master_was_paused_and_came_back_the_state_is_that_of_the_log(
    on: On, watched: Watched
) -> None:
    """It was paused for longer than Sentinels wait, and answers as before until it is told."""
    sent = messages(4 * BURST)
    caseline = on(**watched.settings, records_in_memory=1_000)
    with (
        feeding(caseline.settings.kafka_bootstrap, TOPIC, sent) as feeder,
        caseline.worker() as worker,
    ):
        feeder.burst(BURST).result()
        caseline.wait_for_the_end([worker])
        before = watched.master()
        burst = feeder.burst(BURST)
        pid = watched.servers[before].info("server")["process_id"]
        os.kill(pid, signal.SIGSTOP)
        try:
            wait_for(lambda: watched.master() != before, "the Sentinels name the replica")
            feeder.burst(BURST).result()
        finally:
            os.kill(pid, signal.SIGCONT)
        burst.result()
        wait_for(watched.is_whole, "the old master follows the new one")
        feeder.burst().result()
        caseline.wait_for_the_end([worker])
        doctor = caseline.run("doctor")
    assert "Nothing wrong" in doctor.stdout
    assert_shown_as_replayed(caseline, sent, DAY)
    assert caseline.tally("messages") == len(sent)


def test_an_old_master_that_still_answers_is_not_taken_for_the_new_one(
    on: On, watched: Watched
) -> None:
    """The connection by which records are read was in use when all others came to the new one."""
    size = 300
    sent = messages(4 * size)
    caseline = on(**watched.settings, session_timeout=60)
    with (
        feeding(caseline.settings.kafka_bootstrap, TOPIC, sent) as feeder,
        caseline.worker(launcher=[sys.executable, ONE_CONNECTION_WORKER]) as worker,
    ):
        for _ in range(2):
            feeder.burst(size).result()
            caseline.wait_for_the_end([worker])
        worker.pause()
        with watched.two_masters() as old:
            assert NAME in left_alone(old, NAME)
            worker.resume()
            for _ in range(2):
                feeder.burst(size).result()
                caseline.wait_for_the_end([worker])
            assert NAME not in [it["name"] for it in old.client_list()]
        assert "the state stands elsewhere" in worker.text
        doctor = caseline.run("doctor")
    assert "Nothing wrong" in doctor.stdout
    assert_shown_as_replayed(caseline, sent, DAY)
    assert caseline.tally("messages") == len(sent)


def left_alone(server: Any, name: str) -> list[str]:
    """Break a server's connections to clients but for those of a name, and those of Sentinels."""
    left = list[str]()
    for it in server.client_list(_type="normal"):
        if it["name"] == name or it["name"].startswith("sentinel-"):
            left.append(it["name"])
        elif it["id"] != str(server.client_id()):
            server.client_kill_filter(_id=it["id"])
    return left


def test_a_transaction_that_a_cluster_does_not_answer_is_not_sent_again(cluster: Cluster) -> None:
    pid = cluster.nodes[-1].info("server")["process_id"]  # of the one that has the key's slot

    async def append() -> None:
        client: Any = redis_client(Settings(redis_url=cluster.url).redis)
        async with client.pipeline(transaction=True) as pipe:
            await pipe.watch("key")
            pipe.multi()
            pipe.append("key", "once")
            os.kill(pid, signal.SIGSTOP)
            executing = asyncio.create_task(pipe.execute())
            await asyncio.sleep(0.5)  # it waits for the answer now; where not, nothing is written
            await client.aclose()  # as whoever else uses the client does on an error
            os.kill(pid, signal.SIGCONT)
            with pytest.raises((RedisError, OSError)):
                await executing
        assert await client.get("key") in {b"once", None}
        await client.aclose()

    asyncio.run(append())
