"""Stocks added up by place: from localities to all the places that each is in."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from processors.ledger.tables import Stock, parts
from processors.record.localities import Localities
from schemas.catalogue import AGE_BANDS
from schemas.places import Place

Figures = NDArray[np.int64]


class PlaceSums:
    """A stock by (slot, place, all ages and then each band).

    The places are those that are always shown, and then those that hold something, by name.
    """

    def __init__(self, slots: Sequence[str], localities: Localities, stock: Stock) -> None:
        slot, locality, band = parts(stock.cells)
        met, where = np.unique(locality, return_inverse=True)
        within = [list(localities.graph.places_of(localities.all[it])) for it in met.tolist()]
        known = localities.graph.known()
        seen = {place for places in within for place in places}
        self.places: list[Place] = [*known, *sorted(seen.difference(known))]
        self._index = {place: position for position, place in enumerate(self.places)}
        counts = np.array([len(places) for places in within], dtype=np.int64)
        flat = np.array([self._index[it] for places in within for it in places], dtype=np.int64)
        first = np.cumsum(counts) - counts
        times = counts[where] if len(where) else np.zeros(0, dtype=np.int64)
        row = np.repeat(np.arange(len(where)), times)
        step = np.arange(len(row)) - np.repeat(np.cumsum(times) - times, times)
        place = flat[first[where[row]] + step] if len(row) else np.zeros(0, dtype=np.int64)
        bands = len(AGE_BANDS)
        shape = len(slots), len(self.places), bands
        at = (slot[row] * shape[1] + place) * bands + band[row]
        size = shape[0] * shape[1] * bands
        by_band = np.rint(np.bincount(at, stock.amounts[row], size)).astype(np.int64)
        by_band = by_band.reshape(shape)
        self._sums = np.concatenate([by_band.sum(axis=2, keepdims=True), by_band], axis=2)
        self._slot = {name: position for position, name in enumerate(slots)}

    def total(self, terms: Mapping[str, int]) -> Figures:
        """The sum of slots, each so many times, by (place, all ages and then each band)."""
        found = np.zeros(self._sums.shape[1:], dtype=np.int64)
        for name, times in terms.items():
            found += times * self._sums[self._slot[name]]
        return found

    def everyone(self) -> Figures:
        """Every slot's sums, all ages together, by (slot, place)."""
        return self._sums[:, :, 0]

    def position(self, place: Place) -> int | None:
        """Where a place stands among the places; None where it holds nothing."""
        return self._index.get(place)
