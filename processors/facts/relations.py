"""Relations between facts of one child: what came before or after, in another case or elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from processors.arrays import Flags, positions
from processors.days.calendar import NEVER, Days, back
from processors.facts.counted import any_other, first_since, number_of_pairs
from schemas.catalogue import Relation

# Beyond so many pairs of what is one child's, they are counted rather than looked at.
MOST_PAIRS = 1_000_000
# Up to so many pairs of anything with anything, whether they are is asked of each.
FEW_PAIRS = 4_096


class FactColumns(Protocol):
    """Columns of facts, as far as relations are concerned with them."""

    @property
    def group(self) -> Days:
        """The group that each fact is of."""

    @property
    def days(self) -> dict[str, Days]:
        """Days by name."""

    @property
    def flags(self) -> dict[str, Flags]:
        """Flags by name."""


@dataclass(frozen=True)
class Spells:
    """Stretches of days on which a service had a case, the first and the last day included.

    `group` is the case, `is_ending` whether an episode ended on the (one) day, `passes` the bits of
    the holder tests, and `row` the position of the cut at which the spell begins.
    """

    group: Days
    begin: Days
    until: Days
    is_ending: Flags
    passes: NDArray[np.uint32]
    row: Days


@dataclass(frozen=True)
class Kin:
    """What relations look at: by group, whose it is, and the primary reason; spells; openings.

    Groups of one child at one time share a number in `of_group`; `is_kin` says whether there are
    several. `openings` has the days on which social care opened a case, and the number of the child
    and time that each is of. `holder_bits` has the bit of the test that a relation makes on
    holders, by its name.
    """

    of_group: Days
    is_kin: Flags
    reason: Days
    spells: Spells
    openings: tuple[Days, Days]
    holder_bits: Mapping[str, int]

    @cached_property
    def has_spell(self) -> Flags:
        """Whether each spell is of a case that is kin to another."""
        return self.is_kin[self.spells.group]


def relate(relation: Relation, facts: FactColumns, kin: Kin) -> None:
    """Give the facts the flag, or the day, that a relation is."""
    if relation.before is not None:
        facts.flags[relation.name] = _earlier(relation, facts, kin)
    else:
        facts.days[relation.name] = _later(relation, facts, kin)


def looked_for(relation: Relation, spells: Spells, holder_bits: Mapping[str, int]) -> Flags:
    """Which spells a relation that looks back looks for, of whomever they are."""
    chosen = np.ones(len(spells.group), dtype=np.bool_)
    if relation.holder is not None:
        chosen = spells.passes & np.uint32(1 << holder_bits[relation.name]) != 0
    if relation.to == "closure":
        chosen &= spells.is_ending
    return chosen


def _earlier(relation: Relation, facts: FactColumns, kin: Kin) -> Flags:
    """Whether another case of the child was with a service, or closed by it, not long before."""
    spells, anchor = kin.spells, facts.days[relation.before or ""]
    found = np.zeros(len(facts.group), dtype=np.bool_)
    at = positions(kin.has_spell & looked_for(relation, spells, kin.holder_bits))
    if not len(at):
        return found
    asking = positions(kin.is_kin[facts.group] & (anchor < NEVER))
    if not len(asking):
        return found
    whose, asked = kin.of_group[facts.group[asking]], kin.of_group[spells.group[at]]
    if _are_many(whose, asked):
        return _earlier_of_many(relation, facts, kin, at)
    fact, other = _pairs(whose, asked)
    fact, spell = asking[fact], at[other]
    group, of_spell = facts.group[fact], spells.group[spell]
    holds = (group != of_spell) & (spells.begin[spell] <= anchor[fact])
    if relation.same is not None:
        holds &= (kin.reason[group] > 0) & (kin.reason[group] == kin.reason[of_spell])
    fact, spell = fact[holds], spell[holds]
    # What ended long ago has left the last months as of the anchor.
    recent = spells.until[spell] > back(anchor[fact], relation.months)
    found[fact[recent]] = True
    return found


def _earlier_of_many(
    relation: Relation, facts: FactColumns, kin: Kin, at: NDArray[np.intp]
) -> Flags:
    """As `_earlier`, of the spells at some positions, without looking at each pair."""
    spells, anchor = kin.spells, facts.days[relation.before or ""]
    whose, groups = kin.of_group, (facts.group, spells.group[at])
    asks = np.ones(len(facts.group), dtype=np.bool_)
    if relation.same is not None:
        whose = whose * (kin.reason.max(initial=0) + 1) + kin.reason
        asks = kin.reason[facts.group] > 0
    found = any_other(
        anchor,
        (whose[groups[0]], groups[0]),
        (spells.begin[at], spells.until[at]),
        (whose[groups[1]], groups[1]),
        relation.months,
    )
    return found & asks


def _later(relation: Relation, facts: FactColumns, kin: Kin) -> Days:
    """The first day on which social care opened a case of the child, not long after."""
    anchor, (days, whose) = facts.days[relation.after or ""], kin.openings
    found: Days = np.full(len(facts.group), NEVER)
    if not len(days):
        return found
    asking = kin.of_group[facts.group]
    if _are_many(asking, whose):
        found = first_since(anchor, asking, days, whose)
        near = back(np.where(found < NEVER, found, 0), relation.months) < anchor
        return np.where(near, found, NEVER)
    fact, opening = _pairs(asking, whose)
    holds = (days[opening] >= anchor[fact]) & (anchor[fact] < NEVER)
    fact, opening = fact[holds], opening[holds]
    near = back(days[opening], relation.months) < anchor[fact]
    np.minimum.at(found, fact[near], days[opening[near]])
    return found


def _are_many(left: Days, right: Days) -> bool:
    """Whether more pairs of a left and a right element are equal than are looked at."""
    return len(left) * len(right) > MOST_PAIRS and number_of_pairs(left, right) > MOST_PAIRS


def _pairs(left: Days, right: Days) -> tuple[NDArray[Any], NDArray[Any]]:
    """The positions of every pair of a left and a right element that are equal."""
    if len(left) * len(right) <= FEW_PAIRS:
        found: tuple[NDArray[Any], NDArray[Any]] = (left[:, np.newaxis] == right).nonzero()
        return found
    order = np.argsort(right, kind="stable")
    ordered = right[order]
    first = ordered.searchsorted(left, side="left")
    counts = ordered.searchsorted(left, side="right") - first
    lefts = np.repeat(np.arange(len(left)), counts)
    within = np.arange(len(lefts)) - np.repeat(np.cumsum(counts) - counts, counts)
    return lefts, order[np.repeat(first, counts) + within]
