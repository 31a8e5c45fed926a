"""The places that alerts are raised for: the areas, and the providers."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.figures import placesums
from processors.ledger.tables import Stock
from processors.rules import Rules
from schemas import places


class WatchedPlace(NamedTuple):
    """An area, or a provider wherever its cases lie."""

    area: str
    provider: str | None = None


class WatchedPlaces:
    """Every area from the top down, then every provider that is named, or met in stocks.

    Those that the standards name come first, and then by name any other that something is counted
    for in one of the stocks.
    """

    def __init__(self, rules: Rules, *stocks: Stock) -> None:
        areas = rules.areas
        self._rules = rules
        met = {name for stock in stocks for name in _met(rules, stock)}
        providers = list(dict.fromkeys([*rules.standards.providers, *sorted(met)]))
        self.all = [WatchedPlace(name) for name in areas.names]
        self.all += [WatchedPlace(areas.top, provider) for provider in providers]
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


def _met(rules: Rules, stock: Stock) -> Iterator[str]:
    """The providers that a stock has anything of."""
    found = placesums.PlaceSums(rules.slots, rules.localities, stock)
    everyone = found.everyone()
    for column, place in enumerate(found.places):
        if place.level == places.PROVIDER and everyone[:, column].any():
            yield place.name
