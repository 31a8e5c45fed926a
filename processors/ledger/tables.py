"""Tables: ledger entries summed by month and day, with a checkpoint at every month.

The stock of an as-of date is its month's checkpoint plus the month's entries up to the day, so
reading costs the same whatever lies before: neither more events nor more years make it longer.
Only cells that have held something take room: they are numbered in the order in which they came.
"""

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from processors.arrays import Flags, Positions, begins, positions
from processors.days.calendar import FIRST_DAY, LAST_DAY, Calendar, Days
from processors.ledger.entries import Entries

# Days of a month are 1 to 31; a power of two makes a day's place in a month from cell and day.
ROW_DAYS = 32
# Bits of a key for the band and for the locality; the slot takes those above.
BAND_BITS, LOCALITY_BITS = 3, 21
# Bits of a number that is not negative; and entries below which it is not looked whether there is
# room for them.
BITS, FEW = 63, 500
# Odd numbers that scatter what they multiply over 64 bits.
SCATTER, SCATTER_AGAIN = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)

Sums = NDArray[np.int32]
Cells = NDArray[np.int64]
Number = TypeVar("Number", bound=np.number)


def keys(slot: Days, locality: Days, band: Days) -> Cells:
    """The key of each cell: a slot, a locality and a band in one number."""
    return ((slot << LOCALITY_BITS | locality) << BAND_BITS) | band


def parts(cells: Cells) -> tuple[Days, Days, Days]:
    """The slots, localities and bands of keys."""
    place = cells >> BAND_BITS
    return place >> LOCALITY_BITS, place & (2**LOCALITY_BITS - 1), cells & (2**BAND_BITS - 1)


class Stock(NamedTuple):
    """What cells hold as of a day: keys, each once or oftener, and amounts to be added up."""

    cells: Cells
    amounts: NDArray[np.int64]


NOTHING = Stock(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))


def together(stocks: list[Stock]) -> Stock:
    """The stock that shards make together."""
    if not stocks:
        return NOTHING
    return Stock(
        np.concatenate([stock.cells for stock in stocks]),
        np.concatenate([stock.amounts for stock in stocks]),
    )


class Touched(NamedTuple):
    """What an update changed.

    What it added to entries, by month: amounts at places, which are different and in order; the
    numbers of the cells whose checkpoints changed, by month; the months that it began; and how many
    cells there were before it.
    """

    entries: dict[int, tuple[Days, Sums]]
    checkpoints: dict[int, NDArray[np.intp]]
    begun: list[int]
    known: int


def checksum(month: Days, place: Days, amount: Sums) -> int:
    """A number of 64 bits for entries at places in months; those of parts add up to the whole's.

    So it can be kept up to date by what changes, and worked out again from all there is.
    """
    mixed = (month.astype(np.int64).view(np.uint64) << np.uint64(40)) + place.view(np.uint64)
    mixed = mixed * SCATTER
    mixed = (mixed ^ (mixed >> np.uint64(29))) * SCATTER_AGAIN
    mixed ^= mixed >> np.uint64(32)
    return int((mixed * amount.astype(np.int64).view(np.uint64)).sum(dtype=np.uint64))


class Month:
    """A month's entries: the amount at each (cell's number, day) that has one, in that order."""

    __slots__ = ("amounts", "places")

    def __init__(self, places: Days | None = None, amounts: Sums | None = None) -> None:
        self.places = np.zeros(0, dtype=np.int64) if places is None else places
        self.amounts = np.zeros(0, dtype=np.int32) if amounts is None else amounts

    def add(self, places: Days, amounts: Sums) -> None:
        """Add amounts at places, which are different and in order."""
        at = self.places.searchsorted(places)
        is_known = np.zeros(len(places), dtype=np.bool_)
        if len(self.places):
            # What belongs after the last is more than it.
            is_known = self.places.take(at, mode="clip") == places
        known, new = positions(is_known), positions(~is_known)
        self.amounts[at[known]] += amounts[known]
        if len(new):
            # Each goes where it belongs, moved on by the new ones before it.
            to = at[new] + np.arange(len(new))
            is_kept = np.ones(len(self.places) + len(new), dtype=np.bool_)
            is_kept[to] = False
            self.places = _put(self.places, is_kept, places[new], to)
            self.amounts = _put(self.amounts, is_kept, amounts[new], to)

    def until(self, day_of_month: int, cells: int) -> NDArray[np.int64]:
        """The sum of each cell's entries up to a day of the month."""
        places, amounts = self.places, self.amounts
        if day_of_month < ROW_DAYS - 1:
            chosen = positions((places & (ROW_DAYS - 1)) <= day_of_month)
            places, amounts = places[chosen], amounts[chosen]
        return np.bincount(places // ROW_DAYS, amounts, cells).astype(np.int64)


@dataclass
class Tables:
    """Sums of entries by month number.

    `cells` has the keys of the cells by number. `checkpoints[m]` has each cell's stock when month m
    begins; cells that came after it was made have none. Both it and `entries[m]` exist for the
    months that have had entries, listed in `months`. `sum` is the checksum of all entries, kept up
    to date by `add`.
    """

    cells: Cells = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    months: list[int] = field(default_factory=list)
    entries: dict[int, Month] = field(default_factory=dict)
    checkpoints: dict[int, Sums] = field(default_factory=dict)
    sum: int = 0
    _order: NDArray[np.intp] | None = None
    _sorted: Cells = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def add(self, entries: Entries, calendar: Calendar) -> Touched:
        """Add ledger entries and tell what changed; entries that cancel out change nothing."""
        known = len(self.cells)
        changes = self._changes(entries, calendar)
        begun = [month for month in changes if self._begin(month)]
        for month, (place, amount) in changes.items():
            self.entries[month].add(place, amount)
        checkpoints = self._carry(changes)
        for month in begun:
            checkpoints[month] = np.arange(len(self.checkpoints[month]))
        return Touched(changes, checkpoints, begun, known)

    def counted_sum(self) -> int:
        """The checksum of all entries, worked out from what is there."""
        found = (
            checksum(np.full(len(it.places), month), it.places, it.amounts)
            for month, it in self.entries.items()
        )
        return sum(found) % 2**64

    def broken_month(self) -> int | None:
        """The first month whose checkpoint is not what the entries before it add up to."""
        running = np.zeros(len(self.cells), dtype=np.int64)
        for month in self.months:
            checkpoint = self.checkpoints[month]
            known = len(checkpoint)
            if (
                known > len(running)
                or not np.array_equal(checkpoint, running[:known])
                or running[known:].any()
            ):
                return month
            running += self.entries[month].until(ROW_DAYS, len(self.cells))
        return None

    def stock(self, day: int, calendar: Calendar) -> Stock:
        """Every cell's stock as of a day."""
        month = int(calendar.month[day - FIRST_DAY])
        day_of_month = int(calendar.day_of_month[day - FIRST_DAY])
        following = int(calendar.month[min(day + 1, LAST_DAY) - FIRST_DAY])
        if following != month and following in self.checkpoints:
            # So the end of a month before one that is read needs nothing more.
            return self._held(self.checkpoints[following].astype(np.int64))
        position = bisect_right(self.months, month) - 1
        if position < 0:
            return NOTHING
        latest = self.months[position]
        amounts = self.entries[latest].until(
            ROW_DAYS if latest < month else day_of_month, len(self.cells)
        )
        checkpoint = self.checkpoints[latest]
        amounts[: len(checkpoint)] += checkpoint
        return self._held(amounts)

    def _held(self, amounts: NDArray[np.int64]) -> Stock:
        """The stock of the first cells, by number; the others hold nothing."""
        held = positions(amounts)
        return Stock(self.cells[held], amounts[held])

    def _changes(self, entries: Entries, calendar: Calendar) -> dict[int, tuple[Days, Sums]]:
        """By month: the places in it that change, in order, and by how much."""
        day = np.minimum(np.maximum(entries.day, FIRST_DAY), LAST_DAY)
        cell = keys(entries.slot, entries.locality, entries.band)
        # First what cancels out goes, so that no cell is numbered that holds nothing.
        days = LAST_DAY - FIRST_DAY + 1
        place, amount = summed(cell * days + (day - FIRST_DAY), entries.amount)
        if not len(place):
            return {}
        cell, offset = place // days, place % days
        is_another = begins(cell)
        number = self._numbers(cell[is_another])[is_another.cumsum() - 1]
        size = len(self.cells) * ROW_DAYS
        at, change = _in_order(
            calendar.month[offset] * size + number * ROW_DAYS + calendar.day_of_month[offset],
            amount,
        )
        month = at // size
        place, amount = at - month * size, change.astype(np.int32)
        self.sum = (self.sum + checksum(month, place, amount)) % 2**64
        edges = [*positions(begins(month)).tolist(), len(at)]
        return {
            int(month[start]): (place[start:end], amount[start:end])
            for start, end in pairwise(edges)
        }

    def _numbers(self, cells: Cells) -> Days:
        """The numbers of keys, in order and each once; those that are new are given one."""
        if self._order is None:
            self._order = self.cells.argsort()
            self._sorted = self.cells[self._order]
        numbers = len(self.cells) + np.zeros(len(cells), dtype=np.int64)
        at = self._sorted.searchsorted(cells)
        inside = positions(at < len(self._sorted))
        known = inside[self._sorted[at[inside]] == cells[inside]]
        numbers[known] = self._order[at[known]]
        new = positions(numbers == len(self.cells))
        if len(new):
            numbers[new] += np.arange(len(new))
            self.cells, self._order = np.concatenate([self.cells, cells[new]]), None
        return numbers

    def _begin(self, month: int) -> bool:
        """Make room for a month, whose checkpoint is the end of the latest month before it."""
        if month in self.entries:
            return False
        position = bisect_right(self.months, month) - 1
        checkpoint = np.zeros(0, dtype=np.int32)
        if position >= 0:
            earlier = self.months[position]
            sums = self.entries[earlier].until(ROW_DAYS, len(self.cells))
            sums[: len(self.checkpoints[earlier])] += self.checkpoints[earlier]
            checkpoint = sums.astype(np.int32)
        self.entries[month] = Month()
        self.checkpoints[month] = checkpoint
        insort(self.months, month)
        return True

    def _carry(self, changes: dict[int, tuple[Days, Sums]]) -> dict[int, NDArray[np.intp]]:
        """Add changes of places in months to every later checkpoint; the cells this changed."""
        changed: dict[int, NDArray[np.intp]] = {}
        if not changes:
            return changed
        running = np.zeros(len(self.cells), dtype=np.int32)
        carried = positions(running)
        amounts = running[carried]
        for month in self.months[bisect_left(self.months, min(changes)) :]:
            if len(carried):
                self.checkpoints[month] = _grown(self.checkpoints[month], len(self.cells))
                self.checkpoints[month][carried] += amounts
                changed[month] = carried
            if month in changes:
                place, amount = changes[month]
                np.add.at(running, place // ROW_DAYS, amount)
                carried = positions(running)
                amounts = running[carried]
        return changed


def _grown(sums: Sums, size: int) -> Sums:
    if len(sums) == size:
        return sums
    grown = np.zeros(size, dtype=np.int32)
    grown[: len(sums)] = sums
    return grown


def _put(
    column: NDArray[Number], is_kept: Flags, new: NDArray[Number], to: Positions
) -> NDArray[Number]:
    """A column with new elements in it, whose positions in it are given."""
    found = np.empty(len(is_kept), dtype=column.dtype)
    found[is_kept], found[to] = column, new
    return found


def summed(place: Days, amount: Days) -> tuple[Days, Sums]:
    """The sum of the amounts at each place, in order of place; places whose sum is 0 left out."""
    place, amount = _in_order(place, amount)
    starts = positions(begins(place))
    sums = np.add.reduceat(amount, starts) if len(place) else amount
    changed = positions(sums)
    return place[starts[changed]], sums[changed].astype(np.int32)


def _in_order(place: Days, amount: Days | Sums) -> tuple[Days, Days]:
    """Places, none below 0, in order, each with its amount.

    Where one number has room for both, numbers are sorted: to find out in which order they are, and
    to put them so, takes several times as long.
    """
    bits = BITS
    if len(place) >= FEW:
        least = int(amount.min())
        bits = (int(amount.max()) - least).bit_length()
    if bits == BITS or int(place.max()).bit_length() + bits >= BITS:
        order = place.argsort()
        return place[order], amount[order].astype(np.int64)
    both = place << bits | (amount - least)
    both.sort()
    return both >> bits, (both & ((1 << bits) - 1)) + least
