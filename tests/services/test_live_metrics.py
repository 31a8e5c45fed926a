"""The metrics of a deployment are its scorecard, alerts and releases, and say what fails."""

import asyncio
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from redis import Redis as PlainRedis
from redis.asyncio import Redis

from processors.days.calendar import LONDON
from processors.rules import Rules
from schemas.events.registry import topic_names
from schemas.scorecard import ScorecardRow
from schemas.settings import Settings
from snapshots.making.draft import withdrawal
from snapshots.releases.chain import requested, seal
from snapshots.releases.folder import ReleaseFolder
from streams.kafka.batches import TP
from streams.kafka.topics import planned_topics
from streams.metrics.deployment import LiveMetrics
from streams.metrics.families import FAMILIES
from streams.state.nights import outcome_key
from tests.support.examples import DATES, log_file
from tests.support.monitoring import Programs
from tests.support.releases import bare_release
from tests.support.workers import CommandLine

MOST_SERIES = 13_000
NOWHERE = "127.0.0.1:1"  # a port nobody listens on
MONDAY = datetime(2015, 10, 5, 12, 0, tzinfo=LONDON)

Look = Callable[[Settings, datetime], CollectorRegistry]


@pytest.fixture
def look(rules: Rules) -> Look:
    """Refreshes metrics of a deployment once, at a time."""

    def look(settings: Settings, now: datetime) -> CollectorRegistry:
        registry = CollectorRegistry()

        async def refresh() -> None:
            async with Redis.from_url(settings.redis_url) as redis:
                await LiveMetrics(settings, rules, redis, registry, lambda: now).refresh()

        asyncio.run(refresh())
        return registry

    return look


def unreachable(folder: Path) -> Settings:
    """Settings of a deployment of which nothing but the release folder is there."""
    return Settings(kafka_bootstrap=NOWHERE, redis_url=f"redis://{NOWHERE}", releases=folder)


def number_of_series(registry: CollectorRegistry) -> int:
    return sum(len(family.samples) for family in registry.collect())


def assert_shows(registry: CollectorRegistry, row: ScorecardRow, rules: Rules) -> None:
    """The row's figures are there, and what has no meaning is not."""
    indicator = next(it for it in rules.catalogue.indicator if it.code == row.code)
    cell = {"code": row.code, "area": row.area, "age_band": row.age_band}
    shown = {
        name: registry.get_sample_value(f"caseline_indicator_{name}", cell)
        for name in ("numerator", "denominator", "value", "ratio")
    }
    is_there = row.status in ("reported", "no-cases")
    is_percent = indicator.unit == "percent"
    is_count = indicator.denominator is None
    value = None if row.value is None or not is_there else float(row.value)
    assert shown == {
        "numerator": row.numerator if is_there else None,
        "denominator": row.denominator if is_there and not is_count else None,
        "value": None if is_percent else value,
        "ratio": value / 100 if is_percent and value is not None else None,
    }, row


@pytest.mark.services
def test_metrics_show_every_cell_of_the_scorecard_in_bounded_series(
    caseline: CommandLine, rules: Rules, look: Look, monitoring_programs: Programs
) -> None:
    caseline.run("ingest", log_file("messy-11"), code=3)
    with caseline.worker():
        caseline.wait_for_the_end()
    day = DATES[-1]
    registry = look(caseline.settings, datetime(day.year, day.month, day.day, 12, tzinfo=LONDON))

    for row in caseline.rows(day):
        assert_shows(registry, row, rules)
    assert number_of_series(registry) <= MOST_SERIES
    for name in ("redis", "kafka", "scorecard", "releases"):
        assert registry.get_sample_value(f"caseline_{name}_up") == 1, name
    lags = {
        (sample.labels["topic"], sample.labels["partition"]): sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name == "caseline_table_lag_events"
    }
    partitions = {plan.name: plan.partitions for plan in planned_topics(caseline.settings)}
    assert lags == {
        (topic, str(partition)): 0.0
        for topic in topic_names()
        for partition in range(partitions[topic])
    }
    latest = max(head.latest for head in caseline.heads().values()) / 1_000_000
    assert registry.get_sample_value("caseline_latest_event_timestamp_seconds") == latest
    monitoring_programs.check(
        "promtool", "check", "metrics", text=generate_latest(registry).decode()
    )


@pytest.mark.services
def test_it_is_shown_how_many_days_ago_alerts_were_judged(
    caseline: CommandLine, look: Look
) -> None:
    settings = caseline.settings
    prefix = f"caseline:{{{settings.deployment}"

    def age(kind: str) -> float | None:
        return look(settings, MONDAY).get_sample_value(
            "caseline_alerts_unjudged_midnights", {"kind": kind}
        )

    with PlainRedis.from_url(settings.redis_url) as redis:
        redis.sadd(f"{prefix}}}:partitions", "case-events:0", "case-events:1")
        redis.zadd(f"{prefix}:case-events:0}}:alerts:judged", {"at": MONDAY.timestamp()})
        assert age("cases") is None  # nobody has looked at the other shard
        before_midnight = (MONDAY - timedelta(hours=12, minutes=1)).timestamp()
        redis.zadd(f"{prefix}:case-events:1}}:alerts:judged", {"at": before_midnight})
        redis.zadd(f"{prefix}}}:alerts:judged", {"at": MONDAY.timestamp()})
    assert (age("cases"), age("indicators")) == (1, 0)


@pytest.mark.services
def test_what_came_of_the_nights_comparison_is_shown_also_where_no_scorecard_can_be_read(
    caseline: CommandLine, look: Look
) -> None:
    settings, when = caseline.settings, "caseline_reconciled_timestamp_seconds"
    assert look(settings, MONDAY).get_sample_value(when) is None
    outcome: dict[str, Any] = {"day": f"{MONDAY:%Y-%m-%d}", "at": MONDAY.timestamp(), "shards": 7}
    with PlainRedis.from_url(settings.redis_url) as redis:
        waiting: dict[str, Any] = {"day": outcome["day"], "since": MONDAY.timestamp() - 7}
        redis.hset(outcome_key(settings.deployment), mapping=waiting)
        registry = look(settings, MONDAY)
        assert registry.get_sample_value(when) == MONDAY.timestamp() - 7
        assert registry.get_sample_value("caseline_reconciled_wrong_shards") is None
        redis.hset(outcome_key(settings.deployment), mapping={**outcome, "wrong": "a: x\nb: y"})
    registry = look(settings, MONDAY)
    assert registry.get_sample_value("caseline_scorecard_up") == 0
    assert registry.get_sample_value(when) == MONDAY.timestamp()
    assert registry.get_sample_value("caseline_reconciled_wrong_shards") == 2


@pytest.mark.services
def test_active_alerts_are_summed_over_partitions_and_known_standards_without_any_are_zero(
    caseline: CommandLine, look: Look
) -> None:
    settings = caseline.settings
    cases = [f"{settings.deployment}:case-events:{partition}" for partition in (0, 1)]

    async def write() -> None:
        async with Redis.from_url(settings.redis_url) as redis:
            await redis.sadd(
                f"caseline:{{{settings.deployment}}}:partitions", "case-events:0", "case-events:1"
            )
            for prefix in (*cases, settings.deployment):
                key = f"caseline:{{{prefix}}}:alerts:counts"
                await redis.hset(key, mapping={"unit-plan breached": 2, "own due-soon": 1})

    asyncio.run(write())
    registry = look(settings, MONDAY)

    def active(standard: str, state: str) -> float | None:
        labels = {"standard": standard, "state": state}
        return registry.get_sample_value("caseline_alerts_active", labels)

    assert active("unit-plan", "breached") == 6
    assert active("own", "due-soon") == 3
    assert active("unit-contact", "due-soon") == 0


def test_what_does_not_answer_is_told_and_the_rest_is_looked_at(look: Look, tmp_path: Path) -> None:
    registry = look(unreachable(tmp_path), MONDAY)
    for name, up in (("redis", 0), ("kafka", 0), ("scorecard", 0), ("releases", 1)):
        assert registry.get_sample_value(f"caseline_{name}_up") == up, name


@pytest.mark.parametrize(
    ("now", "working"),
    [
        (MONDAY, 1),
        (MONDAY.replace(hour=8, minute=59), 0),
        (MONDAY.replace(hour=17), 0),
        (datetime(2015, 10, 4, 12, tzinfo=LONDON), 0),  # a Sunday
        (datetime(2015, 12, 25, 12, tzinfo=LONDON), 0),
    ],
)
def test_working_hours_are_those_of_england(
    look: Look, tmp_path: Path, now: datetime, working: int
) -> None:
    registry = look(unreachable(tmp_path), now)
    assert registry.get_sample_value("caseline_is_working_time") == working


def test_a_month_that_is_due_is_overdue_until_it_has_a_release(
    look: Look, rules: Rules, tmp_path: Path
) -> None:
    # October's figures are due on the fifth working day of November, Friday the 6th, at 6:00.
    now = datetime(2015, 11, 6, 7, 30, tzinfo=LONDON)
    before = look(unreachable(tmp_path), now)
    assert before.get_sample_value("caseline_snapshot_overdue_seconds") == 90 * 60
    assert before.get_sample_value("caseline_snapshot_age_seconds") is None

    release = bare_release([], (), rules.areas, ("all",), "2015-10", 1)
    ReleaseFolder(tmp_path).write(seal(release))
    after = look(unreachable(tmp_path), now)
    assert after.get_sample_value("caseline_snapshot_overdue_seconds") == 0
    released = datetime(2015, 11, 1, tzinfo=LONDON)
    age = after.get_sample_value("caseline_snapshot_age_seconds")
    assert age == (now - released).total_seconds()
    labels = {"period": "2015-10", "kind": "first"}
    assert after.get_sample_value("caseline_snapshot_released_info", labels) == 1


def test_a_month_without_a_release_that_stands_is_overdue(
    look: Look, rules: Rules, tmp_path: Path
) -> None:
    """One from before the month was over does not count, nor does one that was withdrawn."""
    now = datetime(2015, 11, 6, 7, 30, tzinfo=LONDON)
    release = bare_release([], (), rules.areas, ("all",), "2015-10", 1)
    early = seal(release.model_copy(update={"released_on": date(2015, 10, 20)}))
    ReleaseFolder(tmp_path).write(early)
    registry = look(unreachable(tmp_path), now)
    assert registry.get_sample_value("caseline_snapshot_overdue_seconds") == 90 * 60
    request = requested("2015-10", "withdrawn", "analyst", "Too early.")
    ReleaseFolder(tmp_path).write(seal(withdrawal([early], request, date(2015, 11, 2))))
    registry = look(unreachable(tmp_path), now)
    assert registry.get_sample_value("caseline_snapshot_overdue_seconds") == 90 * 60
    assert registry.get_sample_value("caseline_snapshot_age_seconds") is None


def test_a_release_that_was_tampered_with_is_told(look: Look, rules: Rules, tmp_path: Path) -> None:
    ReleaseFolder(tmp_path).write(seal(bare_release([], (), rules.areas, ("all",), "2015-10", 1)))
    stored = tmp_path / "2015-10" / "001" / "release.json"
    stored.chmod(0o644)
    stored.write_bytes(stored.read_bytes().replace(b"late data", b"no reason"))
    registry = look(unreachable(tmp_path), MONDAY)
    assert registry.get_sample_value("caseline_releases_up") == 0


def test_no_label_can_hold_a_case_or_a_child() -> None:
    labels = {label for _, names in FAMILIES.values() for label in names}
    assert labels == {
        *("code", "area", "age_band", "title", "family", "unit", "polarity", "level", "parent"),
        "place",
        *("standard", "state", "topic", "partition", "period", "kind"),
    }


@pytest.mark.services
def test_a_state_that_was_emptied_shows_its_lag_and_one_that_lacks_a_part_that_it_does(
    caseline: CommandLine, look: Look
) -> None:
    caseline.run("ingest", log_file("messy-11"), code=3)
    with caseline.worker():
        ends = caseline.wait_for_the_end()
    zero = {"topic": "case-events", "partition": "0"}
    end = ends[TP("case-events", 0)]
    registry = look(caseline.settings, MONDAY)
    assert registry.get_sample_value("caseline_table_offset_events", zero) == end
    assert registry.get_sample_value("caseline_state_complete", zero) == 1

    with PlainRedis.from_url(caseline.settings.redis_url) as redis:
        redis.delete(f"caseline:{{{caseline.settings.deployment}:case-events:0}}:0:records")
        registry = look(caseline.settings, MONDAY)
        assert registry.get_sample_value("caseline_state_complete", zero) == 0
        redis.flushall()
    registry = look(caseline.settings, MONDAY)
    assert registry.get_sample_value("caseline_table_lag_events", zero) == end
    assert registry.get_sample_value("caseline_table_offset_events", zero) == 0
    assert registry.get_sample_value("caseline_redis_up") == 1
    assert registry.get_sample_value("caseline_scorecard_up") == 0
