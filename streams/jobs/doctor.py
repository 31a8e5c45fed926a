"""Doctor: what a deployment needs, looked at one thing after another, and what is wrong with it."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from aiokafka.errors import KafkaError
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import KafkaError as AdminError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from processors.rules import Rules
from schemas.alerts import ALERTS_TOPIC, DECISIONS_TOPIC
from schemas.audit_entries import AUDIT_TOPIC
from schemas.events.registry import DEAD_LETTER_SUFFIX
from schemas.settings import Settings
from snapshots.releases.topic import TOPIC as RELEASES
from streams.clock import clock_of
from streams.failures import described
from streams.jobs.erasing.erasure_journal import ERASING_TOPIC, UNDER_WAY
from streams.jobs.findings import STYLES, Finding, Verdict
from streams.jobs.kafka_health import log_dirs
from streams.jobs.log_troubles import log_troubles
from streams.jobs.redis_health import clocks, disks, said_by_redis
from streams.kafka.batches import TP
from streams.kafka.deadletters import dead_letter_topic
from streams.kafka.logreading import LogReader, ReadTimedOut, log_reader
from streams.kafka.topics import TopicPlan, admin_client, planned_topics
from streams.kafka.turns import FAR, NEAR
from streams.state.erased_list import erased_here
from streams.state.integrity import Incomplete
from streams.state.open_alerts import judged, prefixes
from streams.state.reading import known_shards
from streams.state.reconcile import Reconcile
from streams.state.store import Head, OtherLayout, ShardStore, shard_of

__all__ = ["STYLES", "Doctor", "Finding", "Verdict"]

# Topics that no state is folded from.
NOT_FOLDED = {RELEASES, ALERTS_TOPIC, DECISIONS_TOPIC, AUDIT_TOPIC}
# Where the dead letters of a topic are looked at, if not by `caseline dead-letters list`.
LETTERS = {dead_letter_topic(ALERTS_TOPIC): "caseline alerts refused"}
# Changes of alerts that wait to be told where somebody tells them: of seconds, even on a busy day.
MOST_WAITING = 5_000
DELETE_IT = 'see "A key of another type" in docs/runbook.md'
# Retractions of what is not there: so many, and such a part of all messages, are odd.
MANY_UNMATCHED, UNMATCHED_PART = 1_000, 0.01
# How long a partition with messages to take in may stand where it is, while workers run.
STUCK_SECONDS, LOOK_SECONDS = 10.0, 0.5


class _Stand(NamedTuple):
    """Where a partition stands: its shard's head, and what is wrong with that, if anything."""

    head: Head | None = None
    trouble: str = ""

    def lag(self, tp: TP, first: int, end: int) -> int:
        """How many messages are not in the state, as far as it can be told."""
        return end - max(self.head.offset(tp.topic) if self.head else 0, first)


Bounds = Mapping[TP, tuple[int, int]]


@dataclass
class Doctor:
    """Looks at a deployment without changing anything; given a day, compares its month as well."""

    settings: Settings
    rules: Rules
    redis: Redis
    deep: date | None = None

    async def findings(self) -> AsyncIterator[Finding]:
        """Everything looked at, from the ground up; what rests on something broken is left out."""
        has_redis = True
        async for finding in self._redis():
            answers_not = finding.what == "Redis" and finding.verdict is Verdict.WRONG
            has_redis = has_redis and not answers_not
            yield finding
        if has_redis:
            try:
                async for finding in self._outboxes():
                    yield finding
                async for finding in self._judged():
                    yield finding
            except RedisError as error:
                text = f"a key of the deployment cannot be read ({described(error)})"
                yield Finding(Verdict.WRONG, "Redis keys", f"{text}: {DELETE_IT}")
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
        for finding in said_by_redis(info):
            yield finding
        async for finding in clocks(self.redis):
            yield finding
        async for finding in disks(self.redis, self.settings.releases):
            yield finding

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
            findings += [self._retention(admin, plan) for plan in kept]
            if ERASING_TOPIC in there:
                findings.append(Finding(Verdict.WRONG, ERASING_TOPIC, UNDER_WAY))
            return findings + list(log_dirs(admin))
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
        try:
            async for it in log_troubles(self.redis, deployment, self.rules, reader):
                yield Finding(Verdict.WRONG if it.is_wrong else Verdict.ODD, it.what, it.text)
        except RedisError as error:
            text = f"what is known of the logs cannot be read ({described(error)}): {DELETE_IT}"
            yield Finding(Verdict.WRONG, "logs", text)

    async def _partitions(self, reader: LogReader, *, has_redis: bool) -> AsyncIterator[Finding]:
        bounds = await reader.bounds()
        for tp, (first, end) in bounds.items():
            if tp.topic.endswith(DEAD_LETTER_SUFFIX) and end > first:
                command = LETTERS.get(tp.topic, "caseline dead-letters list")
                text = f"has dead letters: see `{command}`"
                yield Finding(Verdict.ODD, _name(tp), text)
        folded = {tp: it for tp, it in bounds.items() if not tp.topic.endswith(DEAD_LETTER_SUFFIX)}
        members, lag = await asyncio.to_thread(self._members), 0
        if has_redis:
            stands = await self._stands(folded)
            lag = sum(stands[tp].lag(tp, *it) for tp, it in folded.items())
            lagging = _lagging(folded, stands)
            stuck = await self._stuck(lagging, stands, wait=bool(members))
            waiting = _may_wait(lagging, stuck)
            for tp, (first, end) in folded.items():
                stand, is_stuck, waits = stands[tp], tp in stuck, shard_of(tp) in waiting
                yield self._partition(tp, first, end, stand, is_stuck=is_stuck, waits=waits)
            async for finding in self._shards(folded, stands):
                yield finding
        yield _workers(members, lag)
        if has_redis and self.deep:
            async for finding in self._deep(reader, self.deep):
                yield finding

    async def _stands(self, tps: Iterable[TP]) -> dict[TP, _Stand]:
        shards: dict[TP, tuple[_Stand, Mapping[str, str]]] = {}
        for shard in {shard_of(tp) for tp in tps}:
            store = ShardStore(self.redis, self.settings.deployment, shard, self.rules)
            try:
                found, head = await store.look(every_month=True)
                trouble = found.trouble()
                text = str(Incomplete(_name(shard), trouble)) if trouble else ""
                if head and not trouble:
                    await store.load()
                shards[shard] = _Stand(head, text), found.stopped
            except (OtherLayout, Incomplete) as error:
                shards[shard] = _Stand(None, str(error)), {}
            except RedisError as error:
                text = f"the state cannot be read ({described(error)}): {DELETE_IT}"
                shards[shard] = _Stand(None, text), {}
        found_of = {tp: shards[shard_of(tp)] for tp in tps}
        return {
            tp: stand._replace(trouble=stand.trouble or stopped.get(tp.topic, ""))
            for tp, (stand, stopped) in found_of.items()
        }

    async def _stuck(
        self, lagging: Iterable[TP], stands: Mapping[TP, _Stand], *, wait: bool
    ) -> set[TP]:
        """The partitions that messages wait in and whose state stays where it is."""
        stuck = set(lagging)
        deadline = time.monotonic() + (STUCK_SECONDS if wait else 0)
        while stuck and time.monotonic() < deadline:
            await asyncio.sleep(LOOK_SECONDS)
            stuck = {tp for tp in stuck if not await self._has_moved(tp, stands[tp])}
        return stuck

    async def _has_moved(self, tp: TP, stand: _Stand) -> bool:
        """Whether a partition's state is no longer where it stood."""
        store = ShardStore(self.redis, self.settings.deployment, shard_of(tp), self.rules)
        now, before = await store.head(any_layout=True) or Head(), stand.head or Head()
        return now.offset(tp.topic) != before.offset(tp.topic)

    def _partition(
        self, tp: TP, first: int, end: int, stand: _Stand, *, is_stuck: bool, waits: bool
    ) -> Finding:
        if stand.trouble:
            return Finding(Verdict.WRONG, _name(tp), stand.trouble)
        offset, lag = stand.head.offset(tp.topic) if stand.head else 0, stand.lag(tp, first, end)
        if not first <= offset <= end:
            text = (
                f"the state stands at offset {offset}, but the log has {first} to {end}: events "
                "are missing, or this is another Kafka than the one the state was made from"
            )
            return Finding(Verdict.WRONG, _name(tp), text)
        state = f"offset {offset:,} of {end:,}, lag {lag:,}"
        if not is_stuck:
            return Finding(Verdict.GOOD, _name(tp), state)
        if waits:
            text = f"{state}, and it does not go on while others do: it may wait for its turn"
            return Finding(Verdict.ODD, _name(tp), text)
        how = "and it does not go on" if stand.head else "and there is no state of it"
        text = f"{state}, {how}: see CaselinePartitionStuck in docs/runbook.md"
        return Finding(Verdict.WRONG, _name(tp), text)

    async def _shards(self, bounds: Bounds, stands: Mapping[TP, _Stand]) -> AsyncIterator[Finding]:
        """What is known of shards as wholes: which are read, and what they were made without."""
        try:
            known = set(await known_shards(self.redis, self.settings.deployment))
        except RedisError as error:
            text = f"the set of shards cannot be read ({described(error)}): {DELETE_IT}"
            yield Finding(Verdict.WRONG, "shards", text)
            return
        with_state = {shard_of(tp) for tp in bounds if stands[tp].head}
        for shard in sorted(with_state - known):
            text = "it has state, and is not among the shards that figures are read from: "
            yield Finding(Verdict.WRONG, _name(shard), f"{text}start a worker, which adds it")
        heads = {shard_of(tp): stand.head for tp, stand in stands.items() if stand.head}
        for finding in _retractions(heads.values()):
            yield finding
        for _, head in sorted(heads.items()):
            for gap in head.gaps:
                yield Finding(Verdict.ODD, "gap", gap.told)

    async def _deep(self, reader: LogReader, day: date) -> AsyncIterator[Finding]:
        self.rules.erased = await erased_here(self.settings, self.redis)
        work = Reconcile(self.redis, self.settings.deployment, self.rules, reader)
        async for shard, children, wrong in work.run(day):
            text = wrong or f"{children} children, and {day:%Y-%m}, are as the log has them"
            verdict = Verdict.WRONG if wrong else Verdict.GOOD
            yield Finding(verdict, f"{_name(shard)} and log", text)

    def _members(self) -> int:
        """How many workers the group has."""
        group = f"caseline-{self.settings.deployment}"
        admin = admin_client(self.settings)
        try:
            return len(admin.describe_groups([group])[group]["members"])
        finally:
            admin.close()


def _lagging(bounds: Bounds, stands: Mapping[TP, _Stand]) -> dict[TP, int]:
    """How many messages wait in each partition in which any do, and whose state can be read."""
    lags = {tp: stands[tp].lag(tp, *it) for tp, it in bounds.items() if not stands[tp].trouble}
    return {tp: lag for tp, lag in lags.items() if lag > 0}


def _may_wait(lagging: Mapping[TP, int], stuck: Collection[TP]) -> set[TP]:
    """The shards that may wait for their turn (streams.kafka.turns): far behind, while one goes on.

    Who has the turn is read until it is near the end of its log.
    """
    behind = Counter[TP]()
    for tp, lag in lagging.items():
        behind[shard_of(tp)] += lag
    going_on = {shard_of(tp) for tp in lagging if tp not in stuck}
    if not any(behind[shard] > NEAR for shard in going_on):
        return set()
    return {shard for shard, lag in behind.items() if lag > FAR} - going_on


def _retractions(heads: Iterable[Head]) -> Iterator[Finding]:
    """Whether so many retractions came of what is not there that records swell by them."""
    tallies = sum((Counter(head.tallies) for head in heads), Counter[str]())
    unmatched, messages = tallies["unmatched"], tallies["messages"]
    if unmatched > max(MANY_UNMATCHED, UNMATCHED_PART * messages):
        text = (
            f"{unmatched:,} of {messages:,} messages retract what was not there, and are kept: "
            "`caseline quality --largest 10` shows of whom"
        )
        yield Finding(Verdict.ODD, "retractions", text)


def _workers(members: int, lag: int) -> Finding:
    if members:
        return Finding(Verdict.GOOD, "workers", f"{members} running, lag {lag:,} in all")
    verdict = Verdict.WRONG if lag else Verdict.ODD
    text = f"none is running, lag {lag:,} in all: start `caseline worker`"
    return Finding(verdict, "workers", text)


def _name(tp: TP) -> str:
    return f"{tp.topic}[{tp.partition}]"
