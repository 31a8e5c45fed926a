"""Services that are away when a process begins, or takes partitions over: it waits and goes on."""

from datetime import date
from itertools import islice

import pytest

from examples.workload import case_events
from tests.support.feeder import feeding
from tests.support.servers import Server
from tests.support.workers import (
    CommandLine,
    RunningWorker,
    assert_shown_as_replayed,
    wait_to_share,
    wait_until,
)

pytestmark = pytest.mark.services

TOPIC, DAY = "case-events", date(2015, 10, 31)
NOWHERE = "127.0.0.1:1"


def wait_to_say(text: str, *processes: RunningWorker) -> None:
    for it in processes:
        wait_until(lambda it=it: text in it.text, f"it says {text!r}", [it])  # type: ignore[misc]


def test_what_begins_before_redis_and_kafka_waits_for_each_and_goes_on_by_itself(
    kafka: Server, redis_server: Server, caseline: CommandLine
) -> None:
    sent = list(islice(case_events(900, seed=5), 500))
    kafka.stop()
    redis_server.stop()
    noon = {"clock_from": "2015-11-30T12:00:00Z"}  # which lies in Redis
    with (
        caseline.worker(**noon) as worker,
        caseline.worker("alerts", "run", **noon) as teller,
    ):
        wait_to_say(f"Redis does not answer at {redis_server.address}", worker, teller)
        redis_server.start()
        wait_to_say(f"Kafka does not answer at {kafka.address}", worker, teller)
        kafka.start()
        wait_to_say("elected", teller)
        with feeding(kafka.address, TOPIC, sent) as feeder:
            feeder.burst().result()
        caseline.wait_for_the_end([worker, teller])
    assert_shown_as_replayed(caseline, sent, DAY)


def test_partitions_taken_over_while_redis_is_away_are_read_on_once_it_is_back(
    kafka: Server, redis_server: Server, caseline: CommandLine
) -> None:
    sent = list(islice(case_events(900, seed=6), 500))
    with caseline.worker() as first, caseline.worker() as second:
        wait_to_share(first, second)
        with feeding(kafka.address, TOPIC, sent[:250]) as feeder:
            feeder.burst().result()
        caseline.wait_for_the_end([first, second])
        redis_server.stop()
        second.kill()
        wait_to_say("taken over later", first)
        redis_server.start()
        with feeding(kafka.address, TOPIC, sent[250:]) as feeder:
            feeder.burst().result()
        caseline.wait_for_the_end([first])
    assert_shown_as_replayed(caseline, sent, DAY)


def test_what_waits_for_a_wrong_address_says_so_again_and_ends_when_it_is_told_to(
    caseline: CommandLine,
) -> None:
    with (
        caseline.worker(kafka_bootstrap=NOWHERE) as worker,
        caseline.worker("alerts", "run", redis_url=f"redis://{NOWHERE}/0") as teller,
    ):
        for it, name in ((worker, "Kafka"), (teller, "Redis")):
            said = f"{name} does not answer at"
            wait_until(lambda it=it, said=said: it.text.count(said) > 1, "it says so again", [it])  # type: ignore[misc]
            it.stop()


def test_what_is_refused_does_not_wait(caseline: CommandLine) -> None:
    stranger = {"redis_username": "nobody", "redis_password": "not-for-any-log"}
    for command in (("worker",), ("alerts", "run")):
        refused = caseline.run(*command, code=1, **stranger)
        assert "WRONGPASS" in refused.stderr
        assert "waited for" not in refused.stderr
        assert "not-for-any-log" not in refused.stderr
