"""Making a release: where the live state, the log, the release folder and the topic meet.

A process that dies anywhere leaves either nothing of a release or, once Kafka has it, a whole
one, which the next run puts into the folder.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import NamedTuple

from redis.asyncio import Redis

from processors.rules import Rules
from schemas.events.registry import VALIDATORS
from schemas.settings import Settings
from snapshots.checking.counters import processes_for
from snapshots.checking.evidence import examine
from snapshots.checking.question import Show
from snapshots.making.draft import Draft, withdrawal
from snapshots.making.freeze import Cut, as_of_period
from snapshots.making.timely import check_timely
from snapshots.releases import topic
from snapshots.releases.access import Access
from snapshots.releases.chain import (
    ONCE,
    Request,
    Sealed,
    already,
    chain_of,
    check_may_follow,
    has_news,
    says_the_same,
    seal,
)
from snapshots.releases.folder import ReleaseFolder
from snapshots.releases.kafka_reading import log_ends, read_log
from snapshots.releases.release_failures import Damaged
from streams.failures import GivenUp, Understood
from streams.jobs.log_troubles import other_logs
from streams.kafka.logreading import log_reader
from streams.state.election import Term, elected
from streams.state.erased_list import erased_here
from streams.state.livecut import take_cut, wait_for_state

# How long a freeze waits for workers to catch up with the log.
WAIT_SECONDS = 60.0
# Begins to show progress over so many messages.
BeginShow = Callable[[int], Show]


class TablesOfAnotherLog(Understood):
    """The log is not the one that the live tables were made from."""


class Released(NamedTuple):
    """A release, whether it was made now or was there already, and what its maker should know."""

    sealed: Sealed
    is_new: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Releasing:
    """Makes the releases of one deployment."""

    settings: Settings
    rules: Rules
    redis: Redis
    show: BeginShow

    @property
    def folder(self) -> ReleaseFolder:
        """Where releases are kept."""
        settings = self.settings
        return ReleaseFolder(settings.releases, Access.of(settings.releases_readers))

    async def release(
        self, request: Request, released_on: date, today: date, seconds: float
    ) -> Released:
        """Freeze, reconcile and store a release, or find that it was made before.

        1. Be the only one: take the lock, and have Kafka refuse whoever had it before.
        2. Complete what a run that died has left, and see whether this release is there already,
           and may be made today.
        3. Make sure that the log is the one that the tables were made from; wait, `seconds` at
           most, until they have all that is in it; take the cut.
        4. Compute everything again from the log, and refuse unless it agrees in every cell; the
           same figures as those of a release that was asked for alike are that release.
        5. Publish it to Kafka, as a whole: from here on the release is made.
        6. Put it into the folder, as a whole.

        Raises snapshots.releases.release_failures.ReleaseError, streams.failures.Understood,
        redis.RedisError, aiokafka.errors.KafkaError.
        """
        brokers = self.settings.kafka
        async with elected(self.redis, self.settings.deployment) as term:
            publisher = await asyncio.to_thread(topic.ReleasePublisher, brokers)
            chain, mended = await asyncio.to_thread(self.complete, publisher, request.period)
            made = already(chain, request)
            if made and (made.name in mended or not await self._may_come_again(made, request)):
                return Released(made, is_new=False)
            check_may_follow(chain, request)
            check_timely(request.period, request.kind, released_on, today)
            draft = await self.draft(chain, request, released_on, seconds)
            sealed = await self.sealed(draft)
            if made and says_the_same(made.release, sealed.release):
                return Released(made, is_new=False)
            await self._commit(term, publisher, sealed)
            return Released(sealed, is_new=True, notes=tuple(draft.notes))

    async def withdraw(self, request: Request, today: date) -> Released:
        """Take back all releases of a month that stand, or find that they are withdrawn.

        Raises what `release` raises.
        """
        async with elected(self.redis, self.settings.deployment) as term:
            publisher = await asyncio.to_thread(topic.ReleasePublisher, self.settings.kafka)
            chain, _ = await asyncio.to_thread(self.complete, publisher, request.period)
            made = already(chain, request)
            if made:
                return Released(made, is_new=False)
            check_may_follow(chain, request)
            sealed = seal(withdrawal(chain, request, today))
            await self._commit(term, publisher, sealed)
            return Released(sealed, is_new=True)

    async def _may_come_again(self, made: Sealed, request: Request) -> bool:
        """Whether what was made before may have to be made again, for what has come since."""
        if request.is_scheduled or request.kind in ONCE:
            return False
        ends = await asyncio.to_thread(log_ends, self.settings.kafka, list(VALIDATORS))
        return has_news(made.release.cut, ends)

    async def draft(
        self, chain: Sequence[Sealed], request: Request, released_on: date, seconds: float
    ) -> Draft:
        """The next release of a chain, on a cut taken now."""
        cut = await self.cut(as_of_period(request.period), seconds)
        return Draft(request, released_on, self.rules, chain, cut)

    async def _commit(self, term: Term, publisher: topic.ReleasePublisher, sealed: Sealed) -> None:
        await term.check()
        await asyncio.to_thread(publisher.publish, sealed)
        await asyncio.to_thread(self.folder.write, sealed)

    def complete(
        self, publisher: topic.ReleasePublisher, period: str
    ) -> tuple[list[Sealed], frozenset[str]]:
        """Give the folder and the topic what only the other has of a period.

        Its chain, checked, and the names of those that had not been in both. Raises Damaged when
        they disagree or the chain is broken.
        """
        folder = self.folder
        folder.clear()
        stored = {name: folder.text(name) for name in folder.names(period)}
        published = topic.of_period(topic.published(self.settings.kafka), period)
        for name in sorted(stored.keys() & published.keys()):
            if stored[name] != published[name]:
                raise Damaged(
                    f"{name}: the folder and the topic have different releases of that name; "
                    "`caseline snapshot verify` looks closer"
                )
        chain = chain_of({**stored, **published})
        for sealed in chain:
            if sealed.name not in stored:
                folder.write(sealed)
            if sealed.name not in published:
                publisher.publish(sealed)
        return chain, frozenset(stored.keys() ^ published.keys())

    async def cut(self, as_of: date, seconds: float) -> Cut:
        """A cut that has at least all that is in the log now.

        The recount of it leaves out whom the state leaves out. Raises OtherLog,
        streams.state.livecut.Behind or streams.state.erased_list.NoErasureKey.
        """
        deployment, rules = self.settings.deployment, self.rules
        rules.erased = await erased_here(self.settings, self.redis)
        await self._check_logs()
        ends = await asyncio.to_thread(log_ends, self.settings.kafka, list(VALIDATORS))
        await wait_for_state(self.redis, deployment, rules, ends, seconds)
        return await take_cut(self.redis, deployment, rules, ends, as_of)

    async def _check_logs(self) -> None:
        """Make sure that the log is the one that the tables were made from. Raises OtherLog."""
        async with log_reader(self.settings.kafka, VALIDATORS) as reader:
            others = other_logs(self.redis, self.settings.deployment, self.rules, reader)
            async for trouble in others:
                raise TablesOfAnotherLog(f"nothing was released: {trouble.what}: {trouble.text}")

    async def sealed(self, draft: Draft) -> Sealed:
        """The drafted release, reconciled and sealed.

        All of the work is done on a thread of its own, so that the lock is kept meanwhile; where
        nobody waits for it any longer, it ends soon. Raises
        snapshots.releases.release_failures.NotReconciled, LogUnreadable, NoRoom or CounterEnded.
        """
        question, is_over = draft.question, threading.Event()
        log = partial(read_log, self.settings.kafka, passed_over=question.passed_over)
        show = self.show(question.messages)

        def show_or_end(read: int, evaluated: int) -> None:
            if is_over.is_set():
                raise GivenUp
            show(read, evaluated)

        def work() -> Sealed:
            processes = processes_for(question.messages)
            return seal(draft.release(examine(log, question, show_or_end, processes)))

        try:
            return await asyncio.to_thread(work)
        finally:
            is_over.set()
