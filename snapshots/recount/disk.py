"""A log laid out on disk by child, so that children can be gone through in bounded memory."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple
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
    """Bucket files in a folder; all records of one key are in one bucket, in the order added.

    No file stays open, so there may be as many buckets as the size of the log asks for.
    """

    def __init__(self, folder: Path, messages: int) -> None:
        count = max(1, messages // BUCKET_MESSAGES)
        self._paths = [folder / str(number) for number in range(count)]
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
        """Each bucket's records; a bucket is removed once it has been read."""
        for number, path in enumerate(self._paths):
            self._write(number)
            with path.open("rb") as file:
                records = list(_read(file))
            path.unlink()
            yield records

    def _write(self, number: int) -> None:
        with self._paths[number].open("ab") as file:
            file.write(self._waiting[number])
        self._waiting[number].clear()


def _read(file: BinaryIO) -> Iterator[LogRecord]:
    while length := file.read(LENGTH_BYTES):
        yield _decode(file.read(int.from_bytes(length)))


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(LogRecord).decode
