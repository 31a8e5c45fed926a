"""Catching up on a million children: too many to keep in memory, so that they are read back."""

from contextlib import ExitStack
from time import perf_counter, sleep
from typing import NamedTuple

from bench.bed import Bed
from bench.figures import Figure, Section, at_least, at_most
from bench.progress import stage
from bench.sizes import Sizes
from bench.workers import LOOK_SECONDS, running_worker
from examples.workload import EVENTS_A_CHILD, case_events
from processors.rules import Rules

# One child in so many is in memory, as by default of a million.
HELD_SHARE = 5
# The last part of the run, in which all children are there.
LAST_SHARE = 5
LEAST_RATE, MOST_MEGABYTES, MOST_BYTES = 40_000, 2_048, 500
TITLE = "Catching up on a million children"
MEGABYTE = 1_000_000
IN_WORDS = {1: "one worker", 2: "two workers"}


class CaughtUp(NamedTuple):
    """How workers caught up, of whom `peak`, in MB, is the largest; `stored` bytes are Redis's."""

    rate: float
    last_rate: float
    microseconds: float
    peak: float
    stored: int
    children: int


def million(bed: Bed, rules: Rules, sizes: Sizes) -> Section:
    """Events a second by one worker and by two, and the memory that they and Redis take."""
    bed.clean()
    about = sizes.million_events
    total = bed.preload(case_events(about), about)
    held = min(bed.settings().records_in_memory, int(about / EVENTS_A_CHILD) // HELD_SHARE)
    held = max(1_000, held)
    one, two = (_catch_up(bed, rules, total, held, workers) for workers in IN_WORDS)
    return Section(
        TITLE,
        f"{total:,} events of {one.children:,} children, in Kafka before a worker starts, each of "
        f"which keeps {held:,} children in memory: by one worker, and by two that begin together "
        "and share the partitions. From when the first has a partition to all stored. Memory: the "
        "peak of a worker's process; the growth of Redis's used_memory.",
        (
            *_rates(one, 1),
            *_rates(two, 2),
            Figure("memory of one worker", one.peak, "MB", at_most(MOST_MEGABYTES)),
            Figure("memory of the larger of two", two.peak, "MB", at_most(MOST_MEGABYTES)),
            Figure("Redis", one.stored / MEGABYTE, "MB"),
            Figure("Redis, a child", one.stored / one.children, "bytes", at_most(MOST_BYTES)),
        ),
    )


def _rates(it: CaughtUp, workers: int) -> tuple[Figure, ...]:
    by, unit = IN_WORDS[workers], "events/s"
    return (
        Figure(f"caught up, {by}", it.rate, unit, at_least(LEAST_RATE)),
        Figure(f"the last fifth, {by}", it.last_rate, unit),
        Figure(f"processor time, {by}", it.microseconds, "µs an event"),
    )


def _catch_up(bed: Bed, rules: Rules, total: int, held: int, workers: int) -> CaughtUp:
    bed.empty_redis()
    settings = bed.settings().model_copy(update={"records_in_memory": held})
    moments: list[tuple[float, float]] = []
    with bed.redis() as redis, ExitStack() as stack:
        before = int(redis.info("memory")["used_memory"])
        made = (running_worker(bed, settings, rules) for _ in range(workers))
        running = [stack.enter_context(it) for it in made]
        while not any(it.is_sharing for it in running):
            for it in running:
                it.check()
            sleep(LOOK_SECONDS)
        began = perf_counter()
        used = sum(it.processor_seconds() for it in running)
        with stage(f"{IN_WORDS[workers]} fold {total:,} events", total) as show:

            def note(done: float) -> None:
                show(done)
                moments.append((perf_counter(), done))

            end = running[0].wait_until_stored(total, note)
        used = sum(it.processor_seconds() for it in running) - used
        peak = max(it.peak_memory() for it in running)
        stored = int(redis.info("memory")["used_memory"]) - before
        children = sum(int(redis.hlen(key)) for key in redis.scan_iter("*:records", 1_000))
    begun, done = next(it for it in moments if it[1] >= total * (1 - 1 / LAST_SHARE))
    return CaughtUp(
        total / (end - began),
        (total - done) / (end - begun),
        1e6 * used / total,
        peak,
        stored,
        children,
    )
