"""What a rebuild is to read: of each shard its topics, from where to where."""

from dataclasses import dataclass, field
from typing import NamedTuple

from redis.asyncio import Redis

from processors.rules import Rules
from streams.jobs.rebuild.rebuild_refusals import GOES_ON, LogIncomplete
from streams.kafka.batches import TP
from streams.kafka.logreading import LogReader
from streams.kafka.private import Described
from streams.state.gaps import Gap, begins
from streams.state.integrity import Incomplete
from streams.state.reading import known_shards
from streams.state.sources import (
    Source,
    known_counts,
    log_name,
    name_of,
    other_log,
    other_partitions,
    other_record,
)
from streams.state.store import NO_HEAD, Head, ShardStore, shard_of


class Acknowledgement(NamedTuple):
    """Who has a state made from what is there, why, and when, in milliseconds from 1970."""

    by: str
    reason: str
    at: int


class ShardPlan(NamedTuple):
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


@dataclass(frozen=True)
class Planning:
    """Compares the state of each shard with the logs. `notes` says what is not as usual."""

    redis: Redis
    deployment: str
    rules: Rules
    reader: LogReader
    acknowledged: Acknowledgement | None
    notes: list[str] = field(default_factory=list)

    async def changed_groups(self, described: Described) -> set[str]:
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

    async def shards(self, described: Described, changed: set[str]) -> list[ShardPlan]:
        """The plan of every shard that there is anything of. Raises LogIncomplete."""
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
    ) -> ShardPlan | None:
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
        return ShardPlan(*of)

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
