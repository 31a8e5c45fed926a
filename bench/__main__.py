"""The benchmarks' command line: measures, shows and keeps, all in one run on one machine.

A figure that misses its target is shown so; it fails nothing, since it depends on the machine.
"""

import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bench.alerting import alerting
from bench.bed import Bed, BenchError, running_bed
from bench.breadth import breadth
from bench.country import country
from bench.figures import Section
from bench.growth import growth
from bench.latency import latency
from bench.machine import machine
from bench.memory import memory
from bench.million import million
from bench.pair import pair
from bench.places import places
from bench.progress import console
from bench.reads import reads
from bench.report import show, write
from bench.serving import serving
from bench.sizes import FULL, QUICK, Sizes
from bench.snapshots import snapshots
from bench.stages import stages
from bench.startup import startup
from bench.throughput import throughput
from processors.rules import Rules
from schemas.settings import Settings
from streams.state.redis_clients import load_rules

RESULTS = Path(__file__).with_name("results")


class Name(StrEnum):
    """The benchmarks."""

    THROUGHPUT = "throughput"
    PAIR = "pair"
    LATENCY = "latency"
    STAGES = "stages"
    GROWTH = "growth"
    READS = "reads"
    PLACES = "places"
    MEMORY = "memory"
    MILLION = "million"
    STARTUP = "startup"
    SNAPSHOTS = "snapshots"
    ALERTS = "alerts"
    BREADTH = "breadth"
    COUNTRY = "country"
    SERVING = "serving"


BENCHMARKS: dict[Name, Callable[[Bed, Rules, Sizes], Section]] = {
    Name.THROUGHPUT: throughput,
    Name.PAIR: pair,
    Name.LATENCY: latency,
    Name.STAGES: stages,
    Name.GROWTH: growth,
    Name.READS: reads,
    Name.PLACES: places,
    Name.MEMORY: memory,
    Name.MILLION: million,
    Name.STARTUP: startup,
    Name.SNAPSHOTS: snapshots,
    Name.ALERTS: alerting,
    Name.BREADTH: breadth,
    Name.COUNTRY: country,
    Name.SERVING: serving,
}

QuickOption = Annotated[bool, typer.Option("--quick", help="Small sizes: a minute, rough figures.")]
OnlyOption = Annotated[
    list[Name] | None, typer.Option("--only", help="Only this benchmark; may be repeated.")
]
ChildrenOption = Annotated[
    int | None,
    typer.Option(min=1, help="Children of the benchmark of serving, instead of its own number."),
]
ResultsOption = Annotated[Path, typer.Option("--results", help="Where results are written.")]


def main(
    quick: QuickOption = False,
    only: OnlyOption = None,
    children: ChildrenOption = None,
    results: ResultsOption = RESULTS,
) -> None:
    """Measure Caseline on a real Kafka and Redis of its own, beside Faust and Bytewax.

    Nothing else should run on the machine meanwhile. Results go to a JSON and a Markdown file
    named after the date, those of quick and of partial runs with a suffix.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    names = [name for name in Name if not only or name in only]
    rules, sizes = load_rules(Settings()), QUICK if quick else FULL
    if children is not None:
        sizes = replace(sizes, serving_children=children)
    sections: list[Section] = []
    try:
        with running_bed() as bed:
            where = machine(bed)
            for name in names:
                console.print(f"[bold]{name}[/bold]")
                sections.append(BENCHMARKS[name](bed, rules, sizes))
    except BenchError as error:
        console.print(f"bench: {error}", style="red", markup=False, soft_wrap=True)
        sys.exit(1)
    show(sections, where)
    when = datetime.now(UTC)
    suffix = "-quick" * quick + "".join(f"-{name}" for name in names if only)
    for path in write(results, f"{when:%Y-%m-%d}{suffix}", sections, where, when):
        console.print(f"written: {path}")


if __name__ == "__main__":
    typer.run(main)
