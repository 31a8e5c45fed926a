"""How long a month's release takes: the frozen cut, and the reconciliation with the whole log."""

import asyncio
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from time import perf_counter, sleep

from bench.bed import Bed, BenchError
from bench.figures import Figure, Section, at_most
from bench.peaks import tree_memory
from bench.progress import stage
from bench.sizes import Sizes
from bench.workers import running_worker
from examples.workload import EVENTS_A_CHILD, case_events
from processors.rules import Rules
from schemas.settings import Settings
from streams.jobs.releasing import Releasing
from streams.state.redis_clients import connect_redis

TITLE = "Month-end releases"
AS_OF = date(2015, 12, 31)
WAIT_SECONDS = 60.0
LOOK_SECONDS = 0.2
# What a release of so many children may take.
LARGE_CHILDREN, MOST_SECONDS, MOST_MEGABYTES = 1_000_000, 150, 300


def snapshots(bed: Bed, rules: Rules, sizes: Sizes) -> Section:
    """Seconds to freeze and to reconcile, and the memory it takes, by number of children."""
    figures: list[Figure] = []
    for children in sizes.snapshot_children:
        figures += _measure(bed, rules, children)
    notes = (
        "A year of events, the state of which a worker has stored. Cut: both months' stocks and "
        "the reference events of every partition, from Redis. Release: the whole of `caseline "
        "snapshot freeze`, which reads the log again up to the cut and evaluates every case from "
        "scratch, in as many processes as there are processors; its memory is the most that all "
        "of them took at once, what they share counted once."
    )
    return Section(TITLE, notes, tuple(figures))


def _measure(bed: Bed, rules: Rules, children: int) -> list[Figure]:
    bed.clean()
    settings = bed.settings()
    about = int(children * EVENTS_A_CHILD)
    total = bed.preload(case_events(about), about)
    with running_worker(bed, settings, rules) as worker, stage("one folds them", total) as show:
        worker.wait_until_stored(total, show)
    state = f"{children:,} children, {total:,} events"
    with stage("freezing and reconciling"):
        cut = asyncio.run(_cut(settings, rules))
        release, memory = released(bed, settings)
    in_time, in_memory = (
        at_most(bound) if children == LARGE_CHILDREN else None
        for bound in (MOST_SECONDS, MOST_MEGABYTES)
    )
    return [
        Figure(f"{state}: cut", cut, "s"),
        Figure(f"{state}: release", release, "s", in_time),
        Figure(f"{state}: memory", memory, "MB", in_memory),
    ]


async def _cut(settings: Settings, rules: Rules) -> float:
    redis = connect_redis(settings)
    try:
        releasing = Releasing(settings, rules, redis, lambda _: lambda *_: None)
        began = perf_counter()
        await releasing.cut(AS_OF, WAIT_SECONDS)
        return perf_counter() - began
    finally:
        await redis.aclose()


def released(bed: Bed, settings: Settings) -> tuple[float, float]:
    """Seconds that the command takes, and the most memory that it and what it starts take."""
    given = {
        f"CASELINE_{name.upper()}": str(value)
        for name, value in settings.model_dump(exclude_unset=True).items()
    }
    caseline = Path(sys.executable).with_name("caseline")
    arguments = ["snapshot", "freeze", "--period", f"{AS_OF:%Y-%m}", "--by", "bench"]
    began, memory = perf_counter(), 0.0
    process = subprocess.Popen(
        [caseline, *arguments],
        cwd=bed.folder,
        env={**os.environ, **given, "CASELINE_RELEASES": f"releases-{settings.deployment}"},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None:
        memory = max(memory, tree_memory(process.pid))
        sleep(LOOK_SECONDS)
    if process.returncode:
        raise BenchError(f"caseline snapshot freeze ended with exit code {process.returncode}")
    return perf_counter() - began, memory
