"""A log that several processes read and count: what it says, and what becomes of them."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.rules import Rules
from schemas.areas import load_areas
from schemas.catalogue import BANDS, load_catalogue
from schemas.events.registry import CASE_TOPIC
from schemas.places import load_places
from schemas.release import Position
from snapshots.checking import counters
from snapshots.checking.counters import processes_for, shares
from snapshots.checking.evidence import Evidence, examine
from snapshots.checking.question import LogQuestion
from snapshots.recount import disk
from snapshots.recount.places import Whereabouts
from snapshots.releases.release_failures import CounterEnded, LogUnreadable
from tests.support.examples import good_lines, log_file
from tests.support.frozenlogs import ROOT, FrozenLog, Recorded, case_log
from tests.support.patience import SECONDS, wait_for
from tests.support.troubled_logs import TroubledLog, is_unlocked

AS_OF = date(2017, 6, 30)
PROCESSES = 2


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other processes find what tests give them."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@cache
def every_topic() -> FrozenLog:
    """A messy log of every topic, under all that ships."""
    rules = Rules(load_catalogue(), load_areas(), places=load_places())
    return FrozenLog(rules, good_lines(log_file("all-21")))


def question(log: FrozenLog) -> LogQuestion:
    """What it says, and which events of its last tenth moved what."""
    earlier = (it.model_copy(update={"offset": it.offset * 9 // 10}) for it in log.positions)
    return replace(log.question(AS_OF), since=tuple(earlier), names_cases=True)


def told(evidence: Evidence, asked: LogQuestion) -> object:
    """All that evidence says, in an order of its own."""
    moves = evidence.moves
    assert moves
    assert moves.placed
    slots = [slot for it in asked.catalogue.measure for slot in it.slots]
    sums = [
        (date_, [slot], place, band)
        for date_ in range(len(asked.dates))
        for slot in slots
        for place in Whereabouts(asked.areas, asked.places).known
        for band in BANDS
    ]
    return (
        evidence.cells,
        evidence.quality,
        sorted(it.spot for placed in evidence.reference for it in placed),
        evidence.erased,
        moves.placed,
        [(moves.causes(*it), sorted(moves.shifts(*it))) for it in sums],
    )


@pytest.mark.parametrize("processes", [2, 3])
def test_what_several_processes_count_is_what_one_does(
    processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "BUCKET_MESSAGES", 50)
    log = every_topic()
    asked = question(log)
    assert told(log.evidence(asked, processes), asked) == told(log.evidence(asked), asked)


def test_how_far_they_are_is_shown_until_all_is_read_and_counted() -> None:
    log, shown = every_topic(), list[tuple[int, int]]()
    asked = question(log)
    examine(Recorded(log.records), asked, lambda *it: shown.append(it), PROCESSES)
    assert shown == sorted(shown)
    assert shown[-1] == (asked.messages, asked.messages)


def cut_of(offsets: Iterable[int]) -> tuple[Position, ...]:
    return tuple(
        Position(topic=CASE_TOPIC, partition=number, offset=offset)
        for number, offset in enumerate(offsets)
    )


@given(st.lists(st.integers(0, 1_000), max_size=20), st.integers(1, 5))
def test_each_partition_is_read_by_one_and_none_reads_much_more_than_another(
    offsets: list[int], count: int
) -> None:
    cut = cut_of(offsets)
    parts = shares(cut, count)
    assert sorted(it.partition for part in parts for it in part) == list(range(len(cut)))
    sizes = [sum(it.offset for it in part) for part in parts]
    assert len(sizes) == count
    assert max(sizes) - min(sizes) <= max(offsets, default=0)


def test_there_are_as_many_as_processors_unless_the_log_is_short(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 5}, raising=False)
    monkeypatch.setattr(counters, "QUOTA", Path("none"))
    enough = counters.WORTH_A_PROCESS
    assert [processes_for(it) for it in (0, enough, 2 * enough, 50 * enough)] == [1, 1, 2, 3]
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(99)))
    assert processes_for(1_000 * enough) == counters.MOST_PROCESSES


@pytest.mark.parametrize(("quota", "most"), [("150000 100000", 2), ("max 100000", 4), ("", 4)])
def test_a_container_s_quota_of_processors_is_kept(
    quota: str, most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(quota)
    monkeypatch.setattr(counters, "QUOTA", file)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(4)), raising=False)
    assert processes_for(100 * counters.WORTH_A_PROCESS) == most


def troubled(folder: Path, what: str) -> tuple[TroubledLog, LogQuestion]:
    rules = Rules(load_catalogue(), load_areas())
    asked = LogQuestion(rules.catalogue, rules.areas, AS_OF, cut_of([1] * PROCESSES))
    return TroubledLog(folder, PROCESSES, what), asked


def nobody(folder: Path) -> bool:
    """Whether all that had begun to read have ended."""
    found = [it for it in folder.iterdir() if it.is_file()]
    assert len(found) == PROCESSES
    return all(map(is_unlocked, found))


@pytest.mark.parametrize(
    ("what", "error", "text"),
    [
        ("killed", CounterEnded, "ended by SIGKILL before it was done"),
        ("a fault", CounterEnded, "ended with code 1 before it was done"),
        ("unreadable", LogUnreadable, "^Kafka fell silent$"),
    ],
)
def test_where_one_fails_it_is_said_why_and_the_others_end(
    what: str,
    error: type[Exception],
    text: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    log, asked = troubled(tmp_path, what)
    with pytest.raises(error, match=text):
        examine(log, asked, lambda *_: None, PROCESSES)
    assert nobody(tmp_path)
    assert CASE_TOPIC not in capfd.readouterr().err


class OfAnotherVersion:
    """What cannot be made again of its bytes."""

    def __reduce__(self) -> tuple[type[int], tuple[str]]:
        return int, ("P1 is no number",)


def test_an_order_that_cannot_be_read_ends_it_and_says_nothing_of_a_child(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    _, asked = troubled(tmp_path, "nothing")
    log: Any = OfAnotherVersion()
    with pytest.raises(CounterEnded, match="ended with code 1"):
        examine(log, asked, lambda *_: None, PROCESSES)
    said = capfd.readouterr().err
    assert "ValueError" in said
    assert "P1" not in said


def test_one_that_is_killed_while_it_counts_is_told_of(
    rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So many buckets that it cannot have told of all, while nobody listens.
    monkeypatch.setattr(disk, "BUCKET_MESSAGES", 1)
    started, popen = list[subprocess.Popen[bytes]](), subprocess.Popen

    def starting(*arguments: object, **options: object) -> "subprocess.Popen[bytes]":
        started.append(popen(*arguments, **options))  # type: ignore[call-overload]
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", starting)
    log = case_log(rules, 20_000)

    def kill_one(_: int, evaluated: int) -> None:
        if evaluated:
            started[0].kill()

    with pytest.raises(CounterEnded, match="ended by SIGKILL"):
        examine(Recorded(log.records), log.question(AS_OF), kill_one, PROCESSES)
    assert [it.returncode for it in started] == [-signal.SIGKILL] * PROCESSES


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_with_the_process_that_started_them_they_end_and_nothing_is_left(
    number: signal.Signals, tmp_path: Path
) -> None:
    begun, rest = tmp_path / "begun", tmp_path / "rest"
    begun.mkdir()
    rest.mkdir()
    program = textwrap.dedent("""
        import signal
        import sys
        from pathlib import Path
        from snapshots.checking.evidence import examine
        from tests.unit.test_counters import PROCESSES, troubled

        # As at a terminal, also where whoever runs the tests has Ctrl-C ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        log, question = troubled(Path(sys.argv[1]), "nothing")
        examine(log, question, lambda *_: None, PROCESSES)
    """)
    process = subprocess.Popen(
        [sys.executable, "-c", program, begun],
        env={**os.environ, "TMPDIR": str(rest)},
        stderr=subprocess.DEVNULL,
        # Of a terminal, Ctrl-C is for a group of processes.
        start_new_session=True,
    )
    try:
        wait_for(lambda: len(list(begun.glob("[0-9]"))) == PROCESSES, "all have begun")
        os.killpg(process.pid, number)
        assert process.wait(SECONDS) == -number
        wait_for(lambda: nobody(begun), "they have ended")
    finally:
        process.kill()
        process.wait()
    assert list(rest.iterdir()) == []
