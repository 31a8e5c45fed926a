"""Batches into the state in memory: decoded, with the records that they need, and folded."""

import asyncio
from collections.abc import Callable, Iterable

from streams.kafka.batches import TP, Batch
from streams.kafka.deadletters import NotWritten
from streams.state import admission
from streams.state.sources import Mark
from streams.worker.given import Given
from streams.worker.held import Held
from streams.worker.stops import MessageStopsError

# While one shard is favoured others have one in so many of their equal parts.
OTHERS_SHARE = 10


class Memory:
    """The records that the worker has in memory, of all its shards together.

    A shard that is `favoured` has nearly all of it.
    """

    def __init__(self, given: Given, shards: dict[TP, Held]) -> None:
        self._given, self._shards = given, shards
        self.favoured: TP | None = None

    def most(self, shard: TP) -> int:
        """How many records of a shard may be in memory."""
        return self._share(shard, self._given.limits.records_in_memory, _records)

    def _most_bytes(self, shard: TP) -> int:
        return self._share(shard, self._given.limits.bytes_in_memory, _bytes)

    def _share(self, shard: TP, limit: int, taken: Callable[[Held], int]) -> int:
        """What a shard may take of a limit: its part, and what others leave."""
        part = self._part(shard, limit)
        if self._is_another_favoured(shard):
            return part
        return max(part, limit - sum(taken(it) for of, it in self._shards.items() if of != shard))

    def least(self, shard: TP) -> int:
        """How many records of a shard may be in memory whatever others want."""
        return self._part(shard, self._given.limits.records_in_memory)

    def _part(self, shard: TP, limit: int) -> int:
        part = limit // len(self._shards)
        return part // OTHERS_SHARE if self._is_another_favoured(shard) else part

    def _is_another_favoured(self, shard: TP) -> bool:
        return self.favoured not in (None, shard)

    async def make_room(self, held: Held) -> None:
        """Drop records from memory when there are too many; only what is stored may go."""
        if self._is_full(held):
            await held.committed()
            self._forget(held)
        if self.favoured is None and self._holds_all():
            return
        # What one takes beyond its part others may want back; not while it is being stored, since
        # what is read meanwhile would be as it was before.
        for other in self._shards.values():
            if other is not held and not other.is_committing and self._is_full(other):
                self._forget(other)

    def _holds_all(self) -> bool:
        limits, shards = self._given.limits, self._shards.values()
        return (
            sum(map(_records, shards)) <= limits.records_in_memory
            and sum(map(_bytes, shards)) <= limits.bytes_in_memory
        )

    def _is_full(self, held: Held) -> bool:
        shard = held.shard
        return _records(held) > self.most(shard) or _bytes(held) > self._most_bytes(shard)

    def _forget(self, held: Held) -> None:
        held.state.forget(self.most(held.shard), self._most_bytes(held.shard))

    async def fold(self, held: Held, batch: Batch) -> None:
        """Take in all of a batch, or, where anything is raised, nothing of it.

        What is no event becomes a dead letter. Raises MessageStopsError where that cannot be
        written, streams.state.integrity.Incomplete, streams.state.store.Refused, and SERVICES.
        """
        read, records = held.reads[batch.tp.topic], batch.records
        if read.quarantined:
            records = [record for record in records if record.offset not in read.quarantined]
        decoded = admission.read(batch.tp.topic, records, self._given.rules.erased)
        rejected = [(records[position], rejection) for position, rejection in decoded.rejected]
        stored, source = held.head.offset(batch.tp.topic), read.source
        try:
            letters = await self._given.dead_letters.write(
                batch.tp, rejected, stored, source.letters
            )
        except NotWritten as error:
            raise MessageStopsError(error.offset, str(error)) from error
        source = source._replace(letters=letters)
        if batch.records:
            source = source._replace(mark=Mark.of(batch.records[-1]))
        children = [child for child, _ in decoded.events]
        await self.admit(held, children)
        # From here to the end nothing is awaited, so a commit sees all of the batch or none.
        known = held.state.fold(decoded.events)
        read.next, read.end, read.source = batch.end, batch.log_end, source
        read.meter.folded(batch)
        instants = [event.instant for _, event in decoded.events]
        held.latest = max([held.latest, *instants])
        held.calm.take_in(
            children,
            instants,
            held.behind,
            self._given.clock.seconds(),
            asyncio.get_running_loop().time(),
        )
        messages = len(batch.records)
        read.tallies += admission.tallied(decoded, messages, messages - len(records), known)

    async def admit(self, held: Held, children: Iterable[str]) -> None:
        """Read the records of children into memory that are not there.

        Raises streams.state.integrity.Incomplete, streams.state.store.Refused, and TROUBLE.
        """
        since = held.head.commits

        async def stored(missing: list[str]) -> admission.Stored:
            return await held.store.children(
                held.head, missing, lambda place: held.is_place(place, since)
            )

        await admission.admit(held.state, children, stored)


def _records(held: Held) -> int:
    return len(held.state.children)


def _bytes(held: Held) -> int:
    return held.state.size
