"""The events that go on after a demonstration's month."""

from datetime import UTC, datetime, timedelta

from processors.record.decoding import decode
from schemas.events.registry import CASE_TOPIC
from streams.terminal.demonstrations.trickle import LIFE, turn

NOON = datetime(2015, 10, 31, 12, tzinfo=UTC)
TURNS = 40


def test_every_turn_is_of_events_that_are_read_and_none_that_came_before() -> None:
    lines = [
        line
        for number in range(TURNS)
        for line in turn(number, ["Dover", "Swale"], NOON + timedelta(seconds=3 * number))
    ]
    decoded = decode(CASE_TOPIC, [line.message for line in lines])
    assert not decoded.rejected
    assert {line.topics for line in lines} == {(CASE_TOPIC,)}
    assert len({event.id for _, event in decoded.events}) == len(lines)
    kinds = [event.type for _, event in decoded.events]
    assert kinds.count("notification.received") == TURNS
    for after, kind, _ in LIFE:
        assert kinds.count(kind) == TURNS - after
