"""What people decide about an alert here: that someone sees to it, or that it is not told.

Each goes the way of the command line (streams.alerts.decisions), once the audit log has it. A form
leads back to the alert's page; a program is answered as JSON.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from streams.alerts.actions import lasting
from streams.serving.alert_answers import alert_asked, no_such_alert
from streams.serving.answers import Answer
from streams.serving.data_answers import as_json
from streams.serving.problems import Problem
from streams.serving.roles import FORM, HTML, JSON
from streams.serving.site import Call, LiveSite

LONGEST_NOTE, MOST_FIELDS = 500, 10
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
    is_form = HTML in call.route.media
    wish = _wish(call, is_form)
    lasts = lasting(wish.lasts)
    if lasts is None:
        raise _not_understood(f"for: {wish.lasts[:20]} is no duration such as 8h, 3d or 2w")
    number, who = alert_asked(call), call.identity
    change = await site.alerts.active(number)
    if change is not None and not who.sees_alert(change, site.rules.areas):
        await site.note(call, "denied")
        raise no_such_alert()
    if change is None:
        raise Problem(HTTPStatus.CONFLICT, f"no alert {number} is active, so it needs nothing")
    await site.note(call, result)
    until = await decide(number, who.name, wish.note, lasts, wish.version)
    if is_form:
        headers = {"Location": f"/alerts/{number}", "Cache-Control": "no-store"}
        return Answer(HTTPStatus.SEE_OTHER, "text/plain", b"", headers)
    told = {"alert": number, "result": result, "until": until.isoformat(timespec="seconds")}
    return Answer(HTTPStatus.OK, JSON, as_json(told).encode(), {"Cache-Control": "no-store"})


def _wish(call: Call, is_form: bool) -> Wish:
    """What a body asks for. Raises Problem.

    Any page may have a browser send a form, so one is believed only where the browser says that it
    is from here. JSON it sends to others only once they have agreed, which nothing here does.
    """
    takes = FORM if is_form else JSON
    if call.content_type.partition(";")[0].strip().lower() != takes:
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"send {takes}")
    if is_form and not call.is_from_here:
        raise Problem(
            HTTPStatus.FORBIDDEN, "the browser does not say that the form is of a page from here"
        )
    try:
        return Wish.model_validate(_fields(call.body) if is_form else from_json(call.body))
    except ValidationError as error:
        wrong = (f"{'.'.join(map(str, it['loc']))}: {it['msg']}" for it in error.errors())
        raise _not_understood("; ".join(wrong)) from None
    except ValueError:
        raise Problem(HTTPStatus.BAD_REQUEST, f"the body is no {takes}") from None


def _fields(body: bytes) -> dict[str, Any]:
    """The fields of a form; one that is empty was not filled in. Raises ValueError."""
    text = body.decode("utf-8")
    pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a field twice")
    return {name: value for name, value in pairs if value}


def _not_understood(detail: str) -> Problem:
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
