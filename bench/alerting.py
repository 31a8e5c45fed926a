"""How long it takes to raise very many alerts that fall due at one midnight, and what it costs."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from time import perf_counter, sleep
from typing import Any

import numpy as np
from redis import Redis

from bench.bed import PARTITIONS, Bed, BenchError, Messages
from bench.figures import Figure, Section, at_most, quantile
from bench.progress import stage
from bench.sizes import Sizes
from bench.workers import Worker, running_worker
from processors.rules import Rules
from schemas.areas import load_areas
from schemas.events.registry import CASE_TOPIC
from schemas.settings import Settings
from streams.state.numbered import decode_numbers

MIDNIGHT = datetime(2015, 11, 10, tzinfo=UTC)  # a Tuesday's, in London
# Plans are due within 28 days, so those of cases of this day are late from MIDNIGHT on.
LATE_RECEIVED = MIDNIGHT - timedelta(days=29) + timedelta(hours=9)
OTHER_RECEIVED = MIDNIGHT - timedelta(days=20) + timedelta(hours=9)
# From a worker's start to midnight by its clock: long enough to start, and to measure before.
LEAD = timedelta(seconds=30)
QUIET_SECONDS = 10.0
RATE = 5_000
LOOK_SECONDS = 0.02
# Megabytes are read at each look at when children fall due.
DUE_LOOK_SECONDS = 0.25
WAIT_SECONDS = 900.0
MOST_SECONDS = 5
TITLE = "Alerts falling due at one midnight"


def alerting(bed: Bed, rules: Rules, sizes: Sizes) -> Section:
    """Seconds from midnight until all are raised, and the rate of events meanwhile."""
    bed.clean()
    cases, late = sizes.alert_cases, sizes.alert_deadlines
    total = bed.preload(_open_cases(cases, late), _events(cases, late))
    base = bed.settings().model_copy(update={"alert_calm_seconds": 0.0})
    with bed.redis() as redis:
        told = _Told(redis, base)
        noon = base.model_copy(update={"clock_from": MIDNIGHT - timedelta(hours=12)})
        with running_worker(bed, noon, rules) as worker:
            with stage("one worker folds them", total) as show:
                folded = worker.wait_until_stored(total, show)
            with stage("it judges every child"):
                judged = told.wait_for_all(cases, worker) - folded
        figures = [Figure("children judged after the backlog", cases / judged, "children/s")]
        soon = base.model_copy(update={"clock_from": MIDNIGHT - LEAD})
        with running_worker(bed, soon, rules) as worker, stage("midnight passes"):
            figures += _midnight(bed, worker, told, total, late)
    notes = (
        f"{cases:,} open cases, of which {late:,} have a plan that is late from one midnight on; "
        f"one worker, while {RATE:,} events a second are sent. Raised: the change is in Redis "
        "with the state it follows from. Stored: events a second over the time that took."
    )
    return Section(TITLE, notes, tuple(figures))


def _midnight(bed: Bed, worker: Worker, told: "_Told", total: int, late: int) -> list[Figure]:
    worker.wait_until_taken()
    midnight = worker.moment_of(MIDNIGHT)
    load = _Load(bed, total)
    load.start()
    try:
        sleep(max(0.0, midnight - perf_counter() - QUIET_SECONDS))
        before = _rate(worker, min(QUIET_SECONDS, max(1.0, midnight - perf_counter())))
        stored, began = sum(worker.stored.read()), perf_counter()
        moments = told.moments(2 * late, worker)
        rate = (sum(worker.stored.read()) - stored) / (perf_counter() - began)
    finally:
        load.stop()
    first, half, last = (quantile(moments, share) - midnight for share in (0.0, 0.5, 1.0))
    return [
        Figure("first raised after midnight", first, "s"),
        Figure("half of them", half, "s"),
        Figure(f"all {late:,}", last, "s", at_most(MOST_SECONDS)),
        Figure("events stored before midnight", before, "events/s"),
        Figure("events stored while raising", rate, "events/s"),
    ]


def _rate(worker: Worker, seconds: float) -> float:
    """Events stored a second, over so many."""
    began, stored = perf_counter(), sum(worker.stored.read())
    sleep(seconds)
    return (sum(worker.stored.read()) - stored) / (perf_counter() - began)


class _Told:
    """How many changes of alerts a deployment's outboxes hold; nobody empties them here."""

    def __init__(self, redis: "Redis", settings: Settings) -> None:
        self._redis = redis
        prefix = f"caseline:{{{settings.deployment}:{CASE_TOPIC}:"
        self._keys = [f"{prefix}{number}}}:alerts:outbox" for number in range(PARTITIONS)]
        self._deadlines = [f"{prefix}{number}}}:0:deadlines" for number in range(PARTITIONS)]

    def _count(self) -> int:
        with self._redis.pipeline(transaction=False) as pipe:
            for key in self._keys:
                pipe.xlen(key)
            return sum(pipe.execute())

    def wait_for_all(self, cases: int, worker: Worker) -> float:
        """The moment at which no child is to be looked at before midnight, of so many."""
        before = MIDNIGHT.timestamp() - 1
        deadline = perf_counter() + WAIT_SECONDS
        while not self._are_all_due_from(before, cases):
            worker.check()
            if perf_counter() > deadline:
                raise BenchError(f"not every child judged in {WAIT_SECONDS:.0f} s")
            sleep(DUE_LOOK_SECONDS)
        return perf_counter()

    def _are_all_due_from(self, moment: float, cases: int) -> bool:
        """Whether that many children are to be looked at, and none of them before a moment."""
        with self._redis.pipeline(transaction=False) as pipe:
            for key in self._deadlines:
                pipe.get(key)
            stored = pipe.execute()
        times = np.concatenate([decode_numbers(it or b"") for it in stored])
        due = times[times > 0]
        return len(due) >= cases and bool((due >= moment).all())

    def moments(self, count: int, worker: Worker) -> list[float]:
        """The moment at which each was there, from now until there are so many."""
        deadline = perf_counter() + WAIT_SECONDS
        found: list[float] = []
        known = self._count()
        while known < count:
            worker.check()
            if perf_counter() > deadline:
                raise BenchError(f"{known:,} of {count:,} alerts in {WAIT_SECONDS:.0f} s")
            sleep(LOOK_SECONDS)
            now = self._count()
            found += [perf_counter()] * (now - known)
            known = now
        return found


class _Load:
    """Events of other cases, sent evenly until stopped."""

    def __init__(self, bed: Bed, first: int) -> None:
        self._bed, self._first = bed, first
        self._is_over = Event()
        self._thread = Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """Send no more."""
        self._is_over.set()
        self._thread.join()

    def _run(self) -> None:
        producer, began, number = self._bed.producer(linger=5), perf_counter(), 0
        while not self._is_over.is_set():
            sleep(max(0.0, began + number / RATE - perf_counter()))
            for _ in range(RATE // 100):
                case = self._first + number
                key, value = _event(case, "notification.received", MIDNIGHT, notification_type="E")
                producer.produce(CASE_TOPIC, value, key)
                number += 1
            producer.poll(0)
        producer.flush(30)


def _events(cases: int, late: int) -> int:
    return 4 * cases - late


def _open_cases(cases: int, late: int) -> Messages:
    """Cases with a unit: the first so many without a plan, the others with all they need."""
    districts = load_areas().leaves
    for number in range(cases):
        yield from _case(number, districts[number % len(districts)], is_late=number < late)


def _case(number: int, district: str, *, is_late: bool) -> Iterator[tuple[bytes, bytes]]:
    received = LATE_RECEIVED if is_late else OTHER_RECEIVED
    yield _event(
        number, "notification.received", received, notification_type="EHN", district=district
    )
    yield _event(number, "case.allocated", received, service="unit", team=f"{district} 1")
    yield _event(number, "contact.made", received + timedelta(days=1))
    if not is_late:
        yield _event(number, "plan.completed", received + timedelta(days=2))


def _event(number: int, kind: str, time: datetime, **data: Any) -> tuple[bytes, bytes]:
    child = f"A{number:08d}"
    event = {
        "specversion": "1.0",
        "id": f"{number}-{kind}",
        "source": "urn:bench",
        "type": kind,
        "subject": f"A{number}",
        "time": time.isoformat(timespec="seconds"),
        "partitionkey": child,
        "data": data,
    }
    return child.encode(), json.dumps(event, separators=(",", ":")).encode()
