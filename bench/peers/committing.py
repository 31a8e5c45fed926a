"""Contestants that commit what they have counted: from the first event to the last commit."""

import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, perf_counter, sleep
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition

from bench.bed import PARTITIONS, ROOT, Bed, BenchError
from bench.workers import STOP_SECONDS, end
from schemas.events.registry import CASE_TOPIC

SCRIPT = ROOT / "scripts" / "peers"
JAVA = Path(__file__).with_name("KafkaStreamsCount.java")
EXACTLY_ONCE, AT_LEAST_ONCE = "exactly once", "at least once"
STREAMS_GUARANTEES = {EXACTLY_ONCE: "exactly_once_v2", AT_LEAST_ONCE: "at_least_once"}
QUIX_GUARANTEES = {EXACTLY_ONCE: "exactly-once", AT_LEAST_ONCE: "at-least-once"}
MOST_SECONDS = 300.0
ASK_SECONDS = 10
LOOK_SECONDS = 0.02

# The command that counts in a group, given the group and a folder for state.
Command = Callable[[str, str], list[str]]


def install() -> dict[str, str]:
    """Where the peers lie: `jars` of Kafka Streams, packages of `quix`. Raises BenchError."""
    done = subprocess.run([SCRIPT], capture_output=True, stdin=subprocess.DEVNULL, text=True)
    if done.returncode:
        raise BenchError(f"scripts/peers: {done.stderr.strip()}")
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


def kafka_streams(bed: Bed, where: dict[str, str], total: int, guarantee: str) -> float:
    """Events a second of Kafka Streams."""
    program = ["java", "-cp", f"{where['jars']}/*", str(JAVA), bed.brokers, CASE_TOPIC]
    kind = STREAMS_GUARANTEES[guarantee]
    return _rate(bed, total, lambda group, folder: [*program, group, folder, kind])


def quix(bed: Bed, where: dict[str, str], total: int, guarantee: str) -> float:
    """Events a second of Quix Streams."""
    python = ["env", f"PYTHONPATH={where['quix']}", sys.executable]
    program = [*python, "-m", "bench.peers.quix_count", bed.brokers, CASE_TOPIC]
    kind = QUIX_GUARANTEES[guarantee]
    return _rate(bed, total, lambda group, _: [*program, group, str(total), kind])


def _rate(bed: Bed, total: int, command: Command) -> float:
    group = f"peer-{uuid.uuid4().hex[:8]}"
    with tempfile.TemporaryDirectory() as folder, _running(command(group, folder)) as process:
        assert process.stdout
        if process.stdout.readline().strip() != "counting":
            process.wait(STOP_SECONDS)
            raise BenchError(f"{process.args!r} ended before it counted")
        began = perf_counter()
        _wait_until_committed(bed, group, total, process)
        return total / (perf_counter() - began)


@contextmanager
def _running(command: list[str]) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=sys.stderr, text=True
    )
    try:
        yield process
    finally:
        end(process)


def _wait_until_committed(
    bed: Bed, group: str, total: int, process: "subprocess.Popen[str]"
) -> None:
    deadline = monotonic() + MOST_SECONDS
    asked = Consumer({"bootstrap.servers": bed.brokers, "group.id": group})
    pairs = [TopicPartition(CASE_TOPIC, number) for number in range(PARTITIONS)]
    try:
        while _committed(asked, pairs) < total:
            if process.poll():
                raise BenchError(f"{process.args!r} ended with exit code {process.returncode}")
            if monotonic() > deadline:
                raise BenchError(f"{process.args!r}: not done in {MOST_SECONDS:.0f} s")
            sleep(LOOK_SECONDS)
    finally:
        asked.close()


def _committed(asked: Consumer, pairs: list[Any]) -> int:
    """The offsets of the group together; where there is none yet Kafka says a negative one."""
    try:
        return sum(max(0, pair.offset) for pair in asked.committed(pairs, timeout=ASK_SECONDS))
    except KafkaException as error:
        if not error.args[0].retriable():
            raise
        return 0  # such as that the group's coordinator is only being found
