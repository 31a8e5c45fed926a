"""How long reading every place takes: anew, and by a reader that lives on, after each change."""

import asyncio
import gc
from datetime import date, timedelta
from time import perf_counter

from redis.asyncio import Redis

from bench.bed import PARTITIONS, Bed
from bench.figures import Figure, Section, at_most, quantile
from bench.filling import Filling, case_filling, reference_filling
from bench.progress import stage, unseen
from bench.sizes import Sizes
from examples.workload import START, case_events, new_event, population_events
from processors.rules import Rules
from schemas.settings import Settings
from streams.state.held_tables import HeldTables
from streams.state.reading import read_scorecard
from streams.state.redis_clients import connect_redis

WARMING = 5
# What a server may take to show all places while events come (p99).
MOST_MILLISECONDS = 150
TITLE = "Reading every place"
NOTES = (
    "All rows of the last month of the history, every indicator, kind of place and age band, in "
    "this process. Anew: nothing held, as by a command. After a change: by a reader that holds "
    "what it read before, once one more event was stored. Unchanged: the same, with nothing stored."
)
Samples = dict[str, list[float]]


def places(bed: Bed, rules: Rules, sizes: Sizes) -> Section:
    """Milliseconds of a read at each length of history, by what is held."""
    figures: list[Figure] = []
    for years in sizes.read_years:
        events = sizes.read_events * sizes.read_growth
        for how, samples in asyncio.run(_measure(bed, rules, years, events, sizes.reads)).items():
            what = f"{years} y, {events:,} events, {how}"
            middle, p95, p99 = (quantile(samples, share) for share in (0.5, 0.95, 0.99))
            figures += [
                Figure(f"{what}: median", middle, "ms", samples=tuple(samples)),
                Figure(f"{what}: p95", p95, "ms"),
                Figure(f"{what}: p99", p99, "ms", at_most(MOST_MILLISECONDS)),
            ]
    return Section(TITLE, NOTES, tuple(figures))


async def _measure(bed: Bed, rules: Rules, years: int, events: int, count: int) -> Samples:
    bed.empty_redis()
    settings = bed.settings()
    redis = connect_redis(settings)
    try:
        cases = case_filling(redis, settings.deployment, rules, PARTITIONS)
        with stage(f"filling {years} y with about {events:,} events", events) as show:
            await cases.fill(case_events(events, years=years), show)
            reference = reference_filling(redis, settings.deployment, rules)
            await reference.fill(population_events(years), unseen)
        # What the writer goes on to hold, a reader of its own process would not have.
        gc.collect()
        gc.freeze()
        as_of = (START + timedelta(days=365 * years - 1)).date()
        return await _samples(redis, settings, rules, as_of, cases, WARMING + count)
    finally:
        gc.unfreeze()
        await redis.aclose()


async def _samples(
    redis: Redis, settings: Settings, rules: Rules, as_of: date, cases: Filling, count: int
) -> Samples:
    """Milliseconds of each read, in turn with the others, by what is held."""
    lasting = HeldTables()
    samples: Samples = {"after a change": [], "unchanged": [], "anew": []}
    for number in range(count):
        await cases.fill([new_event(number)], unseen)
        for how, held in zip(samples, (lasting, lasting, None), strict=True):
            began = perf_counter()
            levels = rules.graph.levels
            await read_scorecard(redis, settings.deployment, rules, as_of, levels, held)
            samples[how].append(1000 * (perf_counter() - began))
    return {how: it[WARMING:] for how, it in samples.items()}
