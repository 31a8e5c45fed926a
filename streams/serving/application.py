"""The application: each route of the table with what answers it, behind one guard."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

from litestar import Litestar, Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException, MethodNotAllowedException
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.response import Stream

from streams.serving import (
    alert_actions,
    alert_answers,
    audit_answers,
    back_channel_logout,
    case_list,
    case_timeline,
    changed_figures,
    comparison,
    connecting,
    data_answers,
    dead_letter_answers,
    event_intake,
    explanations,
    forecasting_answers,
    indicator_answers,
    operations,
    own_sessions,
    own_tokens,
    page_answers,
    quality_answers,
    release_actions,
    release_answers,
    scorecard_answers,
    signing_in,
    today,
)
from streams.serving.answers import Answer, Streamed
from streams.serving.audited import audited
from streams.serving.bodies import written
from streams.serving.door import Door
from streams.serving.form_tokens import without_token
from streams.serving.identity import NOBODY, Identity
from streams.serving.parameters import LONGEST_QUERY, read_query
from streams.serving.problems import NothingRead, Problem
from streams.serving.roles import CSV, FORM, HTML, ROUTES, Route
from streams.serving.same_origin import is_from_here
from streams.serving.sign_in import Connection, SignIn, nobody, sign_in_at
from streams.serving.site import Call, LiveSite

log = logging.getLogger(__name__)

Work = Callable[[LiveSite, Call], Awaitable[Answer | Streamed]]
Asking = Request[Any, Any, State]
WHO, FROM_HERE, ORIGIN = "identity", "is_from_here", "origin"
# What a person wrote in a form that was refused, for whoever is told so.
WRITTEN = "written"
# What these ask for does nothing.
SAFE_METHODS = ("GET", "HEAD")
# What a browser says of a page that leads here and is not from here.
ELSEWHERE = ("cross-site", "same-site")

# What answers each route of the table; the two have the same names (`application`).
WORK: Mapping[str, Work] = {
    "today": today.today,
    "alerts-page": alert_answers.alerts,
    "alerts": alert_answers.alerts,
    "alerts.csv": alert_answers.alerts,
    "alert-page": alert_answers.alert,
    "alert": alert_answers.alert,
    "acknowledge-form": alert_actions.acknowledge,
    "acknowledge": alert_actions.acknowledge,
    "silence-form": alert_actions.silence,
    "silence": alert_actions.silence,
    "sign-in": signing_in.leave,
    "sign-in-again": signing_in.leave,
    "sign-in-return": signing_in.arrive,
    "sign-out": signing_in.sign_out,
    "signed-out": signing_in.signed_out,
    "back-channel-logout": back_channel_logout.log_out,
    "end-sessions": own_sessions.end_sessions,
    "make-token": own_tokens.make_token,
    "revoke-token": own_tokens.revoke_token,
    "style": page_answers.style,
    "script": page_answers.script,
    "freeze-form": release_actions.freeze,
    "freeze": release_actions.freeze,
    "preview-form": release_actions.preview,
    "preview": release_actions.preview,
    "publish-form": release_actions.publish,
    "publish": release_actions.publish,
    "publish-internal-form": release_actions.publish_internal,
    "publish-internal": release_actions.publish_internal,
    "accept-form": release_actions.accept,
    "accept": release_actions.accept,
    "release-task-page": release_actions.release_task,
    "release-task": release_actions.release_task,
    "operations-page": operations.operations,
    "operations": operations.operations,
    "dead-letters-page": dead_letter_answers.dead_letters,
    "dead-letters": dead_letter_answers.dead_letters,
    "dead-letter-page": dead_letter_answers.dead_letter,
    "dead-letter": dead_letter_answers.dead_letter,
    "send-again-form": dead_letter_answers.send_again,
    "send-again": dead_letter_answers.send_again,
    "audit-log-page": audit_answers.audit_log,
    "audit-log": audit_answers.audit_log,
    "events": event_intake.events,
    "stream": page_answers.stream,
    "scorecard-page": scorecard_answers.scorecard_page,
    "scorecard": data_answers.scorecard,
    "scorecard.csv": data_answers.scorecard,
    "indicators": data_answers.indicators,
    "indicators.csv": data_answers.indicators,
    "series": indicator_answers.series,
    "series.csv": indicator_answers.series,
    "indicator-page": indicator_answers.indicator_page,
    "compare-page": comparison.compare_page,
    "cases-page": case_list.cases,
    "cases": case_list.cases,
    "case-page": case_timeline.case,
    "case": case_timeline.case,
    "explanations-page": explanations.explanations,
    "explanations": explanations.explanations,
    "changes": changed_figures.changes,
    "changes.csv": changed_figures.changes,
    "forecast": forecasting_answers.forecasts,
    "forecast.csv": forecasting_answers.forecasts,
    "quality-page": quality_answers.quality,
    "quality": quality_answers.quality,
    "quality.csv": quality_answers.quality,
    "odd-facts-page": quality_answers.odd_facts,
    "odd-facts": quality_answers.odd_facts,
    "releases-page": release_answers.releases,
    "releases": release_answers.releases,
    "releases.csv": release_answers.releases,
    "release-page": release_answers.release_page,
    "release": release_answers.beside_live,
    "release.csv": release_answers.beside_live,
    "public-file": release_answers.public_file,
    "internal-file": release_answers.internal_file,
    "connect": connecting.connect,
    "account": own_sessions.account,
    "status": data_answers.status,
    "openapi": data_answers.openapi,
    "health": data_answers.health,
    "ready": data_answers.ready,
}
# No route takes a body of anything like this.
MOST_BYTES = 1_000_000
NO_SUCH_METHOD = "nothing here answers that method"


def application(site: LiveSite, sign_in: SignIn = nobody) -> Litestar:
    """The application that serves a site to those whom `sign_in` knows."""

    async def guard(connection: Connection, handler: BaseRouteHandler) -> None:
        """Let nobody in whom the table does not. Raises Problem."""
        route = handler.opt.get("route")
        if not isinstance(route, Route):
            raise _no_method(connection.scope["path_template"])
        if connection.scope.get("method") not in SAFE_METHODS:
            connection.state[FROM_HERE] = _from_here(connection)
        identity = await door.enter(connection, route)
        connection.state[WHO], connection.state[ORIGIN] = identity, door.address(connection)
        if not route.admits(identity.roles):
            asked = connection.scope["query_string"][:LONGEST_QUERY].decode("ascii", "replace")
            site.audit.note(audited(identity, route, asked, "denied"))
            roles = ", ".join(sorted(route.roles))
            raise Problem(
                HTTPStatus.FORBIDDEN, f"{route.about}: this takes one of the roles {roles}"
            )

    door = Door(site, sign_in)
    assert WORK.keys() == {route.name for route in ROUTES}
    return Litestar(
        [_handler(site, route, WORK[route.name]) for route in ROUTES],
        guards=[guard],
        exception_handlers={
            Problem: lambda request, error: _told(site, request, _problem(error)),
            HTTPException: lambda request, error: _told(site, request, _problem(error)),
            Exception: lambda request, error: _told(site, request, _problem(error)),
        },
        openapi_config=None,
        logging_config=None,
        request_max_body_size=MOST_BYTES,
    )


def who(connection: Connection) -> Identity:
    """Who asks, as the guard found; nobody before it has looked."""
    found = connection.state.get(WHO, NOBODY)
    assert isinstance(found, Identity)
    return found


def _from_here(connection: Connection) -> bool:
    headers = connection.headers
    origins, sites = headers.getall("origin", []), headers.getall("sec-fetch-site", [])
    return is_from_here(headers.get("host", ""), origins, sites)


def _no_method(path: str) -> Problem:
    found = (route for route in ROUTES if route.path.replace(":str", "") == path)
    allowed = {method for route in found for method in route.methods}
    headers = {"Allow": ", ".join(sorted(allowed))}
    return Problem(HTTPStatus.METHOD_NOT_ALLOWED, NO_SUCH_METHOD, headers=headers)


def _handler(site: LiveSite, route: Route, work: Work) -> HTTPRouteHandler:
    @HTTPRouteHandler(
        route.path, http_method=[*route.methods], name=route.name, opt={"route": route}
    )
    async def handle(request: Asking) -> Response[Any]:
        query, headers = request.scope["query_string"], request.headers
        is_asked_here = not route.is_come_back_to
        asked = read_query(query if is_asked_here else b"", route.parameters)
        call = Call(
            route,
            asked,
            who(request),
            headers.get("accept", ""),
            headers.get("accept-encoding", ""),
            headers.get("if-none-match", ""),
            request.path_params,
            headers.get("last-event-id", ""),
            headers.get("content-type", ""),
            await _body(request),
            _site_of(headers.get("host", ""), headers.get("x-forwarded-proto", "")),
            bool(request.state.get(FROM_HERE)),
            "" if is_asked_here else query[:LONGEST_QUERY].decode("ascii", "replace"),
            headers.getall("cookie", []),
            request.state.get(ORIGIN, ""),
            headers.get("sec-fetch-site", "") in ELSEWHERE,
            headers.get("user-agent", ""),
        )
        try:
            answer = await work(site, call)
        except Problem:
            request.state[WRITTEN] = written(call)
            raise
        is_taken = isinstance(answer, Answer) and answer.media == CSV and request.method == "GET"
        if is_taken and not route.is_audited:
            site.audit.note(audited(call.identity, route, asked.query(), "exported"))
        return _response(answer)

    return handle


async def _body(request: Asking) -> bytes:
    """What is sent. Raises Problem where another page than one of this session may have sent it.

    A browser sends the cookie of a session whatever page tells it to ask. So a form carries the
    token of the session, and what else is sent is so where the browser says that a page from here
    asks.
    """
    if request.method in SAFE_METHODS:
        return b""
    body, token = await request.body(), who(request).form_token
    if not token:
        return body
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM:
        return without_token(body, token)
    if not request.state.get(FROM_HERE):
        raise Problem(HTTPStatus.FORBIDDEN, "the browser does not say that a page from here asks")
    return body


def _site_of(host: str, protocol: str) -> str:
    """Where the reader is; a proxy that encrypts says that it does, and they alone are told."""
    return f"{'https' if protocol == 'https' else 'http'}://{host}"


def _response(answer: Answer | Streamed) -> Response[Any]:
    if isinstance(answer, Streamed):
        # What stands between, such as a proxy, is not to wait for more before it passes on.
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return Stream(answer.parts, media_type=answer.media, headers=headers)
    return Response(
        answer.body,
        status_code=answer.status,
        headers=answer.headers,
        media_type=answer.media or None,
    )


def _problem(error: Exception) -> Problem:
    """What is told of a failure; of one that nobody foresaw only that it was."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, MethodNotAllowedException):
        allowed = (error.headers or {}).get("allow", "").split(", ")
        headers = {"Allow": ", ".join(sorted({*allowed} - {"OPTIONS"}))}
        return Problem(HTTPStatus.METHOD_NOT_ALLOWED, NO_SUCH_METHOD, headers=headers)
    if isinstance(error, HTTPException) and error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
        status = HTTPStatus(error.status_code)
        is_unknown = status is HTTPStatus.NOT_FOUND
        return Problem(status, "there is nothing at this address" if is_unknown else status.phrase)
    log.error("a question could not be answered", exc_info=error)
    return Problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "this could not be answered; the log of the server says why",
    )


def _told(site: LiveSite, request: Asking, problem: Problem) -> Response[bytes]:
    """A problem as its reader can read it: a page where one was asked for."""
    headers = {"Cache-Control": "no-store", "Vary": "Accept", **problem.headers}
    is_page = not request.url.path.startswith("/api/") and HTML in request.headers.get("accept", "")
    status = problem.status
    if is_page and isinstance(problem, NothingRead) and request.method in SAFE_METHODS:
        # Nothing is wrong: a person is told what there is to do, and the page follows what comes.
        text = site.page("nothing_yet.html", None, who(request), is_live=True, why=problem.detail)
        status, media = HTTPStatus.OK, HTML
    elif is_page:
        signs_in = sign_in_at(request) if site.openid and not who(request).form_token else ""
        text = site.page(
            "problem.html",
            None,
            who(request),
            problem=problem,
            signs_in=signs_in,
            written=request.state.get(WRITTEN, ""),
        )
        media = HTML
    else:
        text, media = problem.as_json(), "application/problem+json"
    return Response(text.encode(), status_code=status, headers=headers, media_type=media)
