"""Stocks added up by place: from localities to all the places that each is in."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.arrays import positions
from processors.ledger.tables import Stock, parts
from processors.record.localities import Localities
from schemas.catalogue import AGE_BANDS
from schemas.places import Place

Figures = NDArray[np.int64]


class Terms(NamedTuple):
    """Sums of slots, each so many times, one formula after another.

    Of so many `formulas`, `summed` are those with any, and `first` is where each of them begins.
    """

    slot: NDArray[np.intp]
    times: NDArray[np.int64]
    first: NDArray[np.intp]
    summed: NDArray[np.intp]
    formulas: int


def terms(slots: Sequence[str], formulas: Sequence[Mapping[str, int]]) -> Terms:
    """Formulas over the names of slots."""
    index = {name: position for position, name in enumerate(slots)}
    number = np.array([len(it) for it in formulas], dtype=np.intp)
    summed = positions(number)
    return Terms(
        np.array([index[name] for it in formulas for name in it], dtype=np.intp),
        np.array([times for it in formulas for times in it.values()], dtype=np.int64),
        (np.cumsum(number) - number)[summed],
        summed,
        len(formulas),
    )


class PlaceSums:
    """A stock by (slot, place, all ages and then each band).

    The places are those that are always shown, and then those that hold something, by name.
    """

    def __init__(self, slots: Sequence[str], localities: Localities, stock: Stock) -> None:
        slot, locality, band = parts(stock.cells)
        met = positions(np.bincount(locality))
        number = np.zeros(int(met[-1]) + 1 if len(met) else 0, dtype=np.intp)
        number[met] = np.arange(len(met))
        where = number[locality]
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

    def totals(self, asked: Terms) -> Figures:
        """What the formulas asked come to, by (formula, place, all ages and then each band).

        After the places comes one more, which holds nothing.
        """
        places, bands = self._sums.shape[1:]
        found = np.zeros((asked.formulas, places + 1, bands), dtype=np.int64)
        if len(asked.summed):
            each = self._sums[asked.slot] * asked.times[:, None, None]
            found[asked.summed, :places] = np.add.reduceat(each, asked.first, axis=0)
        return found

    def everyone(self) -> Figures:
        """Every slot's sums, all ages together, by (slot, place)."""
        return self._sums[:, :, 0]

    def position(self, place: Place) -> int | None:
        """Where a place stands among the places; None where it holds nothing."""
        return self._index.get(place)

    def positions(self, places: Iterable[Place]) -> NDArray[np.intp]:
        """Where places stand in `totals`; those that hold nothing after all others."""
        last = len(self.places)
        return np.array([self._index.get(place, last) for place in places], dtype=np.intp)
