"""Stocks added up by place: from localities to all the places that each is in."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
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


class _Within(NamedTuple):
    """Which places localities are in, and all places.

    Of each locality in their order `first` is where its places begin among those that are `flat`,
    one locality's after another's, and `number` how many they are.
    """

    places: list[Place]
    position: Mapping[Place, int]
    flat: NDArray[np.int64]
    first: NDArray[np.int64]
    number: NDArray[np.int64]


@lru_cache(maxsize=64)
def _within(localities: Localities, met: tuple[int, ...]) -> _Within:
    """The places of localities that are met, by their numbers in order."""
    graph = localities.graph
    within = [list(graph.places_of(localities.all[it])) for it in met]
    known = graph.known()
    seen = {place for places in within for place in places}
    places = [*known, *sorted(seen.difference(known))]
    index = {place: position for position, place in enumerate(places)}
    flat = np.array([index[it] for of_one in within for it in of_one], dtype=np.int64)
    number = np.array([len(it) for it in within], dtype=np.int64)
    return _Within(places, index, flat, np.cumsum(number) - number, number)


class PlaceSums:
    """A stock by (slot, place, all ages and then each band).

    The places are those that are always shown, and then those that hold something, by name.
    """

    def __init__(self, slots: Sequence[str], localities: Localities, stock: Stock) -> None:
        slot, locality, band = parts(stock.cells)
        is_met = np.bincount(locality).astype(np.bool_)
        within = _within(localities, tuple(positions(is_met).tolist()))
        self.places, self._index = within.places, within.position
        # First what shards hold of a cell together, so that each cell is taken to its places once.
        bands = len(AGE_BANDS)
        size = len(slots) * bands
        met = (is_met.cumsum() - 1)[locality]
        held = np.bincount(met * size + slot * bands + band, stock.amounts)
        cell = positions(held)
        met, kind = cell // size, cell % size
        times = within.number[met]
        row = np.repeat(np.arange(len(cell)), times)
        step = np.arange(len(row)) - np.repeat(np.cumsum(times) - times, times)
        place = within.flat[within.first[met[row]] + step]
        slot, band = kind // bands, kind % bands
        at = (slot[row] * len(self.places) + place) * bands + band[row]
        each = len(slots) * len(self.places)
        # Sums of whole numbers far below 2**53 are whole in floating point.
        sums = np.empty((each, 1 + bands))
        sums[:, 1:] = np.bincount(at, held[cell][row], each * bands).reshape(each, bands)
        sums[:, 0] = sums[:, 1:] @ np.ones(bands)
        self._sums = sums.astype(np.int64).reshape(len(slots), len(self.places), 1 + bands)

    def totals(self, asked: Terms) -> Figures:
        """What the formulas asked come to, by (formula, place, all ages and then each band).

        After the places comes one more, which holds nothing.
        """
        places, bands = self._sums.shape[1:]
        found = np.zeros((asked.formulas, places + 1, bands), dtype=np.int64)
        if len(asked.summed):
            each = self._sums[asked.slot]
            each *= asked.times[:, None, None]
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
