"""When a commit is put off because a very large record makes settlements slow."""

import pytest

from streams.worker.committing import LARGE_BYTES, LONGEST_PACE, SLOW_SECONDS, pause_after


@pytest.mark.parametrize(
    ("largest", "messages", "seconds"),
    [
        (LARGE_BYTES, 1, 10.0),  # a busy day of ordinary children, however slow the machine
        (10 * LARGE_BYTES, 10_000, 10.0),  # a backlog, in which there is much to do at once
        (10 * LARGE_BYTES, 1, SLOW_SECONDS),
    ],
)
def test_ordinary_settlements_put_nothing_off(largest: int, messages: int, seconds: float) -> None:
    assert pause_after(largest, messages, seconds) == 0


def test_a_very_large_record_puts_off_the_next_commit_by_what_it_took_and_never_for_long() -> None:
    assert pause_after(LARGE_BYTES + 1, 1, 0.1) == pytest.approx(0.4)
    assert pause_after(LARGE_BYTES + 1, 1, 60.0) == LONGEST_PACE
