"""Erased children: what is left of them in a log, and which events count no more.

A message that was erased leaves its place in the log, so that every other keeps its own: a record
without key and value, whose one header says in which erasure. Of a child that was erased a keyed
hash is kept, and until when: events of theirs from before that count nowhere, from whatever copy of
the log they come back. What happens to the child later counts like anyone's.
"""

import hmac
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from processors.record.decoding import Decoded, Event

ERASED_HEADER = "caseline-erased"
HASH_DIGITS = 32
# A key of fewer bytes could be found by trying.
KEY_BYTES = 32


def erasure_at(
    key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes | None]]
) -> str | None:
    """The erasure that left a place empty, "" for one that was empty before; None for a message."""
    if value is not None or key is not None or len(headers) != 1:
        return None
    ((name, number),) = headers
    return (number or b"").decode("ascii", "replace") if name == ERASED_HEADER else None


class ErasedChild(msgspec.Struct, frozen=True):
    """Of an erased child: a keyed hash, of which erasure, and until when nothing counts.

    `until` is in microseconds from 1970 UTC.
    """

    hash: str
    erasure: str
    until: int

    @property
    def day(self) -> str:
        """The day of the erasure, UTC."""
        return f"{datetime.fromtimestamp(self.until / 1_000_000, UTC):%Y-%m-%d}"


class ErasedChildren:
    """The children that were erased; compared with by a keyed hash.

    Raises ValueError for a key that is too short, unless nobody was erased.
    """

    def __init__(self, key: bytes, children: Iterable[ErasedChild]) -> None:
        self._key = key
        self._until: dict[str, int] = {}
        for it in children:
            self._until[it.hash] = max(it.until, self._until.get(it.hash, it.until))
        self._latest = max(self._until.values(), default=0)
        self._known: dict[str, int] = {}
        if self._until:
            checked_key(key)

    def __bool__(self) -> bool:
        return bool(self._until)

    def counts(self, child: str, instant: int) -> bool:
        """Whether an event of a child at an instant counts."""
        if instant > self._latest:
            return True
        until = self._known.get(child)
        if until is None:
            until = self._until.get(hash_of(self._key, child), 0)
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[child] = until
        return not until or instant > until

    def was_erased(self, child: str) -> bool:
        """Whether a child is among them."""
        return bool(self._until) and hash_of(self._key, child) in self._until

    def left_in(self, decoded: Decoded) -> Decoded:
        """What counts of what was decoded."""
        if not self._until:
            return decoded
        events: list[tuple[str, Event]] = [
            (child, event) for child, event in decoded.events if self.counts(child, event.instant)
        ]
        return decoded._replace(events=events)


# Children whose hash is not worked out again.
MOST_KNOWN = 200_000
NOBODY = ErasedChildren(b"", ())


def checked_key(key: bytes) -> bytes:
    """A key, if it is long enough. Raises ValueError."""
    if len(key) < KEY_BYTES:
        raise ValueError(f"the key has {len(key)} bytes, and takes at least {KEY_BYTES}")
    return key


def hash_of(key: bytes, child: str) -> str:
    """The keyed hash of a child: without the key it says nothing of whom it is."""
    return hmac.digest(key, child.encode(), "sha256").hex()[:HASH_DIGITS]


def hashes_of(key: bytes, children: Collection[str]) -> Mapping[str, str]:
    """The keyed hash of each child."""
    return {child: hash_of(key, child) for child in children}
