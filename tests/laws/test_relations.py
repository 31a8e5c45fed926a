"""Relations counted are relations looked at pair by pair."""

from dataclasses import dataclass, field, replace
from unittest.mock import patch

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.arrays import Flags
from processors.days.calendar import NEVER, Days
from processors.facts import relations
from processors.facts.relations import Kin, Spells, relate
from processors.rules import Rules
from schemas.catalogue import Relation

DAYS = st.integers(16_000, 16_900)


@dataclass
class Facts:
    """Facts with the days on which relations look back, or forward."""

    group: Days
    days: dict[str, Days]
    flags: dict[str, Flags] = field(default_factory=dict)


def column(draw: st.DrawFn, values: st.SearchStrategy[int], size: int) -> Days:
    return np.array(draw(st.lists(values, min_size=size, max_size=size)), dtype=np.int64)


@st.composite
def kin_and_facts(draw: st.DrawFn) -> tuple[Kin, Days, Days]:
    """What relations look at, and the group and the anchor of each fact."""
    groups, openings = draw(st.integers(1, 6)), draw(st.integers(0, 5))
    spells, facts = draw(st.integers(0, 9)), draw(st.integers(0, 9))
    any_group = st.integers(0, groups - 1)
    of_group = column(draw, st.integers(0, 2), groups)
    begin = column(draw, DAYS, spells)
    until = begin + column(draw, st.integers(-3, 500) | st.just(NEVER), spells)
    kin = Kin(
        of_group,
        np.bincount(of_group)[of_group] > 1,
        column(draw, st.integers(0, 2), groups),
        Spells(
            column(draw, any_group, spells),
            begin,
            np.minimum(until, NEVER),
            column(draw, st.integers(0, 1), spells) > 0,
            np.full(spells, 2**32 - 1, dtype=np.uint32),
            np.zeros(spells, dtype=np.int64),
        ),
        (column(draw, DAYS, openings), column(draw, st.integers(-1, 2), openings)),
        {},
    )
    return kin, column(draw, any_group, facts), column(draw, DAYS | st.just(NEVER), facts)


def related(relation: Relation, kin: Kin, facts: Facts, few: int, most: int) -> list[int]:
    with patch.multiple(relations, FEW_PAIRS=few, MOST_PAIRS=most):
        relate(relation, facts, kin)
    return [int(it) for it in (facts.flags | facts.days)[relation.name]]


@settings(max_examples=300)
@given(kin_and_facts())
def test_relations_counted_are_those_of_every_pair(
    rules: Rules, drawn: tuple[Kin, Days, Days]
) -> None:
    kin, group, anchor = drawn
    assert rules.wanted.relations
    for relation in rules.wanted.relations:
        kin = replace(kin, holder_bits={relation.name: 0})
        days = {name: anchor for name in (relation.before, relation.after) if name}
        # Each with each, those of a child with one another, and counted.
        each, by_child, counted = (
            related(relation, kin, Facts(group, dict(days)), few, most)
            for few, most in ((10**9, 10**9), (-1, 10**9), (-1, -1))
        )
        assert each == by_child == counted
