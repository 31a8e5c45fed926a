"""Doing a task on releases: the way of the command of its name, by the same functions."""

import asyncio
from datetime import date
from pathlib import Path

from aiokafka.errors import KafkaError
from redis.exceptions import RedisError

from processors.rules import Rules
from schemas.settings import Settings
from snapshots.publish.formats.glyphs import unshown
from snapshots.publish.writing import PublicationFormat
from snapshots.releases.chain import name_of, requested
from snapshots.releases.release_failures import NotAllowed, ReleaseError
from streams.failures import Understood, described
from streams.jobs.publishing import AskedRelease, PublicChoice, Publishing
from streams.jobs.release_tasks import (
    AcceptTask,
    FreezeTask,
    PreviewTask,
    PublishInternalTask,
    ReleaseTask,
    TaskOutcome,
)
from streams.jobs.releasing import WAIT_SECONDS, BeginShow, Released, Releasing
from streams.state.redis_clients import connect_redis


def do_task(
    task: ReleaseTask, settings: Settings, rules: Rules, today: date, show: BeginShow
) -> TaskOutcome:
    """Do a task. What a user can do something about is an outcome; anything else is raised."""
    try:
        return _do(task, settings, rules, today, show)
    except (Understood, ReleaseError) as error:
        return TaskOutcome(state="refused", text=str(error))
    except (RedisError, KafkaError, OSError) as error:
        return TaskOutcome(state="failed", text=described(error))


def _do(
    task: ReleaseTask, settings: Settings, rules: Rules, today: date, show: BeginShow
) -> TaskOutcome:
    if isinstance(task, FreezeTask):
        return _frozen(asyncio.run(_freeze(task, settings, rules, today, show)))
    told: list[str] = []
    publishing = Publishing(settings, rules.catalogue, today, told.append)
    name = name_of(task.period, task.number)
    if isinstance(task, AcceptTask):
        publishing.accept(name, task.text, task.by, task.reason)
        text = f"{name}: text {task.text} may go out, {task.by} says."
        return TaskOutcome(state="done", text=text, release=name)
    formats = [*PublicationFormat]
    if isinstance(task, PublishInternalTask):
        asked = AskedRelease(task.period, task.number, _internal_folder(settings), formats)
        written = publishing.internal(asked)
        text = f"{name} was published for the council itself: {len(written):,} files."
        return TaskOutcome(state="done", text=text, release=name)
    if settings.public_folder is None:
        raise NotAllowed(
            "there is no folder to publish into: set CASELINE_PUBLIC_FOLDER, where `serve` runs"
        )
    asked = AskedRelease(task.period, task.number, settings.public_folder, formats)
    if isinstance(task, PreviewTask):
        choice = PublicChoice(task.threshold, task.zeros_shown)
        preview = publishing.preview(asked, choice)
        text = f"{name} was previewed; nothing has gone out."
        return TaskOutcome(state="done", text=text, release=name, preview=preview)
    narrow_by = task.by if task.accepts_narrow else None
    choice = PublicChoice(task.threshold, task.zeros_shown, narrow_by)
    written = publishing.public(asked, choice, task.preview)
    text = f"{name} was published: {len(written):,} files."
    return TaskOutcome(state="done", text=text, notes=tuple(told), release=name)


def _internal_folder(settings: Settings) -> Path:
    """Where what is internal is published: apart from what is public. Raises NotAllowed."""
    folder, public = settings.internal_folder, settings.public_folder
    if folder is None:
        raise NotAllowed(
            "there is no folder for what is internal: set CASELINE_INTERNAL_FOLDER, where `serve` "
            "runs"
        )
    here, there = folder.resolve(), public.resolve() if public else None
    if there and (here == there or here in there.parents or there in here.parents):
        raise NotAllowed(
            "CASELINE_INTERNAL_FOLDER and CASELINE_PUBLIC_FOLDER are one, or one is within the "
            "other: set folders that are apart, so that nothing internal lies beside what is public"
        )
    return folder


async def _freeze(
    task: FreezeTask, settings: Settings, rules: Rules, today: date, show: BeginShow
) -> Released:
    request = requested(task.period, task.kind, task.by, task.reason)
    async with connect_redis(settings) as redis:
        releasing = Releasing(settings, rules, redis, show)
        if request.kind == "withdrawn":
            return await releasing.withdraw(request, today)
        released_on = task.released_on or today
        return await releasing.release(request, released_on, today, WAIT_SECONDS)


def _frozen(released: Released) -> TaskOutcome:
    sealed = released.sealed
    made = "released" if released.is_new else "was released already"
    notes = (*released.notes, *unshown(sealed.release))
    if sealed.release.kind == "withdrawn":
        again = f"Publish it wherever {sealed.release.period} was published, for a notice there."
        notes = (again, *notes)
    return TaskOutcome(
        state="done",
        text=f"{sealed.name} ({sealed.release.kind}) {made}.",
        notes=notes,
        release=sealed.name,
        is_new=released.is_new,
    )
