"""The choice of the cells to suppress, with a proof for each protected count.

For every small count the lightest change of the tables is found that moves it as far as it has to
stay possible, and the published cells that would differ are suppressed. The change itself is the
proof: the truth and the truth so changed look the same from outside. Since cells are only ever
added to those suppressed, a proof stays good.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from schemas.catalogue import ALL_AGES
from schemas.cells import CellKey
from schemas.release import Release, ReleaseCell
from snapshots.disclosure.count_tables import counted_cells
from snapshots.disclosure.counts import Block, Quantity
from snapshots.disclosure.knowledge import ANYWHERE, Knowledge, Need
from snapshots.disclosure.programme import Change, Programme
from snapshots.disclosure.suppression import Reason, Rule

# What it costs to touch a published count by one: each level up, and all ages beside one band,
# are so much dearer; a count already suppressed costs next to nothing.
LEVEL, WHOLE, HIDDEN = 5.0, 3.0, 0.001


@dataclass
class Protection:
    """The suppressed cells, and the changes that prove what they protect."""

    suppressed: dict[CellKey, Reason]
    proofs: list[Change] = field(default_factory=list)
    # Counts that fewer values are left for than asked, and those that none other is.
    narrow: list[Quantity] = field(default_factory=list)
    exposed: list[Quantity] = field(default_factory=list)


class Search:
    """The search, part by part: tables that no relation links are independent."""

    def __init__(
        self, release: Release, known: Knowledge, rule: Rule, suppressed: dict[CellKey, Reason]
    ) -> None:
        self._known = known
        self.protection = Protection(dict(suppressed))
        self._cells: dict[Quantity, list[CellKey]] = defaultdict(list)
        self._weight: dict[CellKey, float] = {}
        self._shown_zero: set[Quantity] = set()
        for cell in counted_cells(release):
            self._add_cell(cell, rule)

    def _add_cell(self, cell: ReleaseCell, rule: Rule) -> None:
        key = cell.key
        quantities = self._known.formulas.revealed(self._known.period, key)
        for quantity in quantities:
            self._cells[quantity].append(key)
        height = self._known.height(quantities[0])
        self._weight[key] = LEVEL**height * (WHOLE if cell.age_band == ALL_AGES else 1.0)
        is_count = self._known.formulas.indicators[cell.code].denominator is None
        is_zero = is_count and rule.zeros_shown and not cell.counted[0]
        if is_zero and key not in self.protection.suppressed:
            self._shown_zero.update(quantities)

    def run(self) -> Protection:
        """Protect everything that the knowledge asks for."""
        quantities = sorted(
            {*self._cells, *self._known.told, *self._known.lowered, *self._known.needs}
        )
        closest = parts(self._known, loose=False)
        for blocks in parts(self._known):
            within = _over(quantities, blocks)
            nearer = [it for it in closest if set(it) < set(blocks)]
            if any(each in self._known.needs for each in within):
                _Part(self, self._known, Programme(self._known, blocks, within), nearer).run()
        return self.protection

    def shown(self, quantity: Quantity) -> list[CellKey]:
        """The published cells that reveal a count."""
        return [
            key for key in self._cells.get(quantity, ()) if key not in self.protection.suppressed
        ]

    def weight(self, quantity: Quantity) -> float:
        """What it costs to touch a count by one."""
        return HIDDEN + sum(self._weight[key] for key in self.shown(quantity))

    def is_shown_zero(self, quantity: Quantity) -> bool:
        """Whether a count is a zero that the rule publishes."""
        return quantity in self._shown_zero


def _over(quantities: Iterable[Quantity], blocks: Iterable[Block]) -> list[Quantity]:
    """The counts that are sums over these blocks alone."""
    own = set(blocks)
    return [
        each
        for each in quantities
        if all((each.period, slot) in own for slot, _ in each.expression)
    ]


def _wholes(known: Knowledge, blocks: Iterable[Block]) -> Iterator[Block]:
    """The tables that are loosely no less than some of these are, and have to grow with them."""
    own = set(blocks)
    for relation in known.at_most:
        (whole, _), *others = relation.terms
        if relation.is_loose and not own.isdisjoint(block for block, _ in others):
            yield whole


def parts(known: Knowledge, *, loose: bool = True) -> list[list[Block]]:
    """The blocks, apart where no relation and no formula links them; or none that is not loose."""
    group = {block: {block} for block in known.versions}
    related = [it for it in (*known.equal, *known.at_most) if loose or not it.is_loose]
    links = [[block for block, _ in it.terms] for it in related]
    links += [
        [(known.period, slot) for slot, _ in each]
        for code in known.formulas.indicators
        for each in (*known.formulas.expressions(code), *known.formulas.people(code, rests=True))
    ]
    for link in links:
        # An indicator of places that there are none of has no tables.
        merged = set().union(*(group[block] for block in link if block in group))
        for block in merged:
            group[block] = merged
    return [sorted(blocks) for blocks in {id(each): each for each in group.values()}.values()]


class _Part:
    """One part's search: at first among the tables nearest to a count, which are fewer."""

    def __init__(
        self,
        choice: Search,
        known: Knowledge,
        programme: Programme,
        nearer: Sequence[Sequence[Block]],
    ) -> None:
        self._choice, self._known, self._programme = choice, known, programme
        quantities = programme.quantities
        self._nearer: dict[Block, Programme] = {}
        for blocks in nearer:
            near = sorted({*blocks, *_wholes(known, blocks)})
            nearest = Programme(known, near, _over(quantities, near))
            self._nearer |= dict.fromkeys(blocks, nearest)
        self._fixed = np.array(
            [each in known.told or choice.is_shown_zero(each) for each in quantities]
        )
        self._lowest = np.zeros(len(quantities), dtype=np.int64)
        self._highest = np.zeros(len(quantities), dtype=np.int64)
        self._weights = self._weighed()

    def run(self) -> None:
        """Meet every need as far as possible: both ends, or as many values, or another value."""
        for quantity in self._in_order():
            row, need = self._programme.row[quantity], self._known.needs[quantity]
            if need != ANYWHERE:
                self._reach(row, need, (need.up, need.down))
            if not self._is_wide(row, need):
                self._reach(row, need, (max(1, need.up - need.down) + int(self._lowest[row]),))
            if not self._is_wide(row, need):
                self._reach(row, ANYWHERE, (1, -1))
            if not self._is_wide(row, ANYWHERE):
                self._choice.protection.exposed.append(quantity)
            elif not self._is_wide(row, need):
                self._choice.protection.narrow.append(quantity)

    def _in_order(self) -> list[Quantity]:
        """The higher levels and all ages first: what they need often serves the lower ones."""
        own = [each for each in self._programme.quantities if each in self._known.needs]
        height = self._known.height
        return sorted(own, key=lambda each: (-height(each), each.band != ALL_AGES, each))

    def _is_wide(self, row: int, need: Need) -> bool:
        return need.is_wide(int(self._lowest[row]), int(self._highest[row]))

    def _reach(self, row: int, need: Need, amounts: Iterable[int]) -> None:
        """Move a count by each of the amounts until it is protected; suppress what that touches."""
        for amount in amounts:
            if need.is_met(int(self._lowest[row]), int(self._highest[row])):
                return
            if not self._lowest[row] <= amount <= self._highest[row]:
                found = self._nearest(row, amount)
                if found is None:
                    found = self._programme.change(row, amount, self._weights, self._fixed)
                if found is not None:
                    self._take(found)

    def _nearest(self, row: int, amount: int) -> NDArray[np.int64] | None:
        """The lightest change that leaves all but the nearest tables as they are."""
        quantity = self._programme.quantities[row]
        nearest = self._nearer.get((quantity.period, quantity.expression[0][0]))
        if nearest is None:
            return None
        rows = [self._programme.row[each] for each in nearest.quantities]
        found = nearest.change(
            nearest.row[quantity], amount, self._weights[rows], self._fixed[rows]
        )
        return None if found is None else self._programme.laid_flat(nearest.tables(found))

    def _weighed(self) -> NDArray[np.float64]:
        return np.array([self._choice.weight(each) for each in self._programme.quantities])

    def _take(self, change: NDArray[np.int64]) -> None:
        """Suppress the cells that a change touches, and see what else it proves."""
        moved = self._programme.moves(change)
        touched = [self._programme.quantities[row] for row in np.flatnonzero(moved)]
        more = [key for quantity in touched for key in self._choice.shown(quantity)]
        if more:
            self._choice.protection.suppressed |= dict.fromkeys(more, "secondary")
            self._weights = self._weighed()
        for sign in (1, -1):
            if self._programme.may_be(sign * change, sign * moved):
                self._choice.protection.proofs.append(self._programme.tables(sign * change))
                self._lowest = np.minimum(self._lowest, sign * moved)
                self._highest = np.maximum(self._highest, sign * moved)
