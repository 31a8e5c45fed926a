"""Erasing children from the log and the state, in steps that may each be done again.

1. Note what is to be done, in a topic that is there until the end.
2. Keep producers out, and find what goes.
3. Write each topic that has any of it anew, the others' messages where they were.
4. Have the state follow to the topics' new logs, and note by keyed hash who was erased.
5. Make the state anew from the log, and take out what a rebuild leaves: alerts and what receivers
   were told.
6. Write who did it and why to the audit log, and let the note of what is to be done go.
"""

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from redis.asyncio import Redis

from processors.record.erased import ErasedChild, hash_of
from processors.rules import Rules
from schemas.audit_entries import AUDIT_TOPIC
from schemas.events.registry import VALIDATORS
from schemas.settings import Settings
from snapshots.releases.topic import TOPIC as RELEASES
from streams.failures import Understood
from streams.jobs.belonging import Belonging
from streams.jobs.erasing.erased_state import ErasedState
from streams.jobs.erasing.erasure_journal import UNDER_WAY, Erasure, ErasureJournal
from streams.jobs.erasing.erasure_search import SEARCHED, ErasureSearch
from streams.jobs.log_troubles import other_logs
from streams.jobs.rebuild.rebuild import Rebuild
from streams.kafka.audit_log import Audited, AuditLog
from streams.kafka.batches import TP
from streams.kafka.clients import admin_of
from streams.kafka.deadletters import DeadLetters
from streams.kafka.logreading import log_reader
from streams.kafka.rewriting import Interfered, Rewriter, RewrittenTopic, TopicAdmin, bounds_of
from streams.state.election import ALERTING, ERASING, RELEASING, Term, elected
from streams.state.erased_list import erased_here, erasure_key, remember

ROUTE = "caseline erase"


class NotErased(Understood):
    """An erasure does not begin, and nothing was changed."""


# Told what is being done, and of how many offsets it is that a step of work was done now.
Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Erasing:
    """Erases children from the log, and from the state of one deployment."""

    settings: Settings
    rules: Rules
    redis: Redis
    now: Callable[[], datetime]
    tell: Tell

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[Term]:
        """Make sure that nobody else works on the deployment, for as long as the context lasts.

        Raises NotErased while workers run, streams.state.election.Elsewhere while releases are made
        or alerts are told.
        """
        await asyncio.to_thread(self._refuse_workers)
        deployment = self.settings.deployment
        async with (
            elected(self.redis, deployment, ERASING) as term,
            elected(self.redis, deployment, RELEASING),
            elected(self.redis, deployment, ALERTING),
        ):
            yield term

    def _refuse_workers(self) -> None:
        group = f"caseline-{self.settings.deployment}"
        admin = admin_of(self.settings.kafka)
        try:
            members = len(admin.describe_groups([group])[group]["members"])
        finally:
            admin.close()
        if members:
            raise NotErased(
                f"{members} workers of deployment {self.settings.deployment!r} are running: stop "
                "them first, and `caseline alerts run` as well; start them again when it is done"
            )

    async def find(self, children: Collection[str]) -> ErasureSearch:
        """What would go, with nothing changed."""
        search = ErasureSearch(children)
        await self._state(children, search.alerts).find()
        for topic in SEARCHED:
            async with log_reader(self.settings.kafka, [topic]) as reader:
                await search.search(reader, await reader.bounds())
        return search

    async def over_before(self, day: date) -> list[str]:
        """Everyone of whom all is over since before a day, by the state.

        Raises streams.state.store.OtherLayout or streams.state.integrity.Incomplete.
        """
        return await self._state((), set()).over_before(day)

    async def erase(
        self,
        term: Term,
        children: Collection[str],
        by: str,
        reason: str,
        closed_before: date | None = None,
    ) -> Erasure:
        """Erase children. Raises NotErased where that cannot begin, or nothing is known of them.

        `closed_before` has it made sure that all of theirs is over since before that day once
        nobody writes any more. Raises what the steps raise as well: run `resume` then.
        """
        erasure_key(self.settings.erasure_key_file)
        with self._admin() as admin:
            journal = ErasureJournal(self.settings.kafka, admin)
            if await journal.read() is not None:
                raise NotErased(UNDER_WAY)
            await self._check_logs()
            erasure, replicas = await self._begun(admin, children, by, reason)
            erasure = erasure.model_copy(update={"closed_before": closed_before})
            await journal.write(erasure, replicas)
            return await self._go_on(term, admin, journal, erasure)

    async def resume(self, term: Term) -> Erasure:
        """Go on with the erasure that is under way. Raises NotErased where there is none."""
        erasure_key(self.settings.erasure_key_file)
        with self._admin() as admin:
            journal = ErasureJournal(self.settings.kafka, admin)
            erasure = await journal.read()
            if erasure is None:
                raise NotErased("no erasure is under way")
            if erasure.deployment != self.settings.deployment:
                raise NotErased(
                    f"the erasure under way was begun by deployment {erasure.deployment!r}: resume "
                    "it there"
                )
            return await self._go_on(term, admin, journal, erasure)

    async def give_up(self) -> Erasure:
        """End an erasure that has changed nothing yet: topics take events again.

        Raises NotErased where there is none, or a topic was deleted already.
        """
        with self._admin() as admin:
            journal = ErasureJournal(self.settings.kafka, admin)
            erasure = await journal.read()
            if erasure is None:
                raise NotErased("no erasure is under way")
            rewriter = Rewriter(self.settings.kafka, admin, erasure.number, lambda _: None)
            for it in erasure.topics:
                if it.offsets and not await rewriter.is_untouched(it):
                    raise NotErased(
                        f"{it.name} was deleted to be written anew: it takes `caseline erase "
                        "--resume`"
                    )
            for it in erasure.topics:
                await rewriter.clear(it)
                await rewriter.release(it)
            await journal.end()
            return erasure

    async def _begun(
        self, admin: TopicAdmin, children: Collection[str], by: str, reason: str
    ) -> tuple[Erasure, int]:
        there = await asyncio.to_thread(admin.names)
        rewriter = Rewriter(self.settings.kafka, admin, "", lambda _: None)
        topics = [await rewriter.look(topic) for topic in SEARCHED if topic in there]
        if not topics:
            raise NotErased("there are no topics: is CASELINE_KAFKA_BOOTSTRAP right?")
        async with log_reader(self.settings.kafka, SEARCHED) as reader:
            cluster = (await reader.describe()).cluster
        erasure = Erasure(
            number=secrets.token_hex(6),
            deployment=self.settings.deployment,
            children=tuple(sorted(children)),
            by=by,
            reason=reason,
            at=self.now(),
            cluster=cluster,
            topics=tuple(topics),
        )
        return erasure, max(it.replicas for it in topics)

    async def _go_on(
        self, term: Term, admin: TopicAdmin, journal: ErasureJournal, erasure: Erasure
    ) -> Erasure:
        brokers = self.settings.kafka
        rewriter = Rewriter(brokers, admin, erasure.number, lambda _: None)
        if erasure.is_searched:
            grown = [await rewriter.has_grown(it) for it in erasure.topics if not it.after]
            erasure = erasure.model_copy(update={"is_searched": not any(grown)})
        if not erasure.is_searched:
            is_whole = all([await rewriter.is_untouched(it) for it in erasure.topics])
            erasure = await self._searched(admin, rewriter, erasure)
            # What has begun to go goes.
            refusal = await self._refusal(erasure) if is_whole else ""
            if refusal:
                for it in erasure.topics:
                    await rewriter.release(it)
                await journal.end()
                raise NotErased(f"{refusal}: nothing was changed")
            await journal.write(erasure, 1)
        for it in erasure.topics:
            await term.check()
            if not it.after:
                changed = await self._rewritten(rewriter, journal, erasure, it)
                erasure = erasure.with_topic(changed)
                await journal.write(erasure, 1)
            await rewriter.clear(it)
        await self._state_without(erasure)
        await self._audit(erasure)
        await journal.end()
        return erasure

    async def _refusal(self, erasure: Erasure) -> str:
        """Why the children are not to be erased, now that nobody writes: "" if they are."""
        if not erasure.counts and not await self._of(erasure).find():
            return (
                "nothing is known of the child, in the log or in the state (identifiers are "
                "compared to the letter)"
            )
        if erasure.no_child:
            return f"this is no child's: {erasure.no_child} is keyed by it"
        if erasure.closed_before is None:
            return ""
        ends = {
            TP(it.name, number): end
            for it in erasure.topics
            if it.name in VALIDATORS
            for number, (_, end) in it.spans.items()
        }
        stored = await self._of(erasure).offsets()
        if behind := sum(max(0, end - stored.get(tp, 0)) for tp, end in ends.items()):
            return f"the state is {behind:,} messages behind the log: let workers catch up first"
        over = await self.over_before(erasure.closed_before)
        if lacking := len({*erasure.children}.difference(over)):
            return f"something came of {lacking:,} of the children meanwhile: look again"
        return ""

    async def _searched(self, admin: TopicAdmin, rewriter: Rewriter, erasure: Erasure) -> Erasure:
        """Keep producers out, and find what goes; topics that are done are as they are."""
        search = ErasureSearch(erasure.children, set(erasure.alerts), cases=set(erasure.cases))
        await self._state(erasure.children, search.alerts).find()
        topics: list[RewrittenTopic] = []
        for it in erasure.topics:
            if not it.after and await rewriter.is_untouched(it):
                await rewriter.hold(it)
        for it in erasure.topics:
            if it.after or not await rewriter.is_untouched(it):
                topics.append(it)
                continue
            async with log_reader(self.settings.kafka, [it.name]) as reader:
                bounds = await bounds_of(reader, admin)
                await search.search(reader, bounds)
            spans = {tp.partition: span for tp, span in bounds.items()}
            found = {tp: offsets for tp, offsets in search.offsets.items() if tp.topic == it.name}
            offsets = {tp.partition: its for tp, its in found.items()}
            new = {"spans": spans, "offsets": offsets, "digests": {}}
            topics.append(it.model_copy(update=new))
        return erasure.model_copy(
            update={
                "topics": tuple(topics),
                "alerts": tuple(sorted(search.alerts)),
                "cases": tuple(sorted(search.cases)),
                "counts": {it.name: it.messages for it in topics if it.messages},
                "no_child": min(search.no_child, default=""),
                "other": tuple((*tp, offset) for tp, offset in search.mentions),
                "is_searched": True,
            }
        )

    async def _rewritten(
        self, rewriter: Rewriter, journal: ErasureJournal, erasure: Erasure, it: RewrittenTopic
    ) -> RewrittenTopic:
        if not it.offsets:
            await rewriter.release(it)
            return it.model_copy(update={"after": it.before})
        if await rewriter.has_grown(it):
            raise Interfered(
                f"{it.name}: someone wrote to it after it had been searched. Stop producers, and "
                "run `caseline erase --resume`, which looks again"
            )
        # Nothing is deleted of which there is no whole copy.
        if await rewriter.is_untouched(it) and not await rewriter.is_staged(it):
            self.tell(it.name, it.messages, it.total)
            it = await rewriter.stage(it)
            await journal.write(erasure.with_topic(it), 1)

        async def keep(changed: RewrittenTopic) -> None:
            await journal.write(erasure.with_topic(changed), 1)

        return await rewriter.swap(it, keep)

    async def _state_without(self, erasure: Erasure) -> None:
        """Have the state know the logs for its own, and what it knew of the children no more."""
        settings, state = self.settings, self._of(erasure)
        topics = {it.name: it for it in erasure.topics if it.after != it.before}
        async with log_reader(settings.kafka, VALIDATORS) as reader:
            await state.follow(settings.kafka, reader, erasure.cluster, topics)
        key = erasure_key(settings.erasure_key_file)
        until = int(erasure.at.timestamp() * 1_000_000)
        erased = [ErasedChild(hash_of(key, it), erasure.number, until) for it in erasure.children]
        await remember(settings, self.redis, erased)
        self.rules.erased = await erased_here(settings, self.redis)
        async with (
            log_reader(settings.kafka, VALIDATORS) as reader,
            DeadLetters(settings.kafka, settings.deployment) as letters,
        ):
            of = self.redis, settings.deployment, self.rules, reader
            most = settings.records_in_memory, settings.records_bytes
            rebuild = Rebuild(*of, *most, letters)
            async for progress in rebuild.run():
                self.tell("rebuild", progress.offset, progress.target)
        await state.forget()

    async def _audit(self, erasure: Erasure) -> None:
        key = erasure_key(self.settings.erasure_key_file)
        async with AuditLog(self.settings.kafka, self.settings.deployment, self.now) as log:
            for child in erasure.children:
                query = f"erasure={erasure.number} child={hash_of(key, child)} {erasure.reason}"
                await log.write(Audited(erasure.by, (), ROUTE, query, "erased"))

    async def _check_logs(self) -> None:
        deployment = self.settings.deployment
        async with log_reader(self.settings.kafka, VALIDATORS) as reader:
            async for trouble in other_logs(self.redis, deployment, self.rules, reader):
                raise NotErased(f"nothing was erased: {trouble.what}: {trouble.text}")

    def _of(self, erasure: Erasure) -> ErasedState:
        return self._state(erasure.children, set(erasure.alerts))

    def _state(self, children: Collection[str], alerts: set[str]) -> ErasedState:
        return ErasedState(self.redis, self.settings.deployment, self.rules, children, alerts)

    @contextmanager
    def _admin(self) -> Iterator[TopicAdmin]:
        admin = TopicAdmin(self.settings.kafka)
        try:
            yield admin
        finally:
            admin.close()


async def still_named(erasing: Erasing, erasure: Erasure) -> dict[str, int]:
    """Where the children, or their cases, are still named, and how often.

    In messages of others, in the audit log, and in releases that name an event which came late.
    """
    found: Counter[str] = Counter(topic for topic, _, _ in erasure.other)
    named = Belonging({*erasure.children, *erasure.cases}, set())
    for topic in (AUDIT_TOPIC, RELEASES):
        async with log_reader(erasing.settings.kafka, [topic]) as reader:
            for tp, (first, end) in (await reader.bounds()).items():
                async for _, records in reader.read(tp, first, end):
                    found[topic] += sum(named.is_named_in(it) for it in records)
    for file in await asyncio.to_thread(_files, erasing.settings.releases):
        if named.is_named(await asyncio.to_thread(file.read_bytes)):
            found[str(file)] += 1
    return {name: count for name, count in found.items() if count}


def _files(folder: Path) -> list[Path]:
    return [it for it in sorted(folder.rglob("*")) if it.is_file()]
