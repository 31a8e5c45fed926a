"""The state compared with the log, by `doctor --deep` and every night."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from redis import Redis as PlainRedis
from redis.asyncio import Redis

from processors.record.record import Record, Written, decode_record, seal
from processors.rules import Rules
from schemas.events.registry import VALIDATORS
from streams.alerts.duties import ElectedDuties
from streams.clock import Clock
from streams.state.integrity import number_in, opened, sealed
from streams.state.nights import Night, read_outcome
from streams.state.reconcile import Nightly, Reconcile
from tests.support.examples import LOGS, log_file
from tests.support.patience import SECONDS
from tests.support.workers import CommandLine

pytestmark = [pytest.mark.services, pytest.mark.long]

NIGHT = datetime(2015, 10, 20, 1, 0, tzinfo=UTC)  # two in the morning in London


def filled(caseline: CommandLine) -> None:
    caseline.run("ingest", log_file(LOGS[0]), code=3)
    with caseline.worker() as worker:
        caseline.wait_for_the_end([worker])


def forge_a_record(caseline: CommandLine) -> None:
    """Take an event out of a record so that nothing the head keeps gives it away."""
    with PlainRedis.from_url(caseline.settings.redis_url) as plain:
        redis: Any = plain
        base = f"caseline:{{{caseline.settings.deployment}:case-events:0}}"
        key = f"{base}:0:records"
        for name, stored in redis.hgetall(key).items():
            child, record = name.decode(), opened(name.decode(), stored)
            assert record is not None
            known = decode_record(record, caseline.rules.make_row)
            if len(known.known) > 1:
                without = Record()
                without.retracted |= known.retracted
                for event in [*known.events][:-1]:
                    without.apply(event, caseline.rules.make_row)
                forged = without.encode()
                written = Written(forged, 0, 0, seal(child, forged), number_in(stored))
                redis.hset(key, name, *sealed([written]))
                total = int(redis.hget(f"{base}:head", "kept:record_sum"))
                total += seal(child, forged) - seal(child, record)
                redis.hset(f"{base}:head", "kept:record_sum", total % 2**64)
                return
    raise AssertionError


def at(caseline: CommandLine, when: datetime) -> Night | None:
    """What is known of the last night's comparison after a look at a time."""

    async def look() -> Night | None:
        settings = caseline.settings
        async with Redis.from_url(settings.redis_url) as redis:
            clock = Clock(when - datetime.now(UTC))
            await Nightly(redis, settings, caseline.rules, clock).turn()
            return await read_outcome(redis, settings.deployment)

    return asyncio.run(look())


def test_a_deep_look_finds_what_adds_up_and_is_not_what_the_log_says(caseline: CommandLine) -> None:
    filled(caseline)
    assert caseline.run("doctor", "--deep").stdout.count("are as the log has them") == 7
    forge_a_record(caseline)
    caseline.run("doctor")
    told = caseline.run("doctor", "--deep", code=4).stdout
    assert "1 of" in told
    assert "are not as the log has them" in told
    assert "CHILD" not in told.upper().replace("CHILDREN", "")

    caseline.run("rebuild", "--yes")

    caseline.run("doctor", "--deep")


def test_every_night_the_state_is_compared_once_and_the_outcome_kept(caseline: CommandLine) -> None:
    filled(caseline)
    first = at(caseline, NIGHT)
    assert first is not None
    assert first.at is None  # nothing is due on the first day
    assert first.since == pytest.approx(NIGHT.timestamp(), abs=SECONDS)
    early = at(caseline, NIGHT + timedelta(hours=23))
    assert early == first
    good = at(caseline, NIGHT + timedelta(days=1, minutes=1))
    assert good is not None
    assert (good.shards, good.wrong) == (7, [])
    forge_a_record(caseline)
    assert at(caseline, NIGHT + timedelta(days=1, hours=5)) == good  # once a night
    bad = at(caseline, NIGHT + timedelta(days=2, minutes=1))
    assert bad is not None
    assert [text.split(":")[0] for text in bad.wrong] == ["case-events[0]"]


def test_whoever_is_elected_compares_every_night(caseline: CommandLine, rules: Rules) -> None:
    settings = caseline.settings

    async def look() -> Night | None:
        async with Redis.from_url(settings.redis_url) as redis:
            clock = Clock(NIGHT - datetime.now(UTC))
            elected = ElectedDuties(settings, rules, clock, CollectorRegistry())
            async with elected.duties(redis) as jobs:
                (reconcile,) = (it for it in jobs if it.name == "reconcile")
                await reconcile.turn()
            return await read_outcome(redis, settings.deployment)

    found = asyncio.run(look())
    assert found is not None
    assert found.day == NIGHT.date()


def test_a_shard_with_more_records_than_fit_is_compared_in_parts(
    caseline: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(caseline)
    monkeypatch.setattr("streams.state.reconcile.MOST_RECORDS", 20)

    async def wrong() -> list[str]:
        from streams.kafka.logreading import log_reader

        settings = caseline.settings
        async with (
            Redis.from_url(settings.redis_url) as redis,
            log_reader(settings.kafka, VALIDATORS) as reader,
        ):
            work = Reconcile(redis, settings.deployment, caseline.rules, reader)
            return [it.wrong async for it in work.run(NIGHT.date())]

    assert asyncio.run(wrong()) == [""] * 7
    forge_a_record(caseline)
    assert "1 of" in asyncio.run(wrong())[0]
