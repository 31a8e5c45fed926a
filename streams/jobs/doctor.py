"""Doctor: what a deployment needs, looked at one thing after another, and what is wrong with it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from aiokafka.errors import KafkaError
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import KafkaError as AdminError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from processors.rules import Rules
from schemas.alerts import ALERTS_TOPIC, DECISIONS_TOPIC
from schemas.events.registry import DEAD_LETTER_SUFFIX
from schemas.settings import Settings
from snapshots.releases.topic import TOPIC as RELEASES
from streams.clock import clock_of
from streams.failures import described
from streams.jobs.doctor_logs import log_troubles
from streams.kafka.batches import TP
from streams.kafka.deadletters import dead_letter_topic
from streams.kafka.logreading import LogReader, ReadTimedOut, log_reader
from streams.kafka.topics import TopicPlan, admin_client, planned_topics
from streams.state.open_alerts import judged, prefixes
from streams.state.store import OtherLayout, ShardStore, shard_of

# Topics that no state is folded from.
NOT_FOLDED = {RELEASES, ALERTS_TOPIC, DECISIONS_TOPIC}
# Where the dead letters of a topic are looked at, if not by `caseline dead-letters list`.
LETTERS = {dead_letter_topic(ALERTS_TOPIC): "caseline alerts refused"}
# Changes of alerts that wait to be told where somebody tells them: of seconds, even on a busy day.
MOST_WAITING = 5_000


class Verdict(StrEnum):
    """What a finding means."""

    GOOD = "good"
    ODD = "odd"
    WRONG = "wrong"


STYLES = {Verdict.GOOD: "green", Verdict.ODD: "yellow", Verdict.WRONG: "bold red"}


class Finding(NamedTuple):
    """One thing looked at: what, how it is, and what to do about it."""

    verdict: Verdict
    what: str
    text: str


@dataclass
class Doctor:
    """Looks at a deployment without changing anything."""

    settings: Settings
    rules: Rules
    redis: Redis

    async def findings(self) -> AsyncIterator[Finding]:
        """Everything looked at, from the ground up; what rests on something broken is left out."""
        has_redis = True
        async for finding in self._redis():
            has_redis = has_redis and finding.verdict is not Verdict.WRONG
            yield finding
        if has_redis:
            async for finding in self._outboxes():
                yield finding
            async for finding in self._judged():
                yield finding
        try:
            for finding in self._topics():
                yield finding
            plans = planned_topics(self.settings)
            topics = [plan.name for plan in plans if plan.name not in NOT_FOLDED]
            async with log_reader(self.settings.kafka, topics) as reader:
                if has_redis:
                    async for finding in self._logs(reader):
                        yield finding
                async for finding in self._partitions(reader, has_redis=has_redis):
                    yield finding
        except (KafkaError, AdminError, ReadTimedOut, OSError) as error:
            yield Finding(
                Verdict.WRONG,
                "Kafka",
                f"{self.settings.kafka} does not answer ({described(error)}): is it "
                "running, and is CASELINE_KAFKA_BOOTSTRAP right?",
            )

    async def _redis(self) -> AsyncIterator[Finding]:
        where = self.settings.redis.shown
        try:
            info: dict[str, Any] = await self.redis.info()
        except (RedisError, OSError) as error:
            text = (
                f"{where} does not answer ({described(error)}): does it run, is CASELINE_REDIS_URL "
                "right?"
            )
            yield Finding(Verdict.WRONG, "Redis", text)
            return
        yield Finding(Verdict.GOOD, "Redis", f"{where}, version {info['redis_version']}")
        if not info.get("aof_enabled"):
            yield Finding(
                Verdict.ODD,
                "Redis persistence",
                "append-only is off: after a restart workers fold the log again from the last "
                "snapshot, or from its start (set appendonly yes)",
            )
        if info.get("maxmemory_policy", "noeviction") != "noeviction":
            yield Finding(
                Verdict.WRONG,
                "Redis eviction",
                f"{info['maxmemory_policy']} may drop parts of the tables (set noeviction)",
            )

    async def _outboxes(self) -> AsyncIterator[Finding]:
        redis: Any = self.redis
        waiting = 0
        for prefix in await prefixes(self.redis, self.settings.deployment):
            waiting += await redis.xlen(f"{prefix}:alerts:outbox")
        if waiting > MOST_WAITING:
            text = (
                f"{waiting:,} changes wait in Redis to be told, and there they stay: is "
                "`caseline alerts run` running?"
            )
            yield Finding(Verdict.ODD, "alerts", text)

    async def _judged(self) -> AsyncIterator[Finding]:
        """Whether alerts are those of today: standards are of days, so midnight changes them."""
        when = await judged(self.redis, self.settings.deployment)
        if when.latest is None:
            return  # there is nothing to judge
        clock = await asyncio.to_thread(clock_of, self.settings)
        today = clock.today()
        for name, at, program in (
            ("alerts on cases", when.cases, "caseline worker"),
            ("alerts on indicators", when.indicators, "caseline alerts run"),
        ):
            if at is not None and at.date() == today:
                yield Finding(Verdict.GOOD, name, f"judged at {at:%H:%M} today, {today}")
            elif at is not None:
                text = f"those of {at.date()}, and today is {today}: is `{program}` running?"
                yield Finding(Verdict.WRONG, name, text)
            else:
                text = f"not judged yet: is `{program}` running, and has it read old events?"
                yield Finding(Verdict.ODD, name, text)

    def _topics(self) -> list[Finding]:
        admin = admin_client(self.settings)
        try:
            there = set(admin.list_topics())
            plans = planned_topics(self.settings)
            missing = [plan.name for plan in plans if plan.name not in there]
            findings = [
                Finding(Verdict.WRONG, name, "no such topic: run `caseline topics create`")
                for name in missing
            ]
            kept = [plan for plan in plans if plan.name in there]
            return findings + [self._retention(admin, plan) for plan in kept]
        finally:
            admin.close()

    def _retention(self, admin: KafkaAdminClient, plan: TopicPlan) -> Finding:
        topic = plan.name
        answer = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
        configs = answer["topic"][topic]
        values = {name: configs.get(name, {}).get("value") for name in plan.config}
        if values == plan.config:
            return Finding(Verdict.GOOD, topic, "kept for ever")
        shown = ", ".join(f"{name}={value or 'default'}" for name, value in values.items())
        return Finding(Verdict.WRONG, topic, f"{shown}: a rebuild may find events gone")

    async def _logs(self, reader: LogReader) -> AsyncIterator[Finding]:
        deployment = self.settings.deployment
        async for it in log_troubles(self.redis, deployment, self.rules, reader):
            yield Finding(Verdict.WRONG if it.is_wrong else Verdict.ODD, it.what, it.text)

    async def _partitions(self, reader: LogReader, *, has_redis: bool) -> AsyncIterator[Finding]:
        total_lag = 0
        for tp, (first, end) in (await reader.bounds()).items():
            if tp.topic.endswith(DEAD_LETTER_SUFFIX):
                if end > first:
                    command = LETTERS.get(tp.topic, "caseline dead-letters list")
                    text = f"{end - first:,} dead letters: see `{command}`"
                    yield Finding(Verdict.ODD, _name(tp), text)
            elif has_redis:
                finding, lag = await self._partition(tp, first, end)
                total_lag += lag
                yield finding
        yield self._workers(total_lag)

    async def _partition(self, tp: TP, first: int, end: int) -> tuple[Finding, int]:
        store = ShardStore(self.redis, self.settings.deployment, shard_of(tp), self.rules)
        try:
            head = await store.head()
        except OtherLayout as error:
            return Finding(Verdict.WRONG, _name(tp), str(error)), 0
        offset = head.offset(tp.topic) if head else 0
        if not first <= offset <= end:
            text = (
                f"the state stands at offset {offset}, but the log has {first} to {end}: events "
                "are missing, or this is another Kafka than the one the state was made from"
            )
            return Finding(Verdict.WRONG, _name(tp), text), 0
        lag = end - offset
        state = f"offset {offset:,} of {end:,}, lag {lag:,}"
        return Finding(Verdict.GOOD, _name(tp), state), lag

    def _workers(self, lag: int) -> Finding:
        group = f"caseline-{self.settings.deployment}"
        admin = admin_client(self.settings)
        try:
            members = len(admin.describe_groups([group])[group]["members"])
        finally:
            admin.close()
        if members:
            return Finding(Verdict.GOOD, "workers", f"{members} running, lag {lag:,} in all")
        verdict = Verdict.WRONG if lag else Verdict.ODD
        text = f"none is running, lag {lag:,} in all: start `caseline worker`"
        return Finding(verdict, "workers", text)


def _name(tp: TP) -> str:
    return f"{tp.topic}[{tp.partition}]"
