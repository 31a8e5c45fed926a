"""When children are to be looked at next, packed, against a dictionary of days."""

from collections.abc import Mapping
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from processors.alerts.judging import AT_ONCE
from processors.days.calendar import FIRST_DAY, LAST_DAY, NEVER
from streams.clock import midnight
from streams.state.due_times import encode_due, first_due
from streams.state.numbered import change_numbers, decode_numbers
from tests.support.memorystore import with_cells_set

DAYS = st.integers(16_000, 16_020) | st.integers(FIRST_DAY, LAST_DAY)
CHANGES = st.dictionaries(st.integers(0, 40), DAYS | st.sampled_from([NEVER, AT_ONCE]), max_size=9)
AGAIN = st.floats(0, 2e9)


def seconds(day: int, again: float) -> float:
    return again if day == AT_ONCE else midnight(day)


@given(
    st.lists(st.tuples(CHANGES, AGAIN), max_size=5),
    DAYS.map(midnight) | AGAIN,
    st.integers(1, 20),
)
def test_who_is_due_is_whose_time_has_come_the_longest_due_first(
    changes: list[tuple[Mapping[int, int], float]], now: float, most: int
) -> None:
    known: dict[int, float] = {}
    stored, held = b"", decode_numbers(b"")
    for deadlines, again in changes:
        known |= {
            number: seconds(day, again) if day < NEVER else float("inf")
            for number, day in deadlines.items()
        }
        encoded = encode_due(deadlines, again)
        stored, held = with_cells_set(stored, encoded), change_numbers(held, encoded)
    assert decode_numbers(stored).tolist() == held.tolist()
    # Four bytes know no time before 1970 and none after 2106; part of a second is a whole one.
    now = min(max(int(now), 1), 2**32 - 2)
    due = [number for number, at in known.items() if at <= now]
    found = first_due(held, now, most)
    assert len(found) == min(most, len(due))
    assert set(found) <= set(due)
    times = [max(known[number], 0) for number in found]
    assert all(before <= after + 1 for before, after in pairwise(times))
    latest = max(times, default=0.0)
    assert all(max(known[it], 0) >= latest - 1 for it in due if it not in found)


def test_nobody_is_due_where_nothing_is_stored_and_a_part_of_a_number_is_none() -> None:
    assert first_due(decode_numbers(b""), 2**40, 5) == []
    assert decode_numbers(b"\1\0\0\0\1").tolist() == [1]
