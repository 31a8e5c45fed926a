"""What records take in memory is bounded by bytes, whatever they are made of."""

import tracemalloc

import pytest

from examples.workload import case_events
from processors.fold import Partition
from processors.record.decoding import decode
from processors.rules import Rules
from schemas.events.registry import CASE_TOPIC
from tests.support.messages import retraction_of_nothing

Messages = list[tuple[bytes, bytes]]
AT_ONCE = 2_000


KINDS: dict[str, Messages] = {
    "cases": list(case_events(12_000)),
    "retractions of nothing of one child": [retraction_of_nothing(n, "P1") for n in range(12_000)],
    "retractions of nothing of many": [retraction_of_nothing(n, f"P{n}") for n in range(12_000)],
}


def folded(rules: Rules, messages: Messages, most_bytes: int) -> tuple[Partition, int, int]:
    """A partition that is never to take more; how many retractions named nothing, and the peak."""
    state, unmatched, most = Partition(rules), 0, 0
    for start in range(0, len(messages), AT_ONCE):
        part = [(key, value, ()) for key, value in messages[start : start + AT_ONCE]]
        events = decode(CASE_TOPIC, part).events
        state.fold_unstored(events)
        unmatched += state.settle().grown.unmatched
        state.forget(10**9, most_bytes)
        most = max(most, state.size)
    return state, unmatched, most


@pytest.mark.parametrize("messages", KINDS.values(), ids=KINDS.keys())
def test_the_size_of_records_is_about_what_they_take(rules: Rules, messages: Messages) -> None:
    folded(rules, messages[:AT_ONCE], 10**9)  # what is worked out once is no record
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        state, unmatched, _ = folded(rules, messages, 10**9)
        tables = state.tables
        state.tables = rules.empty_tables()
        del tables
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert 0.6 * taken < state.size < 1.7 * taken
    assert state.size == sum(child.record.size for child in state.children.values())
    assert unmatched == sum(b"event.retracted" in value for _, value in messages)


@pytest.mark.parametrize("name", ["cases", "retractions of nothing of many"])
def test_records_beyond_so_many_bytes_are_dropped_the_longest_there_first(
    rules: Rules, name: str
) -> None:
    most = 1_000_000
    state, _, peak = folded(rules, KINDS[name], most)
    assert peak <= most
    assert 100 < len(state.children) < 2_000
    last = [key.decode() for key, _ in KINDS[name]][-1]
    assert last in state.children
    assert state.largest >= max(child.record.size for child in state.children.values())
