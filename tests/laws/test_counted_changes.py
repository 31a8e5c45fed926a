"""What a record adds as a person, or as sessions, is the sum of what its changes change of it."""

from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.facts.counted_changes import counted_change
from processors.facts.counting import Counted
from processors.record.decoding import decode
from processors.record.record import Record
from processors.rules import Rules
from schemas.catalogue import load_catalogue
from tests.support.all_topics import histories_of_all_topics, shipped_sites
from tests.support.south_east import south_east_areas
from tests.support.strategies import History

# What a record adds to a slot in a locality from a day on.
Added = Counter[tuple[int, int, int]]


@pytest.fixture(scope="module")
def everywhere() -> Rules:
    """The catalogue that ships, on the areas and sites of the histories."""
    return Rules(load_catalogue(), south_east_areas(), places=shipped_sites())


def added(found: Iterable[Counted]) -> Added:
    total = Added()
    for it in found:
        total[it.slot, it.locality, it.begin] += it.amount
        total[it.slot, it.locality, it.end] -= it.amount
    return total


@settings(max_examples=60)
@given(st.data(), histories_of_all_topics(richness=2))
def test_changes_of_what_counts_add_up_to_what_all_of_a_record_counts(
    everywhere: Rules, data: st.DataObject, history: History
) -> None:
    assert everywhere.counting.is_passing
    total, record, whole = Added(), Record(), None
    lines = data.draw(st.permutations([it for it in history.lines if it.topics]))
    for line in lines:
        # As if all were about one.
        for _, event in decode(line.topics[0], [line.message]).events:
            record.apply(event, everywhere.make_row)
        if record.personal and data.draw(st.booleans()):
            change = counted_change(everywhere.counting, record.personal, whole)
            whole = change.whole
            record.personal.was.clear()
            total.update(added(change.now))
            total.subtract(added(change.before))
    if record.personal:
        change = counted_change(everywhere.counting, record.personal, whole)
        total.update(added(change.now))
        total.subtract(added(change.before))
    all_of_it = added(everywhere.counting.counted(record.events))
    assert {it: n for it, n in total.items() if n} == {it: n for it, n in all_of_it.items() if n}
