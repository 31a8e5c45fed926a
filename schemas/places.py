"""Places as data: where people go, who runs it, and all that a figure can be a figure of.

A *place* has a level and a name: one of the areas, a provider, a provider within an area or a
district, a children's centre, a youth hub. A *locality* is the smallest thing a count is kept by;
it is in one place or several, and a place's figure is the sum over its localities.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, model_validator

from schemas.areas import Areas
from schemas.datafile import data_file

SiteKind = Literal["childrens-centre", "youth-hub", "other"]
PROVIDER = "provider"
# Kinds of site that are places of their own; any other counts in its areas and provider alone.
SITE_LEVELS: tuple[SiteKind, ...] = ("childrens-centre", "youth-hub")


class Place(NamedTuple):
    """What a figure is a figure of: a level, and a name that is one of a kind at it."""

    level: str
    name: str


class Locality(NamedTuple):
    """The smallest thing a count is kept by.

    Without `only`: somewhere in a district, with a provider, as far as either is known; it is in
    the district and all above it, in the provider as a whole and in each of these. With `only`:
    what is counted of one place alone, such as different people, whose counts cannot be added up.
    """

    district: str | None = None
    provider: str | None = None
    only: Place | None = None


NOWHERE = Locality()


class _PlaceData(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class Site(_PlaceData):
    """A children's centre, a youth hub, or another place where sessions are held."""

    name: str
    kind: SiteKind
    district: str
    provider: str | None = None


class Places(_PlaceData):
    """The sites and providers that are known of, checked: names unique."""

    provider: tuple[str, ...] = ()
    site: tuple[Site, ...] = ()

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        for kind, names in (
            ("provider", list(self.provider)),
            ("site", [site.name for site in self.site]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{kind} named twice: {', '.join(twice)}")
        return self

    def fit(self, areas: Areas) -> None:
        """Raise ValueError for a site in a district that the areas do not have."""
        for site in self.site:
            if site.district not in areas.leaves:
                raise ValueError(f"site {site.name!r}: no district called {site.district!r}")


NO_PLACES = Places()


class PlaceGraph:
    """Areas and places together: what is where, and which places a locality is in."""

    def __init__(self, areas: Areas, places: Places = NO_PLACES) -> None:
        places.fit(areas)
        self.areas = areas
        self.places = places
        self.sites = {site.name: site for site in places.site}
        self._leaves = frozenset(areas.leaves)
        self._above = {
            leaf: [
                Place(area.level, area.name)
                for area in areas.area
                if leaf in areas.leaves_under(area.name)
            ]
            for leaf in areas.leaves
        }
        self._top = Place(areas.levels[0], areas.top)

    @property
    def levels(self) -> list[str]:
        """Every level there is, the areas' first."""
        below = [f"{PROVIDER}-{level}" for level in self.areas.levels[1:]]
        return [*self.areas.levels, PROVIDER, *below, *SITE_LEVELS]

    def known(self) -> list[Place]:
        """The places that are always shown: areas, sites, and providers that are named."""
        found = [Place(area.level, area.name) for area in self.areas.area]
        found += [Place(PROVIDER, name) for name in self.places.provider]
        found += [
            Place(site.kind, site.name) for site in self.places.site if site.kind in SITE_LEVELS
        ]
        return found

    def places_of(self, locality: Locality) -> Iterator[Place]:
        """The places that a locality is in; the whole first."""
        if locality.only is not None:
            yield locality.only
            return
        above = self._above.get(locality.district or "", [self._top])
        yield from above
        if locality.provider:
            yield Place(PROVIDER, locality.provider)
            for place in above[1:]:
                yield Place(f"{PROVIDER}-{place.level}", f"{locality.provider} / {place.name}")

    def district_of(self, place: Place) -> Place | None:
        """The district that a site lies in; None for any other place."""
        site = self.sites.get(place.name) if place.level in SITE_LEVELS else None
        return self._above[site.district][-1] if site else None

    def is_district(self, name: str | None) -> bool:
        """Whether there is a district of that name."""
        return name in self._leaves


def load_places(path: Path | None = None) -> Places:
    """The places in a TOML file, or those that ship.

    Raises OSError, tomllib.TOMLDecodeError or pydantic.ValidationError when the file cannot be
    read, is not TOML, or names something twice.
    """
    return data_file(path, "places.toml").into(Places)
