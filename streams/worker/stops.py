"""Partitions that had to stop, and why: whatever one message does, at most its partition stops."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from traceback import extract_tb

from streams.kafka.batches import TP, Hole
from streams.state.integrity import Incomplete
from streams.state.sources import name_of
from streams.state.store import ShardStore
from streams.worker.held import Held, log
from streams.worker.service_errors import TROUBLE

# After which a partition is tried again that was stopped for its log, or for a dead letter that
# could not be written.
STOP_SECONDS = 30.0


class MessageStopsError(Exception):
    """A message whose partition cannot go on, known by its offset; the text says why."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(reason)
        self.offset = offset


@dataclass(frozen=True)
class Stopped:
    """A partition that is not read on from an offset; tried again at a time of the loop's clock."""

    offset: int
    reason: str
    retry_at: float = inf


class Stops:
    """Which partitions are stopped, in `of`, said in the log and kept with the state."""

    def __init__(self) -> None:
        self.of: dict[TP, Stopped] = {}
        self._noting: set[asyncio.Future[None]] = set()

    def forget(self, tps: Iterable[TP]) -> None:
        """These partitions are another worker's."""
        for tp in tps:
            self.of.pop(tp, None)

    def stop_for_now(self, held: Held, tp: TP, offset: int, reason: str) -> None:
        """Leave a partition alone, and try it again after a while."""
        retry_at = asyncio.get_running_loop().time() + STOP_SECONDS
        self.stop(held, tp, Stopped(offset, reason, retry_at))

    def stop(self, held: Held, tp: TP, stopped: Stopped) -> None:
        """Leave a partition alone, and say so, loudly, unless that was said before."""
        before = self.of.get(tp)
        self.of[tp] = stopped
        self.note_soon(held, tp)
        if before is None or before.reason != stopped.reason:
            log.error(
                "partition stopped: %s",
                stopped.reason,
                extra={"topic": tp.topic, "partition": tp.partition, "offset": stopped.offset},
            )

    def note_soon(self, held: Held, tp: TP) -> None:
        """Keep why a partition stopped with the state, for whoever reads that."""
        noting = asyncio.ensure_future(_note(held.store, tp.topic, self.of[tp].reason))
        self._noting.add(noting)
        noting.add_done_callback(self._noting.discard)

    async def stop_shard(self, held: Held, error: Incomplete) -> None:
        """Count nothing more in a shard of whose state a part is missing, until it is made anew."""
        is_news = held.trouble.stopped != str(error)
        held.trouble.is_broken, held.trouble.stopped = True, str(error)
        if is_news:
            for topic in held.reads:
                where = {"topic": topic, "partition": held.shard.partition}
                log.error("partition stopped: %s", error, extra=where)
                await _note(held.store, topic, str(error))

    async def unreadable(self, held: Held, error: Exception) -> None:
        """What is in memory is of no use: records cannot be read, or are not as they were."""
        if isinstance(error, Incomplete):
            await self.stop_shard(held, error)
            return
        held.trouble.is_broken = True
        log.warning("records cannot be read: %s", error, extra=held.where)


async def _note(store: ShardStore, topic: str, reason: str) -> None:
    with suppress(*TROUBLE):
        await store.note_stopped(topic, reason)


def why_stopped(tp: TP, offset: int, error: Exception) -> str:
    """Why a message stops its partition, and the way out; without anything that is in it."""
    if isinstance(error, MessageStopsError):
        why = f"is no event, and its dead letter cannot be written: {error}"
    else:
        why = f"cannot be taken in ({where_raised(error)})"
    return (
        f"{name_of(tp)}: the message at offset {offset} {why}. The partition is not read on until "
        "that is mended; to pass the message over for good: `caseline dead-letters quarantine "
        f'{tp.topic}:{tp.partition}:{offset} --reason "..."`'
    )


def why_unreadable(tp: TP, offset: int, error: Exception) -> str:
    """Why a log cannot be read on from an offset."""
    if isinstance(error, Hole):
        return str(error)
    return f"{name_of(tp)}: the log cannot be read from offset {offset} on ({where_raised(error)})"


def where_raised(error: Exception) -> str:
    """An error's class and the line that raised it: its text may say what must not be logged."""
    frames = extract_tb(error.__traceback__)
    where = f" in {frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"
