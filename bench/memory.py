"""How much of Redis a child takes, and which keys take it."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from time import sleep

from redis import Redis

from bench.bed import PARTITIONS, Bed
from bench.figures import Figure, Section, at_most
from bench.filling import case_filling
from bench.progress import Show, stage
from bench.sizes import Sizes
from examples.workload import EVENTS_A_CHILD, case_events
from processors.rules import Rules
from streams.state.redis_clients import connect_redis

# Redis writes its append-only buffer out every second.
SETTLE_SECONDS = 1.5
MOST_BYTES = 500
TITLE = "Redis memory"
MEGABYTE = 1_000_000
KINDS = ("records", "entries", "checkpoint")
# Parts of what is stored of records, and of entries, that have keys of their own.
PARTS_OF = {"record": "records", "dictionaries": "records", "added": "entries"}


def memory(bed: Bed, rules: Rules, sizes: Sizes) -> Section:
    """Bytes a child, and megabytes by kind of key."""
    bed.empty_redis()
    about = int(sizes.memory_children * EVENTS_A_CHILD)
    with bed.redis() as redis:
        before = _used(redis)
        with stage(f"filling about {sizes.memory_children:,} children", about) as show:
            events = asyncio.run(_fill(bed, rules, about, show))
        used = _used(redis) - before
        kinds, children = Counter[str](), 0
        for key, kind in _keys(redis):
            kinds[PARTS_OF.get(kind, kind)] += int(redis.memory_usage(key, samples=0) or 0)
            children += int(redis.hlen(key)) if kind == "records" else 0
    notes = (
        f"{children:,} children with {events:,} events of one year in {PARTITIONS} partitions. "
        "All: the growth of used_memory. By kind of key: MEMORY USAGE; records grow with children "
        "and their events, entries and checkpoints with months, areas and indicators alone."
    )
    figures = [Figure("all, a child", used / children, "bytes", at_most(MOST_BYTES))]
    figures.append(Figure("records, a child", kinds["records"] / children, "bytes"))
    figures.append(Figure("events, a child", events / children, "events"))
    figures += [Figure(kind, kinds.pop(kind) / MEGABYTE, "MB") for kind in KINDS]
    figures.append(Figure("other keys", kinds.total() / MEGABYTE, "MB"))
    return Section(TITLE, notes, tuple(figures))


async def _fill(bed: Bed, rules: Rules, events: int, show: Show) -> int:
    settings = bed.settings()
    redis = connect_redis(settings)
    try:
        filling = case_filling(redis, settings.deployment, rules, PARTITIONS)
        return await filling.fill(case_events(events), show)
    finally:
        await redis.aclose()


def _used(redis: Redis) -> int:
    sleep(SETTLE_SECONDS)
    return int(redis.info("memory")["used_memory"])


def _keys(redis: Redis) -> Iterator[tuple[bytes, str]]:
    """Every key with its kind: what its name says after the partition and the generation."""
    for key in redis.scan_iter():
        name = key.decode().rpartition("}")[2].strip(":")
        yield key, next((part for part in name.split(":") if not part.isdigit()), name)
