"""How a shard is taken over from another worker, and taken anew after its state was of no use."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress

from processors.fold import Partition
from processors.ledger.tables import Tables
from streams.connections import connect_anew
from streams.kafka.batches import TP
from streams.metrics.workers import Meter
from streams.state.integrity import Incomplete
from streams.state.quarantine import quarantined_in
from streams.state.reading import partitions_key
from streams.state.sources import Source
from streams.state.store import Head, OtherLayout, ShardStore, shard_of
from streams.worker.given import Given
from streams.worker.held import Held, Read, Trouble, by_shard, commit_of, log, where
from streams.worker.holdback import Calm
from streams.worker.logwatch import Watched
from streams.worker.service_errors import SERVICES, TROUBLE
from streams.worker.stops import Stops

RETRY_SECONDS = 0.5
# How long a worker that takes shards over waits for Redis and Kafka: the others of its group wait
# for it meanwhile. What it could not take by then it takes anew once they answer.
TAKE_SECONDS = 20.0

NOTHING_STORED = Head()


class Taking:
    """Brings shards into this worker's hands, and says where their partitions are read on."""

    def __init__(self, given: Given, shards: dict[TP, Held], stops: Stops) -> None:
        self._given, self._shards, self._stops = given, shards, stops

    async def take_over(self, tps: set[TP]) -> None:
        """Take over shards: their state, if the logs are those that it was made from.

        Those of which that cannot be known for TAKE_SECONDS are left to be taken anew.
        """
        topics_by_shard = by_shard(tps)
        deadline = asyncio.get_running_loop().time() + TAKE_SECONDS
        for shard, topics in topics_by_shard.items():
            for topic in topics:
                self._given.dead_letters.take_over(TP(topic, shard.partition))
            meter = self._given.metrics.meter
            meters = {topic: meter(TP(topic, shard.partition)) for topic in topics}
            self._shards[shard] = await self._take(shard, meters, deadline)
        whole = {
            shard: topics
            for shard, topics in topics_by_shard.items()
            if not self._shards[shard].trouble.is_broken
        }
        watched = await self._look_at_logs(whole, deadline)
        if watched is None:
            for shard in whole:
                _put_off(self._shards[shard])
            return
        for shard in whole:
            held = self._shards[shard]
            held.bind(watched.described)
            log.info("shard taken", extra=held.where)
        for tp, reason in watched.wrong.items():
            held = self._shards[shard_of(tp)]
            self._stops.stop_for_now(held, tp, held.reads[tp.topic].next, reason)

    async def take_anew(self, before: Held) -> bool:
        """Take a shard's state anew and read on from there; whether that could be done."""
        shard = before.shard
        meters = {topic: read.meter for topic, read in before.reads.items()}
        for meter in meters.values():
            meter.read_again()
        try:
            held = await self._load(shard, meters)
            is_other = held.head.generation != before.head.generation
            is_stopped = any(TP(topic, shard.partition) in self._stops.of for topic in held.reads)
            watched = await self._given.logs.look(
                {shard: held.head}, {shard: list(held.reads)}, marks=is_other or is_stopped
            )
            await self._heed(held)
        except Incomplete as error:
            await self._stops.stop_shard(before, error)
            return False
        except (OtherLayout, *SERVICES) as error:
            log.warning("state cannot be read: %s", error, extra=before.where)
            return False
        held.bind(watched.described)
        held.retakes = before.retakes
        held.trouble.is_doubted = before.trouble.is_doubted
        before.let_go()
        self._shards[shard] = held
        log.info("shard taken anew", extra=held.where)
        await self._read_on(held, before.head, watched.wrong)
        return True

    async def _read_on(self, held: Held, before: Head, wrong: Mapping[TP, str]) -> None:
        """Read each partition from where the state stands, but for those that are stopped."""
        has_changed = commit_of(held.head) != commit_of(before)
        now, stops = asyncio.get_running_loop().time(), self._stops
        for topic, read in held.reads.items():
            tp = TP(topic, held.shard.partition)
            if read.next < before.offset(topic):
                # Messages come again of which it was not looked whether there are dead letters.
                self._given.dead_letters.take_over(tp)
            stopped = stops.of.get(tp)
            if tp in wrong:
                stops.stop_for_now(held, tp, read.next, wrong[tp])
            elif stopped and (
                has_changed or stopped.retry_at <= now or stopped.offset in read.quarantined
            ):
                del stops.of[tp]
            if tp in stops.of:
                stops.note_soon(held, tp)
                await self._given.consumer().halt(tp)
            else:
                await self._given.consumer().seek(tp, read.next)

    async def _take(self, shard: TP, meters: Mapping[str, Meter], deadline: float) -> Held:
        """A shard's state; none, to be taken anew, where Redis does not answer until a deadline."""
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    await register(self._given, [shard])
                    return await self._load(shard, meters)
            except Incomplete as error:
                held = self._unloaded(shard, meters)
                await self._stops.stop_shard(held, error)
                return held
            except TROUBLE as error:
                log.warning("state cannot be read: %s", error, extra=where(shard))
                if asyncio.get_running_loop().time() > deadline:
                    held = self._unloaded(shard, meters)
                    _put_off(held)
                    return held
                await asyncio.sleep(RETRY_SECONDS)

    async def _look_at_logs(
        self, topics_by_shard: Mapping[TP, list[str]], deadline: float
    ) -> Watched | None:
        """What is wrong with the logs of shards just taken; None where that cannot be known."""
        heads = {shard: self._shards[shard].head for shard in topics_by_shard}
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    watched = await self._given.logs.look(heads, topics_by_shard, marks=True)
                    for shard in topics_by_shard:
                        await self._heed(self._shards[shard])
                    return watched
            except SERVICES as error:
                log.warning("logs cannot be looked at: %s", type(error).__name__)
                if asyncio.get_running_loop().time() > deadline:
                    return None
                await asyncio.sleep(RETRY_SECONDS)

    async def _load(self, shard: TP, meters: Mapping[str, Meter]) -> Held:
        held = self._unloaded(shard, meters)
        await connect_anew(self._given.redis)  # to one server, and not to one that was before it
        head, tables = await held.store.load()
        if head:
            held = self._unloaded(shard, meters, head, tables)
        # Of whom alerts were told is asked by reading, since that outlives a record.
        held.state.unread = held.head.kept.records + await held.store.told()
        with suppress(*TROUBLE):
            await held.store.clear_stopped()
        return held

    async def _heed(self, held: Held) -> None:
        """Know which messages are to be passed over, once the logs were looked at."""
        for it in await quarantined_in(self._given.redis, held.store):
            if read := held.reads.get(it.tp.topic):
                read.quarantined |= {it.offset}

    def _unloaded(
        self,
        shard: TP,
        meters: Mapping[str, Meter],
        head: Head = NOTHING_STORED,
        tables: Tables | None = None,
    ) -> Held:
        """A shard with the state given, or with none."""
        given = self._given
        store = ShardStore(given.redis, given.deployment, shard, given.rules)
        reads = {
            topic: Read(meter, head.offset(topic), head.sources.get(topic, Source()))
            for topic, meter in meters.items()
        }
        now = asyncio.get_running_loop().time()
        calm = Calm(given.limits.calm_seconds, head.old_share, now)
        state = Partition(given.rules, tables, head.kept.records)
        return Held(shard, store, head, state, reads, calm, head.latest)


def _put_off(held: Held) -> None:
    """Read nothing of a shard until it is taken anew: where it stands is not known."""
    held.trouble = Trouble(is_broken=True, is_unknown=True)
    log.warning("shard taken over later, once Redis and Kafka answer", extra=held.where)


async def register(given: Given, shards: Iterable[TP]) -> None:
    """Have the shards in the set of all; one that was emptied is written again."""
    names = [f"{shard.topic}:{shard.partition}" for shard in shards]
    try:
        if names:
            await given.redis.sadd(partitions_key(given.deployment), *names)
    except TROUBLE as error:
        log.warning("shards cannot be registered: %s", error)
