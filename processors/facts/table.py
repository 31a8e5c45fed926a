"""The rows of cases in one table, and what is known of each case as a whole."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from processors.arrays import Flags, Positions, begins, positions
from processors.days.calendar import FIRST_DAY, NEVER, Calendar, Days
from processors.facts.columns import BAND_STARTS, UNKNOWN_BAND, Wanted
from processors.record.localities import Localities
from processors.record.rows import MOST_KINDS, NOTIFICATION, taken

# More than there are days in the calendar's tables.
MOST_DAYS = 2**20


@dataclass(frozen=True)
class Table:
    """The rows of cases that have a notification, in order of cases and then of time.

    `case` is each row's group. `sign` and `changed` are of groups: what the columns made of a group
    have for a sign, and how many cases have changed.
    """

    rows: NDArray[np.void]
    case: Days
    kind: NDArray[np.uint8]
    day: Days
    sign: Days
    changed: int
    localities: Localities
    calendar: Calendar
    wanted: Wanted

    @cached_property
    def notifications(self) -> Positions:
        """The rows that are notifications."""
        return positions(self.kind == NOTIFICATION)

    @cached_property
    def first_notifications(self) -> Positions:
        """Each case's first."""
        return self.notifications[begins(self.case[self.notifications])]

    @cached_property
    def received(self) -> Days:
        """The day on which each group's case was received."""
        return self._of_first("day")

    @cached_property
    def is_since_receipt(self) -> Flags:
        """Whether each row is of a day that is not before its case's receipt."""
        is_since: Flags = self.day >= self.received[self.case]
        return is_since

    @cached_property
    def birth(self) -> Days:
        """The date of birth that the first notification of each group's case says."""
        return self._of_first("birth")

    @cached_property
    def district(self) -> Days:
        """The district that it says."""
        return self._of_first("area")

    @cached_property
    def reason(self) -> Days:
        """The primary reason that it says."""
        return self._of_first("detail")

    @cached_property
    def band(self) -> Days:
        """The age band of each group's case: that of its receipt."""
        return self.band_on(self.birth, self.received)

    def band_on(self, birth: Days, day: Days) -> Days:
        """Index in AGE_BANDS of the completed years on a day; unknown where born later, or so."""
        years = self.calendar.completed_years(birth, day)
        band = BAND_STARTS.searchsorted(years, side="right") - 1
        return np.where((birth == 0) | (years < 0), UNKNOWN_BAND, band)

    @cached_property
    def _first_rows(self) -> tuple[Days, NDArray[np.void]]:
        """The groups that have a case, and the row of its first notification."""
        first = self.first_notifications
        return self.case[first], taken(self.rows, first)

    def _of_first(self, column: str) -> Days:
        values = np.zeros(len(self.sign), dtype=np.int64)
        group, rows = self._first_rows
        values[group] = rows[column]
        return values

    @cached_property
    def _firsts(self) -> Days:
        """What `first` gives of every kind, one after another."""
        groups = len(self.sign)
        firsts = np.full((MOST_KINDS, groups), NEVER)
        kept = positions(self.is_since_receipt)
        place = self.kind[kept] * np.int64(groups) + self.case[kept]
        np.minimum.at(firsts.reshape(-1), place, self.day[kept])
        return firsts

    def first(self, kind: int) -> Days:
        """The first day, not before its receipt, on which each group's case has a kind of row."""
        found: Days = self._firsts[kind]
        return found

    def first_since(self, kind: int, case: Days, since: Days) -> Days:
        """The first such day that is not before another one either, of each of the cases given.

        The other is never before the case's receipt.
        """
        first = self.first(kind)[case]
        found = np.where(since < NEVER, first, NEVER)
        late = positions(found < since)
        if len(late):
            found[late] = self._searched(kind, case[late], since[late])
        return found

    def _searched(self, kind: int, case: Days, since: Days) -> Days:
        # Rows of a case are in order of time, so that their days never decrease.
        rows = positions(self.kind == kind)
        place = self.case[rows] * MOST_DAYS + (self.day[rows] - FIRST_DAY)
        asked = case * MOST_DAYS + np.minimum(since - FIRST_DAY, MOST_DAYS - 1)
        found = place.searchsorted(asked)
        rows = rows[np.minimum(found, len(rows) - 1)]
        is_found = (found < len(place)) & (self.case[rows] == case)
        return np.where(is_found, self.day[rows], NEVER)
