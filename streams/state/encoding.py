"""How tables lie in Redis, as pure functions from arrays to bytes and back."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray
from zstandard import ZstdCompressor, ZstdError, decompress, frame_content_size

from processors.arrays import positions
from processors.days.calendar import Days
from processors.ledger.tables import Cells, Month, Sums, keys, parts, summed
from processors.record.localities import Localities
from schemas.places import Locality, Place

NUMBER, AMOUNT = np.dtype("<u4"), np.dtype("<i4")
# An amount that was added at a place of a month (processors.ledger.tables.Month).
ADDED = np.dtype([("place", NUMBER), ("amount", AMOUNT)])
# The furthest step, and the largest amount, that a byte has room for in a month's entries; and what
# is there in the place of another, which no step and no amount within it is.
NEAR, FEW = 255, 127
ELSEWHERE, MUCH = 0, -128
# Of so many steps and amounts what a higher level saves is not worth its time.
LEVEL = 1
# No month has as many bytes: a place and its amount take ten at most.
MOST_BYTES = 2**30
CELL = np.dtype([("slot", "<u2"), ("locality", "<u4"), ("band", "u1")])
CHECKPOINT = AMOUNT
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


def encode_month(month: Month) -> bytes:
    """A month's entries, all together: steps from place to place, and amounts, each in a byte.

    What a byte has no room for lies before them.
    """
    kept = positions(month.amounts)
    places, amounts = month.places[kept], month.amounts[kept]
    steps = np.diff(places, prepend=-1)
    is_far, is_much = steps > NEAR, np.abs(amounts.astype(np.int64)) > FEW
    columns = (
        np.array([len(steps), is_far.sum(), is_much.sum()], dtype=NUMBER),
        steps[is_far].astype(NUMBER),
        amounts[is_much].astype(AMOUNT),
        np.where(is_far, ELSEWHERE, steps).astype(np.uint8),
        np.where(is_much, MUCH, amounts).astype(np.int8),
    )
    packed = b"".join([column.tobytes() for column in columns])
    return ZstdCompressor(level=LEVEL, write_checksum=True).compress(packed)


def encode_added(places: Days, amounts: Sums) -> bytes:
    """What was added to a month's entries since they were stored all together."""
    added = np.empty(len(places), dtype=ADDED)
    added["place"], added["amount"] = places, amounts
    return added.tobytes()


def decode_month(stored: bytes, added: bytes = b"") -> Month:
    """A month's entries, with what was added since they were stored all together.

    Raises ValueError for what was not stored so.
    """
    month = Month(*_together(stored))
    more = np.frombuffer(added, dtype=ADDED)
    if len(more):
        month.add(*summed(more["place"].astype(np.int64), more["amount"].astype(np.int64)))
        held = positions(month.amounts)
        month = Month(month.places[held], month.amounts[held])
    return month


def _together(stored: bytes) -> tuple[Days, Sums]:
    try:
        if not 0 <= frame_content_size(stored) <= MOST_BYTES:
            raise ValueError("a month of no size, or of gigabytes")
        packed = decompress(stored)
    except ZstdError as error:
        raise ValueError("a month is damaged") from error
    number, far, much = np.frombuffer(packed, NUMBER, 3).astype(np.int64).tolist()
    if len(packed) != NUMBER.itemsize * (3 + far + much) + 2 * number:
        raise ValueError("a month is cut short")
    at = 3 * NUMBER.itemsize
    steps_far = np.frombuffer(packed, NUMBER, far, at)
    amounts_much = np.frombuffer(packed, AMOUNT, much, at + NUMBER.itemsize * far)
    at = len(packed) - 2 * number
    steps = np.frombuffer(packed, np.uint8, number, at).astype(np.int64)
    amounts = np.frombuffer(packed, np.int8, number, at + number).astype(np.int32)
    steps[steps == ELSEWHERE], amounts[amounts == MUCH] = steps_far, amounts_much
    return steps.cumsum() - 1, amounts


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
