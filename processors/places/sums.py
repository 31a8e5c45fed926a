"""The places that alerts are raised for: the areas, and the providers."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.figures import placesums
from processors.ledger.tables import Stock
from processors.rules import Rules
from schemas import places


class Place(NamedTuple):
    """An area, or a provider wherever its cases lie."""

    area: str
    provider: str | None = None


class Places:
    """Every area from the top down, then every provider: named, listed, or met in stocks.

    Those that the standards name come first, then those that are listed among the places, and then
    by name any other that something is counted for in one of the stocks.
    """

    def __init__(self, rules: Rules, *stocks: Stock) -> None:
        areas = rules.areas
        self._rules = rules
        met = {
            place.name
            for stock in stocks
            for place in placesums.PlaceSums(rules.slots, rules.localities, stock).places
            if place.level == places.PROVIDER
        }
        named = [*rules.standards.providers, *rules.places.provider]
        providers = list(dict.fromkeys([*named, *sorted(met)]))
        self.all = [Place(name) for name in areas.names]
        self.all += [Place(areas.top, provider) for provider in providers]
        self._places = [places.Place(area.level, area.name) for area in areas.area]
        self._places += [places.Place(places.PROVIDER, provider) for provider in providers]

    def sums(self, stock: Stock) -> NDArray[np.int64]:
        """A stock by (slot, place), all ages together."""
        slots = self._rules.slots
        found = placesums.PlaceSums(slots, self._rules.localities, stock)
        at = [found.position(place) for place in self._places]
        sums = np.zeros((len(slots), len(self._places)), dtype=np.int64)
        there = [column for column, position in enumerate(at) if position is not None]
        where = [position for position in at if position is not None]
        sums[:, there] = found.everyone()[:, where]
        return sums
