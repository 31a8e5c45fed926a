"""End-to-end throughput on one preloaded topic: Caseline and its peers in turn."""

import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial

from bench.bed import ROOT, Bed, BenchError
from bench.figures import Figure, Section, at_least, median, quantile
from bench.peers.committing import AT_LEAST_ONCE, EXACTLY_ONCE, install, kafka_streams, quix
from bench.progress import stage
from bench.sizes import Sizes
from bench.workers import one_worker_rate
from examples.workload import case_events
from processors.rules import Rules
from schemas.events.registry import CASE_TOPIC

LEAST_RATE, LEAST_TIMES_FAUST, LEAST_TIMES_BYTEWAX = 50_000, 5, 1
CONTESTANT_SECONDS = 300.0
TITLE = "End-to-end throughput"
NOTES = (
    "One process each, alone, on the same preloaded topic; the middle of the rounds. "
    "Caseline: from its partitions taken to all offsets stored in Redis with the state. "
    "Bytewax: from its first partition opened to its last count, state in memory only. "
    "Plain Faust: from its first event to its last count, changelog not waited for. "
    "Kafka Streams (one thread; what has an id that it had before is left out, the rest counted) "
    "and Quix Streams (counted): from the first event to the last offset committed, state in "
    "RocksDB, its changelog in Kafka."
)
PEERS = {"Kafka Streams": kafka_streams, "Quix Streams": quix}
GUARANTEES = (EXACTLY_ONCE, AT_LEAST_ONCE)


def throughput(bed: Bed, rules: Rules, sizes: Sizes) -> Section:
    """Events a second of each contestant, and how they compare."""
    bed.clean()
    total = bed.preload(case_events(sizes.throughput_events), sizes.throughput_events)
    with stage("installing the peers, where they are missing"):
        where = install()
    contestants: dict[str, Callable[[], float]] = {
        "Caseline": lambda: one_worker_rate(bed, rules, total),
        "Bytewax": lambda: _contestant("bytewax_flow", bed),
        "Plain Faust": lambda: _contestant(
            "plain_faust", bed, str(total), str(sizes.plain_faust_seconds)
        ),
    }
    for name, peer in PEERS.items():
        for kind in GUARANTEES:
            contestants[f"{name}, {kind}"] = partial(peer, bed, where, total, kind)
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(1, sizes.throughput_rounds + 1):
        for name, measure in contestants.items():
            with stage(f"round {number} of {sizes.throughput_rounds}: {name}"):
                rates[name].append(measure())
    return Section(TITLE, f"{total:,} events. {NOTES}", _figures(rates))


def _figures(rates: dict[str, list[float]]) -> tuple[Figure, ...]:
    ours, bytewax, faust = (
        quantile(rates[name], 0.5) for name in ("Caseline", "Bytewax", "Plain Faust")
    )
    unit, times = "events/s", "times"
    return (
        median("Caseline, durable tables", rates["Caseline"], unit, at_least(LEAST_RATE)),
        median("Bytewax, stateful_map count", rates["Bytewax"], unit),
        median("Plain Faust, Table count", rates["Plain Faust"], unit),
        *(median(name, rates[name], unit) for name in rates if name.startswith(tuple(PEERS))),
        Figure("Caseline to plain Faust", ours / faust, times, at_least(LEAST_TIMES_FAUST)),
        Figure("Caseline to Bytewax", ours / bytewax, times, at_least(LEAST_TIMES_BYTEWAX)),
    )


def _contestant(module: str, bed: Bed, *arguments: str) -> float:
    """Events a second that a contestant's own process says."""
    command = [sys.executable, "-m", f"bench.peers.{module}", bed.brokers, CASE_TOPIC, *arguments]
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=CONTESTANT_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise BenchError(f"{module}: not done in {CONTESTANT_SECONDS:.0f} s") from error
    if done.returncode:
        raise BenchError(f"{module}: {done.stderr.strip()[-2000:]}")
    told = json.loads(done.stdout.splitlines()[-1])
    return float(told["events"] / told["seconds"])
