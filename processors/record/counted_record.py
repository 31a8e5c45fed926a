"""What is counted of a record, read from how it is stored without making the record.

Most records are a single piece, in which every event counts and none takes another's place: their
rows are put in order as they come, at a third of what the whole record would cost.
"""

from typing import NamedTuple, Protocol

from processors.record.personal import ACTIVE_TYPES, Personal
from processors.record.pieces import events_of_one
from processors.record.record import LONG, MakeRow, decode_record, rows_by_case


class CountedParts(Protocol):
    """The rows of each case, and what makes facts of a person and of sessions, if anything does."""

    @property
    def settled(self) -> dict[str, bytes]:
        """The rows of each case in the order in which rules read them."""

    @property
    def personal(self) -> Personal | None:
        """What makes facts of a person or of sessions; None for nothing."""


class CountedRecord(NamedTuple):
    """What is counted of a record, as the record itself would say."""

    settled: dict[str, bytes]
    personal: Personal | None


def read_counted(encoded: bytes, make_row: MakeRow) -> CountedParts:
    """What is counted of a stored record. Raises as `decode_record` does."""
    events = events_of_one(encoded)
    if events is None:
        return decode_record(encoded, make_row)
    cases = rows_by_case(events, make_row)
    if any(len(rows) > LONG for rows in cases.values()):
        return decode_record(encoded, make_row)
    settled = {case: b"".join([ordered[4] for ordered in rows]) for case, rows in cases.items()}
    has_active = any(it.type in ACTIVE_TYPES for it in events)
    return CountedRecord(settled, Personal(events) if has_active else None)
