"""Where the stored state may stand at which a worker reads records."""

from dataclasses import replace

from processors.fold import Partition
from processors.rules import Rules
from streams.kafka.batches import TP
from streams.state.store import Head
from streams.worker.held import PLACES_KEPT, Held
from streams.worker.holdback import Calm

SHARD = TP("case-events", 0)
HEAD = Head(generation=1, offsets={"case-events": 10}, commits=7)


def held(rules: Rules) -> Held:
    nothing_read = Calm(0.0, 0.0, 0.0)
    return Held(SHARD, None, HEAD, Partition(rules), {}, nothing_read, 0)  # type: ignore[arg-type]


def test_the_state_may_stand_where_it_was_taken_and_where_the_commit_under_way_brings_it(
    rules: Rules,
) -> None:
    it = held(rules)
    after = replace(HEAD, offsets={"case-events": 15}, commits=8)
    assert it.is_place(HEAD.place, since=7)
    assert not it.is_place(after.place, since=7)
    it.expect({"case-events": 15})
    assert it.is_place(HEAD.place, since=7)
    assert it.is_place(after.place, since=7)


def test_it_may_not_stand_before_what_was_known_to_be_stored_nor_at_other_offsets(
    rules: Rules,
) -> None:
    it = held(rules)
    it.expect({"case-events": 15})
    it.head = replace(HEAD, offsets={"case-events": 15}, commits=8)
    assert it.is_place(HEAD.place, since=7)  # asked for before the commit
    assert not it.is_place(HEAD.place, since=8)
    assert not it.is_place(replace(it.head, offsets={"case-events": 14}).place, since=8)
    assert not it.is_place(replace(it.head, generation=2).place, since=8)
    assert not it.is_place(replace(it.head, commits=9).place, since=8)


def test_only_so_many_places_are_kept(rules: Rules) -> None:
    it = held(rules)
    for _ in range(3 * PLACES_KEPT):
        it.expect({"case-events": it.head.offset("case-events") + 1})
        it.head = replace(
            it.head,
            offsets={"case-events": it.head.offset("case-events") + 1},
            commits=it.head.commits + 1,
        )
    assert len(it.commits.places) == PLACES_KEPT
    assert it.is_place(it.head.place, since=it.head.commits)
