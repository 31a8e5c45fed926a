"""What arrays are asked again and again.

A settlement of a few events is some hundred calls of NumPy on a few elements each, so that what a
call costs beside its work counts: NumPy's own ways of asking these pass through several functions.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Positions = NDArray[np.intp]


def positions(column: NDArray[Any]) -> Positions:
    """Where a column is not zero, or is set."""
    return column.nonzero()[0]


def begins(column: NDArray[Any]) -> Flags:
    """Where a stretch of equal elements begins: all that differ from the one before, the first."""
    found = np.empty(len(column), dtype=np.bool_)
    found[:1] = True
    np.not_equal(column[1:], column[:-1], out=found[1:])
    return found


def ends(column: NDArray[Any]) -> Flags:
    """Where a stretch of equal elements ends: all that differ from the next, and the last."""
    found = np.empty(len(column), dtype=np.bool_)
    found[-1:] = True
    np.not_equal(column[1:], column[:-1], out=found[:-1])
    return found
