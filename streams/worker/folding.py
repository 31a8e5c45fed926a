"""The live fold: batches of Kafka records into each partition's state, and the state into Redis.

Folding and storing overlap: while one settlement is being written, the next batches are folded in
memory. What is stored is always a whole prefix of the partition's log. Whenever a commit does not
succeed, for whatever reason, the state in memory is dropped and taken anew from Redis, and the
partition is read on from the offset stored with it.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from redis.asyncio import Redis
from redis.exceptions import RedisError

from processors.alerts.judging import Judgement
from processors.fold import Partition
from processors.record.decoding import decode
from processors.rules import Rules
from streams.clock import Clock
from streams.kafka.batches import TP, Batch, Heard
from streams.kafka.deadletters import DeadLetters
from streams.metrics.workers import Meter, WorkerMetrics
from streams.state.reading import partitions_key
from streams.state.store import Advance, Head, PartitionStore, Refused
from streams.worker.holdback import Calm

log = logging.getLogger(__name__)

# Records folded before a commit while the log's end is far: bigger steps cost less an event.
CATCHING_UP = 20_000
# Changed children at which folding waits for the commit under way: bounds memory.
MOST_UNSETTLED = 100_000
RETRY_SECONDS = 0.5
# A pause before a partition is taken anew, so that lasting trouble is not met in a tight loop.
RETAKE_SECONDS = 0.2
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

Seek = Callable[[TP, int], Awaitable[None]]
Hear = Callable[[TP], Heard | None]
Show = Callable[[Mapping[TP, int]], Awaitable[bool]]


@dataclass(frozen=True)
class Limits:
    """What a worker allows itself: records in memory, and seconds until old events are believed."""

    records_in_memory: int
    calm_seconds: float


@dataclass
class Held:
    """A partition in this worker's hands.

    `head` is what is stored; `next` the offset after the last record folded in memory.
    """

    store: PartitionStore
    head: Head
    state: Partition
    next: int
    latest: int
    calm: Calm
    meter: Meter
    tallies: dict[str, int] = field(default_factory=dict)
    look_due: float = 0.0
    looking: asyncio.Task[list[str]] | None = None
    commit: asyncio.Task[None] | None = None
    judging: asyncio.Task[None] | None = None
    commit_due: float = 0.0
    timer: asyncio.TimerHandle | None = None
    is_broken: bool = False

    @property
    def is_dirty(self) -> bool:
        """Whether memory is ahead of what is stored, or children wait to be judged."""
        return self.next > self.head.offset or self.state.is_due

    @property
    def is_judging(self) -> bool:
        """Whether children that were taken up are not yet stored as judged."""
        return self.state.is_due or (self.judging is not None and not self.judging.done())

    @property
    def is_committing(self) -> bool:
        """Whether a commit is under way."""
        return self.commit is not None and not self.commit.done()

    def count(self, name: str, by: int = 1) -> None:
        """Add to a tally, to be stored with the next commit."""
        if by:
            self.tallies[name] = self.tallies.get(name, 0) + by


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
        # The consumer's, given when both are there.
        self.seek: Seek | None = None
        self.show: Show | None = None
        self.hear: Hear = lambda _: None

    async def assigned(self, tps: set[TP]) -> None:
        """Take over partitions: their state, and how far their dead letters were written."""
        for tp in sorted(tps):
            await self._dead_letters.take_over(tp)
            self._held[tp] = await self._take(tp, self._metrics.meter(tp))
            log.info("partition taken", extra=_where(tp, self._held[tp].next))

    async def positions(self, tps: set[TP]) -> Mapping[TP, int]:
        """Where each partition's stored state stands."""
        return {tp: self._held[tp].next for tp in tps}

    async def revoked(self, tps: set[TP]) -> None:
        """Store what is folded and let the partitions go."""
        for tp in sorted(tps & self._held.keys()):
            held = self._held[tp]
            if not held.is_broken:
                await _committed(held)
                self._begin_commit(tp, held)
                await _committed(held)
            _let_go(held)
            del self._held[tp]
            held.meter.given_up()
            log.info("partition given up", extra=_where(tp, held.head.offset))

    async def stopped(self, tp: TP, reason: Exception) -> None:
        """The log cannot be read on from where the state stands: say so, loudly."""
        log.error(
            "partition stopped: %s", reason, extra={"topic": tp.topic, "partition": tp.partition}
        )

    async def batch(self, batch: Batch) -> None:
        """Fold a batch; store it at once when nothing more waits, else in bigger steps."""
        held = self._held[batch.tp]
        if held.is_broken:
            await self._retake(batch.tp)  # the batch comes again from the stored offset
            return
        await self._make_room(held)
        try:
            await self._fold(held, batch)
        except (RedisError, OSError) as error:
            # Nothing of the batch is in memory, and what follows it must not be without it.
            held.is_broken = True
            log.warning("records cannot be read: %s", error, extra=_where(batch.tp, batch.start))
            return
        is_far = batch.log_end - batch.end > CATCHING_UP
        if not is_far or held.next - held.head.offset >= CATCHING_UP:
            self._commit_soon(batch.tp, held)
        if held.state.unsettled > MOST_UNSETTLED:
            await _committed(held)

    async def idle(self) -> None:
        """Store what is folded, and take anew what could not be stored."""
        for tp, held in list(self._held.items()):
            if held.is_broken:
                await self._retake(tp)
                continue
            await self._look(tp, held)
            if held.is_dirty:
                self._commit_soon(tp, held)
            if not held.is_broken:
                held.meter.stands(held.head.offset, self.hear(tp))
        self._show_offsets()

    async def _look(self, tp: TP, held: Held) -> None:
        """Take up children whose alerts change by the clock, some at a time.

        Who they are is asked for in the background: a Redis that does not answer holds up nothing
        that can do without it.
        """
        if held.looking is None:
            self._begin_to_look(tp, held)
        elif held.looking.done():
            due, held.looking = held.looking.result(), None
            await self._make_room(held)
            try:
                await self._admit(held, held.state.missing(due))
            except (RedisError, OSError) as error:
                held.is_broken = True
                log.warning("records cannot be read: %s", error, extra=_where(tp, held.next))
                return
            held.state.look_at(due)

    def _begin_to_look(self, tp: TP, held: Held) -> None:
        now = asyncio.get_running_loop().time()
        if now < held.look_due or held.is_judging:
            return
        held.look_due = now + LOOK_SECONDS
        if not held.calm.is_replaying(now):
            held.looking = asyncio.create_task(self._due(tp, held))

    async def _due(self, tp: TP, held: Held) -> list[str]:
        """Children to be judged by now; none while Redis does not answer."""
        try:
            due = await held.store.due(held.head, self._clock.seconds(), JUDGED_AT_ONCE)
        except (RedisError, OSError) as error:
            log.warning("deadlines cannot be read: %s", error, extra=_where(tp, held.next))
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
        offsets = {tp: held.head.offset for tp, held in self._held.items()}
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
        held.next = batch.end
        held.meter.folded(batch)
        held.latest = max([held.latest, *(event.instant for _, event in decoded.events)])
        held.calm.take_in(
            decoded.events,
            batch.log_end - batch.end,
            self._clock.seconds(),
            asyncio.get_running_loop().time(),
        )
        held.count("messages", len(batch.records))
        held.count("duplicates", known)
        for _, rejection in decoded.rejected:
            held.count(f"rejected:{rejection.reason}")

    async def _admit(self, held: Held, missing: list[str]) -> None:
        stored = await held.store.children(held.head, missing)
        for child, (record, told) in zip(missing, stored, strict=True):
            held.state.admit(child, record, told)

    async def _make_room(self, held: Held) -> None:
        """Drop records from memory when there are too many; only what is stored may go."""
        most = self._limits.records_in_memory // len(self._held)
        if len(held.state.records) > most:
            await _committed(held)
            held.state.forget(most)

    def _commit_soon(self, tp: TP, held: Held) -> None:
        """Begin a commit, at once or when the next one is due."""
        loop = asyncio.get_running_loop()
        if loop.time() >= held.commit_due:
            self._begin_commit(tp, held)
        elif held.timer is None:
            held.timer = loop.call_at(held.commit_due, self._begin_commit, tp, held)

    def _begin_commit(self, tp: TP, held: Held) -> None:
        if held.timer is not None:
            held.timer.cancel()
            held.timer = None
        if held.is_dirty and not held.is_broken and not held.is_committing:
            held.commit_due = asyncio.get_running_loop().time() + COMMIT_SECONDS
            held.commit = asyncio.create_task(self._commit(tp, held))
            if held.state.is_due:
                held.judging = held.commit

    async def _commit(self, tp: TP, held: Held) -> None:
        again = self._clock.seconds() + self._limits.calm_seconds
        advance = Advance(held.next, held.latest, held.tallies, held.calm.old_share, again)
        held.tallies = {}
        arrivals, began = held.meter.commit_begins(), time.monotonic()
        settlement = held.state.settle(self._judgement(held))
        try:
            held.head = await held.store.commit(held.head, settlement, held.state.tables, advance)
        except (Refused, RedisError, OSError) as error:
            # Whether it was written is unknown or beside the point: what is stored decides.
            held.is_broken = True
            held.meter.commit_failed()
            log.warning("commit failed: %s", error, extra=_where(tp, advance.offset))
            return
        seconds = time.monotonic() - began
        held.meter.stored(arrivals, advance.tallies, advance.offset, seconds)
        held.meter.told(settlement.telling.changes)

    def _judgement(self, held: Held) -> Judgement | None:
        """How to judge alerts now; None while old events are read again: all are judged after."""
        now = asyncio.get_running_loop().time()
        if held.calm.is_replaying(now):
            return None
        return Judgement(self._clock.day(), held.calm.kept_back(now))

    async def _retake(self, tp: TP) -> None:
        """Take a partition's state anew and read on from there; one attempt, after a pause."""
        assert self.seek is not None
        await asyncio.sleep(RETAKE_SECONDS)
        meter = self._held[tp].meter
        meter.read_again()
        try:
            held = await self._load(tp, meter)
        except (RedisError, OSError) as error:
            log.warning("state cannot be read: %s", error, extra=_where(tp, -1))
            return
        await self.seek(tp, held.next)
        _let_go(self._held[tp])
        self._held[tp] = held
        log.info("partition taken anew", extra=_where(tp, held.next))

    async def _take(self, tp: TP, meter: Meter) -> Held:
        """A partition's state, waiting up to TAKE_SECONDS for a Redis that does not answer."""
        deadline = asyncio.get_running_loop().time() + TAKE_SECONDS
        while True:
            try:
                await self._redis.sadd(
                    partitions_key(self._deployment), f"{tp.topic}:{tp.partition}"
                )
                return await self._load(tp, meter)
            except (RedisError, OSError) as error:
                if asyncio.get_running_loop().time() > deadline:
                    raise
                log.warning("state cannot be read: %s", error, extra=_where(tp, -1))
                await asyncio.sleep(RETRY_SECONDS)

    async def _load(self, tp: TP, meter: Meter) -> Held:
        store = PartitionStore(self._redis, self._deployment, tp, self._rules)
        head = await store.head()
        tables = await store.tables(head) if head else None
        head = head or Head()
        calm = Calm(self._limits.calm_seconds, head.old_share, asyncio.get_running_loop().time())
        state = Partition(self._rules, tables)
        return Held(store, head, state, head.offset, head.latest, calm, meter)


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


def _where(tp: TP, offset: int) -> dict[str, str | int]:
    return {"topic": tp.topic, "partition": tp.partition, "offset": offset}
