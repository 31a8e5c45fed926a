"""No child's id gets into a log, whatever Redis refuses in the middle of a worker's work."""

from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest
from redis import Redis

from examples.workload import case_events
from tests.support.feeder import feeding
from tests.support.workers import CommandLine, RunningWorker, wait_until

pytestmark = pytest.mark.services

TOPIC = "case-events"
BURST = 500
Fault = Callable[[Any, str], None]


def wrong_type(redis: Any, prefix: str) -> None:
    for key in redis.scan_iter(match=f"{prefix}*:deadlines"):
        redis.rename(key, f"aside:{key.decode()}")
        redis.rpush(key, "no text")


def right_type(redis: Any, prefix: str) -> None:
    for aside in redis.scan_iter(match=f"aside:{prefix}*"):
        redis.rename(aside, aside.decode().removeprefix("aside:"))


def full(redis: Any, _: str) -> None:
    redis.config_set("maxmemory", 1)


def roomy(redis: Any, _: str) -> None:
    redis.config_set("maxmemory", 0)


def forbidden(redis: Any, _: str) -> None:
    redis.acl_setuser("default", enabled=True, commands=["-rpush", "-hset"])


def allowed(redis: Any, _: str) -> None:
    redis.acl_setuser("default", enabled=True, categories=["+@all"])


def read_only(redis: Any, _: str) -> None:
    redis.replicaof("127.0.0.1", 1)


def writable(redis: Any, _: str) -> None:
    redis.replicaof("NO", "ONE")


# What a fault is told by; of a wrong type, either what Redis says or what a look at the keys finds.
FAULTS: list[tuple[tuple[str, ...], Fault, Fault]] = [
    (("WRONGTYPE", "deadlines has another type"), wrong_type, right_type),
    (("OOM",), full, roomy),
    (("NOPERM",), forbidden, allowed),
    (("READONLY",), read_only, writable),
]


def wait_for_warning(worker: RunningWorker, codes: tuple[str, ...]) -> None:
    wait_until(
        lambda: any(
            line["level"] == "warning" and any(code in str(line) for code in codes)
            for line in worker.lines
        ),
        f"{codes} is logged",
        [worker],
    )


def test_what_redis_refuses_is_logged_by_its_code_and_without_ids(caseline: CommandLine) -> None:
    messages = list(islice(case_events(5_000, seed=4), 5 * BURST))
    children = {key.decode() for key, _ in messages}
    prefix = f"caseline:{{{caseline.settings.deployment}:"
    with (
        Redis.from_url(caseline.settings.redis_url) as redis,
        feeding(caseline.settings.kafka_bootstrap, TOPIC, messages) as feeder,
        caseline.worker() as worker,
    ):
        feeder.burst(BURST).result()
        caseline.wait_for_the_end([worker])
        for codes, cause, heal in FAULTS:
            try:
                cause(redis, prefix)
                feeder.burst(BURST).result()
                wait_for_warning(worker, codes)
            finally:
                heal(redis, prefix)
            caseline.wait_for_the_end([worker])
        logged = worker.text
    assert "commit failed" in logged
    assert [child for child in children if child in logged] == []
    assert "aside:" not in logged
