"""Workers killed, paused, added and removed, and services that die: nothing lost, nothing doubled.

A fault counts only if it hit a worker in the middle of its work: events that the broker had
acknowledged before it, in partitions that worker held, were not in the state after it.
"""

import random
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from functools import partial
from itertools import islice

import pytest

from examples.workload import case_events
from processors.fold import Partition
from processors.record.decoding import decode
from processors.rules import Rules
from streams.kafka.batches import TP
from streams.kafka.topics import create_topics
from tests.support.feeder import Feeder, feeding
from tests.support.servers import Server
from tests.support.workers import (
    CommandLine,
    Offsets,
    RunningWorker,
    assert_shown_as_replayed,
    wait_to_share,
    wait_until,
)

pytestmark = [pytest.mark.services, pytest.mark.long]

TOPIC = "case-events"
DATES = (date(2015, 6, 30), date(2016, 1, 15))
# As many as the test asks for, and enough more for bursts that are over before a fault strikes.
EVENTS = 200_000
KILLS = 6
# Some seconds' work for a worker on a slow machine, and not all of the events in all the bursts.
BURST = 9_000
SESSION_SECONDS = 2.0
SHARDS = 7


@pytest.fixture
def caseline(bare: CommandLine) -> CommandLine:
    """A deployment whose shards two workers share evenly, and three as well."""
    settings = bare.settings.model_copy(update={"case_partitions": SHARDS - 1})
    create_topics(settings)
    return replace(bare, settings=settings)


def first(count: int, seed: int) -> list[tuple[bytes, bytes]]:
    """The first so many messages of a longer workload."""
    messages = list(islice(case_events(int(count * 1.1), seed=seed), count))
    assert len(messages) == count
    return messages


def repeated(rules: Rules, messages: list[tuple[bytes, bytes]]) -> int:
    """How many of the messages say nothing new, folding them in order."""
    state = Partition(rules)
    events = decode(TOPIC, [(key, value, ()) for key, value in messages]).events
    return state.fold_unstored(events)


def assert_as_replayed(caseline: CommandLine, messages: list[tuple[bytes, bytes]]) -> None:
    """Tables equal to `replay`, offsets equal to the log's ends, and every message tallied once."""
    assert_shown_as_replayed(caseline, messages, *DATES)
    ends = caseline.ends()
    assert sum(ends.values()) == len(messages)
    assert caseline.offsets() == ends
    assert caseline.tally("messages") == len(messages)
    assert caseline.tally("duplicates") == repeated(caseline.rules, messages)


class Crew:
    """Workers at work, and faults that befall them in the middle of it."""

    def __init__(self, caseline: CommandLine, feeder: Feeder, stack: ExitStack, seed: int) -> None:
        self._caseline, self._feeder, self._stack = caseline, feeder, stack
        self._rng = random.Random(seed)
        self.workers = [self.hire(), self.hire()]

    def hire(self) -> RunningWorker:
        """Start one more worker."""
        return self._stack.enter_context(self._caseline.worker(session_timeout=SESSION_SECONDS))

    def wait_to_share(self) -> None:
        """Wait until the workers share the shards."""
        wait_to_share(*self.workers, shards=SHARDS)

    def any(self) -> int:
        """The place of one of the workers."""
        return self._rng.randrange(len(self.workers))

    def is_short(self, tps: set[TP], ends: Offsets) -> bool:
        """Whether the state of any of the partitions stands before its end."""
        stored = self._caseline.offsets()
        return any(stored.get(tp, 0) < ends.get(tp, 0) for tp in tps)

    def is_beyond(self, tps: set[TP], offsets: Offsets) -> bool:
        """Whether the state of any of the partitions has got on since it stood there."""
        stored = self._caseline.offsets()
        return any(stored.get(tp, 0) > offsets.get(tp, 0) for tp in tps)

    def strike(self, worker: RunningWorker, fault: Callable[[], None]) -> Offsets:
        """Cause a fault while the worker is in the middle of a burst; what Kafka had by then.

        Bursts that it finished too soon to be hit are let pass. Fails when none are left.
        """
        while True:
            held, before = worker.holds(), self._caseline.offsets()
            burst = self._feeder.burst(BURST)
            wait_until(
                partial(self.is_beyond, held, before), "the worker is at the burst", [worker]
            )
            time.sleep(self._rng.random() * 0.04)
            ends = self._feeder.acknowledged
            if self.is_short(held, ends):
                fault()
                return ends
            burst.result()

    def kill_one(self) -> bool:
        """`kill -9` a worker and replace it; whether what it held was left short of the end."""
        self.wait_to_share()
        place = self.any()
        worker = self.workers[place]
        held, ends = worker.holds(), self.strike(worker, worker.kill)
        is_hit = self.is_short(held, ends)
        self.workers[place] = self.hire()
        return is_hit


def test_nothing_is_lost_or_doubled_by_kills_rebalances_and_restarts_of_redis_and_kafka(
    caseline: CommandLine, kafka: Server, redis_server: Server
) -> None:
    messages = first(EVENTS, seed=7)
    with feeding(kafka.address, TOPIC, messages) as feeder, ExitStack() as stack:
        crew = Crew(caseline, feeder, stack, seed=11)
        kills = 0
        while kills < KILLS:
            kills += crew.kill_one()

        crew.wait_to_share()
        crew.strike(crew.workers[0], lambda: crew.workers.append(crew.hire()))
        crew.wait_to_share()
        crew.strike(crew.workers[0], crew.workers[0].stop)
        del crew.workers[0]
        crew.wait_to_share()

        for server in (redis_server, kafka):
            for end in (server.stop, server.kill):
                crew.strike(crew.workers[crew.any()], end)
                server.start()
                crew.wait_to_share()

        feeder.burst(BURST).result()
        caseline.wait_for_the_end(crew.workers)
        for worker in crew.workers:
            worker.stop()
    assert_as_replayed(caseline, messages[: feeder.sent])


def test_a_worker_paused_past_its_session_writes_nothing_wrong_when_it_goes_on(
    caseline: CommandLine, kafka: Server
) -> None:
    messages = first(EVENTS // 3, seed=8)
    with feeding(kafka.address, TOPIC, messages) as feeder, ExitStack() as stack:
        crew = Crew(caseline, feeder, stack, seed=12)
        paused, other = crew.workers
        crew.wait_to_share()
        crew.strike(paused, paused.pause)
        held = paused.holds()
        wait_until(lambda: len(other.holds()) == SHARDS, "the other worker has taken over")
        feeder.burst(5_000).result()
        caseline.wait_for_the_end([other])
        taken = caseline.offsets()

        logged = len(paused.lines)
        paused.resume()
        feeder.burst(BURST).result()
        wait_until(lambda: bool(paused.holds(logged)), "the worker holds shards again")
        caseline.wait_for_the_end([paused, other])
        assert all(caseline.offsets()[tp] >= taken[tp] for tp in held & taken.keys())
        for worker in crew.workers:
            worker.stop()
    assert_as_replayed(caseline, messages[: feeder.sent])
