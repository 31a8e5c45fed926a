"""What `doctor` says of a Redis that cannot keep the state, of clocks, and of disks."""

import asyncio
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError

from streams.jobs.findings import Finding, Verdict
from streams.jobs.redis_health import clocks, disks, said_by_redis

WELL = {"aof_enabled": 1, "role": "master", "maxmemory": 1_000, "used_memory": 100}


def test_nothing_is_said_of_a_redis_that_is_well() -> None:
    assert list(said_by_redis(WELL)) == []


@pytest.mark.parametrize(
    ("info", "verdict", "words"),
    [
        ({"used_memory": 990}, Verdict.WRONG, "it is full and refuses writes"),
        ({"used_memory": 900}, Verdict.ODD, "it is nearly full"),
        ({"role": "slave"}, Verdict.WRONG, "it is a replica, which takes no writes"),
        ({"aof_enabled": 0}, Verdict.ODD, "append-only is off"),
        ({"aof_last_write_status": "err"}, Verdict.WRONG, "is its disk full?"),
        ({"rdb_last_bgsave_status": "err"}, Verdict.WRONG, "is its disk full?"),
        ({"maxmemory_policy": "allkeys-lru"}, Verdict.WRONG, "may drop parts of the tables"),
    ],
)
def test_what_keeps_a_redis_from_keeping_the_state_is_named(
    info: dict[str, Any], verdict: Verdict, words: str
) -> None:
    (found,) = said_by_redis(WELL | info)
    assert found.verdict == verdict
    assert words in found.text


def test_memory_that_only_replicas_take_is_no_full_redis() -> None:
    assert list(said_by_redis(WELL | {"used_memory": 990, "mem_not_counted_for_evict": 800})) == []


class Told:
    """A Redis that tells a time so far from this machine's, and where it keeps its data."""

    def __init__(self, apart: float = 0.0, folder: Path = Path("/")) -> None:
        self.apart, self.folder = apart, folder
        self.connection_pool = SimpleNamespace(connection_kwargs={"host": "localhost"})

    async def time(self) -> tuple[int, int]:
        return int(time.time() + self.apart), 0

    async def config_get(self, _: str) -> dict[str, str]:
        return {"dir": str(self.folder)}


class Silent(Told):
    """One that does not tell this user its time."""

    async def time(self) -> tuple[int, int]:
        raise NoPermissionError


def found(findings: Any) -> list[Finding]:
    async def gathered() -> list[Finding]:
        return [it async for it in findings]

    return asyncio.run(gathered())


@pytest.mark.parametrize(
    ("apart", "verdicts"),
    [(0.5, []), (30.0, [Verdict.ODD]), (-3_600.0, [Verdict.WRONG])],
)
def test_clocks_that_are_apart_are_odd_and_far_apart_wrong(
    apart: float, verdicts: list[Verdict]
) -> None:
    assert [it.verdict for it in found(clocks(cast(Redis, Told(apart))))] == verdicts


def test_a_redis_that_does_not_tell_its_time_is_said_to_and_nothing_more() -> None:
    (it,) = found(clocks(cast(Redis, Silent())))
    assert it.verdict == Verdict.ODD
    assert "allow +time" in it.text


@pytest.mark.parametrize(("used", "verdict"), [(50, None), (90, Verdict.ODD), (99, Verdict.WRONG)])
def test_each_disk_at_hand_that_is_nearly_full_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, used: int, verdict: Verdict | None
) -> None:
    usage = SimpleNamespace(used=used, free=100 - used)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    told = found(disks(cast(Redis, Told(folder=tmp_path)), tmp_path / "not there yet"))
    names = {it.what for it in told}
    expected = {"disk of releases", "disk of temporary files", "disk of Redis"}
    assert names == (expected if verdict else set())
    assert {it.verdict for it in told} == ({verdict} if verdict else set())
