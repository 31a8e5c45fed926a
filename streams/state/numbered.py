"""What is packed by the numbers of a shard's records, four bytes each: their seals and deadlines.

Where a commit changes many, all are written: Redis takes in a text of any length in less time than
it takes to set some hundreds of its parts, and answers nobody meanwhile.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.state.encoding import CELLS_AT_ONCE, CHANGE, NUMBER

Numbers = NDArray[np.uint32]
NO_NUMBERS: Numbers = np.zeros(0, dtype=np.uint32)


class ChangedNumbers(NamedTuple):
    """What a commit changes, by name, as streams.state.encoding.CHANGE.

    Of what is written `whole`, all as it is then.
    """

    changes: Mapping[str, bytes]
    whole: Mapping[str, Numbers] = {}


def decode_numbers(stored: bytes) -> Numbers:
    """What is stored, to be changed by `change_numbers`."""
    return np.frombuffer(stored[: len(stored) // NUMBER.itemsize * NUMBER.itemsize], NUMBER).copy()


def change_numbers(numbers: Numbers, changes: bytes) -> Numbers:
    """What is there after changes; what was given is of no more use."""
    changed = np.frombuffer(changes, dtype=CHANGE)
    at = changed["cell"].astype(np.int64)
    size = int(at.max(initial=-1)) + 1
    if size > len(numbers):
        numbers = np.concatenate([numbers, np.zeros(size - len(numbers), dtype=np.uint32)])
    numbers[at] = changed["amount"].view(np.uint32)
    return numbers


def are_many(changes: bytes, records: int) -> bool:
    """Whether to write all of so many records is less work for Redis than to set what changed."""
    return len(changes) // CHANGE.itemsize * CELLS_AT_ONCE >= records
