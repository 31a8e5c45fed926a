"""Whether an exported audit log is whole: each chain in it is followed from entry to entry."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pydantic import ValidationError

from schemas.audit_entries import AuditEntry


class Fault(NamedTuple):
    """A line of the log that does not follow from those before it, and how."""

    line: int
    text: str


class _Link(NamedTuple):
    number: int
    digest: str


class AuditChains:
    """Follows the chains of a log. That its last entries are gone does not show."""

    def __init__(self) -> None:
        self._last: dict[str, _Link] = {}
        self.entries = 0

    @property
    def chains(self) -> int:
        """How many chains there are."""
        return len(self._last)

    def faults(self, lines: Iterable[bytes]) -> Iterator[Fault]:
        """What is missing, altered or out of place."""
        for at, line in enumerate(lines, 1):
            text = line.rstrip(b"\r\n")
            try:
                entry = AuditEntry.model_validate_json(text)
            except ValidationError:
                yield Fault(at, "this is no entry of the audit log")
                continue
            self.entries += 1
            before = self._last.get(entry.chain, _Link(0, ""))
            wrong = _wrong(entry, before)
            if wrong:
                yield Fault(at, f"chain {entry.chain}, entry {entry.number}: {wrong}")
            self._last[entry.chain] = _Link(entry.number, hashlib.sha256(text).hexdigest())


def _wrong(entry: AuditEntry, before: _Link) -> str:
    if entry.number > before.number + 1:
        return f"what is between {before.number} and {entry.number} is missing"
    if entry.number <= before.number:
        return f"this comes after entry {before.number}"
    if entry.previous != before.digest:
        return "the entry before it, or this one, was altered"
    return ""
