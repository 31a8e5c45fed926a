"""What the consumer hands on: records, batches of them, and partitions that had to stop."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from processors.record.erased import erasure_at


class TP(NamedTuple):
    """One partition of one topic. Equal to, and hashed like, Kafka clients' own pairs."""

    topic: str
    partition: int


class KafkaRecord(NamedTuple):
    """One Kafka record as the broker stored it; `timestamp` in milliseconds since 1970."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    timestamp: int
    offset: int


def hash_of_content(record: KafkaRecord, before: bytes = b"") -> bytes:
    """A hash of `before` and of all that a producer says of a record but its time."""
    digest = hashlib.sha256(before)
    parts = [record.key, record.value]
    for name, text in record.headers:
        parts += [name.encode(), text]
    for part in parts:
        digest.update(b"-" if part is None else b"%d:%s" % (len(part), part))
    return digest.digest()


class Raw(Protocol):
    """What any client's record has."""

    @property
    def key(self) -> bytes | None:
        """What it is about; None for nothing."""

    @property
    def value(self) -> bytes | None:
        """What it says; None for nothing."""

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]:
        """What is said beside that."""


def is_message(it: Raw) -> bool:
    """Whether a record is a message, and no place that an erasure left empty."""
    return it.value is not None or erasure_at(it.key, it.value, it.headers) is None


class Heard(NamedTuple):
    """What Kafka last said of a partition: its stable end, and when, in seconds from 1970."""

    end: int
    at: float


class Batch(NamedTuple):
    """The records of one partition from offset `start` up to, not including, `end`.

    Batches of one `epoch` follow one another without a gap: the `end` of one is the `start` of
    the next. `records` may be fewer than `end - start`, even none: transaction markers, compacted
    records and those of aborted transactions take offsets too. `log_end` is the partition's stable
    end as last heard of: before it no transaction is open.
    """

    tp: TP
    epoch: int
    start: int
    end: int
    records: list[KafkaRecord]
    log_end: int


class Stop(NamedTuple):
    """The partition cannot be read from `position` on, for the reason given; it is paused."""

    tp: TP
    epoch: int
    position: int
    reason: Exception


class Hole(Exception):  # noqa: N818 - named for the condition
    """The position asked for is not in the log: records are missing, or the log is another one.

    `first` and `end` are the log's bounds when it was found out.
    """

    def __init__(self, tp: TP, position: int, first: int, end: int) -> None:
        self.tp, self.position, self.first, self.end = tp, position, first, end
        what = (
            f"{first - position} records before the log's first are gone"
            if position < first
            else f"the log ends {position - end} records earlier"
        )
        super().__init__(
            f"{tp.topic}[{tp.partition}]: position {position} is outside "
            f"the log's {first} to {end}: {what}"
        )


class ReadAhead:
    """What has been fetched and not yet handed on: at most `total_records`, oldest partition first.

    Batches of a partition that follow one another grow together up to `batch_records`, so a slow
    reader gets few large batches however small the fetches were.
    """

    def __init__(self, batch_records: int, total_records: int) -> None:
        self._batch_records, self._total_records = batch_records, total_records
        self._waiting: dict[TP, list[Batch | Stop]] = {}
        self._records = 0

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def room(self, tp: TP) -> int:
        """How many records of the partition may be added now."""
        ahead = sum(len(item.records) for item in self._waiting.get(tp, ()) if type(item) is Batch)
        return min(self._batch_records - ahead, self._total_records - self._records)

    def add(self, item: Batch | Stop) -> None:
        """Append to what waits of the item's partition."""
        waiting = self._waiting.setdefault(item.tp, [])
        if isinstance(item, Batch):
            self._records += len(item.records)
            last = waiting[-1] if waiting else None
            if isinstance(last, Batch) and (last.epoch, last.end) == (item.epoch, item.start):
                last.records.extend(item.records)
                waiting[-1] = last._replace(end=item.end, log_end=item.log_end)
                return
        waiting.append(item)

    def pop(self) -> Batch | Stop | None:
        """Take the oldest item of the partition that has waited longest."""
        tp = next(iter(self._waiting), None)
        if tp is None:
            return None
        item, *rest = self._waiting.pop(tp)
        if rest:
            self._waiting[tp] = rest
        if isinstance(item, Batch):
            self._records -= len(item.records)
        return item

    def pop_some(self, records: int) -> list[Batch | Stop]:
        """Take item after item until they have so many records, or nothing waits."""
        items: list[Batch | Stop] = []
        while records > 0 and (item := self.pop()) is not None:
            items.append(item)
            records -= len(item.records) if isinstance(item, Batch) else 0
        return items

    def drop(self, tp: TP) -> None:
        """Forget what waits of the partition."""
        for item in self._waiting.pop(tp, ()):
            self._records -= len(item.records) if isinstance(item, Batch) else 0

    def clear(self) -> None:
        """Forget everything."""
        self._waiting.clear()
        self._records = 0
