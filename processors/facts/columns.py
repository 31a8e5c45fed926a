"""Facts about cases as columns, by the names that they have in the catalogue."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from processors.arrays import Flags, Positions, positions
from processors.days.calendar import Days
from schemas.catalogue import Relation
from schemas.events.case import SERVICES

BAND_STARTS = np.array([0, 5, 11, 16])  # completed years at which a band of AGE_BANDS begins
UNKNOWN_BAND = len(BAND_STARTS)
NO_SERVICE = len(SERVICES)


Twins = tuple[Positions, Positions]


@dataclass(frozen=True)
class Columns:
    """Facts to be measured; each column has one element a row, and rows are in order of groups.

    Days are day numbers, NEVER where there is no such day. `begin` is the first day the row holds
    and `end` the first on which it no longer does. `sign` is +1 for what is now true, -1 for what
    was before, and 0 for what has not changed. `twins` are the positions of rows that were before,
    and of those that now have the same place among those of the case, where there are such. `group`
    is the position of the row's case among all that were given, `episode` how many times the case
    has been open, `service` the holder's index in SERVICES. The `passes` columns have a bit for
    each text test.
    """

    sign: Days
    twins: Twins
    group: Days
    locality: Days
    band: Days
    begin: Days
    end: Days
    days: dict[str, Days]
    passes: dict[str, NDArray[np.uint32]]
    flags: dict[str, Flags]
    is_closed: Flags
    district: Days
    episode: Days
    service: Days


@dataclass(frozen=True)
class Wanted:
    """What of the facts anything rests on; the rest is not worked out.

    `holder_bits` has the bit of the test that each relation makes on holders, by its name;
    `spell_tests` has the bits of the holder tests that measures of spells make, 0 for no measure.
    """

    days: frozenset[str]
    relations: tuple[Relation, ...]
    holder_bits: Mapping[str, int]
    spell_tests: int


@dataclass(frozen=True)
class Facts:
    """The facts of cases, by their names in the catalogue."""

    case: Columns
    notification: Columns
    spell: Columns | None

    def of(self, name: str) -> Columns:
        """The facts of a name. Raises KeyError for those that nothing wanted."""
        columns = {"case": self.case, "notification": self.notification, "spell": self.spell}[name]
        if columns is None:
            raise KeyError(name)
        return columns


def twins(group: Days, changed: int) -> Twins:
    """The twins among rows, of the groups of so many cases that have changed (see Columns)."""
    edges = group.searchsorted(np.arange(2 * changed + 1))
    # Where the rows of each case that has changed begin, and end, before and now.
    first, end = edges[:-1], edges[1:]
    case = group[: edges[changed]]
    other = np.arange(len(case)) + (first[changed:] - first[:changed])[case]
    before = positions(other < end[changed:][case])
    return before, other[before]


def at(values: NDArray[np.generic], position: Days, absent: int) -> Days:
    """The value at each position, `absent` for a negative one."""
    return np.where(position >= 0, values[position], absent).astype(np.int64, copy=False)
