"""Facts about cases, worked out over columns for many cases at once.

Cases are cut into segments and spells (processors.facts.stretches); a notification stands on its
own (docs/indicators.md, Words).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from processors.arrays import Flags, positions
from processors.days.calendar import NEVER, Calendar, Days, back
from processors.facts.columns import NO_SERVICE, Columns, Facts, Wanted, twins
from processors.facts.crowds import NO_TRAIT, SHARED, Said, Trait, Traits
from processors.facts.relations import Kin, looked_for, relate
from processors.facts.stretches import Stretches
from processors.facts.table import Table
from processors.record.localities import Localities
from processors.record.rows import NOTIFICATION, PLAN, ROW, SCS_OPENING, taken
from schemas.catalogue import Relation


@dataclass(frozen=True)
class Cases:
    """Cases whose rows changed, from one to another, and further cases to be looked at.

    `before` and `now` have the rows of each case that changed, in the order of processors.record,
    and `children` a number for the child that each is of; `unchanged` the rows of the further
    cases. Groups are numbered in the order: all before, all now, all unchanged. `said` has what is
    known of relations of groups whose kin is not there; with `are_kin`, the further cases are all
    of one child.
    """

    before: list[bytes]
    now: list[bytes]
    children: list[int]
    unchanged: Sequence[bytes] = ()
    said: Mapping[int, Said] = field(default_factory=dict)
    are_kin: bool = False

    @property
    def groups(self) -> list[bytes]:
        """The rows of each group."""
        return [*self.before, *self.now, *self.unchanged]

    @property
    def sign(self) -> Days:
        """What is made of each group has this sign (see Columns)."""
        changed = len(self.now)
        sign = np.zeros(2 * changed + len(self.unchanged), dtype=np.int64)
        sign[:changed], sign[changed : 2 * changed] = -1, 1
        return sign

    @cached_property
    def _child(self) -> Days:
        return np.array(self.children, dtype=np.int64)

    @property
    def kin(self) -> Days:
        """A number for each group that it shares with the others of its child and its time."""
        others = len(self.unchanged)
        apart = np.full(others, -1) if self.are_kin else -1 - np.arange(others)
        return np.concatenate([2 * self._child, 2 * self._child + 1, apart])

    @property
    def has_kin(self) -> Flags:
        """Whether each group's child has another at its time."""
        has: Flags = np.bincount(self._child, minlength=1)[self._child] > 1
        return np.concatenate([has, has, np.full(len(self.unchanged), self.are_kin)])


def derive(
    cases: Cases, localities: Localities, calendar: Calendar, unheld: int, wanted: Wanted
) -> Facts:
    """The facts of cases. A case without a notification has none (docs/events.md, Odd facts).

    `unheld` is the bits of the holder tests that a case passes that nobody has been given.
    """
    found, kin, _ = _laid_out(cases, localities, calendar, unheld, wanted)
    for relation in wanted.relations:
        relate(relation, found.of(relation.of), kin)
    for number, relation in enumerate(wanted.relations):
        _answer(relation, number, found.of(relation.of), cases.said)
    return found


def traits(
    rows: Sequence[bytes], localities: Localities, calendar: Calendar, unheld: int, wanted: Wanted
) -> list[Traits]:
    """What each of a child's cases, whose rows are given, is for every relation."""
    cases = Cases([], [], [], rows, are_kin=True)
    found, kin, numbers = _laid_out(cases, localities, calendar, unheld, wanted)
    columns = [
        _traits(relation, found.of(relation.of), kin, numbers) for relation in wanted.relations
    ]
    return list(zip(*columns, strict=True))


def _traits(relation: Relation, facts: Columns, kin: Kin, opened: Days) -> list[Trait]:
    """What each group is for one relation; `opened` has the group of each opening."""
    groups = len(kin.of_group)
    stretches: list[list[tuple[int, int]]] = [[] for _ in range(groups)]
    anchors: list[set[int]] = [set() for _ in range(groups)]
    if relation.before is not None:
        spells = kin.spells
        # One that is over before its time has come is so for every anchor.
        lasting = spells.until > back(spells.begin, relation.months)
        at = positions(looked_for(relation, spells, kin.holder_bits) & lasting)
        columns = spells.group[at], spells.begin[at], spells.until[at]
    else:
        columns = opened, kin.openings[0], kin.openings[0]
    for group, first, last in zip(*(it.tolist() for it in columns), strict=True):
        stretches[group].append((first, last))
    anchor = facts.days[relation.before or relation.after or ""]
    asking = positions(anchor < NEVER)
    for group, day in zip(facts.group[asking].tolist(), anchor[asking].tolist(), strict=True):
        anchors[group].add(day)
    keys = kin.reason.tolist() if relation.same is not None else [SHARED] * groups
    return [
        Trait(key, tuple(of_group), tuple(days)) if key else NO_TRAIT
        for key, of_group, days in zip(keys, stretches, anchors, strict=True)
    ]


def _answer(relation: Relation, number: int, facts: Columns, said: Mapping[int, Said]) -> None:
    """Give the facts of groups what is known of a relation without looking at others."""
    for group, answers in said.items():
        first, end = facts.group.searchsorted([group, group + 1])
        anchor = facts.days[relation.before or relation.after or ""][first:end].tolist()
        if relation.before is not None:
            found = [bool(answers[number].get(day, False)) for day in anchor]
            facts.flags[relation.name][first:end] = found
        else:
            days = [answers[number].get(day, NEVER) for day in anchor]
            facts.days[relation.name][first:end] = days


def _laid_out(
    cases: Cases, localities: Localities, calendar: Calendar, unheld: int, wanted: Wanted
) -> tuple[Facts, Kin, Days]:
    """The facts of cases without their relations, what these look at, and whose openings are."""
    groups = cases.groups
    sizes = np.fromiter(map(len, groups), np.int64, len(groups)) // ROW.itemsize
    rows = np.frombuffer(b"".join(groups), dtype=ROW)
    case, kind = np.repeat(np.arange(len(groups)), sizes), rows["kind"].copy()
    is_counted = np.zeros(len(groups), dtype=np.bool_)
    is_counted[case[kind == NOTIFICATION]] = True
    is_kept = is_counted[case]
    if is_kept.all():
        kept_rows, kept_case, kept_kind = rows, case, kind
    else:
        kept = positions(is_kept)
        kept_rows, kept_case, kept_kind = taken(rows, kept), case[kept], kind[kept]
    table = Table(
        rows=kept_rows,
        case=kept_case,
        kind=kept_kind,
        day=kept_rows["day"].astype(np.int64),
        sign=cases.sign,
        changed=len(cases.now),
        localities=localities,
        calendar=calendar,
        wanted=wanted,
    )
    stretches = Stretches(table, unheld)
    case_facts, notification_facts = stretches.segments(), _notifications(table)
    has_kin, numbers = cases.has_kin, cases.kin
    spells = stretches.spells(has_kin)
    measured = stretches.measured(spells) if wanted.relations or wanted.spell_tests else None
    found = Facts(case_facts, notification_facts, measured)
    openings = positions(kind == SCS_OPENING)
    opened = rows["day"][openings].astype(np.int64), numbers[case[openings]]
    kin = Kin(numbers, has_kin, table.reason, spells, opened, wanted.holder_bits)
    return found, kin, case[openings]


def _notifications(table: Table) -> Columns:
    """Each notification on its own, of the age that the child had at it."""
    chosen = table.notifications
    case, day = table.case[chosen], table.day[chosen]
    district, none = table.district[case], np.zeros(len(chosen), dtype=np.int64)
    return Columns(
        sign=table.sign[case],
        twins=twins(case, table.changed),
        group=case,
        locality=table.localities.of(district, none),
        band=table.band_on(table.birth[case], day),
        begin=day,
        end=np.full(len(chosen), NEVER),
        days={"received": table.received[case], "plan": table.first(PLAN)[case], "notified": day},
        passes={"notification_type": table.rows["passes"][chosen]},
        flags={},
        is_closed=np.zeros(len(chosen), dtype=np.bool_),
        district=district,
        episode=np.ones(len(chosen), dtype=np.int64),
        service=np.full(len(chosen), NO_SERVICE),
    )
