"""Areas and age bands as the margins of a table: which leaf cells each published cell adds up."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from schemas.areas import Areas
from schemas.catalogue import ALL_AGES

Table = NDArray[np.int64]

# The area of those who count at the top only, for want of a district: it is
# never published, but is the difference between the top and the areas below it.
NO_DISTRICT = ""


class Layout:
    """The margins of a table by (leaf area or no district, age band)."""

    def __init__(self, areas: Areas, bands: tuple[str, ...]) -> None:
        leaves = [*areas.leaves, NO_DISTRICT]
        ages = [band for band in bands if band != ALL_AGES]
        self.leaves, self.ages = leaves, ages
        self.top = areas.top
        self.areas = [*areas.names, NO_DISTRICT]
        self.bands = [ALL_AGES, *ages]
        self.height = {name: _height(areas, name) for name in areas.names}
        self._within = {
            name: {*areas.leaves_under(name), *([NO_DISTRICT] if name == areas.top else [])}
            for name in areas.names
        } | {NO_DISTRICT: {NO_DISTRICT}}

    @property
    def size(self) -> int:
        """How many leaf cells a table has."""
        return len(self.leaves) * len(self.ages)

    @cached_property
    def by_area(self) -> Table:
        """1 where an area (row) has a leaf (column) in it."""
        return np.array(
            [[leaf in self._within[area] for leaf in self.leaves] for area in self.areas],
            dtype=np.int64,
        )

    @cached_property
    def by_band(self) -> Table:
        """1 where a band (row) has an age band (column) in it."""
        return np.array(
            [[band in (ALL_AGES, age) for age in self.ages] for band in self.bands], dtype=np.int64
        )

    @cached_property
    def index(self) -> dict[tuple[str, str], tuple[int, int]]:
        """Row and column in `totals` of an area and a band."""
        return {
            (area, band): (row, column)
            for row, area in enumerate(self.areas)
            for column, band in enumerate(self.bands)
        }

    @cached_property
    def leaf_cells(self) -> dict[tuple[str, str], NDArray[np.intp]]:
        """The positions, in a table laid flat, that an area and band add up."""
        return {
            (area, band): np.flatnonzero(np.outer(self.by_area[row], self.by_band[column]))
            for (area, band), (row, column) in self.index.items()
        }

    def totals(self, table: Table) -> Table:
        """The table with its margins, by (area, band)."""
        total: Table = self.by_area @ table @ self.by_band.T
        return total


def _height(areas: Areas, name: str) -> int:
    """How many levels lie below an area: 0 for a district."""
    level = next(area.level for area in areas.area if area.name == name)
    return len(areas.levels) - 1 - areas.levels.index(level)
