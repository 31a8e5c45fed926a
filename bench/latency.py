"""How long after it is sent an event is in the tables that readers see."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from threading import Event, Thread
from time import perf_counter, sleep
from typing import Any, NamedTuple

import numpy as np

from bench.bed import Bed, BenchError
from bench.figures import Figure, Section, Target, at_most, quantile
from bench.progress import stage
from bench.sizes import Sizes
from bench.workers import StoredOffsets, Worker, running_worker
from examples.workload import case_events
from processors.rules import Rules
from schemas.events.registry import CASE_TOPIC


class Way(NamedTuple):
    """How events are sent: so many a second, each waiting at most `linger` ms for others."""

    rate: int
    linger: int

    @property
    def words(self) -> str:
        """For people."""
        return f"at {self.rate:,} events/s, linger {self.linger} ms"


# Events a second: of an ordinary day many times over, and of a busy one.
RATE, BUSY_RATE = 1_000, 5_000
MOST_P99 = {RATE: 100, BUSY_RATE: 150}
# How long producers wait where they are not told otherwise: librdkafka's, and Kafka's own.
LINGER = 5
WAYS = tuple(Way(rate, linger) for linger in (LINGER, 0) for rate in MOST_P99)
LOOK_SECONDS = 0.005
# How long sending may go on in this process while looking waits for its turn. Moments are noted
# when a look is over, so that a look which waits makes events later, and never sooner.
SWITCH_SECONDS = 0.0005
FLUSH_SECONDS = 30.0
# What a producer sends at first waits until it knows its brokers.
FIRST_SECONDS = 1.0
SHARES = (0.5, 0.95, 0.99)


class Sent(NamedTuple):
    """An event that Kafka has acknowledged, and when it was sent."""

    partition: int
    offset: int
    moment: float


@dataclass
class Watch:
    """Looks at the stored offsets every few milliseconds and notes when they change."""

    stored: StoredOffsets
    seen: list[tuple[float, list[int]]] = field(default_factory=list)
    is_over: Event = field(default_factory=Event)

    def run(self) -> None:
        """Look until it is over; once more after that."""
        last: list[int] = []
        while not (is_last := self.is_over.is_set()):
            offsets = self.stored.read()
            if offsets != last:
                self.seen.append((perf_counter(), offsets))
                last = offsets
            if not is_last:
                sleep(LOOK_SECONDS)

    def latencies(self, sent: list[Sent]) -> list[float]:
        """Milliseconds from each event's sending until its offset was passed."""
        moments = np.array([moment for moment, _ in self.seen])
        offsets = np.array([offsets for _, offsets in self.seen])
        return [
            1000 * float(moments[np.searchsorted(offsets[:, it.partition], it.offset, "right")])
            - 1000 * it.moment
            for it in sent
        ]


def latency(bed: Bed, rules: Rules, sizes: Sizes) -> Section:
    """Milliseconds to visible at two rates of events, on tables that are not empty.

    Nothing is measured before events have come for a while, as many a second as will at most: a
    broker that has just started takes twice the processor, to compile what it does.
    """
    bed.clean()
    total = bed.preload(case_events(sizes.latency_state_events), sizes.latency_state_events)
    warming, seconds = max(WAYS), sizes.latency_seconds
    needed = int(sum(way.rate for way in (warming, *WAYS)) * seconds)
    # Other events than those already in the tables, and somewhat more than are needed, since how
    # many are made is approximate.
    workload = case_events(needed * 11 // 10, seed=2)
    sent_before, figures = total, list[Figure]()
    with running_worker(bed, bed.settings(), rules) as worker:
        with stage("one worker folds them", total) as show:
            worker.wait_until_stored(total, show)
        for number, way in enumerate((warming, *WAYS)):
            messages = list(islice(workload, int(way.rate * seconds)))
            rate, times = _measure(bed, worker, sent_before, way, messages)
            sent_before += len(messages)
            if number > 0:
                figures += _figures(way, rate, times)
    notes = (
        f"Events sent for {seconds:g} seconds each way, and before that as long {warming.words} to "
        f"warm up, to one worker with {total:,} events in its tables at first: by a producer as it "
        f"comes, which lingers for {LINGER} ms so that others are sent with an event, and by one "
        "that does not. "
        "A producer's first second, in which it looks for its brokers, is left out. "
        "From the call of the producer until the offset stored with the state is past the event, "
        "looked at every 5 ms."
    )
    return Section("Event to visible", notes, tuple(figures))


def _figures(way: Way, rate: float, times: list[float]) -> Iterator[Figure]:
    targets = {0.99: at_most(MOST_P99[way.rate])}
    for share in SHARES:
        yield _quantile(times, share, way.words, targets.get(share))
    yield Figure(f"longest {way.words}", max(times), "ms")
    yield Figure(f"sent {way.words}", rate, "events/s")


def _quantile(samples: list[float], share: float, when: str, target: Target | None) -> Figure:
    return Figure(f"p{round(100 * share)} {when}", quantile(samples, share), "ms", target)


def _measure(
    bed: Bed, worker: Worker, total: int, way: Way, messages: list[tuple[bytes, bytes]]
) -> tuple[float, list[float]]:
    """How many a second were sent, and the milliseconds that each took."""
    watch = Watch(worker.stored)
    watching = Thread(target=watch.run, daemon=True)
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    watching.start()
    try:
        with stage(f"sending {way.words}"):
            rate, sent = _send(bed, way, messages)
            worker.wait_until_stored(total + len(sent))
            sleep(10 * LOOK_SECONDS)
    finally:
        watch.is_over.set()
        watching.join()
        sys.setswitchinterval(before)
    if len(sent) < len(messages):
        raise BenchError(f"Kafka refused {len(messages) - len(sent):,} events")
    begun = min(it.moment for it in sent) + FIRST_SECONDS
    return rate, watch.latencies([it for it in sent if it.moment >= begun])


def _send(bed: Bed, way: Way, messages: list[tuple[bytes, bytes]]) -> tuple[float, list[Sent]]:
    """Send evenly; how many a second that were, and all of them once they are acknowledged."""
    producer, sent = bed.producer(way.linger), list[Sent]()
    began = perf_counter()
    for number, (key, value) in enumerate(messages):
        sleep(max(0.0, began + number / way.rate - perf_counter()))
        moment = perf_counter()
        producer.produce(
            CASE_TOPIC,
            value,
            key,
            on_delivery=partial(_acknowledged, sent, moment),
        )
        producer.poll(0)
    rate = len(messages) / (perf_counter() - began)
    if producer.flush(FLUSH_SECONDS):
        raise BenchError("Kafka did not take the events in time")
    return rate, sent


def _acknowledged(sent: list[Sent], moment: float, error: object, message: Any) -> None:
    """Note an event's offset; one that Kafka did not take never becomes visible."""
    if error is None:
        sent.append(Sent(message.partition(), message.offset(), moment))
