"""Workers and tellers of one deployment, and the faults that befall them and their services."""

import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

import redis

from tests.chaos.redis_pair import RedisPair
from tests.chaos.traffic import Traffic
from tests.support.commands import COMMAND
from tests.support.inbox import Answer, Inbox
from tests.support.servers import Server
from tests.support.workers import CommandLine, RunningWorker

WORKERS, TELLERS = 2, 2
# Longer than the session of a worker, so that its partitions are given to another meanwhile.
PAUSE_SECONDS = 3.0
# For how long a fault lasts, of those that last.
LASTS = (0.5, 2.0)
# Shorter and longer than Sentinels wait: after the longer one two masters answer for a while.
REDIS_PAUSES = (0.5, 4.0)
BETWEEN = (0.1, 0.5)
FAILED, BUSY = Answer(500, is_taken=False), Answer(503, {"retry-after": "0"}, is_taken=False)
TAKEN_UNSAID = Answer(500)
# Commands that only look, and may fail while a service is away, but never with a traceback.
LOOKS = (("doctor",), ("scorecard",), ("alerts", "list", "--limit", "5"), ("quality",))
# How a month is asked for the first time.
FIRST = ("--kind", "first")


class Asked(NamedTuple):
    """A command that was begun."""

    arguments: tuple[str, ...]
    process: "subprocess.Popen[bytes]"
    said: Path


@dataclass
class Crew:
    """All that runs, and what has happened to it so far."""

    caseline: CommandLine
    kafka: Server
    pair: RedisPair
    traffic: Traffic
    inbox: Inbox
    rng: random.Random
    say: Callable[[str], None]
    stack: ExitStack
    period: str
    workers: list[RunningWorker] = field(default_factory=list)
    tellers: list[RunningWorker] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    at_work: Counter[str] = field(default_factory=Counter)
    codes: Counter[tuple[str, int]] = field(default_factory=Counter)
    revisions: int = 0

    def begin(self) -> None:
        """Hire everyone."""
        self.workers = [self._worker() for _ in range(WORKERS)]
        self.tellers = [self._teller() for _ in range(TELLERS)]

    def _worker(self) -> RunningWorker:
        return self.stack.enter_context(self.caseline.worker())

    def _teller(self) -> RunningWorker:
        return self.stack.enter_context(self.caseline.worker("alerts", "run"))

    # -- what befalls them -----------------------------------------------------------------------

    def faults(self) -> dict[str, Callable[[], object]]:
        """Every kind of fault, by its name."""
        return {
            "worker killed": self.kill_worker,
            "worker paused past its session": self.pause_worker,
            "worker added and one stopped": self.rebalance,
            "teller killed": self.kill_teller,
            "transaction aborted": partial(self.transact, is_to_count=False),
            "transaction held open, then committed": partial(self.transact, is_to_count=True),
            "events repeated": self.traffic.repeat,
            "poison": self.traffic.poison,
            "Redis full": partial(self.redis_refuses, maxmemory=1),
            "Redis read-only": partial(self.redis_refuses, min_replicas_to_write=5),
            "Redis paused": self.pause_redis,
            "Redis killed, its replica takes over": self.pair.kill_master,
            "Redis handed over": self.pair.hand_over,
            "broker stopped or killed": self.restart_broker,
            "broker paused": self.pause_broker,
            "receiver failing": self.fail_receiver,
            "month frozen": self.freeze,
            "somebody looks": self.look,
        }

    def strike(self, name: str) -> None:
        """Cause a fault, and see to it that everyone who died is replaced."""
        is_at_work = self.behind() > 0
        self.say(f"{name}{' (messages wait)' if is_at_work else ''}")
        self.faults()[name]()
        self.done[name] += 1
        self.at_work[name] += is_at_work
        self.replace_the_dead()
        self.collect()

    def behind(self) -> int:
        """How many messages are known to wait; 0 where nothing answers."""
        with suppress(redis.RedisError, OSError):
            stored = self.caseline.offsets()
            return max(0, self.traffic.sent - sum(stored.values()))
        return 0

    def kill_worker(self) -> None:
        _kill(self.rng.choice(self.workers))

    def kill_teller(self) -> None:
        _kill(self.rng.choice(self.tellers))

    def pause_worker(self) -> None:
        worker = self.rng.choice(self.workers)
        worker.pause()
        try:
            time.sleep(PAUSE_SECONDS)
            if self.rng.random() < 0.3:
                self.rng.choice(self.workers).process.kill()
        finally:
            worker.resume()

    def rebalance(self) -> None:
        self.workers.append(self._worker())
        self._last()
        leaving = self.workers.pop(self.rng.randrange(len(self.workers)))
        leaving.process.terminate()
        code = leaving.ended()
        # One that was told before it could listen ends as any process does.
        if code not in (0, -signal.SIGTERM if not leaving.lines else 0):
            self.wrong.append(f"a worker told to stop ended with {code}: {leaving.text[-1500:]}")

    def transact(self, *, is_to_count: bool) -> None:
        with self.traffic.undecided(self.rng.randrange(20, 200), is_to_count=is_to_count):
            self._last()
            if self.rng.random() < 0.5:
                self.rng.choice(self.workers).process.kill()

    def redis_refuses(self, **settings: object) -> None:
        self.pair.everywhere(**settings)
        try:
            self._last()
            self.rng.choice([self.kill_worker, self.kill_teller])()
            self.replace_the_dead()
            self._last()
        finally:
            self.pair.everywhere(**dict.fromkeys(settings, 0))

    def pause_redis(self) -> None:
        self.pair.wait_to_follow()
        with _stopped(self.pair.signal_master):
            time.sleep(self.rng.choice(REDIS_PAUSES))

    def restart_broker(self) -> None:
        self.rng.choice([self.kafka.stop, self.kafka.kill])()
        if self.rng.random() < 0.5:  # and whoever replaces them begins while it is away
            self.kill_worker()
            self.kill_teller()
            self.replace_the_dead()
        self._last()
        self.kafka.start()

    def pause_broker(self) -> None:
        pid = int((self.kafka.folder / "kafka.pid").read_text())
        with _stopped(partial(_signal, pid)):
            self._last()

    def fail_receiver(self) -> None:
        answers = [FAILED, BUSY, TAKEN_UNSAID]
        self.inbox.answer = lambda _: self.rng.choice(answers)
        self._last()
        self.inbox.answer = Inbox().answer

    def freeze(self) -> None:
        self.ask(*self.freeze_arguments())

    def freeze_arguments(self) -> tuple[str, ...]:
        """How the month is asked for: its first release until there is one, then revisions."""
        more: tuple[str, ...] = FIRST
        if (self.caseline.folder / "releases" / self.period / "001").exists():
            self.revisions += 1
            more = ("--kind", "revised", "--reason", f"Late data, {self.revisions}")
        return ("snapshot", "freeze", "--period", self.period, "--by", "Chaos", *more)

    def look(self) -> None:
        self.ask(*self.rng.choice(LOOKS))

    def _last(self) -> None:
        time.sleep(self.rng.uniform(*LASTS))

    # -- what is seen to ---------------------------------------------------------------------------

    def ask(self, *arguments: str) -> None:
        """Begin a command in the background."""
        said = self.caseline.folder / f"asked-{self.done.total()}-{len(self.asked)}.log"
        with said.open("wb") as stream:
            process = subprocess.Popen(
                [COMMAND, *arguments],
                cwd=self.caseline.folder,
                env=self.caseline.environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stream,
            )
        self.stack.callback(process.kill)
        self.asked.append(Asked(arguments, process, said))

    def collect(self, seconds: float = 0.0) -> None:
        """Take what commands that have ended said: a traceback is wrong. Wait for those left."""
        for it in list(self.asked):
            with suppress(subprocess.TimeoutExpired):
                code = it.process.wait(seconds)
                self.asked.remove(it)
                text = it.said.read_text()
                said = " ".join(text.split())[-160:]
                self.say(f"  {' '.join(it.arguments[:2])}: exit {code}, {said}")
                self.codes[" ".join(it.arguments[:2]), code] += 1
                if "Traceback" in text:
                    self.wrong.append(f"{it.arguments} showed a traceback: {text[-3000:]}")
        if seconds and self.asked:
            self.wrong.append(f"commands did not end: {[it.arguments for it in self.asked]}")

    def replace_the_dead(self) -> None:
        """Hire for everyone who is gone; it is wrong to have ended but by being killed."""
        for crew, hire in ((self.workers, self._worker), (self.tellers, self._teller)):
            for place, it in enumerate(crew):
                if it.is_running:
                    continue
                code = it.ended()
                if code != -signal.SIGKILL:
                    self.say(f"  ended by itself with {code}: {it.text[-300:]}")
                    self.wrong.append(f"ended by itself with {code}: {it.text[-3000:]}")
                if "Traceback" in it.text:
                    self.wrong.append(f"a traceback: {it.text[-3000:]}")
                crew[place] = hire()


def _kill(worker: RunningWorker) -> None:
    worker.process.kill()
    worker.ended()


def _signal(pid: int, number: signal.Signals) -> int:
    os.kill(pid, number)
    return pid


@contextmanager
def _stopped(send: Callable[[signal.Signals], int]) -> Iterator[None]:
    """A process that does nothing until the context ends."""
    pid = send(signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            _signal(pid, signal.SIGCONT)
