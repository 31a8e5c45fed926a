"""The OpenAPI document: every route of the table, with its parameters, answers and examples."""

import re
from http import HTTPStatus
from importlib.metadata import version
from json import dumps
from typing import Any

from processors.rules import Rules
from streams.serving.answer_schemas import (
    ANY_OBJECT,
    ASKED_OF_RELEASES,
    BODIES,
    LOGOUT,
    NAME,
    SEND_AGAIN,
    SESSIONS_TO_END,
    TOKEN_TO_REVOKE,
    TOKEN_WISH,
    WISH,
    Schema,
    any_event,
    array,
    components,
    ref,
    values,
)
from streams.serving.examples import ANSWERS, ASKED, EVENT
from streams.serving.parameters import PARAMETERS
from streams.serving.roles import (
    BATCH,
    EVERYONE,
    FORM,
    HTML,
    JSON,
    MOST_EVENTS,
    ONE,
    ROUTES,
    Route,
)

PROBLEM_JSON = "application/problem+json"
PLACEHOLDER = re.compile(r"\{(\w+):str\}")
CHALLENGES: tuple[Schema, ...] = ({"bearer": []}, {"basic": []})
# Any route may answer thus: a question that cannot be, too many of them, and failures of all kinds.
ANY_ROUTE = (400, 405, 421, 429, 500, 503)
# What else one that takes a body may answer.
REFUSED_BODIES = (413, 415)


def document(rules: Rules, is_signed_in: bool) -> dict[str, Any]:
    """The whole document. `is_signed_in` says whether who asks has to say who they are."""
    paths: dict[str, dict[str, Any]] = {}
    forms = values(rules)
    for route in ROUTES:
        operations = paths.setdefault(PLACEHOLDER.sub(r"{\1}", route.path), {})
        for method in route.methods:
            operations[method.lower()] = _operation(rules, route, method, forms, is_signed_in)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Caseline: the live scorecard",
            "version": version("caseline"),
            "description": "Figures are live and provisional. A parameter that is empty is not "
            "asked for; those that choose rows may be given several times.",
        },
        "paths": paths,
        "components": {
            "schemas": components(),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "basic": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "any name, and a token as the password",
                },
            },
        },
    }


def _operation(
    rules: Rules, route: Route, method: str, forms: dict[str, Schema], is_signed_in: bool
) -> dict[str, Any]:
    is_head = method == "HEAD"
    roles = ", ".join(sorted(route.roles))
    told: dict[str, Any] = {
        "operationId": f"{method.lower()}-{route.name}",
        "summary": route.about,
        "description": "For whoever asks." if route.roles == EVERYONE else f"For roles: {roles}.",
        "parameters": [*_in_path(route, forms), *_in_query(route, forms)],
        "responses": _responses(rules, route, is_head),
        "security": [*CHALLENGES] if is_signed_in and route.roles != EVERYONE else [],
    }
    if route.name in BODIES_TAKEN:
        told["requestBody"] = BODIES_TAKEN[route.name]
    return told


def _in_path(route: Route, forms: dict[str, Schema]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": forms.get(name, NAME),
        }
        for name in PLACEHOLDER.findall(route.path)
    ]


def _in_query(route: Route, forms: dict[str, Schema]) -> list[dict[str, Any]]:
    found = []
    for name in route.parameters:
        parameter = PARAMETERS[name]
        # What is empty, as forms send it, is not asked for.
        form = {"anyOf": [forms.get(name, NAME), {"const": ""}]}
        is_several = parameter.is_repeatable and not route.is_of_a_cell
        found.append(
            {
                "name": name,
                "in": "query",
                "description": parameter.about,
                "required": name == "code" and route.is_of_a_cell,
                "schema": array(form) if is_several else form,
                **({"style": "form", "explode": True} if is_several else {}),
            }
        )
    return found


def _responses(rules: Rules, route: Route, is_head: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    leads_on = route.name in LEADING_ON
    if leads_on:
        found["303"] = _response(HTTPStatus.SEE_OTHER, {})
    else:
        body = {media: _content(rules, route, media) for media in route.media}
        good = HTTPStatus.ACCEPTED if route.name in TASKS else HTTPStatus.OK
        found[str(int(good))] = _response(good, {} if is_head else body)
        if "POST" not in route.methods and route.name not in SIGNING_IN:
            found["304"] = _response(HTTPStatus.NOT_MODIFIED, {})
    problem = {PROBLEM_JSON: {"schema": ref("problem")}}
    if HTML in route.media:
        problem[HTML] = {"schema": {"type": "string"}}
    statuses = {*ANY_ROUTE, 406}
    if PLACEHOLDER.search(route.path) or route.name in SIGNING_IN:
        statuses.add(404)
    if route.roles != EVERYONE:
        statuses |= {401, 403}
    if "POST" in route.methods:
        statuses |= {*REFUSED_BODIES}
    for status in sorted(statuses):
        found[str(status)] = _response(HTTPStatus(status), {} if is_head else problem)
    if route.name in OWN:
        found["422"] = _response(HTTPStatus.UNPROCESSABLE_ENTITY, problem)
    if route.name in DECISIONS | TASKS | SENDING | {"make-token"}:
        for status in (409, 422):
            found[str(status)] = _response(HTTPStatus(status), problem)
    if route.name in INTAKE:
        told = {JSON: _content(rules, route, JSON)}
        for status, content in ((207, told), (422, told), (503, {**told, **problem})):
            found[str(status)] = _response(HTTPStatus(status), content)
    return found


def _response(status: HTTPStatus, content: dict[str, Any]) -> dict[str, Any]:
    described = {"description": DESCRIBED.get(status, status.phrase)}
    return {**described, "content": content} if content else described


def _content(rules: Rules, route: Route, media: str) -> dict[str, Any]:
    if media != JSON:
        return {"schema": {"type": "string"}}
    told: dict[str, Any] = {"schema": BODIES.get(route.name, ANY_OBJECT)}
    example = ANSWERS.get(route.name)
    if example:
        told["example"] = example(rules)
    return told


# What is to be known of an answer besides the name of its status.
DESCRIBED = {
    HTTPStatus.SERVICE_UNAVAILABLE: "What it rests on does not answer, or no event has been read "
    "yet: no figure is made of that, nor an empty list. Ask again after Retry-After.",
}
_MANY = {**array(any_event()), "minItems": 1, "maxItems": MOST_EVENTS}
_WISH = {"note": "Visit booked", "for": "3d", "version": 2}
# Routes that answer for each of what they are sent, and those that decide something of an alert.
INTAKE = {"events"}
DECISIONS = {"acknowledge", "acknowledge-form", "silence", "silence-form"}
# Routes that begin a task, which goes on when they have answered.
TASKS = {name for kind in ASKED_OF_RELEASES for name in (kind, f"{kind}-form")}
# Routes that send a dead letter again.
SENDING = {"send-again", "send-again-form"}
# Routes by which people sign in and out, and those whose answer is to go elsewhere.
SIGNING_IN = {
    *("sign-in", "sign-in-again", "sign-in-return", "sign-out", "signed-out"),
    *("end-sessions", "back-channel-logout", "make-token", "revoke-token"),
}
# Those that are of one's own sessions and tokens.
OWN = {"end-sessions", "make-token", "revoke-token"}
FORMS = {name for name in DECISIONS | TASKS | SENDING if name.endswith("-form")}
LEADING_ON = {
    *("sign-in", "sign-in-again", "sign-in-return", "end-sessions", "revoke-token"),
    *FORMS,
}
# What is sent to a route, by its name.
BODIES_TAKEN: dict[str, Any] = {
    "events": {
        "required": True,
        "content": {
            ONE: {"schema": any_event(), "example": EVENT},
            BATCH: {"schema": _MANY, "example": [EVENT]},
        },
    },
    "end-sessions": {"required": True, "content": {FORM: {"schema": SESSIONS_TO_END}}},
    "make-token": {"required": True, "content": {FORM: {"schema": TOKEN_WISH}}},
    "revoke-token": {"required": True, "content": {FORM: {"schema": TOKEN_TO_REVOKE}}},
    "back-channel-logout": {"required": True, "content": {FORM: {"schema": LOGOUT}}},
    **{
        name: {
            "required": True,
            "content": {
                FORM if name.endswith("-form") else JSON: {"schema": WISH, "example": _WISH}
            },
        }
        for name in sorted(DECISIONS)
    },
    **{
        name: {
            "required": True,
            "content": {
                FORM if name.endswith("-form") else JSON: {
                    "schema": ASKED_OF_RELEASES[name.removesuffix("-form")],
                    "example": ASKED[name.removesuffix("-form")],
                }
            },
        }
        for name in sorted(TASKS)
    },
    **{
        name: {
            "required": True,
            "content": {
                FORM if name.endswith("-form") else JSON: {
                    "schema": SEND_AGAIN,
                    "example": {"event": dumps(EVENT)},
                }
            },
        }
        for name in sorted(SENDING)
    },
}
