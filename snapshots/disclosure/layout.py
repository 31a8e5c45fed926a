"""Places and age bands as the margins of a table: which leaf cells each published cell adds up.

A leaf is the smallest place that a count is told of. Counts of cases lie in a district and with a
provider, where either is known; what is counted once at each place, as different people are, has a
leaf for every place, and nothing adds up.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.areas import Areas
from schemas.catalogue import ALL_AGES
from schemas.places import PROVIDER, Place

Table = NDArray[np.int64]
# A place and an age band.
Spot = tuple[Place, str]

# The level of the areas in a release's cells.
AREA = ""
# The area of those who count at the top only, for want of a district: it is
# never published, but is the difference between the top and the areas below it.
NO_DISTRICT = ""
NOWHERE = Place(AREA, NO_DISTRICT)
# Differences of the same kind: an area's that no provider has, and a provider's in no district.
NO_PROVIDER, PROVIDER_NOWHERE = "no-provider", "provider-nowhere"


class Shape(NamedTuple):
    """What the leaves of a count are: whether it is told by band, by area, by provider, at sites.

    `is_apart` where it is counted once at each place.
    """

    is_banded: bool
    has_areas: bool
    has_providers: bool
    sites: tuple[Place, ...] = ()
    is_apart: bool = False


class Whole(NamedTuple):
    """A place, and places in it: whoever counts in one of these counts in the whole as well, once.

    With `is_all`, nobody counts in the whole who counts in none of them.
    """

    place: Place
    parts: list[Place]
    is_all: bool


class Layout:
    """The margins of a table by (leaf, age band).

    `remainders` are places that nothing is published of, and that are differences of such as are.
    """

    def __init__(
        self,
        areas: Areas,
        bands: Sequence[str],
        shape: Shape | None = None,
        providers: Sequence[str] = (),
    ) -> None:
        shape = shape or Shape(is_banded=True, has_areas=True, has_providers=False)
        ages = [band for band in bands if band != ALL_AGES] if shape.is_banded else []
        self.ages = ages or [ALL_AGES]
        self.bands = [ALL_AGES, *ages]
        self._areas = areas
        self._providers = list(providers) if shape.has_providers else []
        self._within = self._places(shape)
        self.places = list(self._within)
        self.is_apart = shape.is_apart
        self.leaves = self._leaves(shape)
        self.height = {place: _height(areas, place) for place in self.places}
        self.remainders = [place for place in self.places if _is_remainder(place)]

    def _places(self, shape: Shape) -> dict[Place, frozenset[Place]]:
        """Every place, with the leaves in it."""
        areas, lowest = self._areas, self._areas.levels[-1]
        districts = [*areas.leaves, NO_DISTRICT]
        found: dict[Place, list[Place]] = {}
        alone = {name: _alone(name) for name in districts}
        for area in areas.area if shape.has_areas else ():
            found[Place(AREA, area.name)] = []
        if shape.has_areas:
            found[NOWHERE] = []
        under = {area.name: [*areas.leaves_under(area.name)] for area in areas.area}
        under[areas.top].append(NO_DISTRICT)
        under[NO_DISTRICT] = [NO_DISTRICT]
        for place in found:
            found[place] = [alone[name] for name in under[place.name]]
            for provider in self._providers:
                found[place] += [_with(provider, name, lowest) for name in under[place.name]]
        for provider in self._providers:
            every = [_with(provider, name, lowest) for name in districts]
            found[Place(PROVIDER, provider)] = every
            for area in areas.area:
                if area.name != areas.top:
                    own = [_with(provider, name, lowest) for name in under[area.name]]
                    found[Place(f"{PROVIDER}-{area.level}", f"{provider} / {area.name}")] = own
            found[Place(PROVIDER_NOWHERE, provider)] = [_with(provider, NO_DISTRICT, lowest)]
        if self._providers and shape.has_areas:
            for name, inside in under.items():
                found[Place(NO_PROVIDER, name)] = [alone[it] for it in inside]
        if shape.is_apart:
            found = {place: [place] for place in found if not _is_remainder(place)}
        found |= {site: [site] for site in shape.sites}
        return {place: frozenset(leaves) for place, leaves in found.items()}

    def _leaves(self, shape: Shape) -> list[Place]:
        if shape.is_apart:
            return self.places
        leaves = dict.fromkeys(leaf for inside in self._within.values() for leaf in inside)
        return sorted(leaves)

    @property
    def size(self) -> int:
        """How many leaf cells a table has."""
        return len(self.leaves) * len(self.ages)

    @property
    def empty(self) -> Table:
        """A table of nothing."""
        return np.zeros((len(self.leaves), len(self.ages)), dtype=np.int64)

    @cached_property
    def by_place(self) -> Table:
        """1 where a place (row) has a leaf (column) in it."""
        return np.array(
            [[leaf in inside for leaf in self.leaves] for inside in self._within.values()],
            dtype=np.int64,
        )

    @cached_property
    def by_band(self) -> Table:
        """1 where a band (row) has an age band (column) in it."""
        return np.array(
            [[band in (ALL_AGES, age) for age in self.ages] for band in self.bands], dtype=np.int64
        )

    @cached_property
    def index(self) -> dict[Spot, tuple[int, int]]:
        """Row and column in `totals` of a place and a band."""
        return {
            (place, band): (row, column)
            for row, place in enumerate(self.places)
            for column, band in enumerate(self.bands)
        }

    @cached_property
    def leaf_cells(self) -> dict[Spot, NDArray[np.intp]]:
        """The positions, in a table laid flat, that a place and band add up."""
        return {
            (place, band): np.flatnonzero(np.outer(self.by_place[row], self.by_band[column]))
            for (place, band), (row, column) in self.index.items()
        }

    @cached_property
    def leaf_spots(self) -> list[Spot]:
        """Every leaf cell, by a place that is that leaf alone."""
        alone = {next(iter(inside)): it for it, inside in self._within.items() if len(inside) == 1}
        return [(alone[leaf], age) for leaf in self.leaves for age in self.ages]

    @cached_property
    def wholes(self) -> list[Whole]:
        """Of what is counted once at each place: which places lie in which."""
        areas, found = self._areas, list[Whole]()
        if not self.is_apart:
            return found
        for area in areas.area:
            inside = [it for it in areas.area if it.parent == area.name]
            is_all = area.name != areas.top
            own, parts = Place(AREA, area.name), [Place(AREA, it.name) for it in inside]
            found.append(Whole(own, parts, is_all=is_all))
            by_provider = [_above(areas, it, area.name) for it in self._providers]
            found.append(Whole(own, by_provider, is_all=False))
            for provider, place in zip(self._providers, by_provider, strict=True):
                parts = [_above(areas, provider, it.name) for it in inside]
                found.append(Whole(place, parts, is_all=is_all))
        there = set(self.places)
        kept = [
            it._replace(parts=[part for part in it.parts if part in there])
            for it in found
            if it.place in there
        ]
        return [it for it in kept if it.parts]

    def totals(self, table: Table) -> Table:
        """The table with its margins, by (place, band)."""
        total: Table = self.by_place @ table @ self.by_band.T
        return total

    def leaf_table(self, told: Mapping[Spot, int], where: Sequence[Place]) -> Table | None:
        """The table behind what is told of places and bands; None where that says too little.

        Of a place that is not among those of the release, `where`, nothing is counted.
        """
        known, there = self.empty, set(where)
        rows = {leaf: row for row, leaf in enumerate(self.leaves)}
        published = [place for place in self.places if not _is_remainder(place)]
        done = np.zeros(len(self.leaves), dtype=np.bool_)
        # A place's own leaf is what it has beyond the places inside it, so the small ones first.
        for place in sorted(published, key=lambda it: len(self._within[it])):
            left = [rows[leaf] for leaf in self._within[place] if not done[rows[leaf]]]
            if not left:
                continue
            if len(left) > 1:
                return None
            for column, age in enumerate(self.ages):
                count = told.get((place, age))
                if count is None and place in there:
                    return None
                others = sum(known[rows[leaf], column] for leaf in self._within[place])
                known[left[0], column] = (count or 0) - others
            done[left[0]] = True
        return known


def _alone(district: str) -> Place:
    """The leaf of what no provider has."""
    return Place(AREA, district)


def _with(provider: str, district: str, lowest: str) -> Place:
    """The leaf of what a provider has in a district, or in none."""
    if district == NO_DISTRICT:
        return Place(PROVIDER_NOWHERE, provider)
    return Place(f"{PROVIDER}-{lowest}", f"{provider} / {district}")


def _above(areas: Areas, provider: str, area: str) -> Place:
    """A provider in an area, or as a whole."""
    if area == areas.top:
        return Place(PROVIDER, provider)
    level = next(it.level for it in areas.area if it.name == area)
    return Place(f"{PROVIDER}-{level}", f"{provider} / {area}")


def _is_remainder(place: Place) -> bool:
    return place == NOWHERE or place.level in {NO_PROVIDER, PROVIDER_NOWHERE}


def _height(areas: Areas, place: Place) -> int:
    """How dear a place is: 0 for a district, and one more for each level that it is above."""
    level = place.level
    if _is_remainder(place):
        return len(areas.levels)
    if level == AREA:
        own = next(area.level for area in areas.area if area.name == place.name)
        return len(areas.levels) - 1 - areas.levels.index(own)
    if level == PROVIDER:
        return len(areas.levels) - 2
    below = level.removeprefix(f"{PROVIDER}-")
    return len(areas.levels) - 2 - areas.levels.index(below) if below in areas.levels else 0
