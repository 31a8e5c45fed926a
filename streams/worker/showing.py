"""The group's offsets, brought up to date for tools that show lag by them."""

import asyncio

from streams.kafka.batches import TP
from streams.worker.given import Given
from streams.worker.held import Held

# How often that is done.
SHOW_SECONDS = 5.0


class Showing:
    """Commits the stored offsets to the group, now and then and without waiting."""

    def __init__(self, given: Given, shards: dict[TP, Held]) -> None:
        self._given, self._shards = given, shards
        self._due = 0.0
        self._committing: asyncio.Task[bool] | None = None

    def show(self) -> None:
        """Begin to, once it is time and the last time is over."""
        now = asyncio.get_running_loop().time()
        is_showing = self._committing is not None and not self._committing.done()
        if is_showing or now < self._due:
            return
        self._due = now + SHOW_SECONDS
        offsets = {
            TP(topic, shard.partition): held.head.offset(topic)
            for shard, held in self._shards.items()
            for topic in held.reads
        }
        self._committing = asyncio.create_task(self._given.consumer().commit_group(offsets))
