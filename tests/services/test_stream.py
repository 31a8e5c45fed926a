"""The whole path on a real Kafka and a real Redis: files in, the right scorecard out."""

import gzip
import json
import random
import signal
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from examples.workload import case_events
from processors.figures.figure_text import as_csv
from streams.kafka.eventfiles import EventLine
from tests.support.examples import (
    BAD_LINES,
    DATES,
    LOGS,
    answered,
    answers,
    good_lines,
    log_file,
    replayed,
)
from tests.support.workers import CommandLine, cells, finished, log_ends, wait_to_share, wait_until

pytestmark = [pytest.mark.services, pytest.mark.long]

TUNED_WORKER = Path(__file__).parents[1] / "support/tuned_worker.py"
NOWHERE = "127.0.0.1:1"  # a port nobody listens on
KEYS = [
    *("code", "title", "area", "age_band", "numerator", "denominator"),
    *("value", "status", "previous", "direction", "level", "target", "rag"),
]


def write_lines(path: Path, lines: Sequence[EventLine]) -> Path:
    path.write_bytes(b"".join((line.message[1] or b"") + b"\n" for line in lines))
    return path


def tuned(*sizes: int) -> list[str]:
    """A launcher of a worker with batches of other sizes."""
    return [sys.executable, str(TUNED_WORKER), *map(str, sizes)]


def assert_answers(caseline: CommandLine, name: str) -> None:
    for day in DATES:
        assert answered(as_csv(caseline.rows(day))) == answers(name, day), day


@pytest.mark.parametrize("name", LOGS)
def test_an_example_log_through_the_command_line_gives_its_six_answers_and_what_replay_gives(
    bare: CommandLine, name: str
) -> None:
    bare.run("topics", "create")
    ingested = bare.run("ingest", log_file(name), code=3)
    assert f"{BAD_LINES} bad lines" in ingested.stderr
    with bare.worker():
        bare.wait_for_the_end()
        live = {day: bare.run("scorecard", "--as-of", f"{day}", "--format", "csv") for day in DATES}
    for day, shown in live.items():
        assert answered(shown.stdout) == answers(name, day), day

    for form, day in (("csv", DATES[1]), ("json", DATES[2])):
        options = ("--as-of", f"{day}", "--format", form)
        replayed_now = bare.run("replay", log_file(name), *options)
        assert bare.run("scorecard", *options).stdout == replayed_now.stdout
        assert replayed_now.stderr.count(", line ") == BAD_LINES


def test_each_event_twice_and_out_of_order_through_two_workers_gives_the_same_answers(
    caseline: CommandLine,
) -> None:
    name, rng = LOGS[1], random.Random(5)
    lines = good_lines(log_file(name)) * 2
    rng.shuffle(lines)
    with caseline.worker() as first, caseline.worker() as second:
        wait_to_share(first, second)
        caseline.run("ingest", write_lines(caseline.folder / "shuffled.jsonl", lines))
        caseline.wait_for_the_end([first, second])
        assert len(first.holds() & second.holds()) == 0
    assert_answers(caseline, name)
    assert caseline.tally("duplicates") >= len(lines) // 2
    assert caseline.tally("messages") == sum(log_ends(caseline.settings.kafka_bootstrap).values())


@pytest.mark.parametrize("sizes", [(1, 3, 2), (100, 300, 1_000_000)], ids=["one by one", "held"])
def test_other_batch_sizes_give_the_same_answers(
    caseline: CommandLine, sizes: tuple[int, int, int]
) -> None:
    name, rng = LOGS[0], random.Random(sizes[0])
    lines = good_lines(log_file(name))
    rng.shuffle(lines)
    caseline.run("ingest", write_lines(caseline.folder / "shuffled.jsonl", lines))
    with caseline.worker(launcher=tuned(*sizes), records_in_memory=1000) as worker:
        caseline.wait_for_the_end([worker])
    assert_answers(caseline, name)


def test_shards_far_behind_that_memory_does_not_hold_are_read_one_after_another_to_the_same_answers(
    caseline: CommandLine,
) -> None:
    messages = [value + b"\n" for _, value in case_events(40_000)]
    few, many = caseline.folder / "few.jsonl", caseline.folder / "many.jsonl"
    few.write_bytes(b"".join(messages[:10_000]))
    many.write_bytes(b"".join(messages[10_000:]))
    caseline.run("ingest", few)
    with caseline.worker() as worker:
        caseline.wait_for_the_end([worker])
    caseline.run("ingest", many)
    with caseline.worker(launcher=tuned(500, 1_500, 500, 600), records_in_memory=1000) as worker:
        caseline.wait_for_the_end([worker])
        alone = [it for it in worker.lines if it["message"] == "far behind: a shard is read alone"]
    assert len({it["partition"] for it in alone}) > 1
    day = date(2016, 3, 31)
    (expected,) = replayed(caseline.rules, good_lines(few) + good_lines(many), [day])
    assert cells(caseline.rows(day)) == cells(expected)


def test_ingest_reports_bad_lines_by_number_and_keeps_them_for_correction(
    caseline: CommandLine,
) -> None:
    good = [line.message[1] or b"" for line in good_lines(log_file(LOGS[0]))[:3]]
    bad = [good[0].replace(b"2015", b"2015x"), b"\xff\xfe", b'{"specversion": "1.0"']
    mixed = [good[0], b"", bad[0], good[1], bad[1], good[2], bad[2]]
    path = caseline.folder / "mixed.jsonl.gz"
    path.write_bytes(gzip.compress(b"\n".join(mixed)))

    done = caseline.run("ingest", path, "--rejects", caseline.folder / "rejects", code=3)

    reports = [line for line in done.stderr.splitlines() if line.startswith("mixed.jsonl.gz, line")]
    assert [report.split(":")[0].rpartition(" ")[2] for report in reports] == ["3", "5", "7"]
    assert "3 events sent" in done.stderr
    assert "3 bad lines" in done.stderr
    assert (caseline.folder / "rejects").read_bytes().splitlines() == bad
    assert sum(log_ends(caseline.settings.kafka_bootstrap).values()) == len(good)


@pytest.mark.parametrize(
    "arguments",
    [
        ["ingest", "no-such-file.jsonl"],
        ["scorecard", "--area", "Atlantis"],
        ["replay", str(log_file(LOGS[0])), "--code", "EH99"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_wrong_usage_is_exit_code_2_and_says_what_is_wrong(
    bare: CommandLine, arguments: list[str]
) -> None:
    done = bare.run(*arguments, code=2)
    assert arguments[-1] in done.stderr


def test_a_service_that_cannot_be_reached_is_exit_code_1_and_one_clear_line(
    caseline: CommandLine,
) -> None:
    ingest = ["ingest", str(log_file(LOGS[0]))]
    asked = [
        (["topics", "create"], "kafka_bootstrap", NOWHERE, "Kafka"),
        (["dead-letters", "list"], "kafka_bootstrap", NOWHERE, "Kafka"),
        (["rebuild", "--yes"], "kafka_bootstrap", NOWHERE, "Kafka"),
        (ingest, "kafka_bootstrap", NOWHERE, "Kafka"),
        (["scorecard"], "redis_url", f"redis://{NOWHERE}/0", "Redis"),
        (["rebuild", "--yes"], "redis_url", f"redis://{NOWHERE}/0", "Redis"),
    ]
    running = [
        (command, service, caseline.start(*command, log_level="error", **{setting: address}))
        for command, setting, address, service in asked
    ]
    for command, service, process in running:
        done = finished(process, 1)
        told = [line for line in done.stderr.splitlines() if line.startswith("caseline: ")]
        assert len(told) == 1, (command, done.stderr)
        assert service in told[0], (command, done.stderr)
        assert done.stdout == "", command


def test_scorecard_and_replay_filter_alike_and_rows_have_exactly_the_agreed_keys(
    caseline: CommandLine,
) -> None:
    options = ["--as-of", f"{DATES[1]}", "--format", "json", "--area", "Kent", "--area", "Dover"]
    options += ["--code", "EH05", "--code", "EH19", "--age-band", "all", "--age-band", "0-4"]
    lines = good_lines(log_file(LOGS[0]))
    path = write_lines(caseline.folder / "good.jsonl", lines)
    with caseline.worker():
        caseline.run("ingest", path)
        caseline.wait_for_the_end()
    live = caseline.run("scorecard", *options).stdout

    assert live == caseline.run("replay", path, *options).stdout
    rows = json.loads(live)
    assert [list(row) for row in rows] == [KEYS] * len(rows)
    assert sorted((row["area"], row["code"], row["age_band"]) for row in rows) == [
        (area, code, band)
        for area in ("Dover", "Kent")
        for code in ("EH05", "EH19")
        for band in ("0-4", "all")
    ]
    (everything,) = replayed(caseline.rules, lines, [DATES[1]])
    assert [row for row in cells(everything) if row in rows] == rows


def test_nothing_read_yet_is_said_in_one_line(caseline: CommandLine) -> None:
    assert "has no state yet" in caseline.run("scorecard", code=1).stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_told_to_stop_in_the_middle_stores_a_whole_state_and_another_goes_on_at_once(
    caseline: CommandLine, number: signal.Signals
) -> None:
    lines = good_lines(log_file(LOGS[1]))
    half = len(lines) // 2
    caseline.run("ingest", write_lines(caseline.folder / "first.jsonl", lines[:half]))
    # With a session so long, only a worker that left the group frees its partitions in time.
    with caseline.worker(session_timeout=60, launcher=tuned(100, 300, 500)) as worker:
        wait_until(lambda: sum(caseline.offsets().values()) > 0, "a first commit", [worker])
        worker.process.send_signal(number)
        assert worker.ended() == 0, worker.text
    with caseline.worker(session_timeout=60) as worker:
        caseline.run("ingest", write_lines(caseline.folder / "second.jsonl", lines[half:]))
        caseline.wait_for_the_end([worker])
    live = cells(caseline.rows(date(2015, 10, 17)))
    assert live == cells(replayed(caseline.rules, lines, [date(2015, 10, 17)])[0])
