"""A log read and counted by several processes at once, each on a processor of its own.

Each reads some of the partitions, and lays what has a key out by buckets in a file of its own. Then
each counts some of the buckets, from all of the files: whatever partition a record came from, all
that has one key is counted together.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from math import ceil
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeVar

from schemas.release import Position
from snapshots.checking.causes import Moves
from snapshots.checking.log_findings import LaidOut, LogFindings, LogSums, room
from snapshots.checking.question import LogQuestion, ReadLog, Show
from snapshots.recount.disk import Pieces, buckets_for, unnamed_file
from snapshots.releases.release_failures import CounterEnded

T = TypeVar("T", LaidOut, LogSums)

# Without the folder that it is started in, from which the command imports nothing either.
COMMAND = (sys.executable, "-P", "-m", "snapshots.checking.counting_process")
# Messages for which it is worth to start another process, which takes about a second to begin.
WORTH_A_PROCESS = 50_000
# Each takes some memory of its own.
MOST_PROCESSES = 8
QUOTA = Path("/sys/fs/cgroup/cpu.max")
# How often it is shown how far they are, also while they tell nothing.
SHOWN_SECONDS = 1.0


class ReadOrder(NamedTuple):
    """What another process is to read, and how to lay it out: in the file of its descriptor."""

    log: ReadLog
    question: LogQuestion
    cut: tuple[Position, ...]
    file: int
    buckets: int


class CountOrder(NamedTuple):
    """What it is to count: buckets, each by the pieces that each file has of it."""

    files: tuple[int, ...]
    buckets: list[list[Pieces]]


class HasRead(NamedTuple):
    """So many records more have been read."""

    records: int


class HasCounted(NamedTuple):
    """So many records more have been counted, and this moved in them."""

    records: int
    moves: Moves | None


@dataclass(frozen=True, eq=False)
class _Counter:
    """Another process, and the connection to it."""

    process: "subprocess.Popen[bytes]"
    connection: Connection


def processes_for(messages: int) -> int:
    """How many processes are to count so many messages: one for each processor that may be used.

    1, which is this process, where the log is too short for more, or there is one processor.
    """
    return max(1, min(_processors(), messages // WORTH_A_PROCESS, MOST_PROCESSES))


def _processors() -> int:
    """How many processors may be used: by this process's affinity, and by a container's quota.

    The latter is a share of time (Linux, Control Group v2, cpu.max).
    """
    has_affinity = hasattr(os, "sched_getaffinity")
    found = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1
    try:
        quota, period = map(int, QUOTA.read_text().split())
    except (OSError, ValueError):  # there is none, or it is "max"
        return found
    return min(found, ceil(quota / period))


def found_by(processes: int, log: ReadLog, question: LogQuestion, show: Show) -> LogFindings:
    """What is found in a log by so many other processes.

    Raises CounterEnded when one ends before it is done, NoRoom, and what reading raises. However
    it ends, the others have ended then; they end as well when this process does.
    """
    found, buckets = LogFindings(question, show), buckets_for(question.messages)
    with room(), ExitStack() as stack:
        files = [stack.enter_context(unnamed_file()) for _ in range(processes)]
        counters = [stack.enter_context(_started(files)) for _ in files]
        parts = shares(question.cut, processes)
        for counter, file, cut in zip(counters, files, parts, strict=True):
            _send(counter, ReadOrder(log, question, cut, file.fileno(), buckets))
        _have_counted(counters, files, _answers(counters, LaidOut, found), found)
        for counted in _answers(counters, LogSums, found):
            found.counted.add(counted)
    return found


def _have_counted(
    counters: Sequence[_Counter],
    files: Sequence[BinaryIO],
    laid_out: Sequence[LaidOut],
    found: LogFindings,
) -> None:
    """Send what each process is to count of what all have laid out, and keep nothing of it."""
    for it in laid_out:
        found.has_laid_out(it)
    numbers = tuple(file.fileno() for file in files)
    pieces = [list(each) for each in zip(*(it.pieces for it in laid_out), strict=True)]
    for number, counter in enumerate(counters):
        _send(counter, CountOrder(numbers, pieces[number :: len(counters)]))


def shares(cut: Sequence[Position], count: int) -> list[tuple[Position, ...]]:
    """A cut's partitions in so many parts, of about as many messages each."""
    parts: list[list[Position]] = [[] for _ in range(count)]
    for it in sorted(cut, key=lambda it: -it.offset):
        min(parts, key=lambda part: sum(other.offset for other in part)).append(it)
    return [tuple(part) for part in parts]


@contextmanager
def _started(files: Sequence[BinaryIO]) -> Iterator[_Counter]:
    """Another process, which has the files open, and has ended afterwards."""
    ours, theirs = Pipe()
    with ours:
        with theirs:
            inherited = [theirs.fileno(), *(file.fileno() for file in files)]
            process = subprocess.Popen(
                [*COMMAND, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=inherited,
                # Ctrl-C is for the process that started it, with which it ends.
                start_new_session=True,
            )
        try:
            yield _Counter(process, ours)
        finally:
            process.kill()
            process.wait()


def _send(counter: _Counter, order: ReadOrder | CountOrder) -> None:
    try:
        counter.connection.send(order)
    except OSError as error:
        raise _ended(counter) from error


def _answers(counters: Sequence[_Counter], kind: type[T], found: LogFindings) -> list[T]:
    """What each process answers, in their order; what it tells until then is found."""
    answers: dict[_Counter, T] = {}
    while len(answers) < len(counters):
        asked = {it.connection: it for it in counters if it not in answers}
        ready = wait(list(asked), SHOWN_SECONDS)
        if not ready:
            found.has_read(0)  # whoever is shown it may end it
        for connection in ready:
            assert isinstance(connection, Connection)
            counter = asked[connection]
            try:
                told = connection.recv()
            except (EOFError, OSError) as error:
                raise _ended(counter) from error
            if isinstance(told, Exception):
                raise told
            if isinstance(told, HasRead):
                found.has_read(told.records)
            elif isinstance(told, HasCounted):
                found.has_counted(told.records, told.moves)
            else:
                assert isinstance(told, kind)
                answers[counter] = told
    return [answers[it] for it in counters]


def _ended(counter: _Counter) -> CounterEnded:
    code = counter.process.wait()
    if code < 0:
        how, advice = f"was ended by {signal.Signals(-code).name}", "; was there memory for it?"
    else:
        how, advice = f"ended with code {code}", ", and has said why."
    return CounterEnded(
        f"one of the processes that count the log {how} before it was done, so that nothing is "
        f"known of the log{advice} Run the same again"
    )
