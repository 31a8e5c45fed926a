"""The state into Redis: one commit of a shard at a time, while the next batches are folded.

Shards of which few messages came are settled together, which costs little more than one of them
does; each is stored on its own.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate, islice

from processors.alerts.judging import Judgement
from processors.fold import Settlement, settle_together
from streams.kafka.batches import TP
from streams.metrics.workers import Arrivals
from streams.state.integrity import Incomplete
from streams.state.store import Advance, OtherLayout, Refused
from streams.worker.given import Given
from streams.worker.held import Held, log
from streams.worker.pace import FEW, is_large, pause_after, pause_of_large
from streams.worker.service_errors import TROUBLE
from streams.worker.stops import where_raised

# The tally of retractions that named no event that was known when they came.
UNMATCHED = "unmatched"


@dataclass(frozen=True)
class _Begun:
    """A commit that has begun: of what, when by the monotonic clock, and where it leads.

    `tallies` and `arrivals` are of each topic, `judgement` how alerts are judged; with `is_due`
    there are children who are judged by the clock.
    """

    held: Held
    began: float
    advance: Advance
    tallies: Mapping[str, Counter[str]]
    arrivals: Mapping[str, Arrivals]
    judgement: Judgement | None
    is_due: bool

    @property
    def messages(self) -> int:
        """How many messages were folded since the last."""
        return sum(it["messages"] for it in self.tallies.values())

    def fail(self, what: str, error: Exception) -> None:
        """Have the shard taken anew, because of an error that no service is to blame for."""
        trouble = self.held.trouble
        trouble.is_broken, trouble.failure = True, error
        trouble.is_doubted |= self.is_due
        log.error("%s: %s", what, where_raised(error), extra=self.held.where)


class Committing:
    """Settles and stores what is folded."""

    def __init__(self, given: Given, shards: Mapping[TP, Held]) -> None:
        self._given, self._shards = given, shards
        # When shards of which few messages came may be settled next.
        self._due = 0.0

    def soon(self, held: Held) -> None:
        """Begin a commit, at once or when the next one is due; of many to be judged at once."""
        loop, commits = asyncio.get_running_loop(), held.commits
        is_alone = _is_settled_alone(held)
        due = commits.due if is_alone else max(commits.due, self._due)
        if loop.time() < due and not _has_many_due(held):
            if commits.timer is None:
                commits.timer = loop.call_at(due, self._due_now, held)
        elif is_alone:
            self.begin(held)
        else:
            self._begin([held, *self._ready_beside(held)], together=True)

    def begin(self, held: Held) -> None:
        """Begin a commit, if there is anything to store and none is under way."""
        self._begin([held], together=False)

    async def finish(self, held: Held) -> None:
        """Store all that is folded, and wait until it is stored, or has failed."""
        await held.committed()
        self.begin(held)
        await held.committed()

    def _due_now(self, held: Held) -> None:
        held.commits.timer = None
        self.soon(held)

    def _ready_beside(self, held: Held) -> list[Held]:
        """Other shards of which something is to be stored by now, the longest due first.

        So many that all of them together take no longer than one of which much came.
        """
        now = asyncio.get_running_loop().time()
        others = [
            it
            for it in self._shards.values()
            if it is not held
            and _is_ready(it)
            and now >= max(it.commits.due, it.commits.put_off)
            and not _is_settled_alone(it)
        ]
        others.sort(key=lambda it: it.commits.due)
        children = accumulate((it.state.to_settle for it in others), initial=held.state.to_settle)
        return [
            it for it, number in zip(others, islice(children, 1, None), strict=True) if number < FEW
        ]

    def _begin(self, asked: Sequence[Held], *, together: bool) -> None:
        ready = [it for it in asked if _is_ready(it)]
        if not ready:
            return
        for held in ready:
            if held.commits.timer is not None:
                held.commits.timer.cancel()
                held.commits.timer = None
        begun = [self._begin_one(it) for it in ready]
        used = time.thread_time()
        try:
            settlements = settle_together([(it.held.state, it.judgement) for it in begun])
        except Exception as error:
            one_of = "" if len(ready) == 1 else ", or another that is settled with it"
            for it in begun:
                it.fail(f"cannot be settled{one_of}", error)
            return
        used = time.thread_time() - used
        for it, settlement in zip(begun, settlements, strict=True):
            commits = it.held.commits
            commits.task = asyncio.create_task(self._store(it, settlement))
            commits.task.add_done_callback(partial(self._go_on, it.held))
            if it.is_due:
                commits.judging = commits.task
        self._pause(begun, settlements, used, together=together)
        self._given.garbage.spare()

    def _go_on(self, held: Held, _: object) -> None:
        """After a commit: begin the next, unless there is nothing more, or a larger step is due."""
        is_expected = asyncio.get_running_loop().time() < held.commits.put_off
        if held.is_dirty and not is_expected and self._shards.get(held.shard) is held:
            self.soon(held)

    def _begin_one(self, held: Held) -> _Begun:
        again = self._given.clock.seconds() + self._given.limits.calm_seconds
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
        judgement = self._judgement(held)
        return _Begun(held, began, advance, tallies, arrivals, judgement, held.state.is_due)

    def _pause(
        self,
        begun: Sequence[_Begun],
        settlements: Sequence[Settlement],
        used: float,
        *,
        together: bool,
    ) -> None:
        """Have the next settlements wait for as long as these ask for."""
        now = asyncio.get_running_loop().time()
        much = max(
            max(it.messages, len(settlement.telling.deadlines))
            for it, settlement in zip(begun, settlements, strict=True)
        )
        are_many_due = any(
            it.lookups.are_more and not it.trouble.is_broken for it in self._shards.values()
        )
        shards = len(begun)
        if not together:
            # Each of those that are settled alone takes as much, and none waits for another.
            shards = max(1, sum(map(_is_settled_alone, self._shards.values())))
            used *= shards
        pause = pause_after(shards, much, used, are_many_due=are_many_due)
        if together:
            self._due = now + pause
        for it in begun:
            own = pause_of_large(much, used) if is_large(it.held.state.largest) else 0.0
            it.held.commits.due = now + max(pause, own)

    async def _store(self, begun: _Begun, settlement: Settlement) -> None:
        held, advance = begun.held, begun.advance
        if settlement.grown.unmatched:
            more = {**advance.tallies, UNMATCHED: settlement.grown.unmatched}
            advance = replace(advance, tallies=more)
        held.expect(advance.offsets)
        try:
            held.head = await held.store.commit(held.head, settlement, held.state.tables, advance)
        except (Refused, OtherLayout, Incomplete, *TROUBLE) as error:
            # Whether it was written is unknown or beside the point: what is stored decides.
            held.trouble.is_broken = True
            for read in held.reads.values():
                read.meter.commit_failed()
            log.warning("commit failed: %s", error, extra=held.where)
            return
        except Exception as error:
            # What was settled is in no settlement to come: without it nothing may be stored.
            begun.fail("cannot be stored", error)
            return
        if begun.is_due:
            held.trouble.is_doubted = False
        held.retakes.in_vain = 0
        seconds = time.monotonic() - begun.began
        for topic, read in held.reads.items():
            if begun.tallies[topic]:
                offset = advance.offsets[topic]
                read.meter.stored(begun.arrivals[topic], begun.tallies[topic], offset, seconds)
                self._given.dead_letters.stored(TP(topic, held.shard.partition), offset)
        metrics = self._given.metrics
        metrics.told(settlement.telling.changes)
        metrics.recorded(held.shard, held.state.largest, settlement.grown.unmatched)

    def _judgement(self, held: Held) -> Judgement | None:
        """How to judge alerts now; None while old events are read again: all are judged after."""
        now, clock = asyncio.get_running_loop().time(), self._given.clock
        if held.calm.is_replaying(now):
            return None
        return Judgement(clock.day(), held.calm.kept_back(now), clock.seconds())


def _is_ready(held: Held) -> bool:
    """Whether there is anything to store, and nothing against it."""
    return held.is_dirty and not held.trouble.is_broken and not held.is_committing


def _has_many_due(held: Held) -> bool:
    """Whether many children are to be judged, and more after them."""
    return held.state.is_due and held.lookups.are_more


def _is_settled_alone(held: Held) -> bool:
    """Whether a shard is settled on its own, because that takes long, or may fail."""
    return (
        held.state.to_settle >= FEW
        or _has_many_due(held)
        or is_large(held.state.largest)
        or held.trouble.is_suspect
        or held.trouble.is_doubted
    )
