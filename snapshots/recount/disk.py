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
LENGTH_BYTES = 4


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
        self._most = min(MOST_WAITING, WAITING_BYTES // count)

    def add(self, records: Iterable[LogRecord]) -> None:
        """Take in records; not after `buckets` has been called."""
        for record in records:
            packed = _encode(record)
            number = crc32(record.key or b"") % len(self._waiting)
            waiting = self._waiting[number]
            waiting += len(packed).to_bytes(LENGTH_BYTES) + packed
            if len(waiting) > self._most:
                self._write(number)

    def buckets(self) -> Iterator[list[LogRecord]]:
        """Each bucket's records."""
        for number, pieces in enumerate(self._pieces):
            self._write(number)
            yield [record for begin, size in pieces for record in self._read(begin, size)]

    def _write(self, number: int) -> None:
        begin = self._file.seek(0, SEEK_END)
        self._pieces[number].append((begin, self._file.write(self._waiting[number])))
        self._waiting[number].clear()

    def _read(self, begin: int, size: int) -> Iterator[LogRecord]:
        self._file.seek(begin)
        piece = memoryview(self._file.read(size))
        while piece:
            end = LENGTH_BYTES + int.from_bytes(piece[:LENGTH_BYTES])
            yield _decode(piece[LENGTH_BYTES:end])
            piece = piece[end:]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(LogRecord).decode
