"""A `caseline worker` process, and how far it has stored."""

import json
import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from time import perf_counter, sleep

from redis import Redis

from bench.bed import PARTITIONS, Bed, BenchError
from bench.peaks import peak_memory, processor_seconds
from bench.progress import Show, unseen
from processors.rules import Rules
from schemas.events.registry import CASE_TOPIC
from schemas.settings import Settings
from streams.kafka.batches import TP
from streams.state.redis_clients import connect_redis
from streams.state.store import OFFSET, ShardStore

LINES_KEPT = 20
STOP_SECONDS = 30.0
WAIT_SECONDS = 3600.0  # for millions of events, on a machine that does other things too
LOOK_SECONDS = 0.005


class StoredOffsets:
    """The next offset stored with each partition's state; 0 before any."""

    def __init__(self, settings: Settings, rules: Rules) -> None:
        unused = connect_redis(settings)  # never connects: only names of keys are asked for
        tps = [TP(CASE_TOPIC, number) for number in range(PARTITIONS)]
        stores = [ShardStore(unused, settings.deployment, tp, rules) for tp in tps]
        self._keys = [store.head_key for store in stores]
        self._redis = Redis.from_url(settings.redis_url)

    def read(self) -> list[int]:
        """All of them, by one request."""
        with self._redis.pipeline(transaction=False) as pipe:
            for key in self._keys:
                pipe.hget(key, f"{OFFSET}{CASE_TOPIC}")
            return [int(offset or 0) for offset in pipe.execute()]

    def commits(self) -> list[bytes | None]:
        """How often each partition's state was stored; None where it never was."""
        with self._redis.pipeline(transaction=False) as pipe:
            for key in self._keys:
                pipe.hget(key, "commits")
            return list(pipe.execute())


class Worker:
    """A running worker. `began` and `taken` are moments of time.perf_counter."""

    def __init__(self, bed: Bed, settings: Settings, rules: Rules) -> None:
        self.stored = StoredOffsets(settings, rules)
        self.taken = 0.0
        self._awaited = settings.case_partitions + settings.reference_partitions
        self._is_taken, self._has_some = Event(), Event()
        self._clock: tuple[datetime, float] | None = None
        self._lines: deque[str] = deque(maxlen=LINES_KEPT)
        self.began = perf_counter()
        self._process = subprocess.Popen(
            [Path(sys.executable).with_name("caseline"), "worker"],
            cwd=bed.folder,
            env=environment_of(settings),
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = Thread(target=self._read_log, daemon=True)
        self._reader.start()

    def _read_log(self) -> None:
        assert self._process.stderr
        for line in self._process.stderr:
            self._lines.append(line)
            self._note_clock(line)
            if _message(line) == "shard taken":
                self._awaited -= 1
                self._has_some.set()
            if not self._awaited and not self.taken:
                self.taken = perf_counter()
                self._is_taken.set()

    def _note_clock(self, line: str) -> None:
        if _message(line) == "the clock is set otherwise":
            said = json.loads(line)
            passed = datetime.now(UTC) - datetime.fromisoformat(said["time"])
            at = perf_counter() - passed.total_seconds()
            self._clock = datetime.fromisoformat(said["clock"]), at

    def moment_of(self, time: datetime) -> float:
        """The moment at which its clock, set by `clock_from`, shows a time."""
        if not self._clock:
            raise BenchError("the worker's clock was not set")
        said, at = self._clock
        return at + (time - said).total_seconds()

    def check(self) -> None:
        """Make sure that it runs. Raises BenchError."""
        if self._process.poll() is not None:
            raise BenchError(f"the worker ended: {''.join(self._lines)}")

    def wait_until_taken(self) -> float:
        """Seconds from its start until it has taken all partitions with their state."""
        self._wait(self._is_taken.is_set)
        return self.taken - self.began

    @property
    def is_sharing(self) -> bool:
        """Whether it has taken any partition."""
        return self._has_some.is_set()

    def wait_until_sharing(self) -> None:
        """Wait until it has taken any partition from whoever had them."""
        self._wait(self._has_some.is_set)

    def wait_until_stored(self, total: int, show: Show = unseen) -> float:
        """The moment at which the stored offsets have reached `total` together."""

        def is_stored() -> bool:
            done = sum(self.stored.read())
            show(done)
            return done >= total

        return self._wait(is_stored)

    def _wait(self, is_done: Callable[[], bool]) -> float:
        deadline = perf_counter() + WAIT_SECONDS
        while not is_done():
            self.check()
            if perf_counter() > deadline:
                raise BenchError(f"not done in {WAIT_SECONDS:.0f} s: {''.join(self._lines)}")
            sleep(LOOK_SECONDS)
        return perf_counter()

    def peak_memory(self) -> float:
        """Its peak memory so far, in MB."""
        return peak_memory(self._process.pid)

    def processor_seconds(self) -> float:
        """The processor time that it has used so far."""
        return processor_seconds(self._process.pid)

    def stop(self) -> None:
        """Ask it to stop and wait until it has."""
        end(self._process)
        self._reader.join()


def end(process: "subprocess.Popen[str]") -> None:
    """Ask a process to end and wait until it has; it is killed if it takes too long."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def environment_of(settings: Settings) -> dict[str, str]:
    """The environment of a process that has these settings."""
    given = settings.model_dump(mode="json", exclude_defaults=True)
    return {**os.environ, **{f"CASELINE_{name.upper()}": str(it) for name, it in given.items()}}


def _message(line: str) -> str:
    try:
        return str(json.loads(line)["message"])
    except (ValueError, KeyError, TypeError):
        return ""


def one_worker_rate(bed: Bed, rules: Rules, total: int) -> float:
    """Events a second of one worker, from its partitions taken to all of them stored."""
    bed.empty_redis()
    with running_worker(bed, bed.settings(), rules) as worker:
        worker.wait_until_taken()
        return total / (worker.wait_until_stored(total) - worker.taken)


@contextmanager
def running_worker(bed: Bed, settings: Settings, rules: Rules) -> Iterator[Worker]:
    """A worker for as long as the context lasts."""
    worker = Worker(bed, settings, rules)
    try:
        yield worker
    finally:
        worker.stop()
