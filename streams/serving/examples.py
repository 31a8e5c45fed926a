"""Examples of what the API answers and takes, each of which its schema allows."""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import asdict

from processors.rules import Rules
from schemas.catalogue import ALL_AGES
from schemas.scorecard import ScorecardRow

EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "7d0b2c1e",
    "source": "urn:case-system",
    "type": "notification.received",
    "subject": "case-1",
    "partitionkey": "child-1",
    "time": "2015-10-01T09:00:00+01:00",
    "data": {"notification_type": "EHN"},
}
# What is sent to have something done of releases.
ASKED: Mapping[str, dict[str, Any]] = {
    "freeze": {"period": "2015-10", "kind": "revised", "reason": "Closures that came late."},
    "preview": {"zeros": "shown"},
    "publish-internal": {},
    "publish": {"preview": "0" * 64, "accept_narrow": True},
    "accept": {"text": 1, "reason": "Guests of the open day."},
}
_FRESH: dict[str, Any] = {
    "view": "live",
    "as_of": "2015-10-31",
    "is_provisional": True,
    "data_to": "2015-10-31T16:04:05+00:00",
    "is_stale": False,
    "notes": [],
    "last_release": None,
}


def _cell(rules: Rules) -> dict[str, Any]:
    return {
        "code": rules.catalogue.indicator[0].code,
        "place": rules.areas.top,
        "level": rules.areas.area[0].level,
        "age_band": ALL_AGES,
    }


def _scorecard(rules: Rules) -> dict[str, Any]:
    first, top = rules.catalogue.indicator[0], rules.areas.area[0]
    row = ScorecardRow(
        code=first.code,
        title=first.title,
        area=top.name,
        age_band=ALL_AGES,
        numerator=412,
        denominator=None,
        value=412,
        status="reported",
        previous=398,
        direction="up",
        level=top.level,
    )
    return {**_FRESH, "small_numbers": "shown", "rows": [asdict(row)]}


def _series(rules: Rules) -> dict[str, Any]:
    point = {
        "as_of": "2015-10-31",
        "numerator": 412,
        "denominator": None,
        "value": 412,
        "status": "reported",
        "target": None,
        "complete": "yes",
        "variation": "common",
        "causes": "",
    }
    return {**_FRESH, **_cell(rules), "series": [point]}


def _cases(rules: Rules) -> dict[str, Any]:
    case = {
        "subject": "case-1",
        "child": "child-1",
        "counts": 1,
        "received": "2015-10-01",
        "closed": None,
        "service": "unit",
        "provider": None,
        "team": "Dover 1",
        "next_due": "2015-11-12",
        "reference": "5b3a0f6c91d2e87a4c10",
    }
    counted = {"part": "numerator", "sum": 1, "cases": 1, "seconds_behind": 0}
    return {**_FRESH, **_cell(rules), **counted, "page": 1, "pages": 1, "rows": [case]}


def _case(rules: Rules) -> dict[str, Any]:
    del rules
    held = {"service": "unit", "provider": None, "team": "Dover 1", "area": "Dover"}
    step = {
        "day": "2015-10-01",
        "type": "notification.received",
        "source": "urn:case-system",
        "id": "7d0b2c1e",
        "revision": 1,
        "is_correction": True,
        "retracts": None,
        "is_transfer": False,
        "data": {"notification_type": "EHN", "district": "Dover"},
    }
    wait = {
        "standard": "plan-in-time",
        "title": "Plan within 30 working days",
        "episode": 1,
        "since": "2015-10-01",
        "due": "2015-11-12",
        "breached_from": "2015-11-13",
        "state": "running",
        "over": None,
        "reason": None,
    }
    return {
        **_FRESH,
        "reference": "5b3a0f6c91d2e87a4c10",
        "subject": "case-1",
        "child": "child-1",
        "received": "2015-10-01",
        "closed": None,
        **held,
        "events": [step],
        "later_events": 0,
        "earlier_events": 0,
        "corrected": 1,
        "retracted": 0,
        "standards": [wait],
        "alerts": [],
    }


def _explanations(rules: Rules) -> dict[str, Any]:
    event = {"day": "2015-10-01", "type": "notification.received", "source": "urn:case-system"}
    row = {
        "subject": "case-1",
        "child": "child-1",
        "reference": "5b3a0f6c91d2e87a4c10",
        "numerator_before": 0,
        "numerator": 1,
        "denominator_before": 0,
        "denominator": 0,
        "events": [{**event, "id": "7d0b2c1e", "revision": 0}],
    }
    nothing = {"entered": 0, "entered_subjects": 0, "left": 0, "left_subjects": 0}
    return {
        **_FRESH,
        **_cell(rules),
        "against": "2015-09-30",
        "before": {"numerator": 411, "denominator": None, "value": 411},
        "now": {"numerator": 412, "denominator": None, "value": 412},
        "by": {"numerator": 1, "denominator": None},
        "numerator_moves": {**nothing, "entered": 1, "entered_subjects": 1},
        "denominator_moves": nothing,
        "of_no_case": {"numerator": 0, "denominator": None},
        "moved": 1,
        "page": 1,
        "pages": 1,
        "rows": [row],
    }


def _changes(rules: Rules) -> dict[str, Any]:
    row = {
        **_cell(rules),
        "before": 411,
        "now": 412,
        "numerator_before": 411,
        "numerator": 412,
        "denominator_before": None,
        "denominator": None,
        "entered": 1,
        "left": 0,
        "events": "1 notification.received",
        "explanation": None,
    }
    listed = {"changed": 1, "next": None, "events_left_out": None, "rows": [row]}
    return {**_FRESH, "against": "2015-09-30", **listed}


def _forecast(rules: Rules) -> dict[str, Any]:
    row = {
        "standard": "unit-contact",
        "title": "First contact",
        "area": rules.areas.top,
        "provider": None,
        "on": "2015-11-07",
        "cases": 7,
        "more": 3,
    }
    return {**_FRESH, "rows": [row]}


def _events(rules: Rules) -> dict[str, Any]:
    del rules
    refused = {"index": 1, "result": "refused", "reason": "json", "detail": "not JSON"}
    told = [{"index": 0, "result": "accepted"}, refused]
    return {"accepted": 1, "refused": 1, "events": told}


def _status(rules: Rules) -> dict[str, Any]:
    del rules
    return {**_FRESH, "now": "2015-10-31T16:10:00+00:00"}


def _quality(rules: Rules) -> dict[str, Any]:
    del rules
    odd = {"kind": "no-notification", "facts": 7, "about": "a case with events but no notification"}
    lack = {"indicator": "no-date-of-birth", "provider": "all", "numerator": 42}
    lacking = {**lack, "denominator": 9211, "value": 0.5}
    return {**_FRESH, "odd_facts": [odd], "lacking": [lacking], "contradictions": []}


def _release(rules: Rules) -> dict[str, Any]:
    cell = _cell(rules)
    release = {"period": "2015-10", "number": 1, "kind": "first", "as_of": "2015-10-31"}
    listed = {**release, "released_on": "2015-11-12", "stands": True}
    difference = {
        "code": cell["code"],
        "area": rules.areas.top,
        "level": "",
        "age_band": ALL_AGES,
        "released": 412,
        "live": 413,
        "by": 1,
        "released_numerator": 412,
        "live_numerator": 413,
        "released_denominator": 412,
        "live_denominator": 413,
        "causes": "1 notification.received",
    }
    told = {"cells": 2040, "causes_left_out": None, "differences": [difference]}
    return {**_FRESH, "release": listed, **told}


def _release_task(rules: Rules) -> dict[str, Any]:
    del rules
    begun = {"task": "0f1e2d3c4b5a6978", "what": "freeze", "of": "2015-10", "by": "P. Lisher"}
    times = {"began": "2015-11-09T06:00:00+00:00", "ended": None}
    progress = {"total": 120_000, "read": 41_000, "evaluated": 0}
    nothing: dict[str, Any] = {
        "text": None,
        "notes": [],
        "release": None,
        "is_new": False,
        "preview": None,
    }
    return {**begun, "state": "running", **times, "progress": progress, **nothing}


# By the name of the route that answers so.
ANSWERS: Mapping[str, Callable[[Rules], dict[str, Any]]] = {
    "scorecard": _scorecard,
    "series": _series,
    "cases": _cases,
    "case": _case,
    "explanations": _explanations,
    "changes": _changes,
    "forecast": _forecast,
    "quality": _quality,
    "release": _release,
    "release-task": _release_task,
    "events": _events,
    "status": _status,
}
