"""How long after it is sent an event is in the tables that readers see."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
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
    """How events are sent: so many a second, each waiting at most `linger` ms for others.

    `seed` is of the workload: of other children and other events than those already in the tables.
    """

    rate: int
    linger: float
    seed: int

    @property
    def words(self) -> str:
        """For people."""
        return f"at {self.rate:,} events/s{'' if self.linger else ', each alone'}"


# Events a second: of an ordinary day many times over, and of a busy one.
RATE, BUSY_RATE = 1_000, 5_000
MOST_P99 = {RATE: 100, BUSY_RATE: 150}
# How long producers wait where they are not told otherwise: librdkafka's, and Kafka's own.
LINGER = 5.0
WARMING = Way(RATE, LINGER, 2)
WAYS = Way(RATE, LINGER, 3), Way(BUSY_RATE, LINGER, 4), Way(RATE, 0, 5), Way(BUSY_RATE, 0, 6)
LOOK_SECONDS = 0.005
# How long sending may go on in this process while looking waits for its turn. Moments are noted
# when a look is over, so that a look which waits makes events later, and never sooner.
SWITCH_SECONDS = 0.0005
FLUSH_SECONDS = 30.0
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

    Nothing is measured before events have come for a while: in its first minute a broker takes
    twice the processor, to compile what it does.
    """
    bed.clean()
    total = bed.preload(case_events(sizes.latency_state_events), sizes.latency_state_events)
    samples: dict[Way, list[float]] = {}
    with running_worker(bed, bed.settings(), rules) as worker:
        with stage("one worker folds them", total) as show:
            worker.wait_until_stored(total, show)
        for way in (WARMING, *WAYS):
            before = total + sum(map(len, samples.values()))
            samples[way] = _measure(bed, worker, before, way, int(way.rate * sizes.latency_seconds))
    notes = (
        f"Events sent for {sizes.latency_seconds:g} seconds in each way, and before that as long to "
        f"warm up, to one worker with {total:,} events in its tables: by a producer as it comes, "
        f"which waits up to {LINGER:g} ms for others to send with an event, and by one that sends "
        "each event alone, at once. From the call of the producer until the offset stored with the "
        "state is past the event, looked at every 5 ms."
    )
    figures: list[Figure] = []
    for way in WAYS:
        times, targets = samples[way], {0.99: at_most(MOST_P99[way.rate])}
        figures += [_quantile(times, share, way.words, targets.get(share)) for share in SHARES]
        figures.append(Figure(f"longest {way.words}", max(times), "ms"))
    return Section("Event to visible", notes, tuple(figures))


def _quantile(samples: list[float], share: float, when: str, target: Target | None) -> Figure:
    return Figure(f"p{round(100 * share)} {when}", quantile(samples, share), "ms", target)


def _measure(bed: Bed, worker: Worker, total: int, way: Way, events: int) -> list[float]:
    watch = Watch(worker.stored)
    watching = Thread(target=watch.run, daemon=True)
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    watching.start()
    try:
        with stage(f"sending {way.words}"):
            sent = list(_send(bed, way, events))
            worker.wait_until_stored(total + len(sent))
            sleep(10 * LOOK_SECONDS)
    finally:
        watch.is_over.set()
        watching.join()
        sys.setswitchinterval(before)
    return watch.latencies(sent)


def _send(bed: Bed, way: Way, events: int) -> Iterator[Sent]:
    """Send evenly; gives all of them once they are acknowledged."""
    producer, sent = bed.producer(way.linger), list[Sent]()
    # Somewhat more than are needed, since how many are made is approximate.
    messages = list(case_events(events * 11 // 10, seed=way.seed))[:events]
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
    if producer.flush(FLUSH_SECONDS):
        raise BenchError("Kafka did not take the events in time")
    yield from sent


def _acknowledged(sent: list[Sent], moment: float, error: object, message: Any) -> None:
    """Note an event's offset; one that Kafka did not take never becomes visible."""
    if error is None:
        sent.append(Sent(message.partition(), message.offset(), moment))
