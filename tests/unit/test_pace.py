"""When a commit is put off because settlements take much of the worker's time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.worker.committing import (
    COMMITS_A_SECOND,
    LARGE_BYTES,
    LONGEST_PACE,
    LONGEST_SECONDS,
    SHARE,
    SLOW_SECONDS,
    pause_after,
)
from streams.worker.due_children import JUDGED_AT_ONCE


@pytest.mark.parametrize(
    ("largest", "much", "seconds"),
    [
        (LARGE_BYTES, 1, 10.0),  # a busy day of ordinary children, however slow the machine
        (10 * LARGE_BYTES, 1, SLOW_SECONDS),
    ],
)
def test_ordinary_settlements_put_little_off(largest: int, much: int, seconds: float) -> None:
    assert pause_after(largest, much, seconds, shards=8) == LONGEST_SECONDS


def test_who_falls_due_at_one_midnight_is_judged_without_a_pause() -> None:
    assert pause_after(0, JUDGED_AT_ONCE, 10.0, shards=8) == 0


def test_while_many_are_to_be_judged_whatever_else_is_settled_leaves_them_room() -> None:
    assert pause_after(0, 10, 0.001, shards=1, are_many_due=True) == LONGEST_SECONDS
    assert pause_after(0, JUDGED_AT_ONCE, 0.02, shards=1, are_many_due=True) == 0


def test_a_backlog_in_which_there_is_much_to_do_at_once_puts_nothing_off() -> None:
    assert pause_after(10 * LARGE_BYTES, 10_000, 10.0, shards=8) == 0


@given(st.floats(0.0001, 1 / (SHARE * COMMITS_A_SECOND)), st.integers(1, 6))
def test_settlements_of_busy_shards_take_at_most_their_share(seconds: float, shards: int) -> None:
    between = seconds + pause_after(0, 10, seconds, shards)
    assert shards * seconds / between <= 1 / SHARE


@given(st.floats(0.01, 1.0), st.integers(1, 6))
def test_longer_settlements_of_few_messages_make_so_many_commits_a_second_at_most(
    seconds: float, shards: int
) -> None:
    pause = pause_after(0, 10, seconds, shards)
    assert pause <= LONGEST_SECONDS
    assert shards / pause == pytest.approx(COMMITS_A_SECOND)


def test_a_very_large_record_puts_off_the_next_commit_by_what_it_took_and_never_for_long() -> None:
    assert pause_after(LARGE_BYTES + 1, 1, 0.1, shards=1) == pytest.approx(0.4)
    assert pause_after(LARGE_BYTES + 1, 1, 60.0, shards=1) == LONGEST_PACE
