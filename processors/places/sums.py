"""Places: the areas, and the providers, that cases are added up by."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.rules import Rules


class Place(NamedTuple):
    """An area, or a provider wherever its cases lie."""

    area: str
    provider: str | None = None


class Places:
    """Every area from the top down, then every provider, over the stocks of a deployment."""

    def __init__(self, rules: Rules) -> None:
        areas = rules.areas
        self.all = [Place(name) for name in areas.names]
        self.all += [Place(areas.top, provider) for provider in rules.standards.providers]
        columns = [*areas.leaves, None, *rules.standards.providers]
        self._membership = np.array(
            [
                [
                    _is_in(place, column, position < rules.first_provider, rules)
                    for position, column in enumerate(columns)
                ]
                for place in self.all
            ],
            dtype=np.int64,
        )

    def sums(self, stock: NDArray[np.int64]) -> NDArray[np.int64]:
        """A stock by (slot, place), all ages together."""
        by_place: NDArray[np.int64] = np.einsum("pc,scb->sp", self._membership, stock)
        return by_place


def _is_in(place: Place, column: str | None, is_area: bool, rules: Rules) -> bool:
    if place.provider is not None:
        return not is_area and column == place.provider
    if not is_area:
        return False
    if column is None:
        return place.area == rules.areas.top
    return column in rules.areas.leaves_under(place.area)
