"""Whether what is stored is what this worker stored, also while nothing happens.

The state may go back under a worker that has nothing to do: a replica that lacked a second takes
over, a copy is restored, or all is deleted.
"""

import asyncio
from typing import NamedTuple

from streams.kafka.batches import TP
from streams.state.integrity import Look
from streams.state.store import Head, OtherLayout
from streams.worker.given import Given
from streams.worker.held import Held, log
from streams.worker.service_errors import TROUBLE
from streams.worker.taking import register

# How often the stored heads are compared with those in memory.
CHECK_SECONDS = 2.0


class _Stored(NamedTuple):
    """What is stored of a shard; `before` is the head in memory then, unless one was on its way."""

    held: Held
    before: Head | None
    look: Look
    head: Head | None


class Comparing:
    """Compares what is stored with what is in memory, now and then; asked for in the background."""

    def __init__(self, given: Given, shards: dict[TP, Held]) -> None:
        self._given, self._shards = given, shards
        self._due = 0.0
        self._asking: asyncio.Task[dict[TP, _Stored]] | None = None

    def compare(self) -> None:
        """Ask what is stored, or compare what was answered: what differs is taken anew."""
        now = asyncio.get_running_loop().time()
        if self._asking is None and now >= self._due:
            self._due = now + CHECK_SECONDS
            self._asking = asyncio.create_task(self._stored())
        elif self._asking is not None and self._asking.done():
            found, self._asking = self._asking.result(), None
            for shard, stored in found.items():
                held = self._shards.get(shard)
                if held is stored.held and not held.trouble.is_broken:
                    _compare(held, stored)

    async def _stored(self) -> dict[TP, _Stored]:
        """What is stored of each shard held; nothing of those that cannot be read just now."""
        found = {}
        await register(self._given, self._shards)
        for shard, held in list(self._shards.items()):
            if held.trouble.is_broken:
                continue
            before = None if held.is_committing else held.head
            try:
                found[shard] = _Stored(held, before, *await held.store.look(every_month=True))
            except (OtherLayout, *TROUBLE) as error:
                log.warning("state cannot be read: %s", error, extra=held.where)
        return found


def _compare(held: Held, stored: _Stored) -> None:
    trouble = stored.look.trouble()
    if trouble:
        held.trouble.is_broken = True
        log.warning("state does not add up: %s", trouble, extra=held.where)
        return
    if stored.before is not held.head or held.is_committing:
        return  # what was stored meanwhile was compared as it was stored
    if (stored.head or Head()).place == held.head.place:
        held.retakes.in_vain = 0
        return
    held.trouble.is_broken = True
    log.warning("the stored state is another than it was", extra=held.where)
