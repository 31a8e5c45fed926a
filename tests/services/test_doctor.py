"""Doctor: exit code 0 for a deployment that is well, 4 and the name of what is wrong otherwise."""

from typing import Any

import pytest
from kafka.admin import ConfigResource, KafkaAdminClient
from redis import Redis as PlainRedis

from streams.jobs.doctor import MOST_WAITING
from tests.support.alerting import change, recording
from tests.support.examples import LOGS, log_file
from tests.support.workers import CommandLine, finished, wait_until

pytestmark = [pytest.mark.services, pytest.mark.long]

NOWHERE = "127.0.0.1:1"  # a port nobody listens on


def wrong(caseline: CommandLine, **changed: object) -> list[str]:
    """What is wrong, line by line; fails unless the exit code says so too."""
    told = caseline.run("doctor", code=4, **changed).stdout
    lines = [line.strip() for line in told.splitlines()]
    found = [line for line in lines if line.startswith("wrong ")]
    assert f"{len(found)} wrong" in lines
    return found


def is_well(caseline: CommandLine) -> bool:
    return "Nothing wrong." in caseline.start("doctor").communicate()[0]


def test_a_deployment_that_is_well_is_exit_code_0_and_the_lag_is_told(
    caseline: CommandLine,
) -> None:
    with caseline.worker() as worker:
        worker.wait_to_hold(7)
        caseline.run("ingest", log_file(LOGS[0]), code=3)
        ends = caseline.wait_for_the_end([worker])
        told = caseline.run("doctor").stdout
    assert "Nothing wrong." in told
    assert "1 running, lag 0 in all" in told
    for tp, end in ends.items():
        assert f"offset {end} of {end}, lag 0" in told, tp


def test_events_that_no_worker_takes_in_are_wrong(caseline: CommandLine) -> None:
    caseline.run("ingest", log_file(LOGS[0]), code=3)
    *stateless, found = wrong(caseline)
    assert "none is running, lag 1,891 in all: start `caseline worker`" in found
    assert len(stateless) == 7
    assert all("and there is no state of it" in line for line in stateless)


# What docs/runbook.md has done of a key of another type, "A key of another type".
DELETED, REBUILT = {"partitions", "alerts:outbox"}, {"head", "alerts:outbox"}


@pytest.mark.parametrize("part", ["head", "0:records", "0:entries", "partitions", "alerts:outbox"])
def test_a_key_of_another_type_is_wrong_and_not_a_traceback_and_the_runbook_mends_it(
    caseline: CommandLine, part: str
) -> None:
    caseline.run("ingest", log_file(LOGS[0]), code=3)
    with caseline.worker() as worker:
        caseline.wait_for_the_end([worker])
    name = caseline.settings.deployment
    with PlainRedis.from_url(caseline.settings.redis_url) as redis:
        if part == "0:entries":
            key: Any = redis.keys(f"caseline:{{{name}:case-events:0}}:0:entries:*")[0]
        elif part == "partitions":
            key = f"caseline:{{{name}}}:partitions"
        else:
            key = f"caseline:{{{name}:case-events:0}}:{part}"
        redis.delete(key)
        if part == "0:entries":
            redis.rpush(key, "x")
        else:
            redis.set(key, "x")
        assert wrong(caseline)
        if part in DELETED:
            redis.delete(key)
    if part in DELETED | REBUILT:
        with caseline.worker() as worker:
            if part in REBUILT:
                caseline.run("rebuild", "--yes")
            wait_until(lambda: is_well(caseline), "it is mended", [worker])


def test_services_that_do_not_answer_are_wrong_and_the_other_is_still_looked_at(
    caseline: CommandLine,
) -> None:
    no_redis = caseline.start("doctor", redis_url=f"redis://:hush@{NOWHERE}/0")
    no_kafka = caseline.start("doctor", kafka_bootstrap=NOWHERE)
    for process, service, other in (
        (no_redis, "Redis", "kept for ever"),
        (no_kafka, "Kafka", "version"),
    ):
        told = finished(process, 4).stdout
        assert f"wrong  {service}" in told
        assert other in told
        assert "hush" not in told


def test_topics_that_are_missing_are_wrong(bare: CommandLine) -> None:
    found = wrong(bare)
    for topic in ("case-events", "reference-events"):
        for name in (topic, f"{topic}.dead-letter"):
            assert any(name in line.split() and "topics create" in line for line in found), name


def test_a_topic_that_forgets_is_wrong(caseline: CommandLine) -> None:
    admin = KafkaAdminClient(bootstrap_servers=caseline.settings.kafka_bootstrap)
    try:
        short = {"retention.ms": "3600000"}
        admin.alter_configs([ConfigResource("TOPIC", "case-events", configs=short)])
    finally:
        admin.close()
    (found,) = wrong(caseline)
    assert "case-events " in found
    assert "retention.ms=3600000" in found


def test_alerts_that_nobody_tells_of_are_odd(caseline: CommandLine) -> None:
    with caseline.worker() as worker:
        worker.wait_to_hold(7)
    with recording(caseline) as recorder:
        recorder.record(*map(change, range(MOST_WAITING)))
        assert "wait in Redis" not in caseline.run("doctor").stdout
        recorder.record(change(), place=None)
    told = caseline.run("doctor").stdout
    assert "5,001 changes wait in Redis to be told" in told
    assert "is `caseline alerts run` running?" in told
