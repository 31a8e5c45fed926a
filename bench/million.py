"""Catching up on a million children: too many to keep in memory, so that they are read back."""

from time import perf_counter

from bench.bed import Bed
from bench.figures import Figure, Section, at_least, at_most
from bench.progress import stage
from bench.sizes import Sizes
from bench.workers import running_worker
from examples.workload import EVENTS_A_CHILD, case_events
from processors.rules import Rules

# One child in so many is in memory, as by default of a million.
HELD_SHARE = 5
# The last part of the run, in which all children are there.
LAST_SHARE = 5
LEAST_RATE, MOST_MEGABYTES, MOST_BYTES = 40_000, 2_048, 500
TITLE = "Catching up on a million children"
MEGABYTE = 1_000_000


def million(bed: Bed, rules: Rules, sizes: Sizes) -> Section:
    """Events a second, and the memory that the worker and Redis take."""
    bed.clean()
    about = sizes.million_events
    settings = bed.settings()
    most = min(settings.records_in_memory, int(about / EVENTS_A_CHILD) // HELD_SHARE)
    settings = settings.model_copy(update={"records_in_memory": max(1_000, most)})
    total = bed.preload(case_events(about), about)
    moments: list[tuple[float, float]] = []
    with bed.redis() as redis:
        before = int(redis.info("memory")["used_memory"])
        with running_worker(bed, settings, rules) as worker:
            worker.wait_until_taken()
            used = worker.processor_seconds()
            with stage(f"one worker folds {total:,} events", total) as show:

                def note(done: float) -> None:
                    show(done)
                    moments.append((perf_counter(), done))

                end = worker.wait_until_stored(total, note)
            used = worker.processor_seconds() - used
            peak = worker.peak_memory()
            stored = int(redis.info("memory")["used_memory"]) - before
            children = sum(int(redis.hlen(key)) for key in redis.scan_iter("*:records", 1_000))
    begun, done = next(it for it in moments if it[1] >= total * (1 - 1 / LAST_SHARE))
    rate, unit = total / (end - worker.taken), "events/s"
    return Section(
        TITLE,
        f"{total:,} events of {children:,} children, in Kafka before the worker starts, which "
        f"keeps {settings.records_in_memory:,} children in memory: from its partitions taken to "
        "all offsets stored. Memory: the peak of the worker's process; the growth of Redis's "
        "used_memory.",
        (
            Figure("caught up", rate, unit, at_least(LEAST_RATE)),
            Figure("the last fifth", (total - done) / (end - begun), unit),
            Figure("processor time of the worker", 1e6 * used / total, "µs an event"),
            Figure("worker's memory", peak, "MB", at_most(MOST_MEGABYTES)),
            Figure("Redis", stored / MEGABYTE, "MB"),
            Figure("Redis, a child", stored / children, "bytes", at_most(MOST_BYTES)),
        ),
    )
