"""A month of a whole country, simulated: how late its events are seen, by workers and by volume.

A calculation, not a measurement: minute by minute events arrive as councils send them, and each
worker takes from its partitions as many as one was measured to store. What they leave waits.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from bench.bed import Bed
from bench.figures import Figure, Section
from bench.sizes import Sizes
from processors.rules import Rules

TITLE = "A country's month, simulated"
# Of the shipped October 2015 of Kent, all topics together. England has about 36 times the children.
KENT_EVENTS = 25_000
COUNCILS, KENTS = 152, 36.0
LARGEST = 1.3  # of Kent
# What one worker stores, half of what it does in the benchmark of throughput: the other half is
# left to all that runs beside it.
EVENTS_A_SECOND = 25_000
PARTITIONS = 48
MONTH = datetime(2015, 10, 1)
MINUTES = 31 * 24 * 60
MINUTE = 60.0
SEED = 36
# How councils send: as it happens, a file a night, a file a week, a file at the month's end.
LIVE, NIGHTLY, WEEKLY, MONTHLY = range(4)
SHARES = (0.5, 0.3, 0.1, 0.1)
SENT_AT = {NIGHTLY: 20 * 60, WEEKLY: 22 * 60, MONTHLY: 23 * 60}
WORKING_HOURS = range(8, 18)
FRIDAY, SATURDAY = 4, 5
# The largest council sends all of its ten years again, on a working day at eleven.
AGAIN_AT, AGAIN_MONTHS = datetime(2015, 10, 14, 11), 120
VOLUMES, WORKERS = (1, 10, 100), (1, 4, 16)

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Waited:
    """What live events waited, in seconds: of 99 in 100 and at most; and who had work how long."""

    p99: float
    longest: float
    backlog: float
    busy: float


def country(_bed: Bed, _rules: Rules, _sizes: Sizes) -> Section:
    """Seconds that live events wait, at each volume and with so many workers."""
    figures: list[Figure] = []
    for volume in VOLUMES:
        arrivals = month(volume)
        for workers in WORKERS:
            waited = simulate(arrivals, workers)
            what = f"{volume} times the events, {workers} workers"
            figures += [
                Figure(f"{what}: p99 wait", waited.p99, "s"),
                Figure(f"{what}: longest wait", waited.longest, "s"),
                Figure(f"{what}: largest backlog", waited.backlog, "events"),
                Figure(f"{what}: at work", 100 * waited.busy, "% of the month"),
            ]
    notes = (
        f"No measurement: {COUNCILS} councils with {KENTS:g} times the {KENT_EVENTS:,} events that "
        f"the shipped month of Kent has, {PARTITIONS} partitions, workers that store "
        f"{EVENTS_A_SECOND:,} events a second each. Half of the councils send as it happens, in "
        "working hours; others a file a night, a week or a month; the largest sends its ten years "
        f"again on {AGAIN_AT:%d %B at %H:%M}. Wait: of an event sent as it happens, behind all "
        "that lies in its partition."
    )
    return Section(TITLE, notes, tuple(figures))


def month(volume: float) -> Array:
    """Events of each minute and partition: in `[..., 0]` those sent as they happen, `[..., 1]` all.

    `volume` is how many times the events of the shipped month a place of its size has.
    """
    random = np.random.default_rng(SEED)
    sizes = _sizes(random)
    ways = random.choice(len(SHARES), size=COUNCILS, p=SHARES)
    sent = np.zeros((MINUTES, 2))
    for size, way in zip(sizes, ways, strict=True):
        events = size * volume * KENT_EVENTS
        for minute, count in _sendings(way, events):
            sent[minute] += (count if way == LIVE else 0.0, count)
    sent[_minute(AGAIN_AT), 1] += AGAIN_MONTHS * volume * KENT_EVENTS * sizes.max()
    # Children are spread by a hash: each partition has about as many as another.
    weights = random.dirichlet(np.full(PARTITIONS, 2_000.0))
    return sent[:, None, :] * weights[None, :, None]


def simulate(arrivals: Array, workers: int) -> Waited:
    """What becomes of a month's arrivals where so many workers share the partitions."""
    holder = np.arange(PARTITIONS) % workers
    backlog = np.zeros(PARTITIONS)
    waits, counts = [], []
    largest, busy = 0.0, 0.0
    for live, every in zip(arrivals[..., 0], arrivals[..., 1], strict=True):
        backlog += every
        held = np.bincount(holder, weights=backlog, minlength=workers)
        taken = np.minimum(held, EVENTS_A_SECOND * MINUTE)
        # A worker takes from its partitions in turn, so what came into one waits for all of them.
        waits.append((held / EVENTS_A_SECOND)[holder])
        counts.append(live)
        largest, busy = max(largest, float(held.sum())), busy + float(taken.sum())
        left = np.divide(held - taken, held, out=np.zeros_like(held), where=held > 0)
        backlog *= left[holder]
    wait, count = np.concatenate(waits), np.concatenate(counts)
    order = np.argsort(wait)
    share = np.cumsum(count[order]) / count.sum()
    seen = wait[count > 0]
    return Waited(
        p99=float(wait[order][np.searchsorted(share, 0.99)]),
        longest=float(seen.max()),
        backlog=largest,
        busy=busy / (workers * EVENTS_A_SECOND * MINUTE * MINUTES),
    )


def _sizes(random: np.random.Generator) -> Array:
    """The councils' sizes, of Kent: few large, many small, together the country."""
    sizes = random.lognormal(mean=0.0, sigma=0.7, size=COUNCILS)
    for _ in range(COUNCILS):
        sizes = np.minimum(sizes * KENTS / sizes.sum(), LARGEST)
    return np.asarray(sizes)


def _sendings(way: int, events: float) -> Iterator[tuple[int, float]]:
    """The minutes at which a council sends, and how many of its month's events then."""
    days = [MONTH + timedelta(days=day) for day in range(MINUTES // (24 * 60))]
    working = [day for day in days if day.weekday() < SATURDAY]
    if way == LIVE:
        minutes = [
            _minute(day) + 60 * hour + minute
            for day in working
            for hour in WORKING_HOURS
            for minute in range(60)
        ]
    else:
        on = {
            NIGHTLY: working,
            WEEKLY: [day for day in days if day.weekday() == FRIDAY],
            MONTHLY: days[-1:],
        }[way]
        minutes = [_minute(day) + SENT_AT[way] for day in on]
    for minute in minutes:
        yield minute, events / len(minutes)


def _minute(when: datetime) -> int:
    return int((when - MONTH).total_seconds() // MINUTE)
