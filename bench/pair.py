"""What a second worker adds: both on the machine's cores, beside their Kafka and their Redis."""

from time import perf_counter

from bench.bed import Bed
from bench.figures import Figure, Section, at_least, median, quantile
from bench.progress import stage
from bench.sizes import Sizes
from bench.workers import one_worker_rate, running_worker
from examples.workload import case_events
from processors.rules import Rules

LEAST_TIMES = 1.5
TITLE = "A second worker"
NOTES = (
    "The same preloaded topic, by one worker and by two that share its partitions. From when the "
    "last of them has taken its share, what is stored until then left out, to all stored."
)


def pair(bed: Bed, rules: Rules, sizes: Sizes) -> Section:
    """Events a second of one worker and of two, and how they compare."""
    bed.clean()
    about = sizes.pair_events
    total = bed.preload(case_events(about), about)
    rates: dict[int, list[float]] = {1: [], 2: []}
    for number in range(1, sizes.throughput_rounds + 1):
        for workers in rates:
            with stage(f"round {number} of {sizes.throughput_rounds}: {workers} at work"):
                measure = one_worker_rate if workers == 1 else _two
                rates[workers].append(measure(bed, rules, total))
    times = quantile(rates[2], 0.5) / quantile(rates[1], 0.5)
    return Section(
        TITLE,
        f"{total:,} events. {NOTES}",
        (
            median("one worker", rates[1], "events/s"),
            median("two workers", rates[2], "events/s"),
            Figure("two workers to one", times, "times", at_least(LEAST_TIMES)),
        ),
    )


def _two(bed: Bed, rules: Rules, total: int) -> float:
    bed.empty_redis()
    settings = bed.settings()
    with (
        running_worker(bed, settings, rules) as first,
        running_worker(bed, settings, rules) as second,
    ):
        second.wait_until_sharing()
        began, before = perf_counter(), sum(first.stored.read())
        return (total - before) / (first.wait_until_stored(total) - began)
