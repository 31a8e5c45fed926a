"""Rebuild: a shard's state made anew from the log, beside the one in use.

The new state grows under the next generation number while readers and workers go on with the
present one. It then takes over in one step, and workers, refused with the old generation, take it
up and read on from its offset. A rebuild that dies half-way leaves nothing that anyone reads.

Where the log is another than the one that the state was made from, all of it is taken, and its dead
letters are written. Where the number of partitions is another, the shards of the group take over
together, and those that there are no more go.

Where the log no longer has all that the state rests on, a rebuild refuses, unless someone says by
name that it is to be made from what the log has. What is lost then is kept with the state
(streams.state.gaps). Records of the state before are not taken over: what cannot be computed again
from the log could never be compared with it, nor released.
"""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import NamedTuple

from redis.asyncio import Redis

from processors.fold import Partition
from processors.rules import Rules
from streams import keys
from streams.failures import Understood
from streams.kafka.batches import TP, Record
from streams.kafka.deadletters import DeadLetters
from streams.kafka.logreading import LogReader
from streams.kafka.private import Described
from streams.state import admission
from streams.state.gaps import Gap, begins
from streams.state.integrity import Incomplete, Kept
from streams.state.quarantine import forget_others, quarantined_in
from streams.state.reading import known_shards, partitions_key
from streams.state.sources import (
    Mark,
    Source,
    counts_key,
    known_counts,
    log_name,
    name_of,
    other_log,
    other_partitions,
    other_record,
)
from streams.state.store import NO_HEAD, Head, Refused, ShardStore, shard_of

# Times a switch is tried again because a worker committed at that very moment.
SWITCH_TRIES = 20
LOCK_SECONDS = 120


GOES_ON = (
    "If the log cannot be brought back, `caseline rebuild --from-what-is-there` goes on without, "
    "and says so on every scorecard (docs/runbook.md, Going on without lost messages)"
)


class LogIncomplete(Understood):
    """The log no longer has all events that the state rests on: a rebuild would lose some."""


class MessageFails(Understood):
    """A message that cannot be taken in: nothing takes over before it is mended or passed over."""


class RebuildUnderWay(Understood):
    """Another rebuild of this deployment is running."""


class Progress(NamedTuple):
    """How far the rebuild of a partition has got, in log offsets."""

    tp: TP
    offset: int
    target: int


class Acknowledgement(NamedTuple):
    """Who has a state made from what is there, why, and when, in milliseconds from 1970."""

    by: str
    reason: str
    at: int


class _State(NamedTuple):
    """A shard, where its state stands, and what is to be read of each of its topics.

    `stretches` has the first offset and the end to be read to. `others` has the topics whose log is
    not the one that the state was made from. `gaps` are those known before and those that were said
    to be now.
    """

    shard: TP
    store: ShardStore
    head: Head
    stretches: dict[str, tuple[int, int]]
    sources: dict[str, Source]
    others: frozenset[str]
    gaps: tuple[Gap, ...]


class _Made(NamedTuple):
    """A shard whose new state is whole and waits to take over from other generations."""

    state: _State
    to: Head
    olds: frozenset[int]


@dataclass
class Rebuild:
    """A rebuild of every shard of a deployment that has state.

    `notes` says what is not as usual, as soon as it is known.
    """

    redis: Redis
    deployment: str
    rules: Rules
    reader: LogReader
    records_in_memory: int
    bytes_in_memory: int
    dead_letters: DeadLetters | None = None
    acknowledged: Acknowledgement | None = None
    notes: list[str] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)

    async def run(self) -> AsyncIterator[Progress]:
        """Rebuild shard after shard; dead letters of the same log are not written again.

        1. Make sure that no other rebuild runs, and that the log is whole, before anything else.
        2. For each shard, fold its logs up to where its state stands, or up to their ends where
           they are others than before, into a new generation.
        3. Switch to it, and only then remove the old one.

        Raises LogIncomplete or RebuildUnderWay with nothing changed, and MessageFails. Gaps that
        are new are in `gaps` afterwards.
        """
        lock = self.redis.lock(
            f"{keys.of_deployment(self.deployment)}:rebuild", timeout=LOCK_SECONDS
        )
        if not await lock.acquire(blocking=False):
            raise RebuildUnderWay(f"deployment {self.deployment!r} is being rebuilt already")
        try:
            described = await self.reader.describe()
            changed = await self._changed_groups(described)
            waiting: list[_Made] = []
            for state in await self._states(described, changed):
                made: list[_Made] = []
                async for progress in self._make(state, described, made):
                    await lock.reacquire()
                    yield progress
                if state.shard.topic in changed:
                    waiting += made
                else:
                    await _take_over(made)
            await _take_over(waiting)
            await self._keep_counts(described, changed)
        finally:
            await lock.release()

    async def _changed_groups(self, described: Described) -> set[str]:
        """The groups that have another number of partitions than their state.

        Raises LogIncomplete where topics of a group differ.
        """
        counts = await known_counts(self.redis, self.deployment)
        changed = set[str]()
        for group in sorted({shard_of(TP(topic, 0)).topic for topic in described.logs}):
            unequal = other_partitions(group, None, described)
            if unequal:
                raise LogIncomplete(unequal)
            known = counts.get(group) or 0
            for shard in await known_shards(self.redis, self.deployment):
                if shard.topic == group and not known:
                    store = ShardStore(self.redis, self.deployment, shard, self.rules)
                    head = await store.head(any_layout=True)
                    known = head.partitions if head else 0
            if known and other_partitions(group, known, described):
                now = described.logs[group].partitions
                self.notes.append(f"{group}: {now} partitions instead of {known}")
                changed.add(group)
        return changed

    async def _keep_counts(self, described: Described, changed: set[str]) -> None:
        """Drop the shards that there are no more, and only then keep the new numbers."""
        counts = {
            group: log.partitions
            for group, log in described.logs.items()
            if shard_of(TP(group, 0)).topic == group
        }
        for shard in await known_shards(self.redis, self.deployment):
            if shard.topic in changed and shard.partition >= counts[shard.topic]:
                store = ShardStore(self.redis, self.deployment, shard, self.rules)
                await store.remove()
                await self.redis.srem(
                    partitions_key(self.deployment), f"{shard.topic}:{shard.partition}"
                )
        for group, count in counts.items():
            await self.redis.hset(counts_key(self.deployment), group, str(count))

    async def _states(self, described: Described, changed: set[str]) -> list[_State]:
        by_shard: dict[TP, dict[TP, tuple[int, int]]] = {}
        for tp, bounds in (await self.reader.bounds()).items():
            by_shard.setdefault(shard_of(tp), {})[tp] = bounds
        found = [
            await self._state(shard, by_shard[shard], described, is_changed=shard.topic in changed)
            for shard in sorted(by_shard)
        ]
        return [state for state in found if state]

    async def _state(
        self,
        shard: TP,
        bounds: dict[TP, tuple[int, int]],
        described: Described,
        *,
        is_changed: bool,
    ) -> _State | None:
        """What there is of a shard; None for nothing. Raises LogIncomplete."""
        store = ShardStore(self.redis, self.deployment, shard, self.rules)
        head, is_damaged = None, False
        try:
            head = await store.head(any_layout=True)
        except Incomplete:
            is_damaged = True
        is_damaged = is_damaged or bool(await store.generations())
        begins_later = any(first > 0 for first, _ in bounds.values())
        if head is None and not (is_damaged or begins_later or is_changed):
            return None
        stands = head or Head(NO_HEAD)
        others = await self._others(stands, list(bounds), described)
        if is_changed:
            others |= {tp.topic for tp in bounds}
        # What another log lost says nothing of this one.
        gaps = tuple(gap for gap in stands.gaps if gap.topic not in others)
        stretches, sources, new = {}, {}, list[Gap]()
        for tp, (first, end) in sorted(bounds.items()):
            is_read_whole = head is None or tp.topic in others
            offset = end if is_read_whole else stands.offset(tp.topic)
            target = max(first, min(offset, end))
            if tp.topic in others or target or tp.topic in stands.offsets:
                stretches[tp.topic] = first, target
                old = stands.sources.get(tp.topic, Source())
                letters = 0 if is_read_whole else old.letters
                sources[tp.topic] = Source(log_name(described, tp.topic), None, letters)
            known = begins(gaps, tp.topic)
            if first > known or offset > end:
                new += await self._gaps(tp, (first, end), (known, offset))
        of = shard, store, stands, stretches, sources, frozenset(others), (*gaps, *new)
        return _State(*of)

    async def _gaps(self, tp: TP, bounds: tuple[int, int], known: tuple[int, int]) -> list[Gap]:
        """What of a log is gone that is not known to be. Raises LogIncomplete."""
        (first, end), (start, offset), by = bounds, known, self.acknowledged
        if by is None:
            raise LogIncomplete(
                f"{tp.topic}[{tp.partition}]: the log has offsets {first} to {end}, the state "
                f"rests on {start} to {offset}; nothing was changed. {GOES_ON}"
            )
        found: list[Gap] = []
        if start < first:
            until = await self._written(tp, first, end) or by.at
            found.append(Gap(*tp, start, first, until, by.by, by.reason, by.at))
        if offset > end:
            since = await self._written(tp, max(first, end - 1), end)
            found.append(Gap(*tp, end, offset, by.at, by.by, by.reason, by.at, since))
        return found

    async def _written(self, tp: TP, offset: int, end: int) -> int | None:
        """When the message at an offset was written, or the first after it; None for none."""
        if offset >= end:
            return None
        async for _, records in self.reader.read(tp, offset, end):
            if records:
                return records[0].timestamp
        return None

    async def _others(self, head: Head, tps: list[TP], described: Described) -> set[str]:
        """The topics whose log is not the one that the state was made from."""
        sources = {tp: head.sources.get(tp.topic, Source()) for tp in tps}
        others = {tp for tp in tps if other_log(tp, sources[tp], described)}
        marks = {tp: it.mark.offset for tp, it in sources.items() if it.mark and tp not in others}
        records = await self.reader.first_records(marks)
        others |= {tp for tp in marks if other_record(tp, sources[tp], records.get(tp))}
        for tp in sorted(others):
            self.notes.append(f"{name_of(tp)}: another log than before, taken from its beginning")
        return {tp.topic for tp in others}

    async def _make(
        self, of: _State, described: Described, made: list[_Made]
    ) -> AsyncIterator[Progress]:
        """Fold the log of each of the shard's topics, in any order, which makes no difference."""
        store, head = of.store, of.head
        others = set(await store.generations())
        generation = max({head.generation, *others}) + 1
        # A rebuild that died may have left its generation half made, to be dropped and used again.
        if head.generation >= 0:
            generation = head.generation + 1
            await store.drop(generation)
        state, tallies, latest, kept = Partition(self.rules), Counter[str](), 0, Kept()
        await forget_others(self.redis, store, described, of.others)
        skipped = {(it.tp, it.offset) for it in await quarantined_in(self.redis, store)}
        sources = dict(of.sources)

        async def stored(children: list[str]) -> admission.Stored:
            return [(it, None) for it in await store.records(Head(generation), children)]

        for topic, (first, target) in sorted(of.stretches.items()):
            tp = TP(topic, of.shard.partition)
            yield Progress(tp, first, target)
            async for offset, records in self.reader.read(tp, first, target):
                taken = [it for it in records if (tp, it.offset) not in skipped]
                try:
                    decoded = admission.read(topic, taken)
                    await admission.admit(state, (child for child, _ in decoded.events), stored)
                    known = state.fold(decoded.events)
                    settlement = state.settle()
                except (ArithmeticError, LookupError, TypeError, ValueError) as error:
                    raise self._failing(tp, taken) from error
                latest = max([latest, *(event.instant for _, event in decoded.events)])
                passed_over = len(records) - len(taken)
                tallies += admission.tallied(decoded, len(records), passed_over, known)
                source = sources[topic]
                if topic in of.others and self.dead_letters:
                    for position, rejection in decoded.rejected:
                        letters = await self.dead_letters.write(
                            tp, taken[position], rejection, 0, source.letters
                        )
                        source = source._replace(letters=letters)
                if records:
                    source = source._replace(mark=Mark.of(records[-1]))
                sources[topic] = source
                tallies["unmatched"] += settlement.grown.unmatched
                kept = await store.write(generation, settlement, state.tables, kept)
                state.forget(self.records_in_memory, self.bytes_in_memory)
                yield Progress(tp, offset, target)
        count = described.logs[of.shard.topic].partitions
        to = Head(
            generation,
            {topic: target for topic, (_, target) in of.stretches.items()},
            latest,
            tallies=+tallies,
            sources=sources,
            partitions=count,
            kept=kept,
            gaps=of.gaps,
        )
        olds = frozenset({head.generation, *others} - {generation, NO_HEAD})
        made.append(_Made(of, to, olds))
        self.gaps += of.gaps[len(head.gaps) :]

    def _failing(self, tp: TP, records: list[Record]) -> MessageFails:
        """Which of the messages it is, by taking in each on its own."""
        for record in records:
            alone = Partition(self.rules)
            try:
                alone.fold_unstored(admission.read(tp.topic, [record]).events)
                alone.settle()
            except Exception as error:
                return MessageFails(
                    f"{name_of(tp)}: the message at offset {record.offset} cannot be taken in "
                    f"({type(error).__name__}); nothing took over. To pass it over for good: "
                    f"`caseline dead-letters quarantine {tp.topic}:{tp.partition}:{record.offset} "
                    '--reason "..."`'
                )
        return MessageFails(
            f"{name_of(tp)}: one of the messages from offset {records[0].offset} to "
            f"{records[-1].offset} cannot be taken in after those before it; nothing took over"
        )


async def _take_over(made: list[_Made]) -> None:
    """Switch to new states, and only then remove the old ones."""
    for state, to, _ in made:
        await _switch(state.store, state.head, to)
    for state, _, olds in made:
        for generation in olds:
            await state.store.drop(generation)


async def _switch(store: ShardStore, head: Head, to: Head) -> None:
    for tries_left in reversed(range(SWITCH_TRIES)):
        try:
            await store.switch(head, to)
        except Refused:
            if not tries_left:
                raise
        else:
            return
