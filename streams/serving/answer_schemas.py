"""The JSON Schemas of what the API answers, and of what addresses may ask for."""

from typing import Any, get_args

import msgspec
from pydantic import TypeAdapter

from processors.behind.case_waits import WAIT_STATES
from processors.behind.moved_cases import Balance
from processors.record.completeness import Lack
from processors.record.quality import OddFact, Oddity
from processors.rules import Rules
from schemas.audit_entries import AuditEntry, AuditResult
from schemas.catalogue import BANDS
from schemas.events.attributes import MONTH
from schemas.events.registry import VALIDATORS
from schemas.release import FrozenKind
from schemas.scorecard import ScorecardRow
from streams.jobs.previews import Preview
from streams.serving.parameters import DATE, LONGEST_VALUE

Schema = dict[str, Any]
REF = "#/components/schemas/{name}"

TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
RATE: Schema = {"type": "number", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
WHOLE: Schema = {"type": "integer"}
COUNT_OR_NONE: Schema = {"type": ["integer", "null"], "minimum": 0}
NUMBER_OR_NONE: Schema = {"type": ["number", "null"]}
TEXT_OR_NONE: Schema = {"type": ["string", "null"]}
DAY: Schema = {"type": "string", "format": "date", "pattern": f"^{DATE.pattern}$"}
# The name of something, where only the figures know which there are.
NAME: Schema = {"type": "string", "minLength": 1, "maxLength": LONGEST_VALUE}
ANY_OBJECT: Schema = {"type": "object"}


def ref(name: str) -> Schema:
    """A schema among the components."""
    return {"$ref": REF.format(name=name)}


def of_object(**fields: Schema) -> Schema:
    """An object that has all of these fields."""
    return {"type": "object", "properties": fields, "required": [*fields]}


def array(items: Schema) -> Schema:
    """An array of these."""
    return {"type": "array", "items": items}


RELEASE = of_object(period=TEXT, number=COUNT, kind=TEXT, released_on=DAY)
# What every answer with figures says of them.
FRESHNESS = {
    "view": {"enum": ["live", "as-at"]},
    "as_of": DAY,
    "is_provisional": FLAG,
    "data_to": {"type": ["string", "null"], "format": "date-time"},
    "is_stale": FLAG,
    "notes": array(TEXT),
    "last_release": {"anyOf": [RELEASE, {"type": "null"}]},
}
CELL = {"code": TEXT, "place": TEXT, "level": TEXT, "age_band": {"enum": [*BANDS]}}
POINT = {
    "type": "object",
    "properties": {
        "as_of": DAY,
        **dict.fromkeys(("numerator", "denominator", "value", "target"), NUMBER_OR_NONE),
        "status": TEXT,
        "complete": {"enum": ["yes", "no"]},
        **dict.fromkeys(("variation", "causes"), TEXT_OR_NONE),
    },
    "required": ["as_of", "numerator", "denominator", "value", "status"],
}
CASE = of_object(
    subject=TEXT,
    child=TEXT,
    counts=COUNT,
    **dict.fromkeys(("received", "closed", "service", "provider", "team"), TEXT_OR_NONE),
    **dict.fromkeys(("next_due", "reference"), TEXT_OR_NONE),
)
REFERENCE: Schema = {"type": "string", "pattern": "^[0-9a-f]{20}$"}
STEP = of_object(
    day=DAY,
    **dict.fromkeys(("type", "source", "id"), TEXT),
    revision=COUNT,
    is_correction=FLAG,
    is_transfer=FLAG,
    retracts=TEXT_OR_NONE,
    data=ANY_OBJECT,
)
WAIT = of_object(
    **dict.fromkeys(("standard", "title"), TEXT),
    episode=COUNT,
    **dict.fromkeys(("since", "due", "breached_from"), DAY),
    state={"enum": [*WAIT_STATES]},
    **dict.fromkeys(("over", "reason"), TEXT_OR_NONE),
)
FIGURE = of_object(**dict.fromkeys(("numerator", "denominator", "value"), NUMBER_OR_NONE))
BOTH_PARTS = of_object(**dict.fromkeys(("numerator", "denominator"), NUMBER_OR_NONE))
BALANCE = of_object(**dict.fromkeys(Balance._fields, COUNT))
BEHIND = of_object(day=DAY, **dict.fromkeys(("type", "source", "id"), TEXT), revision=COUNT)
MOVE = of_object(
    **dict.fromkeys(("subject", "child"), TEXT),
    reference=TEXT_OR_NONE,
    **dict.fromkeys(("numerator_before", "numerator"), WHOLE),
    **dict.fromkeys(("denominator_before", "denominator"), WHOLE),
    events=array(BEHIND),
)
CHANGED = of_object(
    **dict.fromkeys(("code", "level", "place", "age_band"), TEXT),
    **dict.fromkeys(("before", "now"), NUMBER_OR_NONE),
    **dict.fromkeys(("numerator_before", "numerator"), NUMBER_OR_NONE),
    **dict.fromkeys(("denominator_before", "denominator"), NUMBER_OR_NONE),
    **dict.fromkeys(("entered", "left"), COUNT_OR_NONE),
    **dict.fromkeys(("events", "explanation"), TEXT_OR_NONE),
)
FORECAST = of_object(
    **dict.fromkeys(("standard", "title", "area"), TEXT),
    provider=TEXT_OR_NONE,
    on=DAY,
    cases=COUNT,
    more=WHOLE,
)
CASE_ALERT = of_object(
    alert=REFERENCE,
    **dict.fromkeys(("standard", "state"), TEXT),
    since=DAY,
    due=DAY,
    reason=TEXT_OR_NONE,
)
INDICATOR = {
    "type": "object",
    "properties": dict.fromkeys(("code", "title", "definition", "family", "unit"), TEXT),
    "required": ["code", "title", "definition", "family", "unit"],
}
ODD_FACTS = of_object(kind={"enum": [*Oddity]}, facts=COUNT, about=TEXT)
LACKING = of_object(
    indicator={"enum": [*Lack]},
    provider=TEXT,
    numerator=COUNT,
    denominator=COUNT,
    value=NUMBER_OR_NONE,
)
CONTRADICTION = of_object(
    **dict.fromkeys(("finding", "code", "level", "place", "age_band"), TEXT),
    value=NUMBER_OR_NONE,
    supplied={"type": ["number", "null", "string"]},
)
# Of who sees all figures a release has its hash, and who made it and why.
LISTED_RELEASE = {
    "type": "object",
    "properties": {
        "period": TEXT,
        "number": COUNT,
        "kind": TEXT,
        "as_of": DAY,
        "released_on": DAY,
        "stands": FLAG,
        **dict.fromkeys(("sha256", "author", "reason"), TEXT),
    },
    "required": ["period", "number", "kind", "as_of", "released_on", "stands"],
}
DIFFERENCE = of_object(
    **dict.fromkeys(("code", "area", "level", "age_band", "causes"), TEXT),
    **dict.fromkeys(("released", "live", "by"), NUMBER_OR_NONE),
    **dict.fromkeys(("released_numerator", "live_numerator"), NUMBER_OR_NONE),
    **dict.fromkeys(("released_denominator", "live_denominator"), NUMBER_OR_NONE),
)
EVENT_RESULT = {
    "type": "object",
    "properties": {
        "index": COUNT,
        "result": {"enum": ["accepted", "refused", "unknown"]},
        "reason": TEXT,
        "detail": TEXT,
    },
    "required": ["index", "result"],
}

ALERT_ROW: Schema = {
    "type": "object",
    "properties": {"alert": TEXT, "standard": TEXT, "state": TEXT, "owner": TEXT, "area": TEXT},
    "required": ["alert", "standard", "state", "owner", "area"],
}
ALERT_COUNT = of_object(
    **dict.fromkeys(("standard", "owner_kind", "owner"), TEXT),
    **dict.fromkeys(("breached", "due_soon", "new"), COUNT),
)
# What is sent to have something decided of an alert.
WISH: Schema = {
    "type": "object",
    "properties": {
        "note": {"type": "string", "minLength": 1, "maxLength": 500, "pattern": r"\S"},
        "for": {"type": "string", "pattern": "^[1-9][0-9]{0,4}[mhdw]$"},
        "version": {"type": ["integer", "null"]},
    },
    "required": ["note", "for"],
    "additionalProperties": False,
}
DECIDED = of_object(
    alert=TEXT,
    result={"enum": ["acknowledged", "silenced"]},
    until={"type": "string", "format": "date-time"},
)
PERIOD: Schema = {"type": "string", "pattern": MONTH}
REASON: Schema = {"type": "string", "minLength": 1, "maxLength": 2000, "pattern": r"\S"}
RULE: dict[str, Schema] = {
    "threshold": {"type": ["integer", "null"], "minimum": 1, "maximum": 1000},
    "zeros": {"enum": ["shown", "suppressed", None]},
}


def asked(*required: str, **fields: Schema) -> Schema:
    """What is sent: these fields, some of them always, and nothing else."""
    allowed = {"type": "object", "properties": fields, "required": [*required]}
    return {**allowed, "additionalProperties": False}


# What is sent to have something done of releases, by the route.
ASKED_OF_RELEASES: dict[str, Schema] = {
    "freeze": asked(
        *("period", "kind"),
        period=PERIOD,
        kind={"enum": [*get_args(FrozenKind), "withdrawn"]},
        reason={**REASON, "type": ["string", "null"]},
        released_on={**DAY, "type": ["string", "null"]},
    ),
    "preview": asked(**RULE),
    "publish": asked(
        "preview",
        **RULE,
        preview={"type": "string", "pattern": "^[0-9a-f]{64}$"},
        accept_narrow=FLAG,
    ),
    "publish-internal": asked(),
    "accept": asked(
        *("text", "reason"),
        text={"type": "integer", "minimum": 0, "maximum": 100_000},
        reason=REASON,
    ),
}
SEND_AGAIN: Schema = {
    "oneOf": [
        asked("event", event={"type": "string", "minLength": 1}),
        asked("as_it_was", as_it_was={"const": True}),
    ]
}
SESSIONS_TO_END: Schema = asked(
    "session", session={"type": "string", "pattern": "^([0-9a-f]{20}|others)$"}
)
TOKEN_WISH: Schema = asked(
    *("name", "role", "days"),
    name={"type": "string", "pattern": r"^[\w .,'()-]{1,60}$"},
    role={"enum": ["viewer", "manager", "analyst"]},
    days={"type": "integer", "minimum": 1, "maximum": 90},
)
TOKEN_TO_REVOKE: Schema = asked("token", token={"type": "string", "pattern": "^[0-9a-f]{12}$"})
# The provider may send more beside it.
LOGOUT: Schema = {
    "type": "object",
    "properties": {"logout_token": {"type": "string", "minLength": 1, "maxLength": 16_000}},
    "required": ["logout_token"],
}
DEAD_LETTER = {
    **dict.fromkeys(("letter", "topic", "reason", "message"), TEXT),
    **dict.fromkeys(("partition", "offset"), COUNT),
    "sent_again": {
        "anyOf": [
            of_object(
                by=TEXT,
                at={"type": "string", "format": "date-time"},
                how={"enum": ["as it was", "corrected"]},
                sha256=TEXT,
            ),
            {"type": "null"},
        ]
    },
}
RELEASE_TASK: Schema = of_object(
    task=TEXT,
    what={"enum": [*ASKED_OF_RELEASES]},
    of=TEXT,
    by=TEXT,
    state={"enum": ["running", "done", "refused", "failed", "stopped"]},
    began={"type": "string", "format": "date-time"},
    ended={"type": ["string", "null"], "format": "date-time"},
    progress={"anyOf": [of_object(total=COUNT, read=COUNT, evaluated=COUNT), {"type": "null"}]},
    text=TEXT_OR_NONE,
    notes=array(TEXT),
    release=TEXT_OR_NONE,
    is_new=FLAG,
    preview={"anyOf": [ref("Preview"), {"type": "null"}]},
)

# The body of each route's JSON, by the name of the route.
BODIES: dict[str, Schema] = {
    "scorecard": of_object(
        **FRESHNESS,
        small_numbers={"enum": ["shown", "suppressed"]},
        rows=array(ref("ScorecardRow")),
    ),
    "indicators": of_object(indicators=array(INDICATOR)),
    "series": of_object(**FRESHNESS, **CELL, series=array(POINT)),
    "cases": of_object(
        **FRESHNESS,
        **CELL,
        part={"enum": ["numerator", "denominator"]},
        sum=COUNT,
        cases=COUNT,
        seconds_behind=COUNT,
        page={"type": "integer", "minimum": 1},
        pages={"type": "integer", "minimum": 1},
        rows=array(CASE),
    ),
    "explanations": of_object(
        **FRESHNESS,
        **CELL,
        against=TEXT,
        before=FIGURE,
        now=FIGURE,
        by=BOTH_PARTS,
        numerator_moves=BALANCE,
        denominator_moves=BALANCE,
        of_no_case=BOTH_PARTS,
        moved=COUNT,
        page={"type": "integer", "minimum": 1},
        pages={"type": "integer", "minimum": 1},
        rows=array(MOVE),
    ),
    "changes": of_object(
        **FRESHNESS,
        against=TEXT,
        changed=COUNT,
        next=TEXT_OR_NONE,
        events_left_out=TEXT_OR_NONE,
        rows=array(CHANGED),
    ),
    "forecast": of_object(**FRESHNESS, rows=array(FORECAST)),
    "case": of_object(
        **FRESHNESS,
        reference=REFERENCE,
        **dict.fromkeys(("subject", "child"), TEXT),
        **dict.fromkeys(("received", "closed", "service", "provider"), TEXT_OR_NONE),
        **dict.fromkeys(("team", "area"), TEXT_OR_NONE),
        events=array(STEP),
        **dict.fromkeys(("later_events", "earlier_events", "corrected", "retracted"), COUNT),
        standards=array(WAIT),
        alerts=array(CASE_ALERT),
    ),
    "alerts": of_object(
        **FRESHNESS,
        judged=TEXT,
        warnings=array(TEXT),
        new_since={"type": "string", "format": "date-time"},
        counts=array(ALERT_COUNT),
        cases=COUNT,
        page={"type": "integer", "minimum": 1},
        pages={"type": "integer", "minimum": 1},
        rows=array(ALERT_ROW),
    ),
    "alert": of_object(
        **FRESHNESS,
        alert=ALERT_ROW,
        acknowledgement={"type": ["object", "null"]},
        silences=array(ANY_OBJECT),
        history=array(ALERT_ROW),
        told=ANY_OBJECT,
    ),
    "acknowledge": DECIDED,
    "silence": DECIDED,
    "quality": of_object(
        **FRESHNESS,
        odd_facts=array(ODD_FACTS),
        lacking=array(LACKING),
        contradictions=array(CONTRADICTION),
    ),
    "odd-facts": of_object(
        **FRESHNESS,
        kind={"enum": [*Oddity]},
        facts=COUNT,
        page={"type": "integer", "minimum": 1},
        pages={"type": "integer", "minimum": 1},
        rows=array(of_object(**dict.fromkeys(OddFact._fields, TEXT))),
    ),
    "releases": of_object(releases=array(LISTED_RELEASE), troubles=array(TEXT)),
    **dict.fromkeys((*ASKED_OF_RELEASES, "release-task"), RELEASE_TASK),
    "dead-letters": of_object(
        dead_letters=COUNT,
        listed=COUNT,
        page={"type": "integer", "minimum": 1},
        pages={"type": "integer", "minimum": 1},
        rows=array(of_object(**DEAD_LETTER)),
    ),
    "dead-letter": of_object(**DEAD_LETTER, event=TEXT_OR_NONE),
    "send-again": of_object(**DEAD_LETTER),
    "release": of_object(
        **FRESHNESS,
        release=LISTED_RELEASE,
        cells=COUNT,
        causes_left_out=TEXT_OR_NONE,
        differences=array(DIFFERENCE),
    ),
    "operations": of_object(
        looked_at={"type": "string", "format": "date-time"},
        findings=array(
            of_object(verdict={"enum": ["good", "odd", "wrong"]}, what=TEXT, text=TEXT),
        ),
        rates=array(of_object(topic=TEXT, written=RATE, taken_in=RATE, waiting=COUNT)),
        rates_over_seconds={"type": ["number", "null"], "minimum": 0},
    ),
    "audit-log": of_object(
        entries=array(ref("AuditEntry")),
        unreadable=COUNT,
        next=TEXT_OR_NONE,
    ),
    "status": of_object(**FRESHNESS, now={"type": "string", "format": "date-time"}),
    "events": of_object(accepted=COUNT, refused=COUNT, events=array(EVENT_RESULT)),
    "health": of_object(status={"const": "alive"}),
    "ready": of_object(status={"const": "ready"}),
    "openapi": of_object(openapi=TEXT, info=ANY_OBJECT, paths=ANY_OBJECT),
}

PROBLEM = {
    "type": "object",
    "description": "RFC 9457",
    "properties": {
        "type": {"const": "about:blank"},
        "title": TEXT,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": TEXT,
        "parameter": TEXT,
    },
    "required": ["type", "title", "status", "detail"],
}


def components() -> dict[str, Schema]:
    """The schemas that others refer to: rows, events by topic, and problems."""
    _, rows = msgspec.json.schema_components([ScorecardRow], ref_template=REF)
    by_topic, events = TypeAdapter.json_schemas(
        [(topic, "validation", adapter) for topic, adapter in VALIDATORS.items()],
        ref_template=REF.replace("{name}", "{model}"),
    )
    topics = {topic: schema for (topic, _), schema in by_topic.items()}
    preview = Preview.model_json_schema(ref_template=REF.replace("{name}", "{model}"))
    parts = preview.pop("$defs")
    entry = AuditEntry.model_json_schema(mode="serialization")
    return {
        **rows,
        **events["$defs"],
        **topics,
        **parts,
        "Preview": preview,
        "AuditEntry": entry,
        "problem": PROBLEM,
    }


def any_event() -> Schema:
    """An event of any topic."""
    return {"anyOf": [ref(topic) for topic in VALIDATORS]}


def values(rules: Rules) -> dict[str, Schema]:
    """What each parameter may be, but for what the figures alone know, such as providers."""
    indicators = rules.catalogue.indicator
    return {
        "area": {"enum": [*rules.areas.names]},
        "place": {**NAME, "examples": [rules.areas.top]},
        "provider": {**NAME, "examples": [*rules.places.provider][:1]},
        "level": {"enum": [*rules.graph.levels]},
        "age_band": {"enum": [*BANDS]},
        "family": {"enum": [*dict.fromkeys(it.family for it in indicators)]},
        "code": {"enum": [it.code for it in indicators]},
        "as_of": {**DAY, "examples": ["2015-10-31"]},
        "against": {
            "type": "string",
            "pattern": r"^\d{4}-\d{2}(-\d{2}(T[0-9:.]{5,15}(Z|[+-]\d{2}:\d{2}))?|/\d{1,4})$",
            "examples": ["2015-09-30", "2015-09/1", "2015-10-31T09:00:00Z"],
        },
        "on": {**DAY, "examples": ["2030-12-31"]},
        "cursor": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,200}$"},
        "standard": {**NAME, "examples": [rules.standards.standard[0].code]},
        "state": {"enum": ["breached", "due-soon"]},
        "severity": {"enum": ["critical", "warning"]},
        "owner": NAME,
        "alert": REFERENCE,
        "reference": REFERENCE,
        "by": {"enum": ["month", "day"]},
        "count": {"type": "integer", "minimum": 1, "maximum": 400},
        "part": {"enum": ["numerator", "denominator"]},
        "who": NAME,
        "result": {"enum": [*get_args(AuditResult)]},
        "page": {"type": "integer", "minimum": 1, "maximum": 9_999_999},
        "show": {"enum": ["distribution", "causes", "trend", "places", "now"]},
        "version": {"type": "string", "pattern": "^[0-9a-f]{16}$"},
        "kind": {"enum": [*Oddity]},
        "period": {"type": "string", "pattern": MONTH},
        "number": {"type": "integer", "minimum": 1},
        "letter": {
            "type": "string",
            "pattern": f"^({'|'.join(VALIDATORS)}):[0-9]{{1,9}}:[0-9]{{1,15}}$",
        },
        "task": {"type": "string", "pattern": "^[0-9a-f]{16}$"},
    }
