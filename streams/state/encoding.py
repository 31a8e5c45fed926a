"""How tables lie in Redis, as pure functions from arrays to bytes and back."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from processors.ledger.tables import ROW_DAYS, Cells, Month, Sums, keys, parts
from processors.record.localities import Localities
from schemas.places import Locality, Place

# A row of a month is stored as its days that have an entry: most cells have few.
ENTRY = np.dtype([("day", "u1"), ("amount", "<i4")])
NUMBER = np.dtype("<u4")
CELL = np.dtype([("slot", "<u2"), ("locality", "<u4"), ("band", "u1")])
CHECKPOINT = np.dtype("<i4")
CHANGE = np.dtype([("cell", NUMBER), ("amount", CHECKPOINT)])
# Cells that Redis takes in together in the time that it takes to set a single one.
CELLS_AT_ONCE = 64


class NewCells(NamedTuple):
    """Cells that came since some were known, and the localities that only they are in.

    Localities are numbered within a shard in the order in which its cells first name them.
    """

    cells: bytes
    localities: list[bytes]


def encode_cells(cells: Cells, known: int, localities: Localities) -> NewCells:
    """What is to be appended to the cells that are stored, of which there are `known`."""
    if known == len(cells):
        return NewCells(b"", [])
    slot, locality, band = parts(cells)
    found, first, which = np.unique(locality, return_index=True, return_inverse=True)
    order = np.argsort(first)
    number = np.empty(len(found), dtype=np.int64)
    number[order] = np.arange(len(found))
    is_new = first[order] >= known
    packed = np.empty(len(cells) - known, dtype=CELL)
    packed["slot"], packed["band"] = slot[known:], band[known:]
    packed["locality"] = number[which[known:]]
    new = (localities.all[it] for it in found[order][is_new].tolist())
    return NewCells(packed.tobytes(), [encode_locality(it) for it in new])


def decode_cells(stored: bytes, named: Sequence[bytes], localities: Localities) -> Cells:
    """The keys of stored cells, by number."""
    packed = np.frombuffer(stored, dtype=CELL)
    numbers = [localities.number(decode_locality(text)) for text in named]
    locality = np.array([*numbers, 0], dtype=np.int64)[packed["locality"]]
    return keys(packed["slot"].astype(np.int64), locality, packed["band"].astype(np.int64))


def encode_locality(locality: Locality) -> bytes:
    """A locality in full: a JSON array of district and provider, or of a place's level and name."""
    if locality.only is not None:
        return msgspec.json.encode({"only": list(locality.only)})
    return msgspec.json.encode([locality.district, locality.provider])


def decode_locality(text: bytes) -> Locality:
    """The locality that `encode_locality` wrote."""
    found = msgspec.json.decode(text)
    return Locality(only=Place(*found["only"])) if isinstance(found, dict) else Locality(*found)


def encode_rows(month: Month, cells: NDArray[np.intp]) -> dict[bytes, bytes]:
    """The rows of a month's entries, by the numbers of the cells named."""
    counts, days, amounts = month.rows(cells)
    entries = np.empty(len(days), dtype=ENTRY)
    entries["day"], entries["amount"] = days, amounts
    packed = entries.tobytes()
    ends = (counts.cumsum() * ENTRY.itemsize).tolist()
    names = cells.astype(NUMBER).tobytes()
    return {
        names[4 * position : 4 * position + 4]: packed[start:end]
        for position, (start, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True))
    }


def decode_rows(names: Collection[bytes], rows: Collection[bytes]) -> Month:
    """A month's entries from its rows, and the cells' numbers that name them."""
    cells = np.frombuffer(b"".join(names), dtype=NUMBER)
    sizes = np.fromiter(map(len, rows), np.intp, len(rows)) // ENTRY.itemsize
    entries = np.frombuffer(b"".join(rows), dtype=ENTRY)
    kept = entries["amount"] != 0
    places = np.repeat(cells.astype(np.int64), sizes) * ROW_DAYS + entries["day"]
    places, amounts = places[kept], entries["amount"][kept].astype(np.int32)
    order = np.argsort(places)
    return Month(places[order], amounts[order])


def encode_checkpoint(checkpoint: Sums) -> bytes:
    """A month's checkpoint."""
    return checkpoint.astype(CHECKPOINT).tobytes()


def checkpoint_changes(checkpoint: Sums, cells: NDArray[np.intp]) -> bytes | None:
    """The cells named of a checkpoint, each with its number, to be set in the stored one.

    None where writing all of it is less work for Redis.
    """
    if len(cells) * CELLS_AT_ONCE >= len(checkpoint):
        return None
    changes = np.empty(len(cells), dtype=CHANGE)
    changes["cell"], changes["amount"] = cells, checkpoint[cells]
    return changes.tobytes()


def decode_checkpoint(stored: bytes) -> Sums:
    """The checkpoint that `encode_checkpoint` wrote."""
    return np.frombuffer(stored, dtype=CHECKPOINT).astype(np.int32)
