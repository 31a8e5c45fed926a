"""A disk of Redis, Kafka or a worker that takes no more: nothing is lost or doubled by it.

Redis's full disk is one on which no file of its process may grow beyond what it has; Kafka's is a
small one in memory, which something else fills.
"""

import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from itertools import islice
from pathlib import Path

import pytest
import redis

from examples.workload import case_events
from schemas.settings import Settings
from streams.kafka.topics import create_topics
from streams.state.redis_clients import load_rules
from tests.support.commands import Command
from tests.support.feeder import feeding
from tests.support.ports import free_ports
from tests.support.programs import program
from tests.support.redis_servers import binary, wait_for
from tests.support.servers import Server, run_services
from tests.support.topics import remove_topics
from tests.support.workers import CommandLine, assert_shown_as_replayed

pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]

TOPIC, DAY = "case-events", date(2015, 10, 31)
SMALL = 1 << 18


def messages(count: int) -> list[tuple[bytes, bytes]]:
    return list(islice(case_events(2 * count, seed=17), count))


@contextmanager
def full(pid: int, size: int = SMALL) -> Iterator[None]:
    """No file of a process grows beyond a size until the context ends, or the process does."""
    soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))
    yield
    if Path(f"/proc/{pid}").exists():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def redis_on_a_disk(folder: Path) -> Iterator[redis.Redis]:
    """A Redis that is told of a full disk by an error, as any disk tells it, and by no signal."""
    (port,) = free_ports(1)
    conf = folder / "redis.conf"
    conf.write_text(f"port {port}\ndir {folder}\nappendonly yes\nsave ''\n")
    client = redis.Redis(port=port)

    def answers() -> bool:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False

    command: list[str | Path] = ["bash", "-c", 'trap "" XFSZ; exec "$@"', "-", binary(), conf]
    with program(command, folder / "redis.log", answers):
        yield client


def test_redis_without_room_takes_no_writes_and_goes_on_by_itself_once_there_is_room(
    kafka: Server, deployment: str, tmp_path: Path
) -> None:
    remove_topics(kafka.address)
    sent = messages(6_000)
    with redis_on_a_disk(tmp_path) as there:
        port = there.connection_pool.connection_kwargs["port"]
        settings = Settings(
            kafka_bootstrap=kafka.address,
            redis_url=f"redis://127.0.0.1:{port}/0",
            deployment=deployment,
        )
        create_topics(settings)
        caseline = CommandLine(settings, load_rules(settings), tmp_path)
        with feeding(kafka.address, TOPIC, sent) as feeder, caseline.worker() as worker:
            with full(int(there.info("server")["process_id"])):
                feeder.burst(5_000).result()
                wait_for(
                    lambda: there.info("persistence")["aof_last_write_status"] == "err",
                    "Redis has no room",
                )
                said = caseline.run("doctor", code=4).stdout
                assert "it cannot save (aof_last_write_status: err)" in " ".join(said.split())
                worker.check()
            feeder.burst().result()
            caseline.wait_for_the_end([worker])
            assert "Nothing wrong" in caseline.run("doctor").stdout
        assert_shown_as_replayed(caseline, sent, DAY)
        assert caseline.tally("messages") == len(sent)


def test_a_worker_with_no_room_for_its_log_goes_on_without_one(
    caseline: CommandLine, kafka: Server
) -> None:
    sent = messages(600)
    no_room = Path("/dev/full")  # where whatever is written finds a full disk
    worker = Command(["worker"], caseline.folder, caseline.environment(), no_room)
    try:
        with feeding(kafka.address, TOPIC, sent) as feeder:
            feeder.burst().result()
        caseline.wait_for_the_end()
        assert worker.poll() is None
    finally:
        worker.kill()
        worker.wait()
    assert_shown_as_replayed(caseline, sent, DAY)
    assert caseline.tally("messages") == len(sent)


@contextmanager
def kafka_on_a_small_disk(folder: Path) -> Iterator[Server]:
    """A Kafka whose logs lie on a disk of their own; skips the test where none may be mounted."""
    disk = folder / "kafka"
    disk.mkdir(parents=True)
    mounting = ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(disk)]
    done = subprocess.run(mounting, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no disk may be mounted here, as only root may: {done.stderr.strip()}")
    try:
        kafka = Server("kafka", "", folder)
        kafka.start()
        ports = dict(line.split("=") for line in (folder / "ports").read_text().split())
        kafka.address = f"127.0.0.1:{ports['kafka']}"
        yield kafka
    finally:
        run_services("kafka-kill", folder)
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """Take all the room there is on a disk; the file that does."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as stream, suppress(OSError):
        while stream.write(bytes(1 << 12)):
            pass
    return filler


def is_over(pid: int) -> bool:
    """Whether a process has ended, also one that nobody has asked how."""
    try:
        return not Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return True


def test_a_kafka_without_room_gives_up_and_all_goes_on_once_there_is_room_and_it_is_started(
    redis_server: Server, deployment: str, tmp_path: Path
) -> None:
    sent = messages(6_000)
    with kafka_on_a_small_disk(tmp_path / "services") as kafka:
        settings = Settings(
            kafka_bootstrap=kafka.address, redis_url=redis_server.address, deployment=deployment
        )
        create_topics(settings)
        caseline = CommandLine(settings, load_rules(settings), tmp_path)
        with feeding(kafka.address, TOPIC, sent) as feeder, caseline.worker() as worker:
            feeder.burst(2_000).result()
            caseline.wait_for_the_end([worker])
            filler = fill(kafka.folder / "kafka")
            burst = feeder.burst(2_000)
            pid = int((kafka.folder / "kafka.pid").read_text())
            wait_for(lambda: is_over(pid), "Kafka has given up")
            said = caseline.run("doctor", code=4).stdout
            assert f"wrong Kafka {kafka.address} does not answer" in " ".join(said.split())
            worker.check()
            filler.unlink()
            kafka.start()
            burst.result()
            feeder.burst().result()
            caseline.wait_for_the_end([worker])
            assert "Nothing wrong" in caseline.run("doctor").stdout
        assert_shown_as_replayed(caseline, sent, DAY)
        assert caseline.tally("messages") == len(sent)
