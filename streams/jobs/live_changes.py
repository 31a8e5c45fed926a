"""Why live figures are not what they were: the events that came since a release, or a moment.

It is what a revision would say of itself: the live tables at one vector of offsets, and the log up
to there, gone through for whatever changed what a case adds to a figure. What was known at a moment
is what the log had by then, counted as a release is recounted.
"""

import asyncio
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import NamedTuple

from redis.asyncio import Redis

from processors.rules import Rules
from schemas.cells import CellKey
from schemas.events.registry import VALIDATORS
from schemas.release import Change, Position, Release, ReleaseCell
from schemas.settings import Settings
from snapshots.checking.differences import Explanation, FigureDifference, differences
from snapshots.checking.evidence import Evidence, examine
from snapshots.checking.question import LogQuestion
from snapshots.making.freeze import frozen_cells
from snapshots.releases.kafka_reading import read_log
from snapshots.releases.release_failures import NotAllowed
from streams.jobs.releasing import Releasing
from streams.kafka.batches import TP
from streams.kafka.logreading import log_reader

# Messages of a log that is gone through while somebody waits for a page.
MOST_MESSAGES = 500_000
WAIT_SECONDS = 10.0


class SinceCut(NamedTuple):
    """Figures by an earlier cut of the log and as they are live, and what tells why they differ."""

    before: dict[CellKey, ReleaseCell]
    live: dict[CellKey, ReleaseCell]
    found: list[FigureDifference]
    explanation: Explanation

    @property
    def changes(self) -> tuple[Change, ...]:
        """The figures that differ, each with the events behind it."""
        return self.explanation.changes(self.found)


async def since(
    redis: Redis, settings: Settings, rules: Rules, as_of: date, earlier: Release | datetime
) -> SinceCut:
    """The figures of a date as they are live, and as they were released or known at a moment.

    With the events and cases behind what differs. Raises NotAllowed where that cannot be said, as
    `Releasing.cut` does, LogUnreadable or NoRoom.
    """
    catalogue = rules.catalogue.released
    if isinstance(earlier, Release) and earlier.catalogue_version != catalogue.version:
        raise NotAllowed("the release was made with another catalogue, so events do not tell why")
    cut = await Releasing(settings, rules, redis, lambda _: lambda *_: None).cut(
        as_of, WAIT_SECONDS
    )
    messages = sum(it.offset for it in cut.positions)
    if messages > MOST_MESSAGES:
        raise NotAllowed(
            f"the log has {messages:,} messages, more than are gone through for a page: a revision "
            "names the events, as does `caseline snapshot diff` between two releases"
        )
    was_cut = (
        earlier.cut
        if isinstance(earlier, Release)
        else await _cut_at(settings, earlier, cut.positions)
    )
    question = LogQuestion(
        catalogue,
        rules.areas,
        as_of,
        cut.positions,
        was_cut,
        places=rules.places,
        passed_over=cut.passed_over,
        names_cases=True,
        erased=rules.erased,
    )
    live = frozen_cells(rules, as_of, cut)

    def examined(question: LogQuestion) -> Evidence:
        log = partial(read_log, settings.kafka, passed_over=question.passed_over)
        return examine(log, question, lambda *_: None)

    def explained() -> SinceCut:
        if isinstance(earlier, Release):
            before = list(earlier.cells)
        else:
            before = examined(replace(question, cut=was_cut, since=None)).cells
        there = {it.key: it for it in before}
        now = [it for it in live if it.key in there]
        explanation = Explanation(
            catalogue, rules.areas, as_of, examined(question), was_cut, rules.places
        )
        of_now = {it.key: it for it in now}
        return SinceCut(there, of_now, [*differences(before, now)], explanation)

    return await asyncio.to_thread(explained)


async def _cut_at(
    settings: Settings, moment: datetime, cut: tuple[Position, ...]
) -> tuple[Position, ...]:
    """Where each partition of a cut stood at a moment, by the times of the log's messages."""
    async with log_reader(settings.kafka, VALIDATORS) as reader:
        offsets = await reader.offsets_at(moment)
    return tuple(
        it.model_copy(
            update={
                "offset": min(
                    it.offset,
                    max(offsets.get(TP(it.topic, it.partition), it.offset), it.begins),
                )
            }
        )
        for it in cut
    )
