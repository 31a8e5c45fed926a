"""Caseline's command line as a user runs it, and workers that a test may stop, kill and pause."""

import asyncio
import json
import os
import re
import signal
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from msgspec.structs import asdict
from pydantic import SecretStr

from processors.figures.figure_text import as_json
from processors.rules import Rules
from schemas.events.registry import VALIDATORS, topics_in
from schemas.scorecard import ScorecardRow
from schemas.settings import Settings
from streams.kafka.batches import TP
from streams.state.reading import known_shards, read_scorecard
from streams.state.redis_clients import connect_redis
from streams.state.store import Head, ShardStore, stored_offsets
from tests.support.commands import Command
from tests.support.examples import good_lines, replayed
from tests.support.patience import SECONDS, wait_for

Offsets = dict[TP, int]

# What children and cases are called in the events that tests send.
NAMED = re.compile(r"\b(?:[CNP]\d+|(?:child|case)-\d+)\b")


def wait_until(
    condition: Callable[[], bool], what: str, workers: "Sequence[RunningWorker]" = ()
) -> None:
    """Wait for a condition; fails after the deadline, and as soon as a worker has ended.

    After the deadline all that the workers have logged is shown: a folder may be gone by then.
    """

    def check() -> None:
        for worker in workers:
            worker.check()

    def told() -> str:
        return "".join(f"\n{worker.log.name}:\n{worker.text}" for worker in workers)

    wait_for(condition, what, check, told)


def log_ends(brokers: str, topics: Sequence[str] = tuple(VALIDATORS)) -> Offsets:
    """The stable end of every partition of the topics, as the broker says."""
    consumer = KafkaConsumer(
        bootstrap_servers=brokers, enable_auto_commit=False, isolation_level="read_committed"
    )
    try:
        partitions = [
            TopicPartition(topic, partition)
            for topic in topics
            for partition in consumer.partitions_for_topic(topic) or ()
        ]
        ends = consumer.end_offsets(partitions)
    finally:
        consumer.close()
    return {TP(tp.topic, tp.partition): end for tp, end in ends.items()}


class RunningWorker:
    """A worker's process; what it logs goes to a file."""

    def __init__(self, process: "Command | subprocess.Popen[bytes]", log: Path) -> None:
        self.process = process
        self.log = log

    @property
    def is_running(self) -> bool:
        """Whether the process has not ended."""
        return self.process.poll() is None

    @property
    def text(self) -> str:
        """All that it has logged so far."""
        return self.log.read_text()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What it has logged so far, line by line."""
        whole = self.text.rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines() if line.startswith("{")]

    def holds(self, since: int = 0) -> set[TP]:
        """The shards it holds, going by what it logged from line `since` on."""
        held: set[TP] = set()
        for line in self.lines[since:]:
            shard = TP(line.get("topic", ""), line.get("partition", -1))
            if line["message"] in {"shard taken", "shard taken anew"}:
                held.add(shard)
            elif line["message"] == "shard given up":
                held.discard(shard)
        return held

    @property
    def partitions(self) -> set[TP]:
        """The partitions of the shards it holds."""
        return {
            TP(topic, shard.partition) for shard in self.holds() for topic in topics_in(shard.topic)
        }

    def wait_to_hold(self, shards: int) -> None:
        """Wait until it holds at least so many shards."""
        wait_until(lambda: len(self.holds()) >= shards, f"the worker holds {shards} shards", [self])

    def check(self) -> None:
        """Fail if it has ended."""
        assert self.is_running, f"the worker ended by itself: {self.text}"

    def ended(self) -> int:
        """Wait for the end; the exit code."""
        return self.process.wait(SECONDS)

    def stop(self) -> None:
        """SIGTERM; fails unless it ends with exit code 0."""
        self.check()
        self.process.terminate()
        assert self.ended() == 0, self.text

    def kill(self) -> None:
        """`kill -9`; fails if it was not running."""
        self.check()
        self.process.kill()
        assert self.ended() == -signal.SIGKILL

    def pause(self) -> None:
        """SIGSTOP: it does nothing more until it is resumed."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self.process.send_signal(signal.SIGCONT)


def check_log(log: Path) -> None:
    """Fail if what a process logged, whatever befell it, names a child or a case."""
    named = sorted(set(NAMED.findall(log.read_text())))
    assert not named, f"{log} names {named}"


def wait_to_share(*workers: RunningWorker, shards: int = 7) -> None:
    """Wait until the workers share all shards, each holding some."""

    def share() -> bool:
        held = [worker.holds() for worker in workers]
        return all(held) and sum(map(len, held)) == shards == len(set().union(*held))

    wait_until(share, f"{len(workers)} workers share {shards} shards", workers)


@dataclass(frozen=True)
class CommandLine:
    """The command line with the settings of one deployment, run in a folder of its own."""

    settings: Settings
    rules: Rules
    folder: Path

    def environment(self, **changed: object) -> dict[str, str]:
        """The environment of a command: only the settings given, none of whoever runs the tests."""
        outside = {
            name: value for name, value in os.environ.items() if not name.startswith("CASELINE_")
        }
        settings = {**self.settings.model_dump(exclude_unset=True), **changed}
        ours = {f"CASELINE_{name.upper()}": _plain(value) for name, value in settings.items()}
        return {**outside, **ours, "COLUMNS": "200", "PYTHONUNBUFFERED": "1"}

    def start(self, *arguments: str | Path, **changed: object) -> Command:
        """Start a command."""
        return Command(arguments, self.folder, self.environment(**changed))

    def run(
        self, *arguments: str | Path, code: int = 0, **changed: object
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command; fails unless it ends with the exit code, or if it shows a traceback."""
        return finished(self.start(*arguments, **changed), code)

    @contextmanager
    def worker(
        self,
        *command: str,
        launcher: Sequence[str | Path] = (),
        **changed: object,
    ) -> Iterator[RunningWorker]:
        """A worker, in the end stopped with SIGTERM unless the test has ended it.

        Another `command` runs until it is stopped just so. `launcher` is a program that runs
        instead; `changed` are settings. Nothing of what any of them logs may name a child.
        """
        log = self.folder / f"worker-{next(_numbers)}.log"
        log.touch()
        process: Command | subprocess.Popen[bytes]
        if launcher:
            with log.open("wb") as stream:
                process = subprocess.Popen(
                    launcher,
                    cwd=self.folder,
                    env=self.environment(**changed),
                    stdin=subprocess.DEVNULL,
                    stdout=stream,
                    stderr=stream,
                )
        else:
            environment = self.environment(**changed)
            process = Command(command or ("worker",), self.folder, environment, log)
        worker = RunningWorker(process, log)
        try:
            yield worker
            if process.returncode is None:
                worker.stop()
            check_log(log)
        finally:
            process.kill()
            process.wait()

    def heads(self) -> dict[TP, Head]:
        """The stored head of every shard that has one."""

        async def read() -> dict[TP, Head]:
            async with connect_redis(self.settings) as redis:
                heads = {
                    tp: await ShardStore(redis, self.settings.deployment, tp, self.rules).head(
                        any_layout=True
                    )
                    for tp in await known_shards(redis, self.settings.deployment)
                }
            return {tp: head for tp, head in heads.items() if head}

        return asyncio.run(read())

    def offsets(self) -> Offsets:
        """The stored offset of every partition of which anything has been read; 0 of others."""
        stored = stored_offsets(self.heads())
        return defaultdict(int, {tp: offset for tp, offset in stored.items() if offset})

    def ends(self) -> Offsets:
        """The end of every partition that has had anything."""
        return {tp: end for tp, end in log_ends(self.settings.kafka_bootstrap).items() if end}

    def tally(self, name: str) -> int:
        """A tally over all partitions."""
        return sum(head.tallies.get(name, 0) for head in self.heads().values())

    def rows(self, day: date) -> list[ScorecardRow]:
        """The live scorecard as of a date."""

        async def read() -> list[ScorecardRow]:
            async with connect_redis(self.settings) as redis:
                live = await read_scorecard(redis, self.settings.deployment, self.rules, day)
            return live.rows

        return asyncio.run(read())

    def wait_for_the_end(self, workers: Sequence[RunningWorker] = ()) -> Offsets:
        """Wait until every partition's state stands at the end of its log; the ends."""
        ends = self.ends()

        def is_there() -> bool:
            offsets = self.offsets()
            return all(offsets.get(tp, 0) >= end for tp, end in ends.items())

        wait_until(is_there, f"state at {ends}", workers)
        assert {tp: self.offsets()[tp] for tp in ends} == ends
        return ends


def _plain(value: object) -> str:
    """A setting as its variable has it, secrets too."""
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def finished(
    process: "Command | subprocess.Popen[str]", code: int
) -> "subprocess.CompletedProcess[str]":
    """Wait for a command; fails unless it ends with the exit code, or if it shows a traceback."""
    try:
        out, err = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
    assert process.returncode == code, f"exit {process.returncode}, not {code}: {out}{err}"
    assert not any(line.startswith("Traceback") for line in err.splitlines()), err
    return subprocess.CompletedProcess(process.args, code, out, err)


def assert_shown_as_replayed(
    caseline: CommandLine, sent: list[tuple[bytes, bytes]], *days: date
) -> None:
    """The scorecard of each day is the one that `replay` gives of the messages sent.

    They are folded once for all the days, in this process: that the command shows the same is for
    the tests of the command.
    """
    path = caseline.folder / "events.jsonl"
    path.write_bytes(b"".join(value + b"\n" for _, value in sent))
    lines = good_lines(path)
    assert len(lines) == len(sent)
    for day, rows in zip(days, replayed(caseline.rules, lines, days), strict=True):
        live = caseline.run("scorecard", "--as-of", str(day), "--format", "json").stdout
        assert json.loads(live) == json.loads(as_json(rows))


def cells(rows: Sequence[ScorecardRow] | Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows in a form that compares exactly and shows differences well."""
    return [asdict(row) if isinstance(row, ScorecardRow) else dict(row) for row in rows]


_numbers = count(1)
