"""Tasks on releases in Redis: one at a time, kept a while, and known to have lost their process."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis

from snapshots.disclosure.suppression import Rule
from streams import keys
from streams.jobs.previews import Preview, Withheld
from streams.jobs.release_tasks import PreviewTask, TaskOutcome, TaskProgress
from streams.serving.task_book import MOST_KEPT, TaskBook, TaskEntry
from tests.support.servers import Server

pytestmark = pytest.mark.services

NOON = datetime(2017, 6, 30, 12, tzinfo=UTC)
TASK = PreviewTask(period="2015-10", number=1)
PREVIEW = Preview(
    period="2015-10",
    number=1,
    kind="first",
    release_sha256="0" * 64,
    sha256="1" * 64,
    is_out=False,
    rule=Rule(),
    withheld=(Withheld(code="EH04", area="Dover", age_band="all", reason="secondary"),),
)
DONE = TaskOutcome(state="done", text="previewed", release="2015-10/001", preview=PREVIEW)
Work = Callable[[TaskBook, Redis], Awaitable[None]]


def entry(number: int) -> TaskEntry:
    began = NOON + timedelta(minutes=number)
    return TaskEntry(id=f"{number:016x}", task=TASK, by="P", roles=("publisher",), began=began)


def on(server: Server, deployment: str, work: Work) -> None:
    async def run() -> None:
        async with Redis.from_url(server.address) as redis:
            await work(TaskBook(redis, deployment), redis)

    asyncio.run(run())


def test_one_is_done_at_a_time_and_what_came_of_it_is_found(
    redis_server: Server, deployment: str
) -> None:
    async def work(book: TaskBook, _: Redis) -> None:
        first, second = entry(1), entry(2)
        assert await book.begin(first) == first
        assert await book.begin(second) == first
        assert await book.keep(first.model_copy(update={"progress": TaskProgress(total=7)}))
        found = await book.find(first.id)
        assert found is not None
        assert (found.state, found.progress) == ("running", TaskProgress(total=7))
        ended = first.at(NOON, DONE)
        await book.end(ended)
        assert await book.find(first.id) == ended
        (listed,) = await book.entries()
        assert listed == ended.with_preview(None)
        assert await book.begin(second) == second

    on(redis_server, deployment, work)


def test_one_that_nobody_keeps_alive_has_stopped_and_the_next_may_begin(
    redis_server: Server, deployment: str
) -> None:
    async def work(book: TaskBook, redis: Redis) -> None:
        first, second = entry(1), entry(2)
        await book.begin(first)
        # As if its time had run out.
        await redis.delete(f"{keys.of_deployment(deployment)}:release-task-now")
        found = await book.find(first.id)
        assert found is not None
        assert found.state == "stopped"
        assert await book.begin(second) == second
        assert not await book.keep(first)
        await book.end(first.at(NOON, None))
        assert await book.begin(entry(3)) == second

    on(redis_server, deployment, work)


def test_the_latest_are_kept_and_what_cannot_be_read_is_passed_over(
    redis_server: Server, deployment: str
) -> None:
    async def work(book: TaskBook, redis: Redis) -> None:
        await redis.hset(f"{keys.of_deployment(deployment)}:release-tasks", "x", "{}")
        for number in range(MOST_KEPT + 5):
            await book.begin(entry(number))
            await book.end(entry(number).at(NOON, DONE))
        kept = [it.id for it in await book.entries()]
        assert kept[0] == entry(MOST_KEPT + 4).id
        assert len(kept) == MOST_KEPT
        assert await redis.hlen(f"{keys.of_deployment(deployment)}:release-previews") == len(kept)
        assert await book.find("x") is None

    on(redis_server, deployment, work)
