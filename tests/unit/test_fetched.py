"""When a broker is asked for more: once what it has sent is taken, and not at once."""

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.structs import TopicPartition

from streams.kafka.private import Fetched

FIRST, SECOND = TopicPartition("case-events", 0), TopicPartition("case-events", 1)


class Result:
    """What a broker has sent of a partition."""

    def __init__(self, *records: int, is_ours: bool = True) -> None:
        self._partition_records = SimpleNamespace(_records_iterator=iter(records))
        self._is_ours = is_ours

    def check_assignment(self, _: TopicPartition) -> bool:
        return self._is_ours

    def _update_position(self) -> None:
        """A position is the consumer's, which there is none of here."""


class Consumer:
    """Holds what was fetched, as aiokafka's does, and counts how often more was asked for."""

    def __init__(self) -> None:
        self.asked = 0
        self._subscription = SimpleNamespace(reassignment_in_progress=False)
        self._fetcher = SimpleNamespace(
            _records={FIRST: Result(1, 2)},
            _wait_consume_future=None,
            _notify=self._ask,
        )

    def _ask(self, _: object) -> None:
        self.asked += 1

    @property
    def records(self) -> dict[TopicPartition, Any]:
        found: dict[TopicPartition, Any] = self._fetcher._records
        return found


def take(fetched: Fetched, pair: TopicPartition, limit: int = 10) -> list[Any]:
    return fetched.take(pair, limit, lambda _, raw: raw)


def test_what_is_taken_holds_its_broker_until_more_is_fetched() -> None:
    consumer = Consumer()
    fetched = Fetched(consumer)
    assert fetched.waiting() == [FIRST]
    assert take(fetched, FIRST) == [1, 2]
    assert fetched.waiting() == []
    assert fetched.is_held
    assert (FIRST in consumer.records, consumer.asked) == (True, 0)
    fetched.fetch_on()
    assert not fetched.is_held
    assert (FIRST in consumer.records, consumer.asked) == (False, 1)


def test_what_is_taken_in_part_waits_for_the_rest_of_it_to_be_taken() -> None:
    fetched = Fetched(Consumer())
    assert take(fetched, FIRST, limit=2) == [1, 2]
    assert fetched.waiting() == [FIRST]
    assert not fetched.is_held
    assert take(fetched, FIRST, limit=2) == []
    assert fetched.is_held


def test_what_has_come_since_is_not_forgotten_with_what_was_taken() -> None:
    consumer = Consumer()
    fetched = Fetched(consumer)
    take(fetched, FIRST)
    consumer.records[FIRST] = newer = Result(3)
    consumer.records[SECOND] = Result(4)
    assert fetched.waiting() == [FIRST, SECOND]
    fetched.fetch_on()
    assert consumer.records[FIRST] is newer
    assert take(fetched, SECOND) == [4]


def test_what_was_sought_away_from_is_no_trouble() -> None:
    consumer = Consumer()
    fetched = Fetched(consumer)
    take(fetched, FIRST)
    del consumer.records[FIRST]
    fetched.fetch_on()
    assert (fetched.is_held, consumer.asked) == (False, 1)


def test_a_partition_that_is_no_longer_ours_gives_nothing_and_is_asked_for_no_longer() -> None:
    consumer = Consumer()
    consumer.records[FIRST] = Result(1, is_ours=False)
    fetched = Fetched(consumer)
    assert take(fetched, FIRST) == []
    assert fetched.is_held


def test_what_is_given_up_waits_no_more_and_holds_its_broker_as_what_is_taken_does() -> None:
    consumer = Consumer()
    fetched = Fetched(consumer)
    fetched.give_up(FIRST)
    assert (fetched.waiting(), fetched.is_held) == ([], True)
    fetched.fetch_on()
    assert (consumer.records, consumer.asked) == ({}, 1)


def test_nothing_waits_while_partitions_are_assigned_anew() -> None:
    consumer = Consumer()
    consumer._subscription.reassignment_in_progress = True
    assert Fetched(consumer).waiting() == []


def test_what_cannot_be_parsed_raises_after_all_before_it_is_taken() -> None:
    def broken() -> Any:
        yield 1
        raise ValueError("not a record")

    consumer = Consumer()
    consumer.records[FIRST]._partition_records._records_iterator = broken()
    fetched = Fetched(consumer)
    assert take(fetched, FIRST) == [1]
    consumer.records[FIRST]._partition_records._records_iterator = broken()
    next(consumer.records[FIRST]._partition_records._records_iterator)
    with pytest.raises(ValueError, match="not a record"):
        take(fetched, FIRST)
