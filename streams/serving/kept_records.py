"""What a process holds of every record, kept up with the state.

Every record is read once. When the state has moved, the log says whose records changed, and those
alone are read again; where it does not, or the state was made anew, all are.

What has to be read is read for all who ask meanwhile together, and goes on when nobody waits for it
any more: who has waited for long is told how far it is.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice
from typing import Generic, Protocol, Self, TypeVar

from redis.asyncio import Redis

from processors.rules import Rules
from schemas.events.registry import REFERENCE_TOPIC, topics_in
from schemas.settings import Settings
from streams.kafka.batches import TP
from streams.kafka.changed_keys import changed_keys
from streams.serving.live_figures import ANSWER_SECONDS, LIST_SECONDS, answered
from streams.serving.problems import Problem
from streams.serving.shared_work import SharedWork
from streams.state.reading import shards_of
from streams.state.store import Head, ShardStore

# Records that are put into what is held together, and of these how many are read at a time;
# between, whoever else is served has a turn.
AT_ONCE, READ_AT_ONCE = 1_000, 250
# So many records are there in a moment, and waited for however busy the machine is.
FEW = 20_000
# When to ask again for what is not read yet, in seconds.
AGAIN_SECONDS = 15
# How long is waited for what is of now where what is of before would do, and how old that may be.
LATELY_SECONDS, OLDEST_SECONDS = 2.0, 600.0


class HeldRecords(Protocol):
    """What is held of the records of a shard."""

    @property
    def children(self) -> int:
        """Of how many children, or places, something is held."""

    def copy(self) -> Self:
        """The same, of which what is held changes apart."""

    def forget(self, names: Iterable[str], /) -> None:
        """Hold nothing more of some."""


H = TypeVar("H", bound=HeldRecords)
# Has the first hold what records say, as they are stored, in place of what is held of the same;
# whoever else is served has a turn meanwhile.
Put = Callable[[H, Mapping[str, bytes]], Awaitable[None]]


@dataclass(frozen=True)
class _OfShard(Generic[H]):
    """What is held of a shard, and where it stood when that was read."""

    head: Head
    records: H


class KeptRecords(Generic[H]):
    """What is held of every shard: `make` begins with one, `put` has it hold records.

    `what` it is, as people are told.
    """

    def __init__(
        self,
        redis: Redis,
        settings: Settings,
        rules: Rules,
        make: Callable[[], H],
        put: Put[H],
        what: str,
    ) -> None:
        self._redis, self._settings, self._rules = redis, settings, rules
        self._make, self._put_in, self._what = make, put, what
        self.wait_seconds, self.few = ANSWER_SECONDS, FEW
        self._shards: dict[TP, _OfShard[H]] = {}
        self._updates = SharedWork[None]()
        self._read_so_far, self._to_read = 0, 0
        self._awaited_until = 0.0
        self.lately_seconds = LATELY_SECONDS
        # When the last reading of all shards began; None where what is held is no part of what is
        # there now.
        self._all_read_at: float | None = None

    async def aclose(self) -> None:
        """Read nothing more."""
        await self._updates.aclose()

    @property
    def is_awaited(self) -> bool:
        """Whether anything is being read, or much was until now and is about to be asked for."""
        return self._updates.is_at_work(None) or time.monotonic() < self._awaited_until

    async def now(self) -> list[H]:
        """What is held of each shard, as of now or later; nobody changes it afterwards.

        Raises Problem, also where much is to be read.
        """
        return await self._ended(self._begun())

    async def lately(self) -> tuple[list[H], float]:
        """What is held, each shard of one moment, and how many seconds ago that was at most.

        As of now where that is not long to wait for. Raises Problem as `now` does, where nothing is
        held of all shards, or nothing as young as that.
        """
        update = self._begun()
        try:
            await asyncio.wait([update], timeout=self.lately_seconds)
        except asyncio.CancelledError:
            update.cancel()
            raise
        age = time.monotonic() - (self._all_read_at or -OLDEST_SECONDS)
        if update.done() or age > OLDEST_SECONDS:
            return await self._ended(update), 0.0
        update.cancel()
        return self._held(), age

    def _begun(self) -> "asyncio.Future[None]":
        return self._updates.begun_from_now(None, lambda: answered(self._update(), None))

    async def _ended(self, update: "asyncio.Future[None]") -> list[H]:
        """What is held once it has been brought up. Raises Problem."""
        try:
            await asyncio.wait([update], timeout=self.wait_seconds)
            if not update.done() and self._to_read - self._read_so_far > self.few:
                raise self._not_ready()
            async with asyncio.timeout(LIST_SECONDS):
                await update
        except TimeoutError as error:
            raise self._not_ready() from error
        finally:
            update.cancel()  # of which nobody is told any more; what it waits for goes on
        return self._held()

    def _held(self) -> list[H]:
        return [it.records for it in self._shards.values()]

    def _not_ready(self) -> Problem:
        far = f"{self._read_so_far:,} of {self._to_read:,} records are read"
        return Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            f"{self._what} being made ready: {far}. Ask again in a moment; figures are shown "
            "meanwhile",
            headers={"Retry-After": str(AGAIN_SECONDS)},
        )

    async def _update(self) -> None:
        began = time.monotonic()
        there = await stores_there(self._redis, self._settings, self._rules)
        self._read_so_far, self._to_read = 0, 0
        kept = {shard for shard, _, _ in there}
        self._shards = {shard: it for shard, it in self._shards.items() if shard in kept}
        if not all(self._is_of(shard, head) for shard, _, head in there):
            self._all_read_at = None
        behind: list[tuple[TP, ShardStore, Head, set[str] | None]] = []
        for shard, store, head in there:
            held = self._shards.get(shard)
            if held is None or held.head.place != head.place:
                changed = await self._changed(shard, held.head, head) if held else None
                behind.append((shard, store, head, changed))
                self._to_read += head.kept.records if changed is None else len(changed)
        for shard, store, head, changed in behind:
            held = self._shards.get(shard)
            if held is not None and changed is not None:
                held = _OfShard(head, held.records.copy())
                await self._read_again(store, held, sorted(changed))
            if held is None or changed is None or held.records.children != head.kept.records:
                # Such as when a record went without an event.
                held = _OfShard(head, self._make())
                await self._read(store, held)
            self._shards[shard] = held
        self._all_read_at = began
        if self._to_read > self.few:
            self._awaited_until = time.monotonic() + 2 * AGAIN_SECONDS

    def _is_of(self, shard: TP, head: Head) -> bool:
        """Whether what is held of a shard is of the state that is there, now or earlier."""
        return shard in self._shards and self._shards[shard].head.generation == head.generation

    async def _changed(self, shard: TP, before: Head, now: Head) -> set[str] | None:
        if before.generation != now.generation:
            return None
        topics = topics_in(shard.topic)
        since, until = (
            {TP(topic, shard.partition): head.offset(topic) for topic in topics}
            for head in (before, now)
        )
        # To read a message costs half of what a record does, and most are of one to be read again.
        return await changed_keys(self._settings.kafka, since, until, now.kept.records)

    async def _read(self, store: ShardStore, held: _OfShard[H]) -> None:
        """Every record of a shard."""
        waiting: dict[str, bytes] = {}
        async for child, stored in store.all_records(held.head):
            waiting[child] = stored
            if len(waiting) == AT_ONCE:
                await self._put(held.records, waiting)
                waiting = {}
        await self._put(held.records, waiting)

    async def _read_again(self, store: ShardStore, held: _OfShard[H], names: Sequence[str]) -> None:
        """The records of some, who may have none any more."""
        for some in parts(names, AT_ONCE):
            stored = await store.records(held.head, some)
            pairs = zip(some, stored, strict=True)
            there = {name: it for name, it in pairs if it is not None}
            held.records.forget(it for it in some if it not in there)
            await self._put(held.records, there)

    async def _put(self, records: H, stored: Mapping[str, bytes]) -> None:
        await self._put_in(records, stored)
        self._read_so_far += len(stored)


async def stores_there(
    redis: Redis, settings: Settings, rules: Rules
) -> list[tuple[TP, ShardStore, Head]]:
    """The shards that have state, but for what others supply. Raises Understood."""
    stores = {
        it: ShardStore(redis, settings.deployment, it, rules)
        for it in await shards_of(redis, settings.deployment)
        if it.topic != REFERENCE_TOPIC
    }
    heads = await asyncio.gather(*(store.head() for store in stores.values()))
    return [
        (shard, store, head)
        for (shard, store), head in zip(stores.items(), heads, strict=True)
        if head is not None
    ]


def parts(names: Iterable[str], at_once: int) -> Iterable[list[str]]:
    """Names, so many at a time."""
    rest = iter(names)
    while some := list(islice(rest, at_once)):
        yield some
