"""Tables: ledger entries summed by month and day, with a checkpoint at every month.

The stock of an as-of date is its month's checkpoint plus the month's entries up to the day, so
reading costs the same whatever lies before: neither more events nor more years make it longer.
"""

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.days.calendar import FIRST_DAY, LAST_DAY, Calendar, Days
from processors.ledger.entries import Entries

# Days of a month are 1 to 31; a power of two keeps a row's days together in memory.
ROW_DAYS = 32
# Less than every month number, and every place that is worked out from one.
NO_MONTH = -(2**62)

Sums = NDArray[np.int32]


class Shape(NamedTuple):
    """How many slots, areas (the leaves, and one for none of them) and bands the tables have."""

    slots: int
    areas: int
    bands: int

    @property
    def cells(self) -> int:
        """The number of rows in a month: one for each slot, area and band, in that order."""
        return self.slots * self.areas * self.bands


class Touched(NamedTuple):
    """What an update changed: rows by month, and months whose checkpoint is another one now."""

    rows: dict[int, NDArray[np.intp]]
    checkpoints: set[int]


@dataclass
class Tables:
    """Sums of entries by month number.

    `entries[m]` has a row of ROW_DAYS days for each cell; `checkpoints[m]` has each cell's stock
    when month m begins. Both exist for the months that have had entries, listed in `months`.
    """

    shape: Shape
    months: list[int] = field(default_factory=list)
    entries: dict[int, Sums] = field(default_factory=dict)
    checkpoints: dict[int, Sums] = field(default_factory=dict)

    def add(self, entries: Entries, calendar: Calendar) -> Touched:
        """Add ledger entries and tell what changed; entries that cancel out change nothing."""
        changes = self._changes(entries, calendar)
        begun = {month for month in changes if self._begin(month)}
        rows: dict[int, NDArray[np.intp]] = {}
        net: dict[int, Sums] = {}
        for month, (position, amount) in changes.items():
            self.entries[month].reshape(-1)[position] += amount
            row = position // ROW_DAYS
            rows[month] = row[np.diff(row, prepend=-1) > 0]
            net[month] = np.bincount(row, amount, self.shape.cells).astype(np.int32)
        return Touched(rows, begun | self._carry(net))

    def stock(self, day: int, calendar: Calendar) -> NDArray[np.int64]:
        """Every cell's stock as of a day, as an array of shape (slots, areas, bands)."""
        month = int(calendar.month[day - FIRST_DAY])
        day_of_month = int(calendar.day_of_month[day - FIRST_DAY])
        position = bisect_right(self.months, month) - 1
        if position < 0:
            return np.zeros(self.shape, dtype=np.int64)
        latest = self.months[position]
        days = ROW_DAYS if latest < month else day_of_month + 1
        return stock_of(self.shape, self.checkpoints[latest], self.entries[latest][:, :days])

    def _changes(self, entries: Entries, calendar: Calendar) -> dict[int, tuple[Days, Sums]]:
        """By month: the positions in its flattened rows that change, in order, and by how much."""
        day = np.clip(entries.day, FIRST_DAY, LAST_DAY)
        cell = (entries.slot * self.shape.areas + entries.area) * self.shape.bands + entries.band
        position = cell * ROW_DAYS + calendar.day_of_month[day - FIRST_DAY]
        size = self.shape.cells * ROW_DAYS
        place, amount = _sums(calendar.month_of(day) * size + position, entries.amount)
        month = place // size
        edges = [*np.flatnonzero(np.diff(month, prepend=NO_MONTH)).tolist(), len(place)]
        return {
            int(month[start]): (place[start:end] - month[start] * size, amount[start:end])
            for start, end in pairwise(edges)
        }

    def _begin(self, month: int) -> bool:
        """Make room for a month, whose checkpoint is the end of the latest month before it."""
        if month in self.entries:
            return False
        position = bisect_right(self.months, month) - 1
        checkpoint = np.zeros(self.shape.cells, dtype=np.int32)
        if position >= 0:
            earlier = self.months[position]
            checkpoint = self.checkpoints[earlier] + self.entries[earlier].sum(
                axis=1, dtype=np.int32
            )
        self.entries[month] = np.zeros((self.shape.cells, ROW_DAYS), dtype=np.int32)
        self.checkpoints[month] = checkpoint
        insort(self.months, month)
        return True

    def _carry(self, net: dict[int, Sums]) -> set[int]:
        """Add the months' net changes to every later checkpoint; the months this changed."""
        if not net:
            return set()
        changed = set()
        running = np.zeros(self.shape.cells, dtype=np.int32)
        for month in self.months[bisect_left(self.months, min(net)) :]:
            if running.any():
                self.checkpoints[month] = self.checkpoints[month] + running
                changed.add(month)
            if month in net:
                running += net[month]
        return changed


def _sums(place: Days, amount: Days) -> tuple[Days, Sums]:
    """The sum of the amounts at each place, in order of place; places whose sum is 0 left out."""
    order = np.argsort(place)
    place = place[order]
    starts = np.flatnonzero(np.diff(place, prepend=NO_MONTH))
    sums = np.add.reduceat(amount[order], starts) if len(place) else amount
    changed = np.flatnonzero(sums)
    return place[starts[changed]], sums[changed].astype(np.int32)


def stock_of(shape: Shape, checkpoint: Sums, days: Sums) -> NDArray[np.int64]:
    """The stock that a checkpoint and the entries of the days since make, by (slot, area, band)."""
    stock: NDArray[np.int64] = checkpoint + days.sum(axis=1, dtype=np.int64)
    return stock.reshape(shape)
