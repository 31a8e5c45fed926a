"""The tasks on releases that this deployment's pages were asked for, in Redis.

    caseline:{<deployment>}:release-tasks      HASH    id -> the task and how it goes, as JSON
    caseline:{<deployment>}:release-previews   HASH    id -> what came of a preview, which is long
    caseline:{<deployment>}:release-task-now   STRING  the id of the one that is being done

So that any process of `serve` can say how it goes, one is done at a time, and a task whose process
has died is known by nobody keeping it alive. That a release is made once is left to the locks of
the use cases.
"""

from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime, ValidationError
from redis.asyncio import Redis

from schemas.release import Frozen
from snapshots.releases.chain import name_of
from streams import keys
from streams.jobs.previews import Preview
from streams.jobs.release_tasks import FreezeTask, ReleaseTask, TaskOutcome, TaskProgress

# A task that nobody has kept alive for so long has lost its process.
ALIVE_MS = 15_000
# Those that ended are kept, the latest so many of them.
MOST_KEPT = 12
# Answers the id of the task that is being done: the one that is given, unless another one is.
BEGIN = """
local now = redis.call('GET', KEYS[1])
if now then return now end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return ARGV[1]
"""
# Only while the task is still the one that is being done.
KEEP_ALIVE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return redis.call('PEXPIRE', KEYS[1], ARGV[3])
"""
END = """
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
if ARGV[3] ~= '' then redis.call('HSET', KEYS[3], ARGV[1], ARGV[3]) end
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
"""

TaskState = Literal["running", "done", "refused", "failed", "stopped"]


class TaskEntry(Frozen):
    """A task, who asked for it and when, and how it goes."""

    id: str
    task: ReleaseTask
    by: str
    roles: tuple[str, ...]
    began: AwareDatetime
    ended: AwareDatetime | None = None
    progress: TaskProgress | None = None
    outcome: TaskOutcome | None = None
    is_stopped: bool = False

    @property
    def state(self) -> TaskState:
        """How it stands: it `stopped` where its process ended before it did."""
        if self.outcome is not None:
            return self.outcome.state
        return "stopped" if self.is_stopped else "running"

    @property
    def name(self) -> str:
        """What it is of, such as 2015-10/001; a month where it is to make a release."""
        task = self.task
        return task.period if isinstance(task, FreezeTask) else name_of(task.period, task.number)

    @property
    def address(self) -> str:
        """Where it is shown."""
        return f"/release-tasks/{self.id}"

    def with_preview(self, preview: Preview | None) -> "TaskEntry":
        """It with what came of a preview, or without."""
        assert self.outcome is not None
        outcome = self.outcome.model_copy(update={"preview": preview})
        return self.model_copy(update={"outcome": outcome})

    def at(self, ended: datetime, outcome: TaskOutcome | None) -> "TaskEntry":
        """It when it has ended: with what came of it, or stopped."""
        stopped = outcome is None
        return self.model_copy(update={"ended": ended, "outcome": outcome, "is_stopped": stopped})


class TaskBook:
    """The tasks of a deployment. Raises redis.RedisError."""

    def __init__(self, redis: Redis, deployment: str) -> None:
        self._redis: Any = redis
        prefix = keys.of_deployment(deployment)
        self._now, self._all = f"{prefix}:release-task-now", f"{prefix}:release-tasks"
        self._previews = f"{prefix}:release-previews"
        self._begin = redis.register_script(BEGIN)
        self._keep_alive = redis.register_script(KEEP_ALIVE)
        self._end = redis.register_script(END)

    async def begin(self, entry: TaskEntry) -> TaskEntry | None:
        """Enter a task as the one that is being done, unless another one is: then that one.

        None where that was entered by another version, which alone can say what it is.
        """
        given: list[str | int] = [entry.id, entry.model_dump_json(), ALIVE_MS]
        number = (await self._begin(keys=[self._now, self._all], args=given)).decode()
        if number != entry.id:
            return await self.find(number)
        await self._forget_old()
        return entry

    async def keep(self, entry: TaskEntry) -> bool:
        """Say how a task goes, and that it goes on; False where another one is done by now."""
        given: list[str | int] = [entry.id, entry.model_dump_json(), ALIVE_MS]
        return bool(await self._keep_alive(keys=[self._now, self._all], args=given))

    async def end(self, entry: TaskEntry) -> None:
        """Enter how a task ended, and let the next one begin."""
        preview = entry.outcome.preview if entry.outcome else None
        short = entry.with_preview(None) if preview else entry
        given = [entry.id, short.model_dump_json(), preview.model_dump_json() if preview else ""]
        await self._end(keys=[self._now, self._all, self._previews], args=given)

    async def find(self, number: str) -> TaskEntry | None:
        """A task by its id; None where there is none."""
        now, text, preview = await self._at_once(
            ("get", self._now), ("hget", self._all, number), ("hget", self._previews, number)
        )
        entry = _entry(text, now)
        if entry is None or preview is None:
            return entry
        return entry.with_preview(Preview.model_validate_json(preview))

    async def entries(self) -> list[TaskEntry]:
        """Every task that is kept, the latest first, without what came of previews."""
        now, texts = await self._at_once(("get", self._now), ("hvals", self._all))
        found = [it for text in texts if (it := _entry(text, now))]
        return sorted(found, key=lambda it: (it.began, it.id), reverse=True)

    async def _at_once(self, *reads: tuple[str, ...]) -> list[Any]:
        """What is read at one moment: a task that ends meanwhile is not taken for one stopped."""
        async with self._redis.pipeline(transaction=True) as step:
            for read in reads:
                step.execute_command(*read)
            found: list[Any] = await step.execute()
            return found

    async def _forget_old(self) -> None:
        old = (await self.entries())[MOST_KEPT:]
        if old:
            for key in (self._all, self._previews):
                await self._redis.hdel(key, *(it.id for it in old))


def _entry(text: bytes | None, now: bytes | None) -> TaskEntry | None:
    """What is stored of a task; None for nothing, and for what another version has written."""
    try:
        entry = TaskEntry.model_validate_json(text) if text else None
    except ValidationError:
        return None
    if entry is not None and entry.state == "running" and now != entry.id.encode():
        return entry.model_copy(update={"is_stopped": True})
    return entry
