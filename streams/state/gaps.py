"""Gaps: what the log no longer had when a state was made from what was there, and who said so."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import msgspec


class Gap(msgspec.Struct, frozen=True):
    """Offsets from `first` until, not including, `end` that a shard's state was made without.

    Their messages were written by `until` and, where known, not before `since`: times of Kafka, in
    milliseconds from 1970. `by`, `reason` and `at` say who went on without them, why and when.
    """

    topic: str
    partition: int
    first: int
    end: int
    until: int
    by: str
    reason: str
    at: int
    since: int | None = None

    @property
    def messages(self) -> int:
        """How many offsets there are."""
        return self.end - self.first

    @property
    def where(self) -> str:
        """The partition and its offsets, in words."""
        return f"{self.topic}[{self.partition}] offsets {self.first} to {self.end - 1}"

    @property
    def span(self) -> str:
        """When the messages were written, as far as that is known."""
        since = f"from {_day(self.since)} " if self.since is not None else ""
        return f"written {since}until {_day(self.until)}"

    @property
    def noted(self) -> str:
        """The gap as one kind of what a release says of its data: what, and what becomes of it."""
        return (
            f"messages that the log has lost, {self.where}: they were {self.span}, and no figure "
            "counts them"
        )

    @property
    def told(self) -> str:
        """The gap in a sentence's words."""
        return (
            f"the log no longer has {self.where} ({self.span}); {self.by} had the state made "
            f"without them: {self.reason}"
        )

    def is_seen(self, as_of: date, months: int) -> bool:
        """Whether figures of a date, which look back so many months, may lack its events."""
        # A month is at most 31 days; what began before and is still open is not known either.
        return as_of <= _day(self.until) + timedelta(days=31 * (months + 1))


def begins(gaps: Iterable[Gap], topic: str) -> int:
    """The offset before which it is known that a topic's log has nothing."""
    known = 0
    for gap in sorted(gaps, key=lambda it: it.first):
        if gap.topic == topic and gap.first <= known:
            known = max(known, gap.end)
    return known


def decode_gaps(stored: bytes) -> tuple[Gap, ...]:
    """The gaps that `encode_gaps` wrote."""
    return _decode(stored) if stored else ()


def encode_gaps(gaps: Iterable[Gap]) -> bytes:
    """Gaps as JSON; empty for none."""
    found = tuple(gaps)
    return msgspec.json.encode(found) if found else b""


def _day(milliseconds: int | None) -> date:
    return datetime.fromtimestamp((milliseconds or 0) / 1000, UTC).date()


_decode = msgspec.json.Decoder(tuple[Gap, ...]).decode
