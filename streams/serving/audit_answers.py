"""The audit log for who looks after it: a page of entries, the latest first."""

import asyncio
from collections.abc import Callable
from typing import get_args

from aiokafka.errors import KafkaError

from processors.days.calendar import LONDON
from schemas.audit_entries import AuditEntry, AuditResult
from streams.failures import described
from streams.kafka.audit_reading import LogPage, latest_entries
from streams.kafka.logreading import ReadTimedOut
from streams.serving.answers import Answer, unkept
from streams.serving.data_answers import as_json
from streams.serving.parameters import PAGE_LENGTH
from streams.serving.problems import away, wrong_parameter
from streams.serving.roles import HTML, ROUTES_BY_NAME
from streams.serving.site import Call, LiveSite

RESULTS = get_args(AuditResult)
# How long the log is looked through for one question, and by one at a time.
READ_SECONDS = 20.0
_reading = asyncio.Lock()
# Of more digits no offset is.
MOST_DIGITS = 18


async def audit_log(site: LiveSite, call: Call) -> Answer:
    """Entries of the audit log, once it has that they were asked for. Raises Problem."""
    taking, asked = call.taking, call.asked
    who, result, cursor = asked.one("who"), asked.one("result"), asked.one("cursor")
    if result not in (None, *RESULTS):
        raise wrong_parameter("result", f"{result}: there are {', '.join(RESULTS)}")
    if cursor is not None and not (
        cursor.isascii() and cursor.isdecimal() and len(cursor) <= MOST_DIGITS
    ):
        raise wrong_parameter("cursor", "none that was given out here")
    await site.note(call, "shown")

    def is_asked(entry: AuditEntry) -> bool:
        return who in (None, entry.who) and result in (None, entry.result)

    page = await _page(site, None if cursor is None else int(cursor), is_asked)
    following = None if page.following is None else str(page.following)
    if taking.media == HTML:
        text = site.page(
            "audit_log.html",
            call,
            call.identity,
            page=page,
            who=who,
            result=result,
            results=RESULTS,
            older=following and f"?{asked.query(cursor=following)}",
            latest=cursor and f"?{asked.query(cursor=None)}",
            about=lambda name: ROUTES_BY_NAME[name].about if name in ROUTES_BY_NAME else name,
            london=LONDON,
        )
        return unkept(text, taking)
    told = {
        "entries": [it.model_dump(mode="json") for it in page.entries],
        "unreadable": page.unreadable,
        "next": following,
    }
    return unkept(as_json(told), taking)


async def _page(
    site: LiveSite, before: int | None, is_asked: Callable[[AuditEntry], bool]
) -> LogPage:
    settings = site.settings
    try:
        async with asyncio.timeout(READ_SECONDS), _reading:
            return await latest_entries(
                settings.kafka, settings.deployment, before, PAGE_LENGTH, is_asked
            )
    except (KafkaError, ReadTimedOut, OSError) as error:
        raise away(f"the audit log cannot be read ({described(error)})") from error
