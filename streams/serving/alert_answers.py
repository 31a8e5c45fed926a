"""Alerts: which are active, and one of them; shown once the audit log has that they were."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from processors.alerts.overview import CaseLine, WantedAlerts, days_overdue, is_new
from processors.figures.asking import NotThere, known
from schemas.alerts import CaseChange, IndicatorChange
from streams.alerts.account import Account
from streams.alerts.alert_lists import (
    ListedAlert,
    Listing,
    as_csv,
    judged_text,
    moment,
    rows,
    second,
    staleness,
)
from streams.alerts.history import HistoryStep
from streams.serving.answers import Answer, unkept
from streams.serving.data_answers import as_json, told_of
from streams.serving.parameters import Query, pages_of, part_of
from streams.serving.problems import Problem, wrong_parameter
from streams.serving.roles import ACT_ON_ALERTS, CSV, HTML
from streams.serving.site import Call, LiveSite

STATES = ("breached", "due-soon")
SEVERITIES = ("critical", "warning")
ID = re.compile(r"[0-9a-f]{20}")
# For how long a form offers to decide.
DURATIONS = {"1d": "1 day", "3d": "3 days", "1w": "1 week", "2w": "2 weeks"}


@dataclass(frozen=True)
class AlertsPage:
    """A page of what is listed: the listing, and where in it the page is."""

    found: Listing
    page: int
    pages: int

    @property
    def part(self) -> slice:
        """What of the cases, and of the figures, is on it."""
        return part_of(self.page)

    @property
    def cases(self) -> list[CaseLine]:
        """The cases on it."""
        return self.found.overview.cases[self.part]

    @property
    def indicators(self) -> list[IndicatorChange]:
        """The figures on it."""
        return self.found.overview.indicators[self.part]


async def alerts(site: LiveSite, call: Call) -> Answer:
    """The active alerts that who asks may see, a page of cases; as a page, JSON or CSV."""
    taking, asked, identity = call.taking, call.asked, call.identity
    names = await site.alerts.names()
    there: Mapping[str, list[str]] = {
        "standard": names.standards,
        "state": [*STATES],
        "severity": [*SEVERITIES],
        "area": [*site.rules.areas.names],
        "provider": names.providers,
        "owner": names.owners,
    }
    wanted = _wanted(site, asked, there)
    fresh = await site.freshness(asked)
    number = asked.page
    areas = site.rules.areas
    found = await site.alerts.listed(
        wanted, lambda it: identity.sees_alert(it, areas), ("seen", identity.sight), part_of(number)
    )
    lines = max(len(found.overview.cases), len(found.overview.indicators))
    shown = AlertsPage(found, number, pages_of(lines, number))
    await site.note(call, "shown", len(shown.cases), len(found.overview.cases))
    if taking.media == CSV:
        return unkept(as_csv(rows(found)), taking)
    if taking.media == HTML:
        titles = await site.alerts.titles()
        text = site.page(
            "alerts.html",
            call,
            identity,
            fresh=fresh,
            shown=shown,
            judged=judged_text(found),
            warnings=staleness(found),
            there=there,
            asked=asked,
            titles=titles,
            over=lambda it: days_overdue(it, found.today),
            is_new=lambda it: is_new(it, found.overview.new_since),
            here=lambda number: "?" + asked.query(page=str(number)),
            live_address=f"/alerts?{asked.query()}",
        )
        return unkept(text, taking)
    told = {
        **told_of(fresh),
        "judged": judged_text(found),
        "warnings": staleness(found),
        "new_since": found.overview.new_since.isoformat(),
        "counts": [it._asdict() for it in found.overview.counts],
        "cases": len(found.overview.cases),
        "page": number,
        "pages": shown.pages,
        "rows": rows(found),
    }
    return unkept(as_json(told), taking)


def _wanted(site: LiveSite, asked: Query, there: Mapping[str, list[str]]) -> WantedAlerts:
    """Which alerts a question asks for. Raises Problem."""

    def chosen(name: str) -> frozenset[str]:
        values = asked.all(name)
        if not values:
            return frozenset()
        try:
            return frozenset(known(values, there[name], name))
        except NotThere as error:
            raise wrong_parameter(name, str(error)) from error

    areas = site.rules.areas
    return WantedAlerts(
        standards=chosen("standard"),
        states=chosen("state"),
        severities=chosen("severity"),
        areas=frozenset(it for name in chosen("area") for it in areas.under(name)),
        owners=chosen("owner"),
        providers=chosen("provider"),
    )


async def alert(site: LiveSite, call: Call) -> Answer:
    """How an alert stands, what it rests on, how it came there, and who was told."""
    taking, identity, number = call.taking, call.identity, alert_asked(call)
    fresh = await site.freshness(call.asked)
    found = await site.alerts.account(number)
    if found is None or not identity.sees_alert(found.standing.change, site.rules.areas):
        if found is not None:
            await site.note(call, "denied")
        raise no_such_alert()
    change = found.standing.change
    is_case = isinstance(change, CaseChange)
    await site.note(call, "shown", int(is_case), int(is_case))
    if taking.media == HTML:
        standards = {it.code: it for it in site.rules.standards.standard}
        text = site.page(
            "alert.html",
            call,
            identity,
            fresh=fresh,
            found=found,
            change=change,
            is_case=is_case,
            standard=standards.get(change.standard),
            acts=change.is_active and not identity.roles.isdisjoint(ACT_ON_ALERTS),
            durations=DURATIONS,
            over=days_overdue(change, fresh.today) if isinstance(change, CaseChange) else 0,
            moment=moment,
            second=second,
            taken=_taken,
            live_address=f"/alerts/{number}",
        )
        return unkept(text, taking)
    return unkept(as_json({**told_of(fresh), **_told(found)}), taking)


def alert_asked(call: Call) -> str:
    """The alert that an address names. Raises Problem."""
    number = str(call.path["alert"])
    if not ID.fullmatch(number):
        raise no_such_alert()
    return number


def no_such_alert() -> Problem:
    """That there is none, or none that who asks may know of."""
    return Problem(HTTPStatus.NOT_FOUND, "there is no alert of that id among those you may see")


def _taken(step: HistoryStep) -> list[tuple[str, str]]:
    """Which receivers took a change, and when, where that is known."""
    return [
        (name, second(datetime.fromisoformat(at)) if at else "") for name, at in step.taken.items()
    ]


def _told(found: Account) -> dict[str, Any]:
    """An account for programs."""
    standing: ListedAlert = found.standing
    return {
        "alert": standing.row,
        "acknowledgement": standing.ack.model_dump(mode="json") if standing.ack else None,
        "silences": [it.model_dump(mode="json") for it in standing.silences],
        "history": [
            {
                **it.change.model_dump(mode="json"),
                "published": it.published.isoformat() if it.published else None,
                "taken": it.taken,
            }
            for it in found.steps
        ],
        "told": found.told,
    }
