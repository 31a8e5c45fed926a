"""What publishers have done here: freeze a month, preview what would go out, publish, accept texts.

Each is a task (streams.jobs.release_tasks), begun once the audit log has who asked for it, and done
in a process of its own. A form leads to the page that says how it goes, a program to its address.
"""

import asyncio
from datetime import date
from http import HTTPStatus
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from redis.exceptions import RedisError

from processors.figures.asking import NotThere, check_within_calendar
from schemas.events.attributes import MONTH
from schemas.release import ReleaseKind, Sha256
from streams.failures import described
from streams.jobs.release_tasks import (
    AcceptTask,
    FreezeTask,
    PreviewTask,
    PublishInternalTask,
    PublishTask,
    ReleaseTask,
)
from streams.serving.answers import Answer, unkept
from streams.serving.bodies import is_form, sent
from streams.serving.data_answers import as_json
from streams.serving.problems import Problem, away
from streams.serving.release_desk import Busy, told_of_task
from streams.serving.release_list import release_list
from streams.serving.release_words import task_page
from streams.serving.roles import HTML, JSON
from streams.serving.site import Call, LiveSite
from streams.serving.task_book import TaskEntry

LONGEST_REASON = 2_000
HIGHEST_THRESHOLD = 1_000
MOST_TEXTS = 100_000
Reason = Annotated[str, Field(min_length=1, max_length=LONGEST_REASON)]


def _month(text: str) -> str:
    """A month of the calendar. Raises ValueError."""
    try:
        check_within_calendar(date.fromisoformat(f"{text}-01"))
    except NotThere as error:
        raise ValueError(str(error)) from error
    return text


Month = Annotated[str, Field(pattern=MONTH), AfterValidator(_month)]


class TaskAsked(BaseModel):
    """What is sent; nothing else is."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", str_strip_whitespace=True)


class FreezeAsked(TaskAsked):
    """A release that is to be made, or with kind `withdrawn` a withdrawal of those before it."""

    period: Month
    kind: ReleaseKind
    reason: Reason | None = None
    released_on: date | None = None


class PreviewAsked(TaskAsked):
    """By which rule, where the month has not gone out by one; the usual where it is not said."""

    threshold: Annotated[int, Field(ge=1, le=HIGHEST_THRESHOLD)] | None = None
    zeros: Literal["shown", "suppressed"] | None = None

    @property
    def zeros_shown(self) -> bool | None:
        """Whether zeros are shown; None for the usual."""
        return None if self.zeros is None else self.zeros == "shown"


class PublishAsked(PreviewAsked):
    """What was previewed, by its hash and the same rule; and whether narrow counts are accepted."""

    preview: Sha256
    accept_narrow: bool = False


class AcceptAsked(TaskAsked):
    """Which text of a release was read, and why it may go out."""

    text: Annotated[int, Field(ge=0, le=MOST_TEXTS)]
    reason: Reason


async def freeze(site: LiveSite, call: Call) -> Answer:
    """Make a release, or a withdrawal. Raises Problem."""
    asked = sent(call, FreezeAsked)
    by = call.identity.name
    return await _begin(site, call, FreezeTask(by=by, **asked.model_dump()))


async def preview(site: LiveSite, call: Call) -> Answer:
    """Find what of a release would go out. Raises Problem."""
    asked = sent(call, PreviewAsked)
    period, number = await _release(site, call)
    task = PreviewTask(
        period=period,
        number=number,
        threshold=asked.threshold,
        zeros_shown=asked.zeros_shown,
    )
    return await _begin(site, call, task)


async def publish(site: LiveSite, call: Call) -> Answer:
    """Publish a release as it was previewed. Raises Problem."""
    asked = sent(call, PublishAsked)
    period, number = await _release(site, call)
    task = PublishTask(
        period=period,
        number=number,
        threshold=asked.threshold,
        zeros_shown=asked.zeros_shown,
        preview=asked.preview,
        accepts_narrow=asked.accept_narrow,
        by=call.identity.name,
    )
    return await _begin(site, call, task)


async def publish_internal(site: LiveSite, call: Call) -> Answer:
    """Publish a release for the council itself. Raises Problem."""
    sent(call, TaskAsked)
    period, number = await _release(site, call)
    return await _begin(
        site, call, PublishInternalTask(period=period, number=number, by=call.identity.name)
    )


async def accept(site: LiveSite, call: Call) -> Answer:
    """Keep that a text of a release may go out as it stands. Raises Problem."""
    asked = sent(call, AcceptAsked)
    period, number = await _release(site, call)
    by = call.identity.name
    task = AcceptTask(period=period, number=number, text=asked.text, reason=asked.reason, by=by)
    return await _begin(site, call, task)


async def release_task(site: LiveSite, call: Call) -> Answer:
    """How a task goes, and what came of it; as a page or JSON. Raises Problem."""
    taking = call.taking
    try:
        entry = await site.desk.book.find(str(call.path["task"]))
    except RedisError as error:
        raise away(f"Redis does not answer: {described(error)}") from error
    if entry is None:
        raise Problem(
            HTTPStatus.NOT_FOUND, "there is no such task; the latest of those that ended are kept"
        )
    if taking.media == HTML:
        return unkept(task_page(site, call, entry), taking)
    return unkept(as_json(told(entry)), taking)


async def _begin(site: LiveSite, call: Call, task: ReleaseTask) -> Answer:
    _ = call.taking
    await site.note(call, "begun", query=told_of_task(task))
    try:
        entry = await site.desk.take(task, call.identity)
    except Busy as error:
        raise Problem(HTTPStatus.CONFLICT, str(error)) from error
    except RedisError as error:
        raise away(f"Redis does not answer: {described(error)}") from error
    if is_form(call):
        headers = {"Location": entry.address, "Cache-Control": "no-store"}
        return Answer(HTTPStatus.SEE_OTHER, "text/plain", b"", headers)
    headers = {"Location": f"/api/v1{entry.address}", "Cache-Control": "no-store"}
    return Answer(HTTPStatus.ACCEPTED, JSON, as_json(told(entry)).encode(), headers)


async def _release(site: LiveSite, call: Call) -> tuple[str, int]:
    """The month and number of the release that an address names. Raises Problem."""
    found = await asyncio.to_thread(release_list, site.settings.releases)
    listed = found.find(str(call.path["period"]), str(call.path["number"]))
    if listed is None:
        raise Problem(HTTPStatus.NOT_FOUND, "there is no such release")
    return listed.account.period, listed.account.number


def told(entry: TaskEntry) -> dict[str, Any]:
    """A task for programs."""
    outcome = entry.outcome
    found: dict[str, Any] = {
        "task": entry.id,
        "what": entry.task.what,
        "of": entry.name,
        "by": entry.by,
        "state": entry.state,
        "began": entry.began.isoformat(timespec="seconds"),
        "ended": entry.ended.isoformat(timespec="seconds") if entry.ended else None,
        "progress": entry.progress.model_dump() if entry.progress else None,
        "text": outcome.text if outcome else None,
        "notes": [*outcome.notes] if outcome else [],
        "release": outcome.release if outcome else None,
        "is_new": bool(outcome and outcome.is_new),
        "preview": outcome.preview.model_dump(mode="json") if outcome and outcome.preview else None,
    }
    return found
