"""A log laid out on disk by key, so that keys can be gone through in bounded memory."""

import os
from array import array
from collections.abc import Iterable
from tempfile import TemporaryFile
from typing import BinaryIO, NamedTuple, TypeAlias
from zlib import crc32

import msgspec

# Messages a bucket holds on average: a bucket's children are in memory together.
BUCKET_MESSAGES = 5_000
# Bytes that wait in memory to be written, over all buckets, and for one at most and at least: so a
# log of very many messages has buckets of more of them, and not pieces of a few.
WAITING_BYTES, MOST_WAITING, LEAST_WAITING = 12 << 20, 1 << 18, 1 << 13
# How MessagePack begins an array of many elements, before how many they are.
ARRAY, ARRAY_LENGTH_BYTES = b"\xdd", 4


# Where each piece of a bucket begins in a file, and how long it is, one after another.
Pieces: TypeAlias = "array[int]"


class LogRecord(NamedTuple):
    """One record of the log and where it lies."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


def unnamed_file() -> BinaryIO:
    """A new file without a name, in the folder of temporary files.

    So nothing of it is left on disk however the processes end that have it open, and nobody else
    can open it.
    """
    return TemporaryFile()


def buckets_for(messages: int) -> int:
    """How many buckets so many messages are laid out in."""
    return min(max(1, messages // BUCKET_MESSAGES), WAITING_BYTES // LEAST_WAITING)


class Spill:
    """Buckets in one file; all records of one key are in one bucket, in the order added.

    Of all buckets together at most WAITING_BYTES wait in memory to be written.
    """

    def __init__(self, file: BinaryIO, buckets: int) -> None:
        self._file, self._end = file, 0
        self._pieces: list[Pieces] = [array("Q") for _ in range(buckets)]
        self._waiting = [bytearray() for _ in range(buckets)]
        # How many records those bytes are.
        self._records = [0] * buckets
        self._most = min(MOST_WAITING, WAITING_BYTES // buckets)

    def add(self, records: Iterable[LogRecord]) -> None:
        """Take in records; not after `pieces` has been called."""
        count = len(self._waiting)
        for record in records:
            number = crc32(record.key or b"") % count
            waiting = self._waiting[number]
            waiting += _encode(record)
            self._records[number] += 1
            if len(waiting) > self._most:
                self._write(number)

    def pieces(self) -> list[Pieces]:
        """Where the pieces of each bucket lie in the file."""
        for number in range(len(self._pieces)):
            if self._records[number]:
                self._write(number)
        self._file.flush()
        return self._pieces

    def _write(self, number: int) -> None:
        head = ARRAY + self._records[number].to_bytes(ARRAY_LENGTH_BYTES)
        size = self._file.write(head) + self._file.write(self._waiting[number])
        self._pieces[number].extend((self._end, size))
        self._end += size
        self._waiting[number] = bytearray()
        self._records[number] = 0


def read_pieces(descriptor: int, pieces: Pieces) -> list[LogRecord]:
    """The records in pieces of an open file, which other processes may be reading as well."""
    found = list[LogRecord]()
    for begin, size in zip(pieces[::2], pieces[1::2], strict=True):
        found += _decode(os.pread(descriptor, size, begin))
    return found


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[LogRecord]).decode
