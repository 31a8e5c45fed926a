"""Why live figures are not those of a release any more: the events that came since its cut.

It is what a revision would say of itself: the live tables at one vector of offsets, and the log up
to there, gone through for whatever changed what a case adds to a figure.
"""

import asyncio

from redis.asyncio import Redis

from processors.rules import Rules
from schemas.release import Change, Release
from schemas.settings import Settings
from snapshots.checking.differences import Explanation, differences
from snapshots.checking.evidence import LogQuestion, examine
from snapshots.making.freeze import frozen_cells
from snapshots.releases.kafka_reading import read_log
from snapshots.releases.release_failures import NotAllowed
from streams.jobs.releasing import Releasing

# Messages of a log that is gone through while somebody waits for a page.
MOST_MESSAGES = 500_000
WAIT_SECONDS = 10.0


async def live_changes(
    redis: Redis, settings: Settings, rules: Rules, release: Release
) -> tuple[Change, ...]:
    """The figures of a release that are others live, each with the events behind it.

    Raises NotAllowed where that cannot be said, as `Releasing.cut` does, LogUnreadable or NoRoom.
    """
    if release.catalogue_version != rules.catalogue.released.version:
        raise NotAllowed("the release was made with another catalogue, so events do not tell why")
    cut = await Releasing(settings, rules, redis, lambda _: lambda *_: None).cut(
        release.as_of, WAIT_SECONDS
    )
    messages = sum(it.offset for it in cut.positions)
    if messages > MOST_MESSAGES:
        raise NotAllowed(
            f"the log has {messages:,} messages, more than are gone through for a page: a revision "
            "names the events, as does `caseline snapshot diff` between two releases"
        )
    question = LogQuestion(
        rules.catalogue.released,
        rules.areas,
        release.as_of,
        cut.positions,
        release.cut,
        places=rules.places,
        passed_over=cut.passed_over,
        erased=rules.erased,
    )
    there = {it.key for it in release.cells}
    live = [it for it in frozen_cells(rules, release.as_of, cut) if it.key in there]
    found = [*differences(release.cells, live)]

    def explained() -> tuple[Change, ...]:
        records = read_log(settings.kafka, question.cut, question.passed_over)
        evidence = examine(records, question, lambda *_: None)
        explanation = Explanation(
            question.catalogue,
            rules.areas,
            release.as_of,
            evidence,
            release.cut,
            rules.places,
        )
        return explanation.changes(found)

    return await asyncio.to_thread(explained)
