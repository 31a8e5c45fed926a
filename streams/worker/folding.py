"""The live fold: batches of Kafka records into each shard's state, and the state into Redis.

Folding and storing overlap: while one settlement is being written, the next batches are folded in
memory. What is stored is always a whole prefix of the log of each of the shard's partitions.
Whenever a commit does not succeed, for whatever reason, the state in memory is dropped and taken
anew from Redis, and the partitions are read on from the offsets stored with it.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from redis.asyncio import Redis
from redis.exceptions import RedisError

from processors.alerts.judging import Judgement
from processors.fold import Partition
from processors.ledger.tables import Tables
from processors.record.decoding import decode
from processors.rules import Rules
from streams.clock import Clock
from streams.kafka.batches import TP, Batch, Heard
from streams.kafka.deadletters import DeadLetters
from streams.metrics.workers import Meter, WorkerMetrics
from streams.state.integrity import Incomplete, Look
from streams.state.reading import partitions_key
from streams.state.store import Advance, Head, OtherLayout, Refused, ShardStore, shard_of
from streams.worker.holdback import Calm

log = logging.getLogger(__name__)

# Records folded before a commit while the log's end is far: bigger steps cost less an event.
CATCHING_UP = 20_000
# Changed children at which folding waits for the commit under way: bounds memory.
MOST_UNSETTLED = 100_000
RETRY_SECONDS = 0.5
# A pause before a shard is taken anew, twice as long each time that it was of no use, so that
# lasting trouble, such as a Redis that is full, is not met in a tight loop.
RETAKE_SECONDS, LONGEST_RETAKE_SECONDS = 0.2, 5.0
# How long a starting worker waits for Redis before it gives up.
TAKE_SECONDS = 20.0

# The least time from one commit of a partition to the next. Each costs some 3 ms of work whatever
# is in it, so that in light traffic this, and not the traffic, decides how busy a worker is.
COMMIT_SECONDS = 0.03
# How often the group's offsets are brought up to date, for tools that show lag by them.
SHOW_SECONDS = 5.0

# How often the deadlines of alerts are looked up, and how many children are judged at a time.
LOOK_SECONDS = 0.5
JUDGED_AT_ONCE = 500
# How often it is noted that nothing is left to judge: until when alerts are right.
JUDGED_SECONDS = 10.0

# How often the stored heads are compared with those in memory, also while nothing happens.
CHECK_SECONDS = 2.0
# What a shard cannot be taken for just now, and is tried again for.
TROUBLE = (RedisError, OSError)
NOTHING_STORED = Head()

Seek = Callable[[TP, int], Awaitable[None]]
Pause = Callable[[TP], Awaitable[None]]
Hear = Callable[[TP], Heard | None]
Show = Callable[[Mapping[TP, int]], Awaitable[bool]]


@dataclass(frozen=True)
class Limits:
    """What a worker allows itself: records in memory, and seconds until old events are believed."""

    records_in_memory: int
    calm_seconds: float


@dataclass
class Read:
    """How far one topic of a shard has been read in memory, and what is counted of it until stored.

    `next` is the offset after the last record folded, `end` the end of the log as last heard of.
    """

    meter: Meter
    next: int
    end: int = 0
    tallies: Counter[str] = field(default_factory=Counter)


@dataclass
class Held:
    """A shard in this worker's hands; `head` is what is stored, `reads` what is ahead of it."""

    store: ShardStore
    head: Head
    state: Partition
    reads: dict[str, Read]
    latest: int
    calm: Calm
    look_due: float = 0.0
    judged_at: float = 0.0
    looking: asyncio.Task[list[str]] | None = None
    commit: asyncio.Task[None] | None = None
    judging: asyncio.Task[None] | None = None
    commit_due: float = 0.0
    timer: asyncio.TimerHandle | None = None
    is_broken: bool = False
    stopped: str = ""

    @property
    def unstored(self) -> int:
        """How many records memory is ahead of what is stored."""
        return sum(read.next - self.head.offset(topic) for topic, read in self.reads.items())

    @property
    def behind(self) -> int:
        """How many records are known to be still unread."""
        return sum(max(0, read.end - read.next) for read in self.reads.values())

    @property
    def is_dirty(self) -> bool:
        """Whether memory is ahead of what is stored, or children wait to be judged."""
        return self.unstored > 0 or self.state.is_due

    @property
    def is_judging(self) -> bool:
        """Whether children that were taken up are not yet stored as judged."""
        return self.state.is_due or (self.judging is not None and not self.judging.done())

    @property
    def is_committing(self) -> bool:
        """Whether a commit is under way."""
        return self.commit is not None and not self.commit.done()


class _Checked(NamedTuple):
    """What is stored of a shard; `before` is the head in memory then, unless one was on its way."""

    held: Held
    before: Head | None
    look: Look
    head: Head | None


class Folding:
    """Owns the partitions assigned to this worker (see streams.kafka.app.BatchHandler)."""

    def __init__(
        self,
        redis: Redis,
        deployment: str,
        rules: Rules,
        dead_letters: DeadLetters,
        clock: Clock,
        limits: Limits,
        metrics: WorkerMetrics,
    ) -> None:
        self._redis = redis
        self._deployment = deployment
        self._rules = rules
        self._dead_letters = dead_letters
        self._clock = clock
        self._limits = limits
        self._metrics = metrics
        self._held: dict[TP, Held] = {}
        self._shown_at = 0.0
        self._showing: asyncio.Task[bool] | None = None
        self._checked_at = 0.0
        self._checking: asyncio.Task[dict[TP, _Checked]] | None = None
        # Shards taken anew in vain: how often, and when to try again.
        self._in_vain: Counter[TP] = Counter()
        self._retake_due: dict[TP, float] = {}
        # The consumer's, given when both are there.
        self.seek: Seek | None = None
        self.pause: Pause | None = None
        self.show: Show | None = None
        self.hear: Hear = lambda _: None

    async def assigned(self, tps: set[TP]) -> None:
        """Take over shards: their state, and how far their dead letters were written."""
        for shard, topics in _by_shard(tps).items():
            for topic in topics:
                await self._dead_letters.take_over(TP(topic, shard.partition))
            meters = {topic: self._metrics.meter(TP(topic, shard.partition)) for topic in topics}
            held = self._held[shard] = await self._take(shard, meters)
            if not held.stopped:
                log.info("shard taken", extra=_where(shard, held))

    async def positions(self, tps: set[TP]) -> Mapping[TP, int]:
        """Where each partition's stored state stands."""
        return {tp: self._held[shard_of(tp)].reads[tp.topic].next for tp in tps}

    async def revoked(self, tps: set[TP]) -> None:
        """Store what is folded and let the shards go."""
        for shard in sorted(_by_shard(tps).keys() & self._held.keys()):
            held = self._held[shard]
            if not held.is_broken:
                await _committed(held)
                self._begin_commit(shard, held)
                await _committed(held)
            _let_go(held)
            del self._held[shard]
            self._in_vain.pop(shard, None)
            self._retake_due.pop(shard, None)
            for read in held.reads.values():
                read.meter.given_up()
            log.info("shard given up", extra=_where(shard, held))

    async def stopped(self, tp: TP, reason: Exception) -> None:
        """The log cannot be read on from where the state stands: say so, loudly."""
        held = self._held.get(shard_of(tp))
        if held is not None and not held.stopped:
            await self._tell_stopped(held.store, tp, str(reason))

    async def _tell_stopped(self, store: ShardStore, tp: TP, reason: str) -> None:
        """Say that a partition stopped, and keep it with the state for whoever reads that."""
        where = {"topic": tp.topic, "partition": tp.partition}
        log.error("partition stopped: %s", reason, extra=where)
        with suppress(*TROUBLE):
            await store.note_stopped(tp.topic, reason)

    async def batch(self, batch: Batch) -> None:
        """Fold a batch; store it at once when nothing more waits, else in bigger steps."""
        shard = shard_of(batch.tp)
        held = self._held[shard]
        if held.is_broken:
            # The batch comes again, from the stored offset, once the shard is taken.
            if not await self._retake(shard) and self.pause is not None:
                await self.pause(batch.tp)
            return
        await self._make_room(held)
        try:
            await self._fold(held, batch)
        except (Incomplete, *TROUBLE) as error:
            # Nothing of the batch is in memory, and what follows it must not be without it.
            await self._unreadable(shard, held, error)
            return
        is_far = batch.log_end - batch.end > CATCHING_UP
        if not is_far or held.unstored >= CATCHING_UP:
            self._commit_soon(shard, held)
        if held.state.unsettled > MOST_UNSETTLED:
            await _committed(held)

    async def idle(self) -> None:
        """Store what is folded, take anew what could not be stored, and look at what is stored."""
        await self._check()
        for shard, held in list(self._held.items()):
            if held.is_broken:
                await self._retake(shard)
                continue
            await self._look(shard, held)
            if held.is_dirty:
                self._commit_soon(shard, held)
            if not held.is_broken:
                for topic, read in held.reads.items():
                    heard = self.hear(TP(topic, shard.partition))
                    read.meter.stands(held.head.offset(topic), heard)
        self._show_offsets()

    async def _look(self, shard: TP, held: Held) -> None:
        """Take up children whose alerts change by the clock, some at a time.

        Who they are is asked for in the background: a Redis that does not answer holds up nothing
        that can do without it.
        """
        if held.looking is None:
            self._begin_to_look(shard, held)
        elif held.looking.done():
            due, held.looking = held.looking.result(), None
            await self._make_room(held)
            try:
                await self._admit(held, held.state.missing(due))
            except (Incomplete, *TROUBLE) as error:
                await self._unreadable(shard, held, error)
                return
            held.state.look_at(due)

    async def _unreadable(self, shard: TP, held: Held, error: Exception) -> None:
        """What is in memory is of no use: records cannot be read, or are not as they were."""
        if isinstance(error, Incomplete):
            await self._stop(shard, held, error)
            return
        held.is_broken = True
        log.warning("records cannot be read: %s", error, extra=_where(shard, held))

    async def _stop(self, shard: TP, held: Held, error: Incomplete) -> None:
        """Count nothing more in a shard of whose state a part is missing, until it is made anew."""
        is_news = held.stopped != str(error)
        held.is_broken, held.stopped = True, str(error)
        if is_news:
            for topic in held.reads:
                await self._tell_stopped(held.store, TP(topic, shard.partition), str(error))

    async def _check(self) -> None:
        """Compare what is stored with what was, now and then; asked for in the background.

        The state may have gone back under a worker that has nothing to do: a replica that lacked a
        second has taken over, a copy was restored, or all was deleted.
        """
        now = asyncio.get_running_loop().time()
        if self._checking is None and now >= self._checked_at + CHECK_SECONDS:
            self._checked_at = now
            self._checking = asyncio.create_task(self._looks())
        elif self._checking is not None and self._checking.done():
            looks, self._checking = self._checking.result(), None
            for shard, checked in looks.items():
                held = self._held.get(shard)
                if held is checked.held and not held.is_broken:
                    await self._compare(shard, held, checked)

    async def _looks(self) -> dict[TP, "_Checked"]:
        """What is stored of each shard held; nothing of those that cannot be read just now."""
        found = {}
        await self._register(self._held)
        for shard, held in list(self._held.items()):
            if held.is_broken:
                continue
            before = None if held.is_committing else held.head
            try:
                found[shard] = _Checked(held, before, *await held.store.look(every_month=True))
            except (OtherLayout, *TROUBLE) as error:
                log.warning("state cannot be read: %s", error, extra=_where(shard, held))
        return found

    async def _compare(self, shard: TP, held: Held, checked: "_Checked") -> None:
        trouble = checked.look.trouble()
        if trouble:
            held.is_broken = True
            log.warning("state does not add up: %s", trouble, extra=_where(shard, held))
            return
        if checked.before is not held.head or held.is_committing:
            return  # what was stored meanwhile was compared as it was stored
        if (checked.head or Head()).place == held.head.place:
            self._in_vain.pop(shard, None)
            return
        held.is_broken = True
        log.warning("the stored state is another than it was", extra=_where(shard, held))

    async def _register(self, shards: Iterable[TP]) -> None:
        """Have the shards in the set of all; one that was emptied is written again."""
        names = [f"{shard.topic}:{shard.partition}" for shard in shards]
        try:
            if names:
                await self._redis.sadd(partitions_key(self._deployment), *names)
        except TROUBLE as error:
            log.warning("shards cannot be registered: %s", error)

    def _begin_to_look(self, shard: TP, held: Held) -> None:
        now = asyncio.get_running_loop().time()
        if now < held.look_due or held.is_judging:
            return
        held.look_due = now + LOOK_SECONDS
        if not held.calm.is_replaying(now):
            held.looking = asyncio.create_task(self._due(shard, held))

    async def _due(self, shard: TP, held: Held) -> list[str]:
        """Children to be judged by now; none while Redis does not answer."""
        try:
            at = self._clock.seconds()
            due = await held.store.due(held.head, at, JUDGED_AT_ONCE)
            if not due and at >= held.judged_at + JUDGED_SECONDS:
                await held.store.judged(at)
                held.judged_at = at
        except (RedisError, OSError) as error:
            log.warning("deadlines cannot be read: %s", error, extra=_where(shard, held))
            return []
        if len(due) == JUDGED_AT_ONCE:
            held.look_due = 0.0  # there may be more
        return due

    def _show_offsets(self) -> None:
        """Commit the stored offsets to the group, now and then and without waiting."""
        now = asyncio.get_running_loop().time()
        is_showing = self._showing is not None and not self._showing.done()
        if self.show is None or is_showing or now < self._shown_at + SHOW_SECONDS:
            return
        self._shown_at = now
        offsets = {
            TP(topic, shard.partition): held.head.offset(topic)
            for shard, held in self._held.items()
            for topic in held.reads
        }
        self._showing = asyncio.ensure_future(self.show(offsets))

    async def _fold(self, held: Held, batch: Batch) -> None:
        decoded = decode(
            batch.tp.topic, [(record.key, record.value, record.headers) for record in batch.records]
        )
        for position, rejection in decoded.rejected:
            await self._dead_letters.write(batch.tp, batch.records[position], rejection)
        await self._admit(held, held.state.missing(child for child, _ in decoded.events))
        # From here to the end nothing is awaited, so a commit sees all of the batch or none.
        known = held.state.fold(decoded.events)
        read = held.reads[batch.tp.topic]
        read.next, read.end = batch.end, batch.log_end
        read.meter.folded(batch)
        held.latest = max([held.latest, *(event.instant for _, event in decoded.events)])
        held.calm.take_in(
            decoded.events,
            held.behind,
            self._clock.seconds(),
            asyncio.get_running_loop().time(),
        )
        read.tallies["messages"] += len(batch.records)
        read.tallies["duplicates"] += known
        read.tallies.update(f"rejected:{rejection.reason}" for _, rejection in decoded.rejected)

    async def _admit(self, held: Held, missing: list[str]) -> None:
        stored = await held.store.children(held.head, missing)
        for child, (record, told) in zip(missing, stored, strict=True):
            held.state.admit(child, record, told)

    async def _make_room(self, held: Held) -> None:
        """Drop records from memory when there are too many; only what is stored may go."""
        most = self._limits.records_in_memory // len(self._held)
        if len(held.state.children) > most:
            await _committed(held)
            held.state.forget(most)

    def _commit_soon(self, shard: TP, held: Held) -> None:
        """Begin a commit, at once or when the next one is due."""
        loop = asyncio.get_running_loop()
        if loop.time() >= held.commit_due:
            self._begin_commit(shard, held)
        elif held.timer is None:
            held.timer = loop.call_at(held.commit_due, self._begin_commit, shard, held)

    def _begin_commit(self, shard: TP, held: Held) -> None:
        if held.timer is not None:
            held.timer.cancel()
            held.timer = None
        if held.is_dirty and not held.is_broken and not held.is_committing:
            held.commit_due = asyncio.get_running_loop().time() + COMMIT_SECONDS
            held.commit = asyncio.create_task(self._commit(shard, held))
            if held.state.is_due:
                held.judging = held.commit

    async def _commit(self, shard: TP, held: Held) -> None:
        again = self._clock.seconds() + self._limits.calm_seconds
        tallies = {topic: +read.tallies for topic, read in held.reads.items()}
        advance = Advance(
            {topic: read.next for topic, read in held.reads.items()},
            held.latest,
            sum(tallies.values(), Counter()),
            held.calm.old_share,
            again,
        )
        arrivals = {}
        for topic, read in held.reads.items():
            read.tallies.clear()
            arrivals[topic] = read.meter.commit_begins()
        began = time.monotonic()
        settlement = held.state.settle(self._judgement(held))
        try:
            held.head = await held.store.commit(held.head, settlement, held.state.tables, advance)
        except (Refused, OtherLayout, Incomplete, *TROUBLE) as error:
            # Whether it was written is unknown or beside the point: what is stored decides.
            held.is_broken = True
            for read in held.reads.values():
                read.meter.commit_failed()
            log.warning("commit failed: %s", error, extra=_where(shard, held))
            return
        self._in_vain.pop(shard, None)
        seconds = time.monotonic() - began
        for topic, read in held.reads.items():
            if tallies[topic]:
                offset = advance.offsets[topic]
                read.meter.stored(arrivals[topic], tallies[topic], offset, seconds)
        self._metrics.told(settlement.telling.changes)

    def _judgement(self, held: Held) -> Judgement | None:
        """How to judge alerts now; None while old events are read again: all are judged after."""
        now = asyncio.get_running_loop().time()
        if held.calm.is_replaying(now):
            return None
        return Judgement(self._clock.day(), held.calm.kept_back(now), self._clock.seconds())

    async def _retake(self, shard: TP) -> bool:
        """Take a shard's state anew and read on from there, once it is time to; whether it was."""
        assert self.seek is not None
        before, now = self._held[shard], asyncio.get_running_loop().time()
        pause = min(RETAKE_SECONDS * 2 ** self._in_vain[shard], LONGEST_RETAKE_SECONDS)
        if now < self._retake_due.setdefault(shard, now + pause):
            return False
        del self._retake_due[shard]
        self._in_vain[shard] = min(self._in_vain[shard] + 1, 10)
        meters = {topic: read.meter for topic, read in before.reads.items()}
        for meter in meters.values():
            meter.read_again()
        try:
            held = await self._load(shard, meters)
        except Incomplete as error:
            await self._stop(shard, before, error)
            return False
        except (OtherLayout, *TROUBLE) as error:
            log.warning("state cannot be read: %s", error, extra=_where(shard, before))
            return False
        for topic, read in held.reads.items():
            await self.seek(TP(topic, shard.partition), read.next)
        _let_go(before)
        self._held[shard] = held
        log.info("shard taken anew", extra=_where(shard, held))
        return True

    async def _take(self, shard: TP, meters: Mapping[str, Meter]) -> Held:
        """A shard's state, waiting up to TAKE_SECONDS for a Redis that does not answer."""
        deadline = asyncio.get_running_loop().time() + TAKE_SECONDS
        while True:
            try:
                await self._register([shard])
                return await self._load(shard, meters)
            except Incomplete as error:
                held = self._unloaded(shard, meters)
                await self._stop(shard, held, error)
                return held
            except TROUBLE as error:
                if asyncio.get_running_loop().time() > deadline:
                    raise
                log.warning("state cannot be read: %s", error, extra=_where(shard))
                await asyncio.sleep(RETRY_SECONDS)

    async def _load(self, shard: TP, meters: Mapping[str, Meter]) -> Held:
        held = self._unloaded(shard, meters)
        head, tables = await held.store.load()
        if head:
            held = self._unloaded(shard, meters, head, tables)
        with suppress(*TROUBLE):
            await held.store.clear_stopped()
        return held

    def _unloaded(
        self,
        shard: TP,
        meters: Mapping[str, Meter],
        head: Head = NOTHING_STORED,
        tables: Tables | None = None,
    ) -> Held:
        """A shard with the state given, or with none."""
        store = ShardStore(self._redis, self._deployment, shard, self._rules)
        calm = Calm(self._limits.calm_seconds, head.old_share, asyncio.get_running_loop().time())
        reads = {topic: Read(meter, head.offset(topic)) for topic, meter in meters.items()}
        return Held(store, head, Partition(self._rules, tables), reads, head.latest, calm)


def _by_shard(tps: Iterable[TP]) -> dict[TP, list[str]]:
    """The topics of each shard that partitions belong to, in order."""
    found: dict[TP, list[str]] = {}
    for tp in sorted(tps):
        found.setdefault(shard_of(tp), []).append(tp.topic)
    return found


def _let_go(held: Held) -> None:
    """End what is under way for a partition and is of no more use."""
    if held.timer is not None:
        held.timer.cancel()
    if held.looking is not None:
        held.looking.cancel()


async def _committed(held: Held) -> None:
    """Wait for the commit under way, if there is one."""
    if held.commit is not None:
        await held.commit


def _where(shard: TP, held: Held | None = None) -> dict[str, object]:
    offsets = {topic: read.next for topic, read in held.reads.items()} if held else {}
    return {"topic": shard.topic, "partition": shard.partition, "offsets": offsets}
