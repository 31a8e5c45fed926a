"""Whether Redis can keep the state: what it says of itself, its clock, and the disks at hand."""

import shutil
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, RedisError

from streams.jobs.findings import Finding, Verdict

# Parts of the memory, and of a disk, beyond which it is nearly full, and as good as full.
NEARLY_FULL, FULL = 0.85, 0.98
# Seconds that clocks may differ by, and by which figures of today may be of another day.
CLOCKS_APART, CLOCKS_FAR_APART = 2.0, 60.0


def said_by_redis(info: dict[str, Any]) -> Iterator[Finding]:
    """What is odd or wrong about a Redis by its own words (INFO)."""
    yield from _persistence(info)
    if info.get("maxmemory_policy", "noeviction") != "noeviction":
        text = f"{info['maxmemory_policy']} may drop parts of the tables (set noeviction)"
        yield Finding(Verdict.WRONG, "Redis eviction", text)
    if info.get("role", "master") != "master":
        text = (
            "it is a replica, which takes no writes: nothing new is counted (name the master in "
            "CASELINE_REDIS_URL, or make this one the master)"
        )
        yield Finding(Verdict.WRONG, "Redis role", text)
    yield from _memory(info)


def _persistence(info: dict[str, Any]) -> Iterator[Finding]:
    if not info.get("aof_enabled"):
        text = (
            "append-only is off: after a restart workers fold the log again from the last "
            "snapshot, or from its start (set appendonly yes)"
        )
        yield Finding(Verdict.ODD, "Redis persistence", text)
    for field in ("aof_last_write_status", "aof_last_bgrewrite_status", "rdb_last_bgsave_status"):
        if info.get(field, "ok") != "ok":
            text = (
                f"it cannot save ({field}: {info[field]}), and may refuse writes: is its disk full?"
            )
            yield Finding(Verdict.WRONG, "Redis persistence", text)


def _memory(info: dict[str, Any]) -> Iterator[Finding]:
    most = int(info.get("maxmemory", 0))
    used = int(info.get("used_memory", 0)) - int(info.get("mem_not_counted_for_evict", 0))
    if most and used > NEARLY_FULL * most:
        is_full = used > FULL * most
        text = f"{used:,} of {most:,} bytes are in use: "
        text += "it is full and refuses writes" if is_full else "it is nearly full"
        verdict = Verdict.WRONG if is_full else Verdict.ODD
        yield Finding(verdict, "Redis memory", f"{text} (raise maxmemory)")


async def clocks(redis: Redis) -> AsyncIterator[Finding]:
    """Whether Redis's clock and this machine's agree."""
    before = time.time()
    try:
        seconds, microseconds = await redis.time()
    except NoPermissionError:
        text = "Redis does not tell this user its time: allow +time (docs/operating.md)"
        yield Finding(Verdict.ODD, "clocks", text)
        return
    apart = abs(seconds + microseconds / 1_000_000 - (before + time.time()) / 2)
    if apart > CLOCKS_APART:
        verdict = Verdict.WRONG if apart > CLOCKS_FAR_APART else Verdict.ODD
        text = f"this machine's and Redis's are {apart:,.0f} seconds apart: set both by NTP"
        yield Finding(verdict, "clocks", text)


async def disks(redis: Redis, releases: Path) -> AsyncIterator[Finding]:
    """Whether disks that this machine can see are nearly full: its own, and Redis's."""
    places = {"disk of releases": releases, "disk of temporary files": Path(gettempdir())}
    with suppress(RedisError):  # Redis may not let everyone read its settings
        found: Any = await redis.config_get("dir")
        if is_local(redis) and Path(found["dir"]).is_dir():
            places["disk of Redis"] = Path(found["dir"])
    for name, path in places.items():
        whole = path.absolute()
        there = next(it for it in (whole, *whole.parents) if it.exists())
        usage = shutil.disk_usage(there)
        part = usage.used / (usage.used + usage.free)
        if part > NEARLY_FULL:
            verdict = Verdict.WRONG if part > FULL else Verdict.ODD
            yield Finding(verdict, name, f"{part:.0%} of it is in use ({there}): make room")


def is_local(redis: Redis) -> bool:
    """Whether Redis runs on this machine, going by its address."""
    pool = getattr(redis, "connection_pool", None)  # which a Cluster's client has not
    given: dict[str, Any] = pool.connection_kwargs if pool else {}
    return "path" in given or given.get("host") in {"127.0.0.1", "::1", "localhost"}
