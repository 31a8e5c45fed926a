"""What people decide about an alert here: that someone sees to it, or that it is not told.

Each goes the way of the command line (streams.alerts.decisions), once the audit log has it. A form
leads back to the alert's page; a program is answered as JSON.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from streams.alerts.actions import lasting
from streams.serving.alert_answers import alert_asked, no_such_alert
from streams.serving.answers import Answer
from streams.serving.bodies import is_form, not_understood, sent
from streams.serving.data_answers import as_json
from streams.serving.problems import Problem
from streams.serving.roles import JSON
from streams.serving.site import Call, LiveSite

LONGEST_NOTE = 500
Decide = Callable[[str, str, str, timedelta, int | None], Awaitable[datetime]]
Decided = Literal["acknowledged", "silenced"]


class Wish(BaseModel):
    """What is sent: why, for how long, and the version of the alert that was looked at."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    note: Annotated[str, Field(min_length=1, max_length=LONGEST_NOTE)]
    lasts: Annotated[str, Field(alias="for")]
    version: int | None = None


async def acknowledge(site: LiveSite, call: Call) -> Answer:
    """Say that someone sees to an alert, as long as it stays as it is. Raises Problem."""
    return await _decide(site, call, site.alerts.acknowledge, "acknowledged")


async def silence(site: LiveSite, call: Call) -> Answer:
    """Have an alert not be told for a time. Raises Problem."""
    return await _decide(site, call, site.alerts.silence, "silenced")


async def _decide(site: LiveSite, call: Call, decide: Decide, result: Decided) -> Answer:
    _ = call.taking
    wish = sent(call, Wish)
    lasts = lasting(wish.lasts)
    if lasts is None:
        raise not_understood(f"for: {wish.lasts[:20]} is no duration such as 8h, 3d or 2w")
    number, who = alert_asked(call), call.identity
    change = await site.alerts.active(number)
    if change is not None and not who.sees_alert(change, site.rules.areas):
        await site.note(call, "denied")
        raise no_such_alert()
    if change is None:
        raise Problem(HTTPStatus.CONFLICT, f"no alert {number} is active, so it needs nothing")
    await site.note(call, result)
    until = await decide(number, who.name, wish.note, lasts, wish.version)
    if is_form(call):
        headers = {"Location": f"/alerts/{number}", "Cache-Control": "no-store"}
        return Answer(HTTPStatus.SEE_OTHER, "text/plain", b"", headers)
    told = {"alert": number, "result": result, "until": until.isoformat(timespec="seconds")}
    return Answer(HTTPStatus.OK, JSON, as_json(told).encode(), {"Cache-Control": "no-store"})
