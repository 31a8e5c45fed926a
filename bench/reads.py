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
from examples.workload import START, case_events, new_event, population_events
from processors.rules import Rules
from streams.state.held_tables import HeldTables
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
    "process, warm; a population estimate a year for every area and band. Anew: nothing is held of "
    "an earlier read. Otherwise as a server reads it, which holds what it has read, after an event "
    "of the day about another child has changed one of the partitions. "
    "Growth: the middle time with more events over that with fewer, in the same years: "
    "only how many of a month's cells are not zero can make it grow, and that ends."
)


def reads(bed: Bed, rules: Rules, sizes: Sizes) -> Section:
    """Milliseconds of a read at each length and size of history."""
    figures: list[Figure] = []
    for years in sizes.read_years:
        middles: list[float] = []
        for events in (sizes.read_events, sizes.read_events * sizes.read_growth):
            again, anew = asyncio.run(_measure(bed, rules, years, events, sizes.reads))
            what = f"{years} y, {events:,} events"
            middles.append(quantile(anew, 0.5))
            figures += _figures(what, again) + _figures(f"{what}, anew", anew)
        growth = f"{years} y, anew: growth with {sizes.read_growth} times the events"
        figures.append(Figure(growth, middles[1] / middles[0], "times", at_most(MOST_GROWTH)))
    return Section(TITLE, NOTES, tuple(figures))


def _figures(what: str, samples: list[float]) -> list[Figure]:
    middle, p95 = quantile(samples, 0.5), quantile(samples, 0.95)
    return [
        Figure(f"{what}: median", middle, "ms", samples=tuple(samples)),
        Figure(f"{what}: p95", p95, "ms", at_most(MOST_MILLISECONDS)),
    ]


async def _measure(
    bed: Bed, rules: Rules, years: int, events: int, count: int
) -> tuple[list[float], list[float]]:
    """Milliseconds of each read: with what was read held, and anew."""
    bed.empty_redis()
    settings = bed.settings()
    redis = connect_redis(settings)
    try:
        with stage(f"filling {years} y with about {events:,} events", events) as show:
            cases = case_filling(redis, settings.deployment, rules, PARTITIONS)
            await cases.fill(case_events(events, years=years), show)
            reference = reference_filling(redis, settings.deployment, rules)
            await reference.fill(population_events(years), unseen)
        gc.collect()
        gc.freeze()  # a reader has no state of its own for the collector to look through
        today = START + timedelta(days=365 * years - 1)

        async def read(held: HeldTables) -> float:
            began = perf_counter()
            await read_scorecard(redis, settings.deployment, rules, today.date(), held=held)
            return 1000 * (perf_counter() - began)

        held, again, anew = HeldTables(), list[float](), list[float]()
        for number in range(WARMING + count):
            await cases.fill([new_event(number, today)], unseen)
            again.append(await read(held))
            anew.append(await read(HeldTables()))
        return again[WARMING:], anew[WARMING:]
    finally:
        gc.unfreeze()
        await redis.aclose()
