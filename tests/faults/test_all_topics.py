"""Every topic through Kafka, twice and shuffled, by workers that are killed: the given answers.

And so when the state is made anew from the log.
"""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from itertools import count

import pytest

from schemas.events.registry import CASE_TOPIC
from streams.kafka.eventfiles import read_events
from tests.support.all_answers import BAD_LINES, DATES, LOGS, answers, disagreements
from tests.support.examples import log_file
from tests.support.feeder import Feeder, feeding_topics
from tests.support.servers import Server
from tests.support.workers import CommandLine, RunningWorker, wait_to_share

pytestmark = pytest.mark.services

KILLS = 2
# Bursts in which all that is sent the first two times is sent.
BURSTS = 6
SESSION_SECONDS = 2.0

Message = tuple[str, bytes, bytes]


def everything(log: str) -> list[Message]:
    """What a log's lines make, for every topic that each is on; what is no event is a case's."""
    found: list[Message] = []
    for judged in read_events(log_file(log)):
        for line in judged.good:
            key, value, _ = line.message
            found += [(topic, key or b"", value or b"") for topic in line.topics]
        found += [(CASE_TOPIC, b"bad", bad.value) for bad in judged.bad]
    return found


def twice_and_then_again(messages: list[Message]) -> Iterator[Message]:
    """All of the messages twice, shuffled, and then all of them over and over."""
    chance = random.Random(21)
    for times in count():
        batch = messages * (1 if times else 2)
        chance.shuffle(batch)
        yield from batch


def is_short(caseline: CommandLine, worker: RunningWorker, feeder: Feeder) -> bool:
    """Whether the state of what a worker holds is short of what Kafka is known to have."""
    ends, stored = feeder.acknowledged, caseline.offsets()
    return any(stored.get(tp, 0) < ends.get(tp, 0) for tp in worker.partitions)


def kill_at_work(caseline: CommandLine, worker: RunningWorker, feeder: Feeder, burst: int) -> bool:
    """`kill -9` a worker in the middle of a burst; whether that left some of it undone."""
    while True:
        sending = feeder.burst(burst)
        while not sending.done():
            if is_short(caseline, worker, feeder):
                worker.kill()
                sending.result()
                return is_short(caseline, worker, feeder)
        sending.result()  # the worker kept up with it: another one


def is_right(caseline: CommandLine, log: str, day: date) -> bool:
    """Whether the live scorecard of every place gives the answers of a day."""
    levels = [part for level in caseline.rules.graph.levels for part in ("--level", level)]
    text = caseline.run("scorecard", "--as-of", f"{day}", "--format", "csv", *levels).stdout
    return not disagreements(text, answers(log, day))


@pytest.mark.parametrize("log", LOGS)
def test_every_topic_twice_and_shuffled_under_kills_gives_the_answers_at_every_place(
    caseline: CommandLine, kafka: Server, log: str
) -> None:
    messages = everything(log)
    stream = twice_and_then_again(messages)
    with feeding_topics(kafka.address, stream) as feeder, ExitStack() as stack:

        def hire() -> RunningWorker:
            return stack.enter_context(caseline.worker(session_timeout=SESSION_SECONDS))

        workers, kills = [hire(), hire()], 0
        while kills < KILLS:
            wait_to_share(*workers)
            kills += kill_at_work(caseline, workers[0], feeder, 2 * len(messages) // BURSTS)
            workers = [workers[1], hire()]
        feeder.burst(max(0, 2 * len(messages) - feeder.sent)).result()
        caseline.wait_for_the_end(workers)
        for worker in workers:
            worker.stop()
    assert sum(caseline.ends().values()) == feeder.sent == caseline.tally("messages")
    assert feeder.sent >= 2 * len(messages)
    assert sum(of_reason(caseline).values()) >= 2 * BAD_LINES
    assert [day for day in DATES if not is_right(caseline, log, day)] == []
    caseline.run("rebuild", "--yes")
    assert {head.generation for head in caseline.heads().values()} == {1}
    assert is_right(caseline, log, DATES[-1])


def of_reason(caseline: CommandLine) -> Counter[str]:
    """How many messages were rejected for each reason."""
    found: Counter[str] = Counter()
    for head in caseline.heads().values():
        found.update({it: n for it, n in head.tallies.items() if it.startswith("rejected:")})
    return found
