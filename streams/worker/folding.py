"""The live fold: batches of Kafka records into each shard's state, and the state into Redis.

Folding and storing overlap: while one settlement is being written, the next batches are folded in
memory. What is stored is always a whole prefix of the log of each of the shard's partitions.
Whenever a commit does not succeed, for whatever reason, the state in memory is dropped and taken
anew from Redis, and the partitions are read on from the offsets stored with it.

A partition whose log is not the one that the state was made from, or that has a message which
cannot be taken in, is stopped; the others go on (streams.worker.logwatch, streams.worker.stops).
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from aiokafka.errors import KafkaError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from processors.alerts.judging import Judgement
from processors.fold import Partition
from processors.ledger.tables import Tables
from processors.record.decoding import decode
from processors.rules import Rules
from streams.clock import Clock, midnight
from streams.kafka.batches import TP, Batch, Heard
from streams.kafka.deadletters import DeadLetters, NotWritten, NotWrittenNow
from streams.kafka.logreading import ReadTimedOut
from streams.kafka.private import Described
from streams.metrics.workers import Meter, WorkerMetrics
from streams.state.integrity import Incomplete, Look
from streams.state.quarantine import quarantined_in
from streams.state.reading import partitions_key
from streams.state.sources import Mark, Source, log_name
from streams.state.store import Advance, Head, OtherLayout, Refused, ShardStore, shard_of
from streams.worker.holdback import Calm
from streams.worker.logwatch import LogWatch, Watched
from streams.worker.stops import (
    PARTS,
    Careful,
    MessageStopsError,
    Stopped,
    closer,
    where_raised,
    why_stopped,
    why_unreadable,
)

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
# A settlement that takes long for few messages is one of a very large record, which is worked out
# and written whole: so many times as long is waited until the next, within what a reader can wait,
# so that what it costs is bounded by time, and not by how many messages come.
FEW_MESSAGES, SLOW_SECONDS, PACE, LONGEST_PACE = 1_000, 0.02, 4, 2.0
# How often the group's offsets are brought up to date, for tools that show lag by them.
SHOW_SECONDS = 5.0

# How often the deadlines of alerts are looked up, and how many children are judged at a time.
LOOK_SECONDS = 0.5
JUDGED_AT_ONCE = 500
# How often it is noted that nothing is left to judge: until when alerts are right.
JUDGED_SECONDS = 10.0

# How often it is looked whether the logs are still the same, and whether stopped ones may go on.
WATCH_SECONDS = 2.0
# After which a partition is tried again that was stopped for its log, or for a dead letter that
# could not be written.
STOP_SECONDS = 30.0

# What Redis and Kafka do when they do not answer: nothing that a message is to blame for.
SERVICES = (RedisError, OSError, KafkaError, ReadTimedOut, NotWrittenNow)

# How often the stored heads are compared with those in memory, also while nothing happens.
CHECK_SECONDS = 2.0
# What a shard cannot be taken for just now, and is tried again for.
TROUBLE = (RedisError, OSError)
NOTHING_STORED = Head()
# The tally of retractions that named no event that was known when they came.
UNMATCHED = "unmatched"

Seek = Callable[[TP, int], Awaitable[None]]
Pause = Callable[[TP], Awaitable[None]]
Halt = Pause
Hear = Callable[[TP], Heard | None]
Show = Callable[[Mapping[TP, int]], Awaitable[bool]]


@dataclass(frozen=True)
class Limits:
    """What a worker allows itself: records in memory, and seconds until old events are believed.

    Records are limited by how many they are and by about how many bytes they take.
    """

    records_in_memory: int
    bytes_in_memory: int
    calm_seconds: float


@dataclass
class Read:
    """How far one topic of a shard has been read in memory, and what is counted of it until stored.

    `next` is the offset after the last record folded, `end` the end of the log as last heard of,
    `source` what there is to remember of the log.
    """

    meter: Meter
    next: int
    source: Source = field(default_factory=Source)
    end: int = 0
    tallies: Counter[str] = field(default_factory=Counter)


@dataclass
class Held:
    """A shard in this worker's hands; `head` is what is stored, `reads` what is ahead of it.

    `quarantined` has by topic the offsets that are passed over. `failure` is what settling raised
    that no service is to blame for.
    """

    store: ShardStore
    head: Head
    state: Partition
    reads: dict[str, Read]
    latest: int
    calm: Calm
    quarantined: dict[str, frozenset[int]] = field(default_factory=dict)
    partitions: int = 0
    failure: Exception | None = None
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
        logs: LogWatch,
        clock: Clock,
        limits: Limits,
        metrics: WorkerMetrics,
    ) -> None:
        self._redis = redis
        self._deployment = deployment
        self._rules = rules
        self._dead_letters = dead_letters
        self._logs = logs
        self._clock = clock
        self._limits = limits
        self._metrics = metrics
        self._held: dict[TP, Held] = {}
        self._stops: dict[TP, Stopped] = {}
        self._noting: set[asyncio.Future[None]] = set()
        self._careful: dict[TP, Careful] = {}
        self._watch_due = 0.0
        self._watching: asyncio.Task[set[TP]] | None = None
        self._shown_at = 0.0
        self._showing: asyncio.Task[bool] | None = None
        self._checked_at = 0.0
        self._checking: asyncio.Task[dict[TP, _Checked]] | None = None
        # Shards taken anew in vain: how often, and when to try again.
        self._in_vain: Counter[TP] = Counter()
        self._retake_due: dict[TP, float] = {}
        # The consumer's, given when both are there.
        self.seek: Seek | None = None
        self.halt: Halt | None = None
        self.pause: Pause | None = None
        self.show: Show | None = None
        self.hear: Hear = lambda _: None

    async def assigned(self, tps: set[TP]) -> None:
        """Take over shards: their state, if the logs are those that it was made from."""
        by_shard = _by_shard(tps)
        for shard, topics in by_shard.items():
            for topic in topics:
                self._dead_letters.take_over(TP(topic, shard.partition))
            meters = {topic: self._metrics.meter(TP(topic, shard.partition)) for topic in topics}
            self._held[shard] = await self._take(shard, meters)
        whole = {shard: it for shard, it in by_shard.items() if not self._held[shard].stopped}
        watched = await self._look_at_logs(whole)
        for shard in whole:
            _bind(self._held[shard], shard, watched.described)
            log.info("shard taken", extra=_where(shard, self._held[shard]))
        for tp, reason in watched.wrong.items():
            self._stop_for_now(tp, self._held[shard_of(tp)].reads[tp.topic].next, reason)

    async def positions(self, tps: set[TP]) -> Mapping[TP, int]:
        """Where each partition's stored state stands, but for those that are stopped."""
        return {
            tp: self._held[shard_of(tp)].reads[tp.topic].next for tp in tps if tp not in self._stops
        }

    async def revoked(self, tps: set[TP]) -> None:
        """Store what is folded and let the shards go."""
        for tp in tps:
            self._stops.pop(tp, None)
            self._careful.pop(tp, None)
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
        """The log cannot be read on from where the state stands."""
        offset = self._held[shard_of(tp)].reads[tp.topic].next
        self._stop(tp, Stopped(offset, why_unreadable(tp, offset, reason)))

    def _stop_for_now(self, tp: TP, offset: int, reason: str) -> None:
        """Leave a partition alone, and try it again after a while."""
        retry_at = asyncio.get_running_loop().time() + STOP_SECONDS
        self._stop(tp, Stopped(offset, reason, retry_at))

    def _stop(self, tp: TP, stopped: Stopped) -> None:
        """Leave a partition alone, and say so, loudly, unless that was said before."""
        before = self._stops.get(tp)
        self._stops[tp] = stopped
        self._note_soon(tp)
        if before is None or before.reason != stopped.reason:
            log.error(
                "partition stopped: %s",
                stopped.reason,
                extra={"topic": tp.topic, "partition": tp.partition, "offset": stopped.offset},
            )

    def _note_soon(self, tp: TP) -> None:
        """Keep why a partition stopped with the state, for whoever reads that."""
        store, reason = self._held[shard_of(tp)].store, self._stops[tp].reason
        noting = asyncio.ensure_future(_note_stopped(store, tp.topic, reason))
        self._noting.add(noting)
        noting.add_done_callback(self._noting.discard)

    async def batch(self, batch: Batch) -> None:
        """Fold a batch; store it at once when nothing more waits, else in bigger steps."""
        shard = shard_of(batch.tp)
        held = self._held[shard]
        if batch.tp in self._stops:
            return
        if held.is_broken:
            # The batch comes again, from the stored offset, once the shard is taken.
            if not await self._retake(shard) and self.pause is not None:
                await self.pause(batch.tp)
            return
        if batch.tp in self._careful:
            await self._fold_in_parts(shard, held, batch)
            return
        if not await self._folded(shard, held, batch):
            return
        is_far = batch.log_end - batch.end > CATCHING_UP
        if not is_far or held.unstored >= CATCHING_UP:
            self._commit_soon(shard, held)
        if held.state.unsettled > MOST_UNSETTLED:
            await _committed(held)

    async def _folded(self, shard: TP, held: Held, batch: Batch) -> bool:
        """Fold a batch; False if it could not be, and must come again."""
        try:
            await self._make_room(held)
            await self._fold(held, batch)
        except (Incomplete, *SERVICES) as error:
            # Nothing of the batch is in memory, and what follows it must not be without it.
            await self._unreadable(shard, held, error)
        except Exception as error:
            self._fail(shard, held, batch, error)
        return not held.is_broken

    async def _fold_in_parts(self, shard: TP, held: Held, batch: Batch) -> None:
        """Fold a batch in which a message may be that cannot be taken in, and store each part."""
        careful = self._careful[batch.tp]
        self._begin_commit(shard, held)
        await _committed(held)
        for part in careful.parts(batch):
            if held.is_broken or not await self._folded(shard, held, part):
                return
            self._begin_commit(shard, held)
            await _committed(held)
            if held.failure is not None:
                self._fail(shard, held, part, held.failure)
        if not held.is_broken and batch.end >= careful.until:
            del self._careful[batch.tp]

    def _fail(self, shard: TP, held: Held, batch: Batch, error: Exception) -> None:
        """Look closer for the message to blame; stop the partition once it is alone."""
        held.is_broken, held.failure = True, None
        tp, careful = batch.tp, closer(batch, error)
        if careful is not None:
            self._careful[tp] = careful
        if len(batch.records) != 1:
            log.warning("messages cannot be taken in: %s", where_raised(error), extra=_where(shard))
            return
        (record,) = batch.records
        self._careful[tp] = Careful(record.offset + 1, 1, record.offset)
        reason = why_stopped(tp, record.offset, error)
        if isinstance(error, MessageStopsError):
            self._stop_for_now(tp, record.offset, reason)
        else:
            self._stop(tp, Stopped(record.offset, reason))

    async def idle(self) -> None:
        """Store what is folded, take anew what could not be stored, and look at what is stored."""
        self._watch()
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
            await self._stop_shard(shard, held, error)
            return
        held.is_broken = True
        log.warning("records cannot be read: %s", error, extra=_where(shard, held))

    async def _stop_shard(self, shard: TP, held: Held, error: Incomplete) -> None:
        """Count nothing more in a shard of whose state a part is missing, until it is made anew."""
        is_news = held.stopped != str(error)
        held.is_broken, held.stopped = True, str(error)
        if is_news:
            for topic in held.reads:
                where = {"topic": topic, "partition": shard.partition}
                log.error("partition stopped: %s", error, extra=where)
                await _note_stopped(held.store, topic, str(error))

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
            is_another_day = held.judged_at < midnight(self._clock.day()) <= at
            if not due and (is_another_day or at >= held.judged_at + JUDGED_SECONDS):
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

    def _watch(self) -> None:
        """Look now and then, without waiting, whether shards must be taken anew.

        That is so when a log is not the one any more that the state was made from, and when what
        stopped a partition may be over.
        """
        now = asyncio.get_running_loop().time()
        if self._watching is None:
            if now >= self._watch_due and self._held:
                self._watch_due = now + WATCH_SECONDS
                self._watching = asyncio.create_task(self._changed())
        elif self._watching.done():
            found, self._watching = self._watching.result(), None
            for shard in found & self._held.keys():
                self._held[shard].is_broken = True

    async def _changed(self) -> set[TP]:
        """The shards to be taken anew; none while Redis or Kafka do not answer."""
        heads = {shard: held.head for shard, held in self._held.items()}
        topics = {shard: list(held.reads) for shard, held in self._held.items()}
        now, stops = asyncio.get_running_loop().time(), dict(self._stops)
        try:
            watched = await self._logs.look(heads, topics, marks=False)
            found = {shard_of(tp) for tp in watched.wrong.keys() - stops.keys()}
            found |= {
                shard_of(tp)
                for tp, stopped in stops.items()
                if stopped.retry_at <= now and tp not in watched.wrong
            }
            for shard in {shard_of(tp) for tp in stops} & self._held.keys():
                held = self._held[shard]
                stored = await held.store.head(any_layout=True) or Head()
                quarantined = await quarantined_in(self._redis, held.store)
                is_skipped = any(
                    it.tp in stops and it.offset == stops[it.tp].offset for it in quarantined
                )
                is_other = not held.is_committing and _place(stored) != _place(held.head)
                if is_skipped or is_other:
                    found.add(shard)
        except SERVICES as error:
            log.info("logs cannot be looked at: %s", type(error).__name__)
            return set()
        return found

    async def _look_at_logs(self, by_shard: Mapping[TP, list[str]]) -> Watched:
        """What is wrong with the logs of shards just taken, waiting as `_take` does."""
        deadline = asyncio.get_running_loop().time() + TAKE_SECONDS
        heads = {shard: self._held[shard].head for shard in by_shard}
        while True:
            try:
                watched = await self._logs.look(heads, by_shard, marks=True)
                for shard in by_shard:
                    await self._heed(self._held[shard])
                return watched
            except SERVICES as error:
                if asyncio.get_running_loop().time() > deadline:
                    raise
                log.warning("logs cannot be looked at: %s", type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)

    async def _fold(self, held: Held, batch: Batch) -> None:
        read, records = held.reads[batch.tp.topic], batch.records
        if skipped := held.quarantined.get(batch.tp.topic):
            records = [record for record in records if record.offset not in skipped]
        decoded = decode(
            batch.tp.topic, [(record.key, record.value, record.headers) for record in records]
        )
        source = read.source
        for position, rejection in decoded.rejected:
            record, stored = records[position], held.head.offset(batch.tp.topic)
            try:
                letters = await self._dead_letters.write(
                    batch.tp, record, rejection, stored, source.letters
                )
            except NotWritten as error:
                raise MessageStopsError(record.offset, str(error)) from error
            source = source._replace(letters=letters)
        if batch.records:
            source = source._replace(mark=Mark.of(batch.records[-1]))
        await self._admit(held, held.state.missing(child for child, _ in decoded.events))
        # From here to the end nothing is awaited, so a commit sees all of the batch or none.
        known = held.state.fold(decoded.events)
        read.next, read.end, read.source = batch.end, batch.log_end, source
        read.meter.folded(batch)
        held.latest = max([held.latest, *(event.instant for _, event in decoded.events)])
        held.calm.take_in(
            decoded.events,
            held.behind,
            self._clock.seconds(),
            asyncio.get_running_loop().time(),
        )
        read.tallies["messages"] += len(batch.records)
        read.tallies["quarantined"] += len(batch.records) - len(records)
        read.tallies["duplicates"] += known
        read.tallies.update(f"rejected:{rejection.reason}" for _, rejection in decoded.rejected)

    async def _admit(self, held: Held, missing: list[str]) -> None:
        stored = await held.store.children(held.head, missing)
        for child, (record, told) in zip(missing, stored, strict=True):
            held.state.admit(child, record, told)

    async def _make_room(self, held: Held) -> None:
        """Drop records from memory when there are too many; only what is stored may go."""
        most = self._limits.records_in_memory // len(self._held)
        most_bytes = self._limits.bytes_in_memory // len(self._held)
        if len(held.state.children) > most or held.state.size > most_bytes:
            await _committed(held)
            held.state.forget(most, most_bytes)

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
            {topic: read.source for topic, read in held.reads.items()},
            held.partitions,
        )
        arrivals = {}
        for topic, read in held.reads.items():
            read.tallies.clear()
            arrivals[topic] = read.meter.commit_begins()
        began = time.monotonic()
        try:
            settlement = held.state.settle(self._judgement(held))
        except Exception as error:
            held.is_broken, held.failure = True, error
            log.error("cannot be settled: %s", where_raised(error), extra=_where(shard, held))
            return
        self._pace(held, sum(it["messages"] for it in tallies.values()), time.monotonic() - began)
        if settlement.grown.unmatched:
            more = {**advance.tallies, UNMATCHED: settlement.grown.unmatched}
            advance = replace(advance, tallies=more)
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
                self._dead_letters.stored(TP(topic, shard.partition), offset)
        self._metrics.told(settlement.telling.changes)
        self._metrics.recorded(shard, held.state.largest, settlement.grown.unmatched)

    def _pace(self, held: Held, messages: int, seconds: float) -> None:
        """Put off the next commit where settling few messages took long."""
        if messages < FEW_MESSAGES and seconds > SLOW_SECONDS:
            due = asyncio.get_running_loop().time() + min(LONGEST_PACE, PACE * seconds)
            held.commit_due = max(held.commit_due, due)

    def _judgement(self, held: Held) -> Judgement | None:
        """How to judge alerts now; None while old events are read again: all are judged after."""
        now = asyncio.get_running_loop().time()
        if held.calm.is_replaying(now):
            return None
        return Judgement(self._clock.day(), held.calm.kept_back(now), self._clock.seconds())

    async def _retake(self, shard: TP) -> bool:
        """Take a shard's state anew and read on from there, once it is time to; whether it was."""
        assert self.seek is not None
        assert self.halt is not None
        before, now = self._held[shard], asyncio.get_running_loop().time()
        pause = min(RETAKE_SECONDS * 2 ** self._in_vain[shard], LONGEST_RETAKE_SECONDS)
        if now < self._retake_due.setdefault(shard, now + pause):
            return False
        del self._retake_due[shard]
        self._in_vain[shard] = min(self._in_vain[shard] + 1, 10)
        self._look_closer(shard, before)
        meters = {topic: read.meter for topic, read in before.reads.items()}
        for meter in meters.values():
            meter.read_again()
        try:
            held = await self._load(shard, meters)
            is_other = held.head.generation != before.head.generation
            is_stopped = any(TP(topic, shard.partition) in self._stops for topic in held.reads)
            watched = await self._logs.look(
                {shard: held.head}, {shard: list(held.reads)}, marks=is_other or is_stopped
            )
            await self._heed(held)
        except Incomplete as error:
            await self._stop_shard(shard, before, error)
            return False
        except (OtherLayout, *SERVICES) as error:
            log.warning("state cannot be read: %s", error, extra=_where(shard, before))
            return False
        _bind(held, shard, watched.described)
        has_changed = _place(held.head) != _place(before.head)
        now = asyncio.get_running_loop().time()
        _let_go(before)
        self._held[shard] = held
        log.info("shard taken anew", extra=_where(shard, held))
        for topic, read in held.reads.items():
            tp = TP(topic, shard.partition)
            if read.next < before.head.offset(topic):
                # Messages come again of which it was not looked whether there are dead letters.
                self._dead_letters.take_over(tp)
            stopped = self._stops.get(tp)
            if tp in watched.wrong:
                self._stop_for_now(tp, read.next, watched.wrong[tp])
            elif stopped and (
                has_changed
                or stopped.retry_at <= now
                or stopped.offset in held.quarantined.get(topic, ())
            ):
                del self._stops[tp]
            if tp in self._stops:
                self._note_soon(tp)
                await self.halt(tp)
            else:
                await self.seek(tp, read.next)
        return True

    def _look_closer(self, shard: TP, held: Held) -> None:
        """After settling failed: read what was in memory again in parts, to find out at what."""
        if held.failure is None:
            return
        for topic, read in held.reads.items():
            tp, unstored = TP(topic, shard.partition), read.next - held.head.offset(topic)
            if unstored > 0 and tp not in self._careful:
                self._careful[tp] = Careful(read.next, max(1, unstored // PARTS))
        held.failure = None

    async def _take(self, shard: TP, meters: Mapping[str, Meter]) -> Held:
        """A shard's state, waiting up to TAKE_SECONDS for a Redis that does not answer."""
        deadline = asyncio.get_running_loop().time() + TAKE_SECONDS
        while True:
            try:
                await self._register([shard])
                return await self._load(shard, meters)
            except Incomplete as error:
                held = self._unloaded(shard, meters)
                await self._stop_shard(shard, held, error)
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

    async def _heed(self, held: Held) -> None:
        """Know which messages are to be passed over, once the logs were looked at."""
        for it in await quarantined_in(self._redis, held.store):
            known = held.quarantined.get(it.tp.topic, frozenset())
            held.quarantined[it.tp.topic] = known | {it.offset}

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
        reads = {
            topic: Read(meter, head.offset(topic), head.sources.get(topic, Source()))
            for topic, meter in meters.items()
        }
        return Held(store, head, Partition(self._rules, tables), reads, head.latest, calm)


async def _note_stopped(store: ShardStore, topic: str, reason: str) -> None:
    with suppress(*TROUBLE):
        await store.note_stopped(topic, reason)


def _by_shard(tps: Iterable[TP]) -> dict[TP, list[str]]:
    """The topics of each shard that partitions belong to, in order."""
    found: dict[TP, list[str]] = {}
    for tp in sorted(tps):
        found.setdefault(shard_of(tp), []).append(tp.topic)
    return found


def _bind(held: Held, shard: TP, described: Described) -> None:
    """Have a shard remember the logs that it is read from, where it knows none yet."""
    found = described.logs.get(shard.topic)
    held.partitions = held.head.partitions or (found.partitions if found else 0)
    for topic, read in held.reads.items():
        if not read.source.log:
            read.source = read.source._replace(log=log_name(described, topic))


def _place(head: Head) -> tuple[int, int]:
    return head.generation, head.commits


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
