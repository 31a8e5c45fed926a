"""Localities by number, so that columns can hold them."""

import numpy as np

from processors.days.calendar import Days
from processors.record.names import Names
from schemas.places import NOWHERE, Locality, PlaceGraph

MOST_PROVIDERS = 2**15
MOST_LOCALITIES = 2**20


class Localities:
    """Numbers for localities, given in the order in which they are first met; 0 is nowhere.

    Numbers differ from process to process: what is stored or sent names localities in full.
    """

    def __init__(self, graph: PlaceGraph) -> None:
        self.graph = graph
        self.districts = graph.areas.leaves
        self.providers = Names(MOST_PROVIDERS)
        self.all: list[Locality] = [NOWHERE]
        self._district_index = {name: index for index, name in enumerate(self.districts)}
        self._numbers: dict[Locality, int] = {NOWHERE: 0}
        self._pairs: dict[int, int] = {}

    def number(self, locality: Locality) -> int:
        """The number of a locality."""
        number = self._numbers.get(locality)
        if number is None:
            if len(self.all) >= MOST_LOCALITIES:
                return 0
            number = self._numbers[locality] = len(self.all)
            self.all.append(locality)
        return number

    def district(self, name: str | None) -> int:
        """The index of a district among the leaves, their number for any other name."""
        return self._district_index.get(name or "", len(self.districts))

    def of(self, district: Days, provider: Days) -> Days:
        """The localities of pairs of a district's index and a provider's number."""
        pair = district * (MOST_PROVIDERS + 1) + provider
        found, where = np.unique(pair, return_inverse=True)
        numbers = [self._of_pair(it) for it in found.tolist()]
        of_pairs: Days = np.array(numbers, dtype=np.int64)[where]
        return of_pairs

    def _of_pair(self, pair: int) -> int:
        number = self._pairs.get(pair)
        if number is None:
            district, provider = divmod(pair, MOST_PROVIDERS + 1)
            name = self.districts[district] if district < len(self.districts) else None
            number = self.number(Locality(name, self.providers.name(provider)))
            self._pairs[pair] = number
        return number
