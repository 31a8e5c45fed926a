"""Cases held by a process that serves them: as many as a list from every record has, always."""

import asyncio
from datetime import UTC, date, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from processors.behind.counted_rows import Question
from processors.behind.held_rows import case_reference
from processors.days.calendar import day_number
from processors.figures.asking import indicator_of
from schemas.events.registry import CASE_TOPIC
from schemas.places import Place
from streams.jobs.data_quality import read_quality
from streams.kafka.changed_keys import changed_keys
from streams.kafka.eventfiles import EventLine
from streams.serving.kept_records import FEW
from streams.serving.live_cases import LiveCases
from streams.serving.live_figures import ANSWER_SECONDS
from streams.serving.live_quality import LiveQuality
from streams.serving.problems import Problem
from streams.state.reading import read_list
from tests.support.opencases import line, open_case
from tests.support.patience import SECONDS
from tests.support.workers import CommandLine, log_ends

pytestmark = pytest.mark.services

MOST = 1_000
RECEIVED = datetime(2015, 10, 1, 9, tzinfo=UTC)
CLOSED = datetime(2015, 10, 9, 9, tzinfo=UTC)


def lines_in(path: Path, lines: list[EventLine]) -> Path:
    path.write_bytes(b"".join((it.message[1] or b"") + b"\n" for it in lines))
    return path


def test_what_is_held_is_kept_up_by_what_the_log_says_changed(
    caseline: CommandLine, tmp_path: Path
) -> None:
    settings, rules = caseline.settings, caseline.rules
    indicator = indicator_of(rules, "EH05")
    day = day_number(datetime(2015, 10, 31, tzinfo=UTC).date())
    question = Question(indicator, Place("county", "Kent"), "all", day)
    first = lines_in(tmp_path / "1.jsonl", [it for n in range(30) for it in open_case(n, RECEIVED)])
    closing = line("child-7", "case-7", "case.closed", CLOSED, outcome="Outcomes achieved")
    more = lines_in(tmp_path / "2.jsonl", [*open_case(30, RECEIVED), closing])

    async def ask() -> None:
        async with Redis.from_url(settings.redis_url) as redis:
            client: Any = redis
            cases = LiveCases(redis, settings, rules)
            quality, close = LiveQuality(redis, settings, rules), date(2015, 10, 31)

            async def held_quality() -> tuple[object, object]:
                found = await quality.found(close)
                every = await read_quality(redis, settings.deployment, rules, close)
                assert (found.facts, found.lacking) == (every.facts, every.lacking)
                return found.facts, found.lacking

            async def scans() -> int:
                stats = await client.info("commandstats")
                return int(stats.get("cmdstat_hscan", {}).get("calls", 0))

            async def held() -> set[str]:
                found = await cases.amounts(question)
                every = read_list(redis, settings.deployment, rules, question)
                told = {(it.child, it.subject, it.numerator) async for it in every}
                assert {(*it.subject[:2], it.above) for it in found} == told
                return {it.subject.name for it in found}

            cases.kept.wait_seconds, cases.kept.few = 0.0, -1
            with pytest.raises(Problem) as told:
                await cases.amounts(question)
            assert told.value.status == HTTPStatus.SERVICE_UNAVAILABLE
            assert int(told.value.headers["Retry-After"]) > 0
            assert "records are read" in told.value.detail
            cases.kept.wait_seconds, cases.kept.few = ANSWER_SECONDS, FEW
            assert await held() == {f"case-{it}" for it in range(30)}
            earlier = await held_quality()
            cases.kept.lately_seconds = 0.0  # so that whatever takes any time takes too long
            await asyncio.to_thread(caseline.run, "ingest", more)
            await asyncio.to_thread(caseline.wait_for_the_end)
            before = await scans()
            lately, behind = await cases.amounts_lately(question)
            assert {it.subject.name for it in lately} == {f"case-{it}" for it in range(30)}
            assert behind > 0
            cases.kept.lately_seconds = SECONDS
            found = await cases.find(case_reference("child-30", "case-30"))
            assert found == ("child-30", "case-30", True)
            now = await quality.found(close)
            assert await scans() == before, "every record was read again"
            assert (now.facts, now.lacking) == await held_quality() != earlier
            assert await held() == {f"case-{it}" for it in range(31)} - {"case-7"}
            lately, behind = await cases.amounts_lately(question)
            assert {it.subject.name for it in lately} == await held()
            assert behind == 0

    caseline.run("ingest", first)
    with caseline.worker():
        caseline.wait_for_the_end()
        asyncio.run(ask())
    asyncio.run(said_to_have_changed(caseline))


async def said_to_have_changed(caseline: CommandLine) -> None:
    """Whose messages lie between two offsets; of what is not there that is not known."""
    kafka = caseline.settings.kafka
    until = log_ends(caseline.settings.kafka_bootstrap, [CASE_TOPIC])
    since = dict.fromkeys(until, 0)
    assert await changed_keys(kafka, since, until, sum(until.values()) - 1) is None
    assert await changed_keys(kafka, since, until, MOST) == {f"child-{it}" for it in range(31)}
    assert await changed_keys(kafka, until, until, MOST) == set()
    beyond = {tp: it + 1 for tp, it in until.items()}
    assert await changed_keys(kafka, until, beyond, MOST) is None
