"""Messages into a shard's state in memory: what a live worker and a rebuild do alike.

What is no event becomes a dead letter at another point in each, so that this is three steps: read
the messages, fetch the records that they are about and that are not in memory, and, once all is
folded, count what came.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import NamedTuple

from processors.fold import Partition
from processors.record.decoding import Decoded, decode
from processors.record.erased import NOBODY, ErasedChildren
from streams.kafka.batches import KafkaRecord


class StoredChild(NamedTuple):
    """What is stored of a child: record, alerts told, and the record's number; None for none."""

    record: bytes | None = None
    told: bytes | None = None
    number: int | None = None


Stored = Sequence[StoredChild]


def read(topic: str, records: Iterable[KafkaRecord], erased: ErasedChildren = NOBODY) -> Decoded:
    """The events among a topic's records that count, and why others are no events."""
    messages = [(record.key, record.value, record.headers) for record in records]
    return erased.left_in(decode(topic, messages))


async def admit(
    state: Partition, children: Iterable[str], stored: Callable[[list[str]], Awaitable[Stored]]
) -> None:
    """Fetch the records of children into memory that are not there. Raises as `stored` does.

    Nothing is asked where all that is stored is in memory.
    """
    missing = state.missing(children)
    if not state.unread:
        for child in missing:
            state.admit(child, None)
        return
    for child, found in zip(missing, await stored(missing), strict=True):
        state.admit(child, *found)


def tallied(decoded: Decoded, messages: int, passed_over: int, known: int) -> Counter[str]:
    """The counts that a head keeps of messages, some of which were passed over, or known."""
    tallies = Counter(messages=messages, quarantined=passed_over, duplicates=known)
    tallies.update(f"rejected:{rejection.reason}" for _, rejection in decoded.rejected)
    return tallies
