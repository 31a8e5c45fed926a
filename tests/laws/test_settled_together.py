"""Shards that are settled together are as if each had been settled on its own."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.alerts.judging import Judgement
from processors.days.calendar import day_number
from processors.fold import Partition, Settlement, settle_together
from processors.rules import Rules
from schemas.catalogue import load_catalogue
from schemas.standards import load_standards
from tests.support.growing import START, Batch, batches_of_a_child, decoded, much_is_little
from tests.support.south_east import south_east_areas

# Of the last there is nothing ever.
SHARDS, CHILDREN = 4, 4


@pytest.fixture(scope="module")
def south_east() -> Rules:
    """The rules that ship, on a small tree of areas."""
    catalogue = load_catalogue()
    return Rules(catalogue, south_east_areas(), load_standards(catalogue))


def plainly(settlement: Settlement) -> dict[str, Any]:
    """All of a settlement, to be compared."""
    touched, telling = settlement.touched, settlement.telling
    return {
        "records": settlement.records,
        "entries": {
            month: (place.tolist(), amount.tolist())
            for month, (place, amount) in touched.entries.items()
        },
        "checkpoints": {month: it.tolist() for month, it in touched.checkpoints.items()},
        "months": (touched.begun, touched.known),
        "told": (telling.changes, telling.told, telling.deadlines, telling.at),
        "grown": settlement.grown,
        "deadlines": settlement.deadlines,
    }


def judgement_of(batch: Batch, day: int) -> Judgement | None:
    if batch.judged == "unjudged":
        return None
    is_withheld = batch.judged == "withheld"
    return Judgement(day, lambda _: is_withheld)


def take(partition: Partition, child: str, batch: Batch) -> None:
    """Fold a batch of a child's events, and have the child looked at."""
    if partition.missing([child]):
        partition.admit(child, None)
    partition.fold((child, event) for _, event in (decoded(*it) for it in batch.happened))
    partition.look_at([child])


@settings(max_examples=60)
@given(st.lists(batches_of_a_child(), min_size=CHILDREN, max_size=CHILDREN))
def test_shards_settled_together_tell_and_store_what_each_would_alone(
    south_east: Rules, histories: list[list[Batch]]
) -> None:
    together = [Partition(south_east) for _ in range(SHARDS)]
    alone = [Partition(south_east) for _ in range(SHARDS)]
    day = day_number(START.date())
    with much_is_little():
        for batches in zip(*histories, strict=False):
            day += batches[0].days
            for child, batch in enumerate(batches):
                for partitions in (together, alone):
                    take(partitions[child % (SHARDS - 1)], f"P{child}", batch)
            asked = [judgement_of(batch, day) for batch in batches[:SHARDS]]
            at_once = settle_together(list(zip(together, asked, strict=True)))
            one_by_one = [it.settle(of) for it, of in zip(alone, asked, strict=True)]
            assert [*map(plainly, at_once)] == [*map(plainly, one_by_one)]
    for one, other in zip(together, alone, strict=True):
        assert one.tables.sum == other.tables.sum == other.tables.counted_sum()
        assert one.tables.cells.tolist() == other.tables.cells.tolist()
