"""Calm: what is true is told soon, and what old events make look true is not."""

import pytest

from streams.worker.holdback import MEMORY, MOST_BEHIND, MOST_KEPT_BACK, Calm

SECONDS = 60.0
DAY = 86_400.0
WALL = 20_000 * DAY


def at(age: float) -> int:
    """The instant of so many seconds ago."""
    return int((WALL - age) * 1_000_000)


def batch(calm: Calm, now: float, old: int = 0, fresh: int = 0, behind: int = 0) -> None:
    """Old events of the children O0, O1, ... and fresh ones of F0, F1, ..."""
    children = [f"O{number}" for number in range(old)] + [f"F{number}" for number in range(fresh)]
    calm.take_in(children, [at(30 * DAY)] * old + [at(5.0)] * fresh, behind, WALL + now, now)


def test_a_file_of_last_year_raises_nothing_until_it_has_ended_for_a_while() -> None:
    calm = Calm(SECONDS, 0.0, 0.0)
    batch(calm, 0.0, old=20)
    assert not calm.is_replaying(0.0)
    assert calm.kept_back(0.0)("O19")  # too few to speak of a replay: so child by child
    for second in range(100):
        batch(calm, float(second), old=500)
        assert calm.is_replaying(second + SECONDS - 1)
    assert not calm.is_replaying(99 + SECONDS)


def test_after_a_replay_little_traffic_does_not_keep_alerts_back() -> None:
    calm = Calm(SECONDS, 0.0, 0.0)
    batch(calm, 0.0, old=5_000)
    for second in range(10, 100, 10):
        batch(calm, float(second), fresh=1)
        assert calm.is_replaying(second) == (second < SECONDS)


def test_a_worker_that_takes_over_in_the_middle_of_a_replay_knows_of_it() -> None:
    before = Calm(SECONDS, 0.0, 0.0)
    batch(before, 0.0, old=5_000)
    calm = Calm(SECONDS, before.old_share, 0.0)
    assert calm.is_replaying(SECONDS - 1)
    assert not calm.is_replaying(SECONDS)


@pytest.mark.parametrize("seconds_apart", [0.001, 1.0, 10.0])
def test_late_events_of_a_live_system_keep_back_their_own_children_only(
    seconds_apart: float,
) -> None:
    calm = Calm(SECONDS, 0.0, 0.0)
    now = 0.0
    for number in range(5 * MEMORY):
        now = number * seconds_apart
        batch(calm, now, old=number % 20 == 0, fresh=number % 20 != 0)
        assert not calm.is_replaying(now)
        assert not calm.kept_back(now)("F0")
    assert not calm.kept_back(now + SECONDS)("O0")


def test_a_child_of_old_events_is_kept_back_whatever_else_comes_of_them() -> None:
    calm = Calm(SECONDS, 0.0, 0.0)
    calm.take_in(["P"], [at(30 * DAY)], 0, WALL, 0.0)
    calm.take_in(["P"], [at(5.0)], 0, WALL, 1.0)
    assert calm.kept_back(1.0)("P")
    calm.take_in(["P"], [at(30 * DAY)], 0, WALL, 50.0)
    assert calm.kept_back(SECONDS)("P")
    assert not calm.kept_back(50.0 + SECONDS)("P")


def test_nothing_is_raised_while_much_of_the_log_is_to_be_read() -> None:
    calm = Calm(SECONDS, 0.0, 0.0)
    batch(calm, 0.0, fresh=1, behind=MOST_BEHIND + 1)
    assert calm.is_replaying(1_000.0)
    batch(calm, 1_000.0, fresh=1)
    assert not calm.is_replaying(1_000.0)


def test_who_is_kept_back_is_bounded_and_forgotten() -> None:
    calm = Calm(SECONDS, 0.0, 0.0)
    batch(calm, 0.0, old=2 * MOST_KEPT_BACK + 1)
    is_kept_back = calm.kept_back(0.0)
    assert not is_kept_back(f"O{MOST_KEPT_BACK}")
    assert is_kept_back(f"O{MOST_KEPT_BACK + 1}")
    assert not calm.kept_back(SECONDS)(f"O{MOST_KEPT_BACK + 1}")


def test_without_calm_nothing_waits() -> None:
    calm = Calm(0.0, 0.9, 0.0)
    batch(calm, 0.0, old=500)
    assert not calm.is_replaying(0.0)
    assert not calm.kept_back(0.0)("O0")
