"""The state into Redis: one commit of a shard at a time, while the next batches are folded."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from processors.alerts.judging import Judgement
from streams.kafka.batches import TP
from streams.state.integrity import Incomplete
from streams.state.store import Advance, OtherLayout, Refused
from streams.worker.given import Given
from streams.worker.held import Held, log
from streams.worker.service_errors import TROUBLE
from streams.worker.stops import where_raised

# The least time from one commit of a partition to the next. Each costs some 3 ms of work whatever
# is in it, so that in light traffic this, and not the traffic, decides how busy a worker is.
COMMIT_SECONDS = 0.02
# Settlements of few messages in all of a worker's busy shards take at most one part in so many of
# its time: where more comes than can be settled so often, it is settled less often, and nobody
# waits for a processor. An ordinary one puts off the next for no longer than a reader would notice,
# nor for longer than makes so many commits a second in all of these shards.
SHARE, LONGEST_SECONDS, COMMITS_A_SECOND = 4, 0.1, 80
# A shard is busy for so long after a commit.
BUSY_SECONDS = 1.0
# A settlement that takes long for few messages is one of a very large record, which is worked out
# whole: so many times as long is waited until the next, within what a reader can wait, so that what
# it costs is bounded by time, and not by how many messages come. It is the processor's time that
# counts, since a machine that is busy with other things makes any settlement last.
FEW, LARGE_BYTES, SLOW_SECONDS, PACE, LONGEST_PACE = 1_000, 1_000_000, 0.02, 4, 2.0
# The tally of retractions that named no event that was known when they came.
UNMATCHED = "unmatched"


class Committing:
    """Settles and stores what is folded."""

    def __init__(self, given: Given, shards: Mapping[TP, Held]) -> None:
        self._given, self._shards = given, shards

    def soon(self, held: Held) -> None:
        """Begin a commit, at once or when the next one is due; of many to be judged at once."""
        loop, commits = asyncio.get_running_loop(), held.commits
        if loop.time() >= commits.due or (held.state.is_due and held.lookups.are_more):
            self.begin(held)
        elif commits.timer is None:
            commits.timer = loop.call_at(commits.due, self.begin, held)

    def begin(self, held: Held) -> None:
        """Begin a commit, if there is anything to store and none is under way."""
        commits = held.commits
        if commits.timer is not None:
            commits.timer.cancel()
            commits.timer = None
        if held.is_dirty and not held.trouble.is_broken and not held.is_committing:
            commits.due = asyncio.get_running_loop().time() + COMMIT_SECONDS
            commits.task = asyncio.create_task(self._commit(held))
            if held.state.is_due:
                commits.judging = commits.task

    async def _commit(self, held: Held) -> None:
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
        began, used = time.monotonic(), time.thread_time()
        try:
            settlement = held.state.settle(self._judgement(held))
        except Exception as error:
            held.trouble.is_broken, held.trouble.failure = True, error
            log.error("cannot be settled: %s", where_raised(error), extra=held.where)
            return
        used = time.thread_time() - used
        self._given.garbage.spare()
        messages = sum(it["messages"] for it in tallies.values())
        much = max(messages, len(settlement.telling.deadlines))
        now = asyncio.get_running_loop().time()
        are_many_due = any(
            it.lookups.are_more and not it.trouble.is_broken for it in self._shards.values()
        )
        pause = pause_after(
            held.state.largest, much, used, self._busy(now), are_many_due=are_many_due
        )
        held.commits.due = max(held.commits.due, now + pause)
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
        held.retakes.in_vain = 0
        seconds = time.monotonic() - began
        for topic, read in held.reads.items():
            if tallies[topic]:
                offset = advance.offsets[topic]
                read.meter.stored(arrivals[topic], tallies[topic], offset, seconds)
                self._given.dead_letters.stored(TP(topic, held.shard.partition), offset)
        metrics = self._given.metrics
        metrics.told(settlement.telling.changes)
        metrics.recorded(held.shard, held.state.largest, settlement.grown.unmatched)

    def _busy(self, now: float) -> int:
        """How many shards had a commit of late, of which the one just settled is one."""
        return sum(it.commits.due > now - BUSY_SECONDS for it in self._shards.values()) or 1

    def _judgement(self, held: Held) -> Judgement | None:
        """How to judge alerts now; None while old events are read again: all are judged after."""
        now, clock = asyncio.get_running_loop().time(), self._given.clock
        if held.calm.is_replaying(now):
            return None
        return Judgement(clock.day(), held.calm.kept_back(now), clock.seconds())


def pause_after(
    largest: int, much: int, seconds: float, shards: int, *, are_many_due: bool = False
) -> float:
    """How long to wait after a settlement that took so many seconds of the processor.

    `much` is of how many messages it was, or children who were judged; `largest` about how many
    bytes the largest record takes, `shards` how many are busy. After many nothing waits; while many
    more are to be judged in any of the worker's shards, whatever else is settled leaves them room.
    """
    if much >= FEW:
        return 0.0
    if largest > LARGE_BYTES and seconds > SLOW_SECONDS:
        return min(LONGEST_PACE, PACE * seconds)
    if are_many_due:
        return LONGEST_SECONDS
    return min(LONGEST_SECONDS, shards / COMMITS_A_SECOND, SHARE * shards * seconds)
