"""Reading the audit log from its end, an entry at a time as they were written."""

from collections.abc import Callable
from typing import NamedTuple

from pydantic import ValidationError

from schemas.audit_entries import AUDIT_TOPIC, AuditEntry
from schemas.connection_settings import Brokers
from streams.kafka.batches import TP
from streams.kafka.logreading import log_reader

# Records that are read at a time, and for one question, whatever is looked for.
AT_ONCE, MOST_READ = 1_000, 20_000


class LogPage(NamedTuple):
    """Entries, the latest first; before which offset there may be more, None at the beginning.

    `unreadable` is how many of the records that were read are no entries.
    """

    entries: list[AuditEntry]
    following: int | None
    unreadable: int = 0


async def latest_entries(
    brokers: Brokers,
    deployment: str,
    before: int | None,
    most: int,
    is_asked: Callable[[AuditEntry], bool],
) -> LogPage:
    """The latest entries of a deployment before an offset, at most so many, that are asked for.

    Raises aiokafka.errors.KafkaError or streams.kafka.logreading.ReadTimedOut.
    """
    found: list[AuditEntry] = []
    unreadable, tp = 0, TP(AUDIT_TOPIC, 0)
    async with log_reader(brokers, [AUDIT_TOPIC]) as reader:
        first, end = (await reader.bounds()).get(tp, (0, 0))
        end = end if before is None else min(before, end)
        least = max(first, end - MOST_READ)
        while end > least:
            start = max(least, end - AT_ONCE)
            records = [it async for _, some in reader.read(tp, start, end) for it in some]
            for record in reversed(records):
                try:
                    entry = AuditEntry.model_validate_json(record.value or b"")
                except ValidationError:
                    unreadable += 1
                    continue
                if entry.deployment == deployment and is_asked(entry):
                    found.append(entry)
                    if len(found) == most:
                        return LogPage(found, _following(record.offset, first), unreadable)
            end = start
    return LogPage(found, _following(end, first), unreadable)


def _following(offset: int, first: int) -> int | None:
    return offset if offset > first else None
