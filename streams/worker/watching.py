"""Whether shards must be taken anew: for their logs, or because what stopped them may be over."""

import asyncio

from redis.asyncio import Redis

from streams.kafka.batches import TP
from streams.state.integrity import Incomplete
from streams.state.quarantine import quarantined_in
from streams.state.store import Head, shard_of
from streams.worker.held import Held, commit_of, log
from streams.worker.logwatch import LogWatch
from streams.worker.service_errors import SERVICES
from streams.worker.stops import Stopped, Stops

# How often it is looked whether the logs are still the same, and whether stopped ones may go on.
WATCH_SECONDS = 2.0


class Watching:
    """Looks now and then, without waiting, whether shards must be taken anew."""

    def __init__(self, logs: LogWatch, redis: Redis, shards: dict[TP, Held], stops: Stops) -> None:
        self._logs, self._redis = logs, redis
        self._shards, self._stops = shards, stops
        self._due = 0.0
        self._looking: asyncio.Task[set[TP]] | None = None

    def look(self) -> None:
        """Begin to look, or have the shards found taken anew."""
        now = asyncio.get_running_loop().time()
        if self._looking is None:
            if now >= self._due and self._shards:
                self._due = now + WATCH_SECONDS
                self._looking = asyncio.create_task(self._changed())
        elif self._looking.done():
            found, self._looking = self._looking.result(), None
            for shard in found & self._shards.keys():
                self._shards[shard].trouble.is_broken = True

    async def _changed(self) -> set[TP]:
        """The shards to be taken anew; none while Redis or Kafka do not answer.

        That is so when a log is not the one any more that the state was made from, and when what
        stopped a partition may be over.
        """
        heads = {shard: held.head for shard, held in self._shards.items()}
        topics = {shard: list(held.reads) for shard, held in self._shards.items()}
        now, stops = asyncio.get_running_loop().time(), dict(self._stops.of)
        try:
            watched = await self._logs.look(heads, topics, marks=False)
            found = {shard_of(tp) for tp in watched.wrong.keys() - stops.keys()}
            found |= {
                shard_of(tp)
                for tp, stopped in stops.items()
                if stopped.retry_at <= now and tp not in watched.wrong
            }
            for shard in {shard_of(tp) for tp in stops}:
                held = self._shards.get(shard)  # it may be another worker's by now
                if held and await self._may_go_on(held, stops):
                    found.add(shard)
        except SERVICES as error:
            log.info("logs cannot be looked at: %s", type(error).__name__)
            return set()
        return found

    async def _may_go_on(self, held: Held, stops: dict[TP, Stopped]) -> bool:
        """Whether the message that stopped a partition is passed over, or the state another."""
        try:
            stored = await held.store.head(any_layout=True) or Head()
        except Incomplete:
            return True  # what is wrong is said when it is taken
        quarantined = await quarantined_in(self._redis, held.store)
        is_skipped = any(it.tp in stops and it.offset == stops[it.tp].offset for it in quarantined)
        return is_skipped or (not held.is_committing and commit_of(stored) != commit_of(held.head))
