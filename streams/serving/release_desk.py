"""The desk that tasks on releases are handed in at: each is done in a process of its own.

So a freeze that takes minutes holds up no reader, goes on when its reader goes away, and can be
ended with the server.
"""

import asyncio
import contextlib
import logging
import pickle
import secrets
import sys
from asyncio.subprocess import PIPE, Process
from urllib.parse import urlencode

from pydantic import ValidationError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from schemas.audit_entries import AuditResult
from schemas.settings import Settings
from streams.clock import Clock
from streams.failures import Understood
from streams.jobs.release_tasks import ReleaseTask, TaskOrder, TaskOutcome, TaskProgress
from streams.kafka.audit_log import Audited, AuditLog
from streams.serving.identity import Identity
from streams.serving.task_book import TaskBook, TaskEntry

# How often it is said that a task goes on.
KEEP_SECONDS = 1.0
# A process that was asked to end has so long.
END_SECONDS = 2.0
# The longest line that a process tells: a preview of a month with all its cells.
MOST_LINE_BYTES = 64 << 20
COMMAND = (sys.executable, "-m", "streams.jobs.task_process")
BROKE = "the process that did it ended in the middle; the log of the server says why"

log = logging.getLogger(__name__)


class Busy(Understood):
    """A task on releases is being done, and this is another one."""


class ReleaseDesk:
    """Takes tasks, one at a time, and says how they go. Raises redis.RedisError."""

    def __init__(self, redis: Redis, settings: Settings, clock: Clock, audit: AuditLog) -> None:
        self.book = TaskBook(redis, settings.deployment)
        self._settings, self._clock, self._audit = settings, clock, audit
        self._doing: set[asyncio.Task[None]] = set()

    async def take(self, task: ReleaseTask, identity: Identity) -> TaskEntry:
        """Begin a task. Raises Busy while another one is being done.

        The same task that the same person asked for and that is being done is that one.
        """
        entry = TaskEntry(
            id=secrets.token_hex(8),
            task=task,
            by=identity.name,
            roles=tuple(sorted(identity.roles)),
            began=self._clock.now(),
        )
        running = await self.book.begin(entry)
        if running is None:
            raise Busy("another task on releases is being done: wait until it has ended")
        if running.id == entry.id:
            doing = asyncio.create_task(self._do(entry))
            self._doing.add(doing)
            doing.add_done_callback(self._doing.discard)
        elif (running.task, running.by) != (task, entry.by):
            raise Busy(
                f"another task on releases is being done, the {running.task.what} of "
                f"{running.name} for {running.by}: wait until it has ended ({running.address})"
            )
        return running

    async def aclose(self) -> None:
        """End what is being done; it is said to have been stopped."""
        for doing in self._doing:
            doing.cancel()
        await asyncio.gather(*self._doing, return_exceptions=True)

    async def _do(self, entry: TaskEntry) -> None:
        """Do a task to its end, whatever that is, and enter it."""
        outcome: TaskOutcome | None = None
        try:
            outcome = await self._outcome(entry)
        except Exception as error:
            log.error("a task on releases broke", exc_info=error)
            outcome = TaskOutcome(state="failed", text=BROKE)
        finally:
            ended = entry.at(self._clock.now(), outcome)
            with contextlib.suppress(RedisError):  # then nobody keeps it alive, which says the same
                await self.book.end(ended)
            self._audit.note(_audited(ended))

    async def _outcome(self, entry: TaskEntry) -> TaskOutcome:
        """Have a process do a task, entering how it goes; ended with whoever waits for this."""
        order = TaskOrder(self._settings, self._clock.today(), entry.task)
        process = await asyncio.create_subprocess_exec(
            *COMMAND, stdin=PIPE, stdout=PIPE, limit=MOST_LINE_BYTES, start_new_session=True
        )
        keeping = asyncio.create_task(self._keep(entry, process, progress := _Progress()))
        try:
            assert process.stdin is not None
            process.stdin.write(pickle.dumps(order))
            await process.stdin.drain()
            return await _told(process, progress)
        finally:
            keeping.cancel()
            await _end(process)

    async def _keep(self, entry: TaskEntry, process: Process, progress: "_Progress") -> None:
        """Say that a task goes on for as long as it does; end it where another one is done."""
        while True:
            await asyncio.sleep(KEEP_SECONDS)
            with contextlib.suppress(RedisError):
                if not await self.book.keep(entry.model_copy(update={"progress": progress.latest})):
                    log.error("a task on releases is no longer the one that is being done")
                    process.kill()


class _Progress:
    """How far a task is, as its process said last."""

    latest: TaskProgress | None = None


async def _told(process: Process, progress: _Progress) -> TaskOutcome:
    """What a process says in the end, keeping what it says meanwhile."""
    assert process.stdout is not None
    async for line in process.stdout:
        try:
            return TaskOutcome.model_validate_json(line)
        except ValidationError:
            with contextlib.suppress(ValidationError):
                progress.latest = TaskProgress.model_validate_json(line)
    return TaskOutcome(state="failed", text=BROKE)


async def _end(process: Process) -> None:
    """Have a process end, if it has not."""
    with contextlib.suppress(ProcessLookupError):
        if process.returncode is None:
            assert process.stdin is not None
            process.stdin.close()  # which it takes for the end of this one
            try:
                async with asyncio.timeout(END_SECONDS):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()


def _audited(entry: TaskEntry) -> Audited:
    """What the audit log has of a task that has ended."""
    result: AuditResult = "done" if entry.state == "done" else "not-done"
    route = f"{entry.task.what}-task"
    return Audited(
        entry.by, entry.roles, route, f"{told_of_task(entry.task)}&task={entry.id}", result
    )


def told_of_task(task: ReleaseTask) -> str:
    """What a task asks for, without what anyone wrote, as an address has it."""
    asked = task.model_dump(mode="json", exclude={"what", "reason", "by"}, exclude_none=True)
    return urlencode(sorted(asked.items()))
