"""Whole numbers of four bytes in fewer, wherever they lie close together."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.arrays import Flags

MOST = int(np.iinfo(np.int32).max)
"""What stands for a day that never comes; it has a code of its own: the greatest."""
NEVER_CODE = int(np.iinfo(np.uint8).max)
Codes = NDArray[np.unsignedinteger[Any]]
Words = NDArray[np.int32]


class PackedColumn(NamedTuple):
    """Numbers as how much they are above the least of them; MOST as the greatest code there is.

    Where all are the same they take no memory: the same code is shown everywhere.
    """

    codes: Codes
    least: int

    def values(self, at: Any = slice(None)) -> Words:
        """The numbers at positions; all of them where none are given."""
        codes = self.codes[at]
        found = codes.astype(np.int64) + self.least
        found[codes == self._greatest] = MOST
        words: Words = found.astype(np.int32)
        return words

    def at_most(self, number: int) -> Flags:
        """Whether each number is not greater than one, which is less than MOST."""
        code = min(number - self.least, self._greatest - 1)
        none: Flags = np.zeros(len(self.codes), dtype=np.bool_)
        return none if code < 0 else self.codes <= code

    @property
    def _greatest(self) -> int:
        return int(np.iinfo(self.codes.dtype).max)


def packed_column(values: NDArray[np.signedinteger[Any]]) -> PackedColumn:
    """Numbers from those of four bytes, packed."""
    least, greatest = (int(values.min()), int(values.max())) if len(values) else (MOST, MOST)
    if least == greatest:
        code = np.uint8(NEVER_CODE if least == MOST else 0)
        return PackedColumn(np.broadcast_to(code, len(values)), 0 if least == MOST else least)
    is_finite = None if greatest != MOST else values != MOST
    reach = (greatest if is_finite is None else int(values[is_finite].max())) - least
    kind = next(it for it in (np.uint8, np.uint16, np.uint32) if reach < np.iinfo(it).max)
    codes: Codes = (values.astype(np.int64) - least).astype(kind)
    if is_finite is not None:
        codes[~is_finite] = np.iinfo(kind).max
    return PackedColumn(codes, least)


def columns_together(parts: Sequence[PackedColumn]) -> PackedColumn:
    """Numbers of several, one after another."""
    return packed_column(np.concatenate([it.values() for it in parts]))
