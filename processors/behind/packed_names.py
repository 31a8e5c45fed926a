"""Names that lie one after another in memory, a few bytes each beside their letters."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int32] | NDArray[np.int64]


class PackedNames(NamedTuple):
    """Names in UTF-8: the letters of all, and where each one's begin, with the end of the last."""

    letters: NDArray[np.uint8]
    starts: NDArray[np.int64]

    @property
    def number_of_names(self) -> int:
        """How many there are."""
        return len(self.starts) - 1

    def encoded(self, number: int) -> bytes:
        """One of them, in UTF-8: in the order of these names are in the order of their text."""
        return self.letters[self.starts[number] : self.starts[number + 1]].tobytes()

    def text(self, number: int) -> str:
        """One of them."""
        return self.encoded(number).decode()

    def all_encoded(self) -> list[bytes]:
        """All of them, in UTF-8."""
        whole, starts = self.letters.tobytes(), self.starts.tolist()
        return [whole[begin:end] for begin, end in pairwise(starts)]

    def taken(self, at: Numbers) -> "PackedNames":
        """Those at positions, in their order."""
        begins = self.starts[at]
        lengths = self.starts[np.asarray(at) + 1] - begins
        starts = _starts(lengths)
        where = np.repeat(begins - starts[:-1], lengths) + np.arange(starts[-1])
        return PackedNames(self.letters[where], starts)


def packed_names(names: Iterable[str]) -> PackedNames:
    """Names, packed."""
    encoded = [it.encode() for it in names]
    letters = np.frombuffer(b"".join(encoded), dtype=np.uint8)
    return PackedNames(letters, _starts(np.fromiter(map(len, encoded), np.int64, len(encoded))))


def names_together(parts: Sequence[PackedNames]) -> PackedNames:
    """Names of several, one after another."""
    lengths = np.concatenate([np.diff(it.starts) for it in parts])
    return PackedNames(np.concatenate([it.letters for it in parts]), _starts(lengths))


def _starts(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    starts = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=starts[1:])
    return starts
