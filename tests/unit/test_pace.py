"""How long settlements wait for one another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.worker.due_children import JUDGED_AT_ONCE
from streams.worker.pace import (
    FEW,
    LARGE_BYTES,
    LEAST_SECONDS,
    LONGEST_OF_LARGE,
    LONGEST_SECONDS,
    SHARE,
    SLOW_SECONDS,
    STORE_SECONDS,
    is_large,
    pause_after,
    pause_of_large,
)


def test_ordinary_settlements_put_little_off_however_slow_the_machine() -> None:
    assert pause_after(8, 1, 10.0) == LONGEST_SECONDS


def test_in_light_traffic_there_is_the_least_time_between_settlements() -> None:
    assert pause_after(1, 1, 0.001) == LEAST_SECONDS


def test_who_falls_due_at_one_midnight_is_judged_with_hardly_a_pause() -> None:
    assert pause_after(8, JUDGED_AT_ONCE, 10.0) == LEAST_SECONDS


def test_while_many_are_to_be_judged_whatever_else_is_settled_leaves_them_room() -> None:
    assert pause_after(1, 10, 0.001, are_many_due=True) == LONGEST_SECONDS
    assert pause_after(1, JUDGED_AT_ONCE, 0.02, are_many_due=True) == LEAST_SECONDS


def test_a_backlog_in_which_there_is_much_to_do_at_once_puts_hardly_anything_off() -> None:
    assert pause_after(8, FEW, 10.0) == LEAST_SECONDS
    assert pause_of_large(FEW, 10.0) == 0


@given(st.floats(0.0, 0.03), st.integers(1, 12))
def test_settling_and_storing_take_no_more_than_their_share(seconds: float, shards: int) -> None:
    pause = pause_after(shards, 10, seconds)
    work = seconds + shards * STORE_SECONDS
    assert work <= SHARE * (seconds + pause) + 1e-9 or pause == LONGEST_SECONDS


def test_a_very_large_record_puts_off_the_next_commit_by_what_it_took_and_never_for_long() -> None:
    assert is_large(LARGE_BYTES + 1)
    assert not is_large(LARGE_BYTES)
    assert pause_of_large(1, 0.1) == pytest.approx(0.4)
    assert pause_of_large(1, 60.0) == LONGEST_OF_LARGE
    assert pause_of_large(1, SLOW_SECONDS) == 0
