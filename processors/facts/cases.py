"""Facts about cases, worked out over columns for many cases at once.

Cases are cut into segments and spells (processors.facts.stretches); a notification stands on its
own (docs/indicators.md, Words).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from processors.arrays import Flags, positions
from processors.days.calendar import NEVER, Calendar, Days
from processors.facts.columns import NO_SERVICE, Columns, Facts, Wanted, twins
from processors.facts.relations import Kin, relate
from processors.facts.stretches import Stretches
from processors.facts.table import Table
from processors.record.localities import Localities
from processors.record.rows import NOTIFICATION, PLAN, ROW, SCS_OPENING


@dataclass(frozen=True)
class Cases:
    """Cases whose rows changed, from one to another, and further cases to be looked at.

    `before` and `now` have the rows of each case that changed, in the order of processors.record,
    and `children` a number for the child that each is of; `unchanged` the rows of the further
    cases. Groups are numbered in the order: all before, all now, all unchanged.
    """

    before: list[bytes]
    now: list[bytes]
    children: list[int]
    unchanged: Sequence[bytes] = ()

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
        apart = -1 - np.arange(len(self.unchanged))
        return np.concatenate([2 * self._child, 2 * self._child + 1, apart])

    @property
    def has_kin(self) -> Flags:
        """Whether each group's child has another at its time."""
        has: Flags = np.bincount(self._child, minlength=1)[self._child] > 1
        return np.concatenate([has, has, np.zeros(len(self.unchanged), dtype=np.bool_)])


def derive(
    cases: Cases, localities: Localities, calendar: Calendar, unheld: int, wanted: Wanted
) -> Facts:
    """The facts of cases. A case without a notification has none (docs/events.md, Odd facts).

    `unheld` is the bits of the holder tests that a case passes that nobody has been given.
    """
    groups = cases.groups
    sizes = np.fromiter(map(len, groups), np.int64, len(groups)) // ROW.itemsize
    rows = np.frombuffer(b"".join(groups), dtype=ROW)
    case, kind = np.repeat(np.arange(len(groups)), sizes), rows["kind"].copy()
    is_counted = np.zeros(len(groups), dtype=np.bool_)
    is_counted[case[kind == NOTIFICATION]] = True
    kept = positions(is_counted[case])
    table = Table(
        rows=rows[kept],
        case=case[kept],
        kind=kind[kept],
        day=rows["day"][kept].astype(np.int64),
        sign=cases.sign,
        changed=len(cases.now),
        localities=localities,
        calendar=calendar,
        wanted=wanted,
    )
    stretches = Stretches(table, unheld)
    case_facts, notification_facts = stretches.segments(), _notifications(table)
    if not (wanted.relations or wanted.spell_tests):
        return Facts(case_facts, notification_facts, None)
    has_kin, numbers = cases.has_kin, cases.kin
    spells = stretches.spells(has_kin)
    found = Facts(case_facts, notification_facts, stretches.measured(spells))
    openings = positions(kind == SCS_OPENING)
    opened = rows["day"][openings].astype(np.int64), numbers[case[openings]]
    kin = Kin(numbers, has_kin, table.reason, spells, opened, wanted.holder_bits)
    for relation in wanted.relations:
        relate(relation, found.of(relation.of), kin)
    return found


def _notifications(table: Table) -> Columns:
    """Each notification on its own, of the age that the child had at it."""
    chosen = table.notifications
    case, day = table.case[chosen], table.day[chosen]
    district, none = table.district[case], np.zeros(len(chosen), dtype=np.int64)
    return Columns(
        sign=table.sign[case],
        twin=twins(case, table.changed),
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
