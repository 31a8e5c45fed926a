"""Whether a partition's memory knows that there is nothing stored to be read."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from processors.fold import Partition
from processors.record.decoding import Event
from processors.rules import Rules
from schemas.catalogue import load_catalogue
from schemas.standards import load_standards
from streams.state import admission
from tests.support.south_east import south_east_areas

CATALOGUE = load_catalogue()
RULES = Rules(CATALOGUE, south_east_areas(), load_standards(CATALOGUE))
CHILDREN = ["P1", "P2", "P3", "P4"]


def contact(child: str, number: int) -> tuple[str, Event]:
    return child, Event("urn:a", f"{number}", 0, 0, 0, "contact.made", f"C-{child}", {})


@given(st.lists(st.tuples(st.sets(st.sampled_from(CHILDREN)), st.integers(0, 4)), max_size=12))
def test_records_are_asked_for_exactly_while_some_that_are_stored_are_not_in_memory(
    batches: list[tuple[set[str], int]],
) -> None:
    state, stored, asked = Partition(RULES), dict[str, bytes](), list[str]()

    async def read(missing: list[str]) -> admission.Stored:
        asked.extend(missing)
        return [admission.StoredChild(stored.get(child)) for child in missing]

    for number, (children, most) in enumerate(batches):
        missing, are_unread = state.missing(sorted(children)), bool(stored.keys() - state.children)
        asked.clear()
        asyncio.run(admission.admit(state, sorted(children), read))
        assert asked == (missing if are_unread else [])
        state.fold([contact(child, number) for child in children])
        stored |= {name: it.piece for name, it in state.settle().records.items()}
        state.forget(most)
        assert state.unread == len(stored.keys() - state.children)


def test_a_child_of_whom_nothing_is_stored_is_not_waited_for() -> None:
    state = Partition(RULES)
    asyncio.run(admission.admit(state, CHILDREN, refuse))
    assert state.missing(CHILDREN) == []


async def refuse(missing: list[str]) -> admission.Stored:
    raise AssertionError(missing)
