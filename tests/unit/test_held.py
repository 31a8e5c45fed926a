"""What a worker holds of a shard, and when nothing of it is being stored."""

import asyncio

from processors.fold import Partition
from processors.rules import Rules
from streams.kafka.batches import TP
from tests.support.parts_of_worker import held


def test_whoever_waits_for_a_commit_waits_for_the_one_that_began_as_it_ended(rules: Rules) -> None:
    async def wait() -> None:
        shard = held(TP("case-events", 0), Partition(rules))
        stored = [asyncio.Event(), asyncio.Event()]

        def begin(number: int) -> asyncio.Task[None]:
            shard.commits.task = asyncio.create_task(_until(stored[number]))
            return shard.commits.task

        first = begin(0)
        first.add_done_callback(lambda _: begin(1))
        waiting = asyncio.create_task(shard.committed())
        await asyncio.sleep(0)
        stored[0].set()
        await first
        for _ in range(10):
            await asyncio.sleep(0)
        assert shard.is_committing
        assert not waiting.done()
        stored[1].set()
        await waiting
        assert not shard.is_committing

    asyncio.run(wait())


async def _until(event: asyncio.Event) -> None:
    await event.wait()
