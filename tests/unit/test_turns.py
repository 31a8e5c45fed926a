"""Of shards that are far behind, one has its turn at a time, and none is left out."""

from collections import Counter
from collections.abc import Callable, Iterator

from streams.kafka.batches import TP
from streams.kafka.turns import CIRCLE_SECONDS, FAR, NEAR, STILL_SECONDS, Backlog, Turns

FIRST, SECOND, THIRD = (TP("case-events", number) for number in range(3))


def looked(turns: Turns, now: float, *, is_short: bool = True, **behind: int) -> set[TP]:
    """Who waits, of shards that are so far behind; each reads on all the while."""
    shards = {TP("case-events", int(it[1:])): number for it, number in behind.items()}
    standing = {shard: Backlog(it, -it) for shard, it in shards.items()}
    return turns.look(now, standing, is_short=is_short)


def test_all_are_read_where_memory_holds_them_or_none_is_far_behind() -> None:
    turns = Turns()
    assert looked(turns, 0, is_short=False, p0=FAR + 1, p1=FAR + 1) == set()
    assert looked(turns, 1, p0=FAR, p1=FAR) == set()
    assert turns.chosen is None


def test_one_has_its_turn_until_it_is_near_and_those_that_are_not_far_never_wait() -> None:
    turns = Turns()
    assert looked(turns, 0, p0=FAR + 9, p1=FAR + 9, p2=FAR) == {SECOND}
    assert looked(turns, 1, p0=NEAR + 1, p1=FAR + 9, p2=FAR) == {SECOND}
    assert turns.chosen == FIRST
    assert looked(turns, 2, p0=NEAR, p1=FAR + 9, p2=FAR) == set()
    assert turns.chosen == SECOND
    assert looked(turns, 3, p0=NEAR, p1=NEAR, p2=FAR) == set()
    assert turns.chosen is None


def test_a_flood_without_end_lets_each_have_its_turn_in_a_circle() -> None:
    turns, chosen = Turns(), []
    for number in range(6):
        now = int(number * (CIRCLE_SECONDS / 3 + 1))
        # More comes than is read.
        assert len(looked(turns, now, p0=FAR + 1 + now, p1=FAR + 1 + now, p2=FAR + 1 + now)) == 2
        chosen.append(turns.chosen)
    assert chosen == 2 * [FIRST, SECOND, THIRD]


def test_one_that_stands_still_passes_its_turn_on() -> None:
    turns = Turns()
    still = {FIRST: Backlog(FAR + 1, 7), SECOND: Backlog(FAR + 1, 7)}
    assert turns.look(0, still, is_short=True) == {SECOND}
    assert turns.look(STILL_SECONDS - 1, still, is_short=True) == {SECOND}
    assert turns.stood_still is None
    assert turns.look(STILL_SECONDS, still, is_short=True) == {FIRST}
    assert turns.stood_still == FIRST
    assert turns.still == {FIRST}
    assert turns.look(STILL_SECONDS + 1, still, is_short=True) == {FIRST}
    assert turns.stood_still is None


def test_one_that_read_something_and_then_no_more_did_not_stand_still() -> None:
    turns = Turns()
    looked(turns, 0, p0=FAR + 1, p1=FAR + 1)
    behind = {FIRST: Backlog(FAR + 1, 7), SECOND: Backlog(FAR + 1, 7)}
    turns.look(1, behind, is_short=True)
    assert turns.look(1 + STILL_SECONDS, behind, is_short=True) == {FIRST}
    assert turns.stood_still is None


def test_one_that_stood_still_goes_on_once_something_is_read_in_its_turn() -> None:
    turns = Turns()
    still = {FIRST: Backlog(FAR + 1, 7), SECOND: Backlog(FAR + 1, 7)}
    for now in (0, STILL_SECONDS, 2 * STILL_SECONDS):
        turns.look(now, still, is_short=True)
    assert (turns.chosen, turns.still) == (FIRST, {FIRST, SECOND})
    turns.look(2 * STILL_SECONDS + 1, {**still, FIRST: Backlog(FAR + 1, 8)}, is_short=True)
    assert turns.still == {SECOND}


def passed(
    turns: Turns, until: int, moves: Callable[[int, TP], bool], count: int = 8
) -> Iterator[tuple[int, set[TP]]]:
    """Each second who waits, of shards far behind, of which one reads in its turn if it `moves`."""
    shards = {TP("case-events", number): Backlog(FAR + 1, 0) for number in range(count)}
    for now in range(until):
        yield now, turns.look(now, shards, is_short=True)
        if turns.chosen and moves(now, turns.chosen):
            before = shards[turns.chosen]
            shards[turns.chosen] = before._replace(read=before.read + 1)


def test_where_nothing_was_to_be_had_of_any_each_is_soon_known_to_go_on_again() -> None:
    turns = Turns()
    over = 100
    for now, _ in passed(turns, 400, lambda now, _: not 20 <= now < over):
        if now == over:
            assert len(turns.still) > 4
        if now > over + 8 * (STILL_SECONDS + 1):
            assert turns.still == set()


def test_one_that_never_goes_on_stays_known_for_it_and_costs_the_others_little() -> None:
    turns, of_others = Turns(), Counter[bool]()
    for now, _ in passed(turns, 4_000, lambda _, shard: shard != SECOND, count=4):
        of_others[turns.chosen != SECOND] += 1
        assert turns.still == ({SECOND} if SECOND in turns.still else set())
        assert SECOND in turns.still or now < CIRCLE_SECONDS
    assert of_others[True] > 0.9 * 4_000


def test_those_far_behind_each_have_a_turn_in_one_circle_however_late_they_came() -> None:
    turns = Turns()
    looked(turns, 0, p0=FAR + 1)
    had = {turns.chosen}
    for now in range(1, int(CIRCLE_SECONDS) + 8):
        shards = {TP("case-events", number): Backlog(FAR + now, now) for number in range(8)}
        turns.look(now, shards, is_short=True)
        had.add(turns.chosen)
    assert len(had) == 8


def test_who_stood_still_is_watched_when_all_are_placed_anew_until_it_went_on() -> None:
    turns = Turns()
    still = {FIRST: Backlog(FAR + 1, 7), SECOND: Backlog(FAR + 1, 7)}
    for now in (0, STILL_SECONDS):
        turns.look(now, still, is_short=True)
    turns.forget()
    turns.look(20, still, is_short=True)
    assert turns.still == {FIRST}
    turns.look(21, {**still, FIRST: Backlog(0, 9)}, is_short=False)
    assert turns.still == set()


def test_one_that_cannot_be_read_has_no_turn() -> None:
    turns = Turns()
    assert looked(turns, 0, p0=FAR + 1, p1=FAR + 1, p2=FAR + 1) == {SECOND, THIRD}
    assert looked(turns, 1, p1=FAR + 1, p2=FAR + 1) == {THIRD}
    assert looked(turns, 2) == set()
    assert turns.chosen is None
