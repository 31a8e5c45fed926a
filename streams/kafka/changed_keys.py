"""Whose records changed between two states: the keys of what the log has between their offsets."""

import logging
from collections.abc import Mapping

from aiokafka.errors import KafkaError

from schemas.connection_settings import Brokers
from streams.failures import described
from streams.kafka.batches import TP
from streams.kafka.logreading import ReadTimedOut, log_reader

log = logging.getLogger(__name__)


async def changed_keys(
    brokers: Brokers, since: Mapping[TP, int], until: Mapping[TP, int], most: int
) -> set[str] | None:
    """The partition keys of the messages from `since` on and before `until`, by partition.

    None where that is not to be known: they are more than `most`, no longer in the log, or Kafka
    does not answer.
    """
    moved = {tp: (since.get(tp, 0), end) for tp, end in until.items() if end > since.get(tp, 0)}
    if not moved:
        return set()
    if sum(end - start for start, end in moved.values()) > most:
        return None
    found: set[str] = set()
    try:
        async with log_reader(brokers, sorted({tp.topic for tp in moved})) as reader:
            bounds = await reader.bounds()
            for tp, (start, end) in moved.items():
                first, last = bounds.get(tp, (0, 0))
                if start < first or end > last:
                    return None
                async for _, records in reader.read(tp, start, end):
                    found |= {it.key.decode("utf-8", "replace") for it in records if it.key}
    except (KafkaError, ReadTimedOut, TimeoutError, OSError) as error:
        log.warning("the log does not say what changed", extra={"error": described(error)})
        return None
    return found
