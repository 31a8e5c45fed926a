"""New states take over from old ones, and shards that there are no more go."""

from redis.asyncio import Redis

from processors.rules import Rules
from streams.jobs.rebuild.making import Made
from streams.kafka.batches import TP
from streams.kafka.private import Described
from streams.state.reading import known_shards, partitions_key
from streams.state.sources import counts_key
from streams.state.store import Head, Refused, ShardStore, shard_of

# Times a switch is tried again because a worker committed at that very moment.
SWITCH_TRIES = 20


async def take_over(made: list[Made]) -> None:
    """Switch to new states, and only then remove the old ones."""
    for plan, to, _ in made:
        await _switch(plan.store, plan.head, to)
    for plan, _, olds in made:
        for generation in olds:
            await plan.store.drop(generation)


async def _switch(store: ShardStore, head: Head, to: Head) -> None:
    for tries_left in reversed(range(SWITCH_TRIES)):
        try:
            await store.switch(head, to)
        except Refused:
            if not tries_left:
                raise
        else:
            return


async def keep_counts(
    redis: Redis, deployment: str, rules: Rules, described: Described, changed: set[str]
) -> None:
    """Drop the shards that there are no more, and only then keep the new numbers."""
    counts = {
        group: log.partitions
        for group, log in described.logs.items()
        if shard_of(TP(group, 0)).topic == group
    }
    for shard in await known_shards(redis, deployment):
        if shard.topic in changed and shard.partition >= counts[shard.topic]:
            store = ShardStore(redis, deployment, shard, rules)
            await store.remove()
            await redis.srem(partitions_key(deployment), f"{shard.topic}:{shard.partition}")
    for group, count in counts.items():
        await redis.hset(counts_key(deployment), group, str(count))
