"""Where things are counted: the places that a locality lies in, worked out from the tree.

Reconciliation's own: it shares the data with schemas.places, but not the graph that the live
figures are added up with, whose results it is there to check.
"""

from collections.abc import Mapping
from functools import lru_cache

from processors.record.decoding import Event
from schemas.areas import Areas
from schemas.places import PROVIDER, SITE_LEVELS, Locality, Place, Places, Site

# Names of districts, each with a provider, of which the locality is remembered.
MOST_NAMES = 4_096


class Whereabouts:
    """Areas, sites and providers, ready to be asked what lies where."""

    def __init__(self, areas: Areas, places: Places) -> None:
        self._areas = {area.name: area for area in areas.area}
        self._leaves = frozenset(areas.leaves)
        self._top = areas.top
        self._providers = places.provider
        self.sites: Mapping[str, Site] = {site.name: site for site in places.site}
        self._within: dict[Locality, list[Place]] = {}
        # Somewhere in a district, or nowhere in particular where there is none of that name; with
        # a provider, if that is given.
        self.in_district = lru_cache(MOST_NAMES)(self._in_district)

    @property
    def known(self) -> list[Place]:
        """The places that have figures though nothing may be counted there."""
        areas = [Place(area.level, area.name) for area in self._areas.values()]
        providers = [Place(PROVIDER, name) for name in self._providers]
        return areas + providers + [self.at(it) for it in self.sites.values() if _is_own(it)]

    def _in_district(self, name: str | None, provider: str | None = None) -> Locality:
        return Locality(name if name in self._leaves else None, provider or None)

    def of_session(self, event: Event) -> Locality:
        """Where a session is: in its site's district, with its own provider or else its site's."""
        site = self.sites.get(event.data["place"])
        provider = event.data.get("provider") or (site.provider if site else None)
        return self.in_district(site.district if site else None, provider)

    def at(self, site: Site) -> Place:
        """A site as a place."""
        return Place(site.kind, site.name)

    def within(self, locality: Locality) -> list[Place]:
        """The places whose figures a locality's counts are part of."""
        found = self._within.get(locality)
        if found is None:
            found = self._within[locality] = self._found(locality)
        return found

    def _found(self, locality: Locality) -> list[Place]:
        if locality.only:
            return [locality.only]
        found, name = [], locality.district or self._top
        while name != self._top:
            level = self._areas[name].level
            found.append(Place(level, name))
            if locality.provider:
                found.append(Place(f"{PROVIDER}-{level}", f"{locality.provider} / {name}"))
            name = self._areas[name].parent or self._top
        found.append(Place(self._areas[name].level, name))
        return [*found, Place(PROVIDER, locality.provider)] if locality.provider else found

    def district_of(self, place: Place) -> Place | None:
        """The district that a site lies in; None for any other place."""
        site = self.sites.get(place.name)
        if site is None or not _is_own(site) or site.kind != place.level:
            return None
        return Place(self._areas[site.district].level, site.district)


def _is_own(site: Site) -> bool:
    """Whether a site is a place that figures are shown of."""
    return site.kind in SITE_LEVELS
