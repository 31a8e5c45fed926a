"""The rebuild of a deployment: shard after shard is read, made anew, and switched to."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from redis.asyncio import Redis

from processors.rules import Rules
from streams import keys
from streams.jobs.rebuild.making import Made, Making, Progress
from streams.jobs.rebuild.rebuild_plan import Acknowledgement, Planning, ShardPlan
from streams.jobs.rebuild.rebuild_refusals import RebuildUnderWay
from streams.jobs.rebuild.switching import keep_counts, take_over
from streams.kafka.batches import TP
from streams.kafka.deadletters import DeadLetters
from streams.kafka.logreading import LogReader
from streams.kafka.private import Described
from streams.state.gaps import Gap
from streams.state.quarantine import forget_others, quarantined_in

LOCK_SECONDS = 120


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
            of = self.redis, self.deployment, self.rules
            planning = Planning(*of, self.reader, self.acknowledged, self.notes)
            described = await self.reader.describe()
            changed = await planning.changed_groups(described)
            waiting: list[Made] = []
            for plan in await planning.shards(described, changed):
                made: list[Made] = []
                async for progress in self._make(plan, described, made):
                    await lock.reacquire()
                    yield progress
                if plan.shard.topic in changed:
                    waiting += made
                else:
                    await take_over(made)
            await take_over(waiting)
            await keep_counts(*of, described, changed)
        finally:
            await lock.release()

    async def _make(
        self, plan: ShardPlan, described: Described, made: list[Made]
    ) -> AsyncIterator[Progress]:
        most = self.records_in_memory, self.bytes_in_memory
        making = Making(self.rules, self.reader, self.dead_letters, *most)
        await forget_others(self.redis, plan.store, described, plan.others)
        quarantined = await quarantined_in(self.redis, plan.store)
        skipped: set[tuple[TP, int]] = {(it.tp, it.offset) for it in quarantined}
        partitions = described.logs[plan.shard.topic].partitions
        async for progress in making.make(plan, skipped, partitions, made):
            yield progress
        self.gaps += plan.gaps[len(plan.head.gaps) :]
