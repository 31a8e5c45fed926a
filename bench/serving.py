"""What is served at full ingest, to how many, how soon after an event, and how pages come up."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from queue import Empty, Queue
from random import Random
from threading import Thread
from time import monotonic, perf_counter, sleep
from typing import NamedTuple
from urllib.parse import urlencode

from redis import Redis

from bench.asking import Asked, Reader, ask_for
from bench.bed import Bed, BenchError
from bench.figures import Figure, Section, at_most, median, quantile
from bench.listeners import TOKEN
from bench.opened_pages import opened_pages
from bench.progress import stage
from bench.server import Server, running_server
from bench.sizes import Sizes
from bench.workers import Worker, end, running_worker
from examples.workload import EVENTS_A_CHILD, case_events, new_event
from processors.rules import Rules
from schemas.events.registry import CASE_TOPIC

TITLE = "Serving"
NOW = datetime(2015, 12, 31, 12, tzinfo=UTC)
# Of how many at once the requests a second are, beside the times of one who asks alone.
READERS = 8
# What one worker stores at most in a second: so much waits for it while answers are measured.
MOST_A_SECOND = 50_000
# How often state has to be seen unchanged before it is taken to stay so, and how long it may take.
CALM_SECONDS, SETTLE_SECONDS = 5.0, 3_600.0
TOLD_SECONDS = 30.0
# Redis commands are counted for so long, until they are about as many as before.
COUNTED_SECONDS, ALIKE = 5.0, 0.9
CODE, PLACE = "EH05", "Thanet"
CELL = urlencode({"code": CODE, "place": PLACE})


class Scenario(NamedTuple):
    """What is asked, what it is called, and within how many milliseconds nearly all is answered."""

    name: str
    path: str
    most: float | None = None
    status: int = HTTPStatus.OK
    if_none_match: str = ""


def serving(bed: Bed, rules: Rules, sizes: Sizes) -> Section:
    """Milliseconds of answers, of being told of a change, and of pages."""
    bed.clean()
    settings = bed.settings().model_copy(
        update={
            "clock_from": NOW,
            "sign_in": "token",
            "questions_a_minute": 0,
            "alert_calm_seconds": CALM_SECONDS / 2,
        }
    )
    about = int(sizes.serving_children * EVENTS_A_CHILD)
    total = bed.preload(case_events(about), about)
    figures: list[Figure] = []
    with running_worker(bed, settings, rules) as worker:
        with stage("one worker folds them", total) as show:
            worker.wait_until_stored(total, show)
        with stage("it judges every child"):
            _wait_until_calm(worker)
        with running_server(bed, settings) as server:
            figures += _lists(server, sizes)
            figures += _told(bed, worker, server, sizes)
            figures += opened_pages(server, CODE, PLACE)
            # Last, for it is of many more events about the same children.
            figures += _at_full_ingest(bed, worker, server, rules, sizes)
            figures.append(Figure("server: memory in the end", server.megabytes, "MB"))
    notes = (
        f"About {sizes.serving_children:,} children with {total:,} events of a year, one worker "
        "and one `caseline serve`, which share the machine with Kafka, Redis and what asks. "
        "At full ingest: while the worker stores more events about the same children, which is "
        "measured after all else. p50 and p99: of one who asks "
        f"again as soon as answered; requests a second: of {READERS} at once. Processor: what the "
        "server takes a request. Told: from Kafka's acknowledgement of an event until the last of "
        "all listeners has heard that figures changed. Pages: gzipped with their style and "
        "script; opened in Chromium with its processor slowed down 4 times, the middle of some."
    )
    return Section(TITLE, notes, tuple(figures))


def _lists(server: Server, sizes: Sizes) -> Iterator[Figure]:
    """How long the lists of cases take to be ready, and what they take."""
    reader = Reader(server.address, server.headers)
    reader.ask("/api/v1/scorecard")
    before, spent, began = server.megabytes, server.processor_seconds, perf_counter()
    with stage("lists of cases are made ready"):
        reader.ask_until_ready(f"/api/v1/cases?{CELL}")
        server.check()
    reader.close()
    yield Figure("lists of cases: ready after", perf_counter() - began, "s")
    yield Figure("lists of cases: processor", server.processor_seconds - spent, "s")
    more = (server.megabytes - before) * 1024**2
    yield Figure("lists of cases: memory a child", more / sizes.serving_children, "bytes")


def _scenarios(rules: Rules) -> list[Scenario]:
    everywhere = urlencode([("level", level) for level in rules.graph.levels])
    one = f"/api/v1/scorecard?{urlencode({'area': PLACE})}"
    return [
        Scenario("scorecard of one place", one, 50),
        Scenario("scorecard of all places", f"/api/v1/scorecard?{everywhere}", 150),
        Scenario("304", one, 15, HTTPStatus.NOT_MODIFIED, "*"),
        Scenario("series of 24 months", f"/api/v1/series?{CELL}&by=month&count=24"),
        Scenario("cases behind a cell", f"/api/v1/cases?{CELL}"),
        Scenario("Today", "/"),
    ]


def _at_full_ingest(
    bed: Bed, worker: Worker, server: Server, rules: Rules, sizes: Sizes
) -> Iterator[Figure]:
    """How long answers take while the worker has all that it can do, and how much it does."""
    readers = [Reader(server.address, server.headers) for _ in range(READERS)]
    seed, stored, measured = 2, 0, 0.0
    for scenario in _scenarios(rules):
        while _waiting(bed, worker) < 2 * sizes.serving_seconds * MOST_A_SECOND:
            about = int(2 * sizes.serving_seconds * MOST_A_SECOND)
            bed.preload(case_events(about, seed=seed), about)
            seed += 1
        with stage(f"{scenario.name}, at full ingest"):
            sent = {"If-None-Match": scenario.if_none_match} if scenario.if_none_match else {}
            asked = scenario.path, sizes.serving_seconds, scenario.status
            readers[0].ask(scenario.path)
            began, before = perf_counter(), sum(worker.stored.read())
            spent = server.processor_seconds
            one = ask_for(readers[:1], *asked, sent)
            spent = server.processor_seconds - spent
            many = ask_for(readers, *asked, sent)
            stored += sum(worker.stored.read()) - before
            measured += perf_counter() - began
        worker.check()
        server.check()
        yield from _answered(scenario, one, many, spent)
    for reader in readers:
        reader.close()
    yield Figure("stored by the worker meanwhile", stored / measured, "events/s")


def _answered(scenario: Scenario, one: Asked, many: Asked, spent: float) -> Iterator[Figure]:
    """What one was given who asked alone, for so much of the server's time, and many at once."""
    if one.seconds:
        took = [1000 * it for it in one.seconds]
        most = at_most(scenario.most) if scenario.most else None
        yield Figure(f"{scenario.name}: p50", quantile(took, 0.5), "ms")
        yield Figure(f"{scenario.name}: p99", quantile(took, 0.99), "ms", most)
        yield Figure(f"{scenario.name}: processor", 1000 * spent / len(took), "ms")
    yield Figure(f"{scenario.name}: requests a second", many.rate, "a second")
    refused = one.refused + many.refused
    if refused:
        yield Figure(f"{scenario.name}: refused as not ready yet", refused, "", at_most(0))


def _waiting(bed: Bed, worker: Worker) -> int:
    return sum(bed.log_ends()) - sum(worker.stored.read())


def _wait_until_calm(worker: Worker) -> None:
    """Wait until nothing has changed for a while: all is stored, and every child is judged."""
    deadline, last, since = monotonic() + SETTLE_SECONDS, list[bytes | None](), monotonic()
    while monotonic() - since < CALM_SECONDS:
        worker.check()
        if monotonic() > deadline:
            raise BenchError(f"the state did not come to rest in {SETTLE_SECONDS:.0f} s")
        commits = worker.stored.commits()
        if commits != last:
            last, since = commits, monotonic()
        sleep(CALM_SECONDS / 10)


def _told(bed: Bed, worker: Worker, server: Server, sizes: Sizes) -> Iterator[Figure]:
    """How long after an event all listeners know, and what they cost Redis."""
    count, took, rng = sizes.serving_listeners, list[float](), Random(1)
    producer = bed.producer(linger=0)
    with bed.redis() as redis, stage(f"1 and then {count:,} listen"):
        with _listening(server, 1):
            of_one = _commands_a_second(redis)
        with _listening(server, count) as told:
            of_all, spent = _commands_a_second(redis), server.processor_seconds
            for number in range(sizes.serving_moves):
                # At any moment between two looks of the server's.
                sleep(1 + rng.random())
                while not told.empty():
                    told.get()
                key, value = new_event(number)
                producer.produce(CASE_TOPIC, value, key)
                if producer.flush(TOLD_SECONDS):
                    raise BenchError("Kafka did not take an event in time")
                acknowledged = monotonic()
                try:
                    took.append(1000 * (told.get(timeout=TOLD_SECONDS) - acknowledged))
                except Empty:
                    worker.check()
                    server.check()
                    raise BenchError(
                        f"not all were told of an event in {TOLD_SECONDS:.0f} s"
                    ) from None
            spent = server.processor_seconds - spent
    last = f"{count:,} listeners, event to the last told"
    yield median(f"{last}: p50", took, "ms")
    yield Figure(f"{last}: longest", max(took), "ms", at_most(1_000))
    yield Figure(
        f"{count:,} listeners: processor", 1000 * spent / sizes.serving_moves, "ms an event"
    )
    yield Figure("Redis commands, 1 listener", of_one, "a second")
    yield Figure(f"Redis commands, {count:,} listeners", of_all, "a second", at_most(2 * of_one))


def _commands_a_second(redis: Redis) -> float:
    """How many there are once as many are made for a while: what a worker had to do is done."""

    def commands() -> int:
        return int(redis.info("stats")["total_commands_processed"])

    def rate() -> float:
        began, before = monotonic(), commands()
        sleep(COUNTED_SECONDS)
        return (commands() - before) / (monotonic() - began)

    deadline, last, now = monotonic() + SETTLE_SECONDS, rate(), rate()
    while not ALIKE <= now / last <= 1 / ALIKE:
        if monotonic() > deadline:
            raise BenchError(f"Redis did not come to rest in {SETTLE_SECONDS:.0f} s")
        last, now = now, rate()
    return now


@contextmanager
def _listening(server: Server, count: int) -> Iterator["Queue[float]"]:
    """So many listeners for as long as the context lasts; when the last of all was told of each."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.listeners", server.address, str(count)],
        env={**os.environ, TOKEN: server.token},
        stdout=subprocess.PIPE,
        text=True,
    )
    told: Queue[float] = Queue()
    is_there: Queue[str] = Queue()
    lines = process.stdout
    assert lines

    def read() -> None:
        is_there.put(lines.readline())
        for line in lines:
            told.put(float(line))

    reading = Thread(target=read, daemon=True)
    reading.start()
    try:
        if not is_there.get(timeout=4 * TOLD_SECONDS):
            raise BenchError(f"{count:,} could not listen")
        yield told
    except Empty:
        raise BenchError(f"{count:,} did not all come to listen") from None
    finally:
        end(process)
        reading.join()
