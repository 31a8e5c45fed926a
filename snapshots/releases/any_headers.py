r"""Header names that are not UTF-8: Kafka's clients give up on them, brokers take them.

A producer may write any bytes for a header's name. They are read with what is no UTF-8 as `\xNN`,
so that one odd name does not make the rest of a partition unreadable.
"""

from typing import Any

from kafka.record import memory_records
from kafka.record.default_records import DefaultRecordBatch


class Lenient(bytearray):
    """Bytes of which every part is text, whatever it is."""

    def __getitem__(self, where: Any) -> Any:
        found = super().__getitem__(where)
        return Lenient(found) if isinstance(where, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:  # noqa: ARG002
        r"""The text, with what does not fit the encoding written as `\xNN`."""
        return super().decode(encoding, "backslashreplace")


class ReadsAnyHeader:
    """What makes a client's batch lenient; a record's parse leaves no trace until it succeeded.

    The batches of kafka-python, and those that aiokafka has in Python, are alike in this.
    """

    _buffer: bytearray

    def _read_msg(self, *args: Any) -> Any:
        parent: Any = super()
        try:
            return parent._read_msg(*args)
        except UnicodeDecodeError:
            self._buffer = Lenient(self._buffer)
            return parent._read_msg(*args)


class _LenientBatch(ReadsAnyHeader, DefaultRecordBatch):  # type: ignore[misc]
    """kafka-python's batch."""


def read_any_header() -> None:
    """Have kafka-python's consumers of this process read every header name."""
    memory_records.DefaultRecordBatch = _LenientBatch
