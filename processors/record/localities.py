"""Localities by number, so that columns can hold them."""

import numpy as np

from processors.arrays import positions
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
        # By district and provider; -1 where the pair was not met yet.
        self._table: Days = np.full((len(self.districts) + 1, 16), -1, dtype=np.int64)

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
        if self.providers.count > self._table.shape[1]:
            # Room for as many again, so that it seldom grows.
            self._table = np.pad(
                self._table, ((0, 0), (0, self.providers.count)), constant_values=-1
            )
        numbers = self._table[district, provider]
        new = positions(numbers < 0)
        if len(new):
            for index, number in {
                *zip(district[new].tolist(), provider[new].tolist(), strict=True)
            }:
                name = self.districts[index] if index < len(self.districts) else None
                locality = Locality(name, self.providers.name(number))
                self._table[index, number] = self.number(locality)
            numbers = self._table[district, provider]
        return numbers
