"""A log laid out on disk by child, so that children can be gone through in bounded memory."""

from collections.abc import Iterable, Iterator
from os import SEEK_END
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, NamedTuple
from weakref import finalize
from zlib import crc32

import msgspec

# Messages a bucket holds on average: a bucket's children are in memory together.
BUCKET_MESSAGES = 10_000
# Bytes that wait in memory to be written, over all buckets, and at most for one.
WAITING_BYTES, MOST_WAITING = 64 << 20, 1 << 18
# How MessagePack begins an array of many elements, before how many they are.
ARRAY, ARRAY_LENGTH_BYTES = b"\xdd", 4


class LogRecord(NamedTuple):
    """One record of the log and where it lies."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


class Spill:
    """Buckets in one file; all records of one key are in one bucket, in the order added.

    The file has no name, so that nothing of it is left on disk however the process ends, and
    nobody else can open it. There may be as many buckets as the size of the log asks for.
    """

    def __init__(self, folder: Path, messages: int) -> None:
        count = max(1, messages // BUCKET_MESSAGES)
        self._file: BinaryIO = TemporaryFile(dir=folder)  # noqa: SIM115 - closed with this object
        finalize(self, self._file.close)
        # Where the pieces of each bucket begin in the file, and how long they are.
        self._pieces: list[list[tuple[int, int]]] = [[] for _ in range(count)]
        self._waiting = [bytearray() for _ in range(count)]
        # How many records those bytes are.
        self._records = [0] * count
        self._most = min(MOST_WAITING, WAITING_BYTES // count)

    def add(self, records: Iterable[LogRecord]) -> None:
        """Take in records; not after `buckets` has been called."""
        count = len(self._waiting)
        for record in records:
            number = crc32(record.key or b"") % count
            waiting = self._waiting[number]
            waiting += _encode(record)
            self._records[number] += 1
            if len(waiting) > self._most:
                self._write(number)

    def buckets(self) -> Iterator[list[LogRecord]]:
        """Each bucket's records."""
        for number, pieces in enumerate(self._pieces):
            self._write(number)
            yield [record for begin, size in pieces for record in self._read(begin, size)]

    def _write(self, number: int) -> None:
        begin = self._file.seek(0, SEEK_END)
        head = ARRAY + self._records[number].to_bytes(ARRAY_LENGTH_BYTES)
        size = self._file.write(head) + self._file.write(self._waiting[number])
        self._pieces[number].append((begin, size))
        self._waiting[number].clear()
        self._records[number] = 0

    def _read(self, begin: int, size: int) -> list[LogRecord]:
        self._file.seek(begin)
        return _decode(self._file.read(size))


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[LogRecord]).decode
