"""One case: its events in order, its deadlines and its alerts, to who may see it.

It is shown once the audit log has that it was. Who may see it is asked of who holds the case today.
"""

import re
from http import HTTPStatus
from typing import Any, NamedTuple

from processors.alerts.phrases import alert_id
from processors.alerts.told import Alert
from processors.behind.case_waits import CaseWait
from processors.behind.counted_rows import Subject
from processors.behind.timeline import Timeline, TimelineStep, timeline
from processors.days.calendar import date_of, day_number
from streams.serving.answers import Answer, unkept
from streams.serving.data_answers import as_json, told_of
from streams.serving.live_cases import ReadChild
from streams.serving.parameters import with_query
from streams.serving.problems import Problem
from streams.serving.roles import HTML
from streams.serving.site import Call, LiveSite

REFERENCE = re.compile(r"[0-9a-f]{20}")
# How a wait stands, in words.
STATE_WORDS = {
    "running": "in time so far",
    "due-soon": "due soon",
    "breached": "breached",
    "met": "met",
    "met-late": "met late",
    "ended": "ended before its limit was up",
    "ended-late": "ended after it was breached",
}


class CaseAlert(NamedTuple):
    """An alert on a case, as it was told last."""

    alert: str
    standard: str
    state: str
    since: str
    due: str
    reason: str | None


async def case(site: LiveSite, call: Call) -> Answer:
    """A case from its beginning, as a page or JSON. Raises Problem."""
    taking, identity, areas = call.taking, call.identity, site.rules.areas
    reference = _reference(call)
    fresh = await site.freshness(call.asked)
    subject = await site.cases.find(reference)
    if subject is None:
        raise no_such_case()
    read = (await site.cases.children([subject.child])).get(subject.child)
    if read is None:
        raise no_such_case()
    now = _timeline(site, subject, read, day_number(fresh.today))
    place = now.area or areas.top
    if not identity.sees_case(place, {now.team, now.provider}, areas):
        await site.note(call, "denied")
        raise no_such_case()
    found = now if fresh.asked is None else _timeline(site, subject, read, day_number(fresh.day))
    await site.note(call, "shown", 1, 1)
    alerts = [] if fresh.asked else [_alert(subject.child, it) for it in _alerts(subject, read)]
    if taking.media == HTML:
        text = site.page(
            "case.html",
            call,
            identity,
            fresh=fresh,
            subject=subject,
            reference=reference,
            found=found,
            alerts=alerts,
            titles={it.code: it.title for it in site.rules.standards.standard},
            state_words=STATE_WORDS,
            event_words=event_words,
            day=lambda it: str(date_of(it)),
            live_address=with_query(f"/cases/{reference}", call.asked.query(as_of=None)),
        )
        return unkept(text, taking)
    told = _told(subject, reference, found)
    told["alerts"] = [it._asdict() for it in alerts]
    return unkept(as_json({**told_of(fresh), **told}), taking)


def _reference(call: Call) -> str:
    found = str(call.path["reference"])
    if not REFERENCE.fullmatch(found):
        raise no_such_case()
    return found


def no_such_case() -> Problem:
    """That there is none, or none that who asks may know of."""
    detail = "there is no case of that reference among those you may see"
    return Problem(HTTPStatus.NOT_FOUND, detail)


def _timeline(site: LiveSite, subject: Subject, read: ReadChild, day: int) -> Timeline:
    return timeline(site.rules, subject.child, read.record, subject.name, day)


def _alerts(subject: Subject, read: ReadChild) -> list[Alert]:
    """The alerts on a case, those that are on first, then the latest."""
    own = [it for it in read.alerts if it.case == subject.name]
    return sorted(own, key=lambda it: (not it.is_active, -it.since, it.standard))


def _alert(child: str, it: Alert) -> CaseAlert:
    since, due = str(date_of(it.since)), str(date_of(it.due))
    return CaseAlert(alert_id(child, *it.about), it.standard, it.state, since, due, it.reason)


def event_words(kind: str) -> str:
    """A type of event as people read it."""
    return kind.replace(".", " ").replace("-", " ").capitalize()


def _told(subject: Subject, reference: str, found: Timeline) -> dict[str, Any]:
    """A timeline for programs."""
    return {
        "reference": reference,
        "subject": subject.name,
        "child": subject.child,
        "received": found.received,
        "closed": found.closed,
        "service": found.service,
        "provider": found.provider,
        "team": found.team,
        "area": found.area,
        "events": [_step(it) for it in found.steps],
        "later_events": found.later,
        "earlier_events": found.earlier,
        "corrected": found.corrected,
        "retracted": found.retracted,
        "standards": [_wait(it) for it in found.waits],
    }


def _step(it: TimelineStep) -> dict[str, Any]:
    return {
        "day": it.day,
        "type": it.type,
        "source": it.source,
        "id": it.id,
        "revision": it.revision,
        "is_correction": it.revision > 0,
        "retracts": it.retracts,
        "is_transfer": it.is_transfer,
        "data": it.says,
    }


def _wait(it: CaseWait) -> dict[str, Any]:
    return {
        "standard": it.standard,
        "title": it.title,
        "episode": it.episode,
        "since": str(date_of(it.since)),
        "due": str(date_of(it.due)),
        "breached_from": str(date_of(it.breached_from)),
        "state": it.state,
        "over": None if it.over is None else str(date_of(it.over)),
        "reason": it.reason,
    }
