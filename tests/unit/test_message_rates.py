"""Rates of messages: how far logs and states went between two looks, by topic."""

from streams.jobs.message_rates import Reached, TopicRate, rates
from streams.kafka.batches import TP

FIRST, SECOND = TP("case-events", 0), TP("case-events", 1)


def test_a_topics_rates_are_those_of_its_partitions_together() -> None:
    before = Reached(10.0, {FIRST: (0, 100, 90), SECOND: (0, 50, 50)})
    after = Reached(12.0, {FIRST: (0, 120, 100), SECOND: (0, 50, 50)})
    assert rates(before, after) == [TopicRate("case-events", 10.0, 5.0, 20)]


def test_what_is_gone_from_the_log_does_not_wait() -> None:
    still = Reached(10.0, {FIRST: (80, 100, 70)})
    assert rates(still, still._replace(at=11.0)) == [TopicRate("case-events", 0.0, 0.0, 20)]


def test_a_partition_that_is_new_or_went_back_did_nothing() -> None:
    before = Reached(10.0, {FIRST: (0, 100, 100)})
    after = Reached(11.0, {FIRST: (0, 10, 5), SECOND: (0, 7, 7)})
    assert rates(before, after) == [TopicRate("case-events", 0.0, 0.0, 5)]
