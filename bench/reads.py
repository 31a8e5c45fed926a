"""How long reading a whole scorecard takes, by years and by events of history."""

import asyncio
import gc
from datetime import timedelta
from time import perf_counter

from bench.bed import PARTITIONS, Bed
from bench.figures import Figure, Section, at_most, quantile
from bench.filling import case_filling, reference_filling
from bench.progress import stage, unseen
from bench.sizes import Sizes
from examples.workload import START, case_events, population_events
from processors.rules import Rules
from streams.state.reading import read_scorecard
from streams.state.redis_clients import connect_redis

WARMING = 5
# Events may only fill a month's cells that were zero; once all are filled nothing grows.
MOST_GROWTH = 2
# What a read should take at most, nearly always, of either length of history.
MOST_MILLISECONDS = 15
TITLE = "Reading the scorecard"
NOTES = (
    "All rows of the last month of the history, every indicator, area and age band, in this "
    "process, warm; a population estimate a year for every area and band. "
    "Growth: the middle time with more events over that with fewer, in the same years: "
    "only how many of a month's cells are not zero can make it grow, and that ends."
)


def reads(bed: Bed, rules: Rules, sizes: Sizes) -> Section:
    """Milliseconds of a read at each length and size of history."""
    figures: list[Figure] = []
    for years in sizes.read_years:
        middles: list[float] = []
        for events in (sizes.read_events, sizes.read_events * sizes.read_growth):
            samples = asyncio.run(_measure(bed, rules, years, events, sizes.reads))
            what = f"{years} y, {events:,} events"
            middles.append(quantile(samples, 0.5))
            figures.append(Figure(f"{what}: median", middles[-1], "ms", samples=tuple(samples)))
            p95 = quantile(samples, 0.95)
            figures.append(Figure(f"{what}: p95", p95, "ms", at_most(MOST_MILLISECONDS)))
        growth = f"{years} y: growth with {sizes.read_growth} times the events"
        figures.append(Figure(growth, middles[1] / middles[0], "times", at_most(MOST_GROWTH)))
    return Section(TITLE, NOTES, tuple(figures))


async def _measure(bed: Bed, rules: Rules, years: int, events: int, count: int) -> list[float]:
    """Milliseconds of each read."""
    bed.empty_redis()
    settings = bed.settings()
    redis = connect_redis(settings)
    try:
        with stage(f"filling {years} y with about {events:,} events", events) as show:
            cases = case_filling(redis, settings.deployment, rules, PARTITIONS)
            await cases.fill(case_events(events, years=years), show)
            reference = reference_filling(redis, settings.deployment, rules)
            await reference.fill(population_events(years), unseen)
        # A reader has no state of its own, which the collector would look through meanwhile.
        del cases, reference
        gc.collect()
        as_of = (START + timedelta(days=365 * years - 1)).date()
        samples = []
        for _ in range(WARMING + count):
            began = perf_counter()
            await read_scorecard(redis, settings.deployment, rules, as_of)
            samples.append(1000 * (perf_counter() - began))
        return samples[WARMING:]
    finally:
        await redis.aclose()
