"""How tables lie in Redis, as pure functions from arrays to bytes and back."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from processors.ledger.tables import ROW_DAYS, Sums

# A row of a month is stored as its non-zero days only: most cells have few.
ENTRY = np.dtype([("day", "u1"), ("amount", "<i4")])
CELL = np.dtype("<u4")
CHECKPOINT = np.dtype("<i4")


def encode_rows(month: Sums, rows: NDArray[np.intp]) -> dict[bytes, bytes]:
    """The named rows of a month's entries, by cell."""
    chosen = month[rows]
    row, day = np.nonzero(chosen)
    entries = np.empty(len(row), dtype=ENTRY)
    entries["day"], entries["amount"] = day, chosen[row, day]
    packed = entries.tobytes()
    ends = np.cumsum(np.bincount(row, minlength=len(rows))) * ENTRY.itemsize
    starts = [0, *ends[:-1].tolist()]
    names = rows.astype(CELL).tobytes()
    return {
        names[4 * position : 4 * position + 4]: packed[start:end]
        for position, (start, end) in enumerate(zip(starts, ends.tolist(), strict=True))
    }


def decode_rows(stored: Iterable[tuple[bytes, bytes]], cells: int) -> Sums:
    """A month's entries, as an array (cells, ROW_DAYS), from its (cell, row) pairs."""
    pairs = list(stored)
    month = np.zeros((cells, ROW_DAYS), dtype=np.int32)
    names = np.frombuffer(b"".join(name for name, _ in pairs), dtype=CELL)
    sizes = [len(packed) // ENTRY.itemsize for _, packed in pairs]
    entries = np.frombuffer(b"".join(packed for _, packed in pairs), dtype=ENTRY)
    month[np.repeat(names, sizes), entries["day"]] = entries["amount"]
    return month


def encode_checkpoint(checkpoint: Sums) -> bytes:
    """A month's checkpoint."""
    return checkpoint.astype(CHECKPOINT).tobytes()


def decode_checkpoint(stored: bytes) -> Sums:
    """The checkpoint that `encode_checkpoint` wrote."""
    return np.frombuffer(stored, dtype=CHECKPOINT).astype(np.int32)
