"""Who may see what: one table of route and role, from which the server and its tests are made.

A route that is not in the table does not exist, and a role that it does not name is refused. The
roles are those of docs/serving.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Role(StrEnum):
    """What someone may do here; one may have several."""

    NOBODY = "nobody"
    VIEWER = "viewer"
    MANAGER = "manager"
    LEAD = "caseworker-lead"
    ANALYST = "analyst"
    PUBLISHER = "publisher"
    OPERATOR = "operator"
    INTAKE = "intake"
    AUDITOR = "auditor"


Method = Literal["GET", "HEAD", "POST"]

EVERYONE = frozenset(Role)
SIGNED_IN = EVERYONE - {Role.NOBODY}
# Who may see aggregates at all.
READERS = EVERYONE - {Role.INTAKE, Role.AUDITOR}
# Who sees small numbers as they are, wherever they are of.
SEE_ALL = frozenset({Role.ANALYST, Role.PUBLISHER})


@dataclass(frozen=True)
class Route:
    """An address: who may ask for it, with which parameters, and what it answers.

    `media` are the types that it offers, the first where any will do. One that `is_probe` is for
    machines that look after this one: it is answered for whatever host it is asked. Of one that
    `is_audited` the audit log has who was shown it. One that `is_of_a_cell` takes each parameter
    once, and `code` always. What one that `is_come_back_to` is asked with is for another to say,
    who sends a browser back here.
    """

    name: str
    path: str
    roles: frozenset[Role]
    media: tuple[str, ...]
    about: str
    parameters: tuple[str, ...] = ()
    methods: tuple[Method, ...] = ("GET", "HEAD")
    is_probe: bool = False
    is_audited: bool = False
    is_of_a_cell: bool = False
    is_come_back_to: bool = False

    def admits(self, roles: Iterable[Role]) -> bool:
        """Whether any of the roles may ask for it."""
        return not self.roles.isdisjoint(roles)


HTML, JSON, CSV = "text/html", "application/json", "text/csv"
PDF, XLSX = "application/pdf", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FILES = (PDF, XLSX, CSV, JSON)
CSS, SCRIPT, EVENTS = "text/css", "text/javascript", "text/event-stream"
# What is sent in: an event, or an array of up to so many. More are sent in several.
FORM = "application/x-www-form-urlencoded"
ONE, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
MOST_EVENTS = 1_000
CHOICE = ("area", "place", "level", "provider", "age_band", "family", "code", "as_of")

PLACE = ("place", "level")
LOGGED = ("who", "result", "cursor")
LISTED_ALERTS = ("standard", "state", "severity", "area", "provider", "owner", "page")

CELL = ("code", "place", "level", "age_band", "as_of")
# Who may see figures of which none is suppressed: all, or those of their own places.
SEE_IN_FULL = SEE_ALL | {Role.MANAGER}
# Who may see the cases behind a figure, wherever they are.
SEE_CASES = frozenset({Role.ANALYST})
# Who may see one case: leads those that their own teams and places hold.
SEE_A_CASE = SEE_CASES | {Role.LEAD}
# Who may see alerts with whom they are about: leads those of their own teams and places.
SEE_ALERTS = SEE_CASES | {Role.LEAD}
# Who may acknowledge and silence the alerts that they see.
ACT_ON_ALERTS = frozenset({Role.LEAD})
# Who may look after the running of it all.
OPERATE = frozenset({Role.OPERATOR})
# Who may read the audit log.
AUDIT = frozenset({Role.AUDITOR})
# Who may freeze and publish.
PUBLISH = frozenset({Role.PUBLISHER})

ROUTES = (
    Route("today", "/", READERS, (HTML,), "what changed since yesterday, and what is late", PLACE),
    Route(
        "scorecard-page",
        "/scorecard",
        READERS,
        (HTML,),
        "the scorecard of a place",
        (*CHOICE, "show"),
    ),
    Route(
        "scorecard",
        "/api/v1/scorecard",
        READERS,
        (JSON, CSV),
        "rows of the scorecard, live or as at a date",
        CHOICE,
    ),
    Route(
        "scorecard.csv",
        "/api/v1/scorecard.csv",
        READERS,
        (CSV,),
        "the same as CSV, whatever is accepted",
        CHOICE,
    ),
    Route(
        "indicators",
        "/api/v1/indicators",
        READERS,
        (JSON, CSV),
        "the catalogue: every indicator with its definition",
        ("family", "code"),
    ),
    Route(
        "indicators.csv",
        "/api/v1/indicators.csv",
        READERS,
        (CSV,),
        "the same as CSV, whatever is accepted",
        ("family", "code"),
    ),
    Route(
        "series",
        "/api/v1/series",
        READERS,
        (JSON, CSV),
        "a figure over time, as known now",
        (*CELL, "by", "count"),
        is_of_a_cell=True,
    ),
    Route(
        "series.csv",
        "/api/v1/series.csv",
        READERS,
        (CSV,),
        "the same as CSV, whatever is accepted",
        (*CELL, "by", "count"),
        is_of_a_cell=True,
    ),
    Route(
        "indicator-page",
        "/indicators/{code:str}",
        READERS,
        (HTML,),
        "an indicator: what it is, at every place, and over time",
        ("place", "level", "age_band", "as_of", "show"),
        is_of_a_cell=True,
    ),
    Route(
        "compare-page",
        "/compare/{code:str}",
        READERS,
        (HTML,),
        "an indicator at every place of a kind, side by side",
        ("level", "age_band", "as_of"),
        is_of_a_cell=True,
    ),
    Route(
        "cases-page",
        "/cases",
        SEE_CASES,
        (HTML,),
        "the cases behind a figure",
        (*CELL, "part", "page"),
        is_audited=True,
        is_of_a_cell=True,
    ),
    Route(
        "cases",
        "/api/v1/cases",
        SEE_CASES,
        (JSON, CSV),
        "the cases behind a figure, a page of them",
        (*CELL, "part", "page"),
        is_audited=True,
        is_of_a_cell=True,
    ),
    Route(
        "case-page",
        "/cases/{reference:str}",
        SEE_A_CASE,
        (HTML,),
        "a case from its beginning, with its deadlines and its alerts",
        ("as_of",),
        is_audited=True,
    ),
    Route(
        "case",
        "/api/v1/cases/{reference:str}",
        SEE_A_CASE,
        (JSON,),
        "a case from its beginning, with its deadlines and its alerts",
        ("as_of",),
        is_audited=True,
    ),
    Route(
        "explanations-page",
        "/explanations",
        SEE_CASES,
        (HTML,),
        "why a figure changed: the cases that entered it and left it",
        (*CELL, "against", "page"),
        is_audited=True,
        is_of_a_cell=True,
    ),
    Route(
        "explanations",
        "/api/v1/explanations",
        SEE_CASES,
        (JSON, CSV),
        "why a figure changed: the cases that entered it and left it, a page of them",
        (*CELL, "against", "page"),
        is_audited=True,
        is_of_a_cell=True,
    ),
    Route(
        "changes",
        "/api/v1/changes",
        SEE_IN_FULL,
        (JSON, CSV),
        "the figures that changed, of the places that one sees in full",
        (*CHOICE, "against", "cursor"),
    ),
    Route(
        "changes.csv",
        "/api/v1/changes.csv",
        SEE_IN_FULL,
        (CSV,),
        "the same as CSV, whatever is accepted",
        (*CHOICE, "against", "cursor"),
    ),
    Route(
        "forecast",
        "/api/v1/forecast",
        SEE_IN_FULL,
        (JSON, CSV),
        "how many open cases will breach each standard if nothing happens",
        ("standard", "area", "provider", "on"),
    ),
    Route(
        "forecast.csv",
        "/api/v1/forecast.csv",
        SEE_IN_FULL,
        (CSV,),
        "the same as CSV, whatever is accepted",
        ("standard", "area", "provider", "on"),
    ),
    Route(
        "alerts-page",
        "/alerts",
        SEE_ALERTS,
        (HTML,),
        "the alerts that are active",
        LISTED_ALERTS,
        is_audited=True,
    ),
    Route(
        "alerts",
        "/api/v1/alerts",
        SEE_ALERTS,
        (JSON, CSV),
        "the alerts that are active, a page of them",
        LISTED_ALERTS,
        is_audited=True,
    ),
    Route(
        "alerts.csv",
        "/api/v1/alerts.csv",
        SEE_ALERTS,
        (CSV,),
        "the same as CSV, whatever is accepted",
        LISTED_ALERTS,
        is_audited=True,
    ),
    Route(
        "alert-page",
        "/alerts/{alert:str}",
        SEE_ALERTS,
        (HTML,),
        "how an alert stands, and how it came there",
        is_audited=True,
    ),
    Route(
        "alert",
        "/api/v1/alerts/{alert:str}",
        SEE_ALERTS,
        (JSON,),
        "how an alert stands, and how it came there",
        is_audited=True,
    ),
    Route(
        "acknowledge-form",
        "/alerts/{alert:str}/acknowledge",
        ACT_ON_ALERTS,
        (HTML,),
        "say that someone sees to an alert, as a form",
        methods=("POST",),
        is_audited=True,
    ),
    Route(
        "acknowledge",
        "/api/v1/alerts/{alert:str}/acknowledge",
        ACT_ON_ALERTS,
        (JSON,),
        "say that someone sees to an alert",
        methods=("POST",),
        is_audited=True,
    ),
    Route(
        "silence-form",
        "/alerts/{alert:str}/silence",
        ACT_ON_ALERTS,
        (HTML,),
        "have an alert not be told for a time, as a form",
        methods=("POST",),
        is_audited=True,
    ),
    Route(
        "silence",
        "/api/v1/alerts/{alert:str}/silence",
        ACT_ON_ALERTS,
        (JSON,),
        "have an alert not be told for a time",
        methods=("POST",),
        is_audited=True,
    ),
    Route(
        "quality-page",
        "/quality",
        SEE_ALL,
        (HTML,),
        "odd facts by kind, what cases lack, and figures that contradict themselves",
        ("as_of",),
    ),
    Route("quality", "/api/v1/quality", SEE_ALL, (JSON, CSV), "the same for programs", ("as_of",)),
    Route(
        "quality.csv",
        "/api/v1/quality.csv",
        SEE_ALL,
        (CSV,),
        "the same as CSV, whatever is accepted",
        ("as_of",),
    ),
    Route(
        "odd-facts-page",
        "/quality/{kind:str}",
        SEE_CASES,
        (HTML,),
        "the cases that odd facts of a kind are of",
        ("as_of", "page"),
        is_audited=True,
    ),
    Route(
        "odd-facts",
        "/api/v1/quality/{kind:str}",
        SEE_CASES,
        (JSON, CSV),
        "the cases that odd facts of a kind are of, a page of them",
        ("as_of", "page"),
        is_audited=True,
    ),
    Route("releases-page", "/releases", READERS, (HTML,), "the releases of every month"),
    Route("releases", "/api/v1/releases", READERS, (JSON, CSV), "the releases of every month"),
    Route(
        "releases.csv",
        "/api/v1/releases.csv",
        READERS,
        (CSV,),
        "the same as CSV, whatever is accepted",
    ),
    Route(
        "release-page",
        "/releases/{period:str}/{number:str}",
        READERS,
        (HTML,),
        "a release, its files, and its figures beside live",
        ("place", "show"),
        is_of_a_cell=True,
    ),
    Route(
        "release",
        "/api/v1/releases/{period:str}/{number:str}",
        SEE_ALL,
        (JSON, CSV),
        "the figures of a release that differ from live",
        ("show",),
    ),
    Route(
        "release.csv",
        "/api/v1/releases/{period:str}/{number:str}/differences.csv",
        SEE_ALL,
        (CSV,),
        "the same as CSV, whatever is accepted",
        ("show",),
    ),
    Route(
        "public-file",
        "/releases/{period:str}/{number:str}/public/{file:str}",
        READERS,
        FILES,
        "a file of what was published of a release",
    ),
    Route(
        "internal-file",
        "/releases/{period:str}/{number:str}/internal/{file:str}",
        SEE_ALL,
        FILES,
        "a file of a release for the council itself",
    ),
    Route(
        "freeze-form",
        "/releases",
        PUBLISH,
        (HTML,),
        "freeze a month into a release, as a form",
        methods=("POST",),
        is_audited=True,
    ),
    Route(
        "freeze",
        "/api/v1/releases",
        PUBLISH,
        (JSON,),
        "freeze a month into a release, or withdraw those there are",
        methods=("POST",),
        is_audited=True,
    ),
    Route(
        "preview-form",
        "/releases/{period:str}/{number:str}/preview",
        PUBLISH,
        (HTML,),
        "find what of a release would go out in public, as a form",
        methods=("POST",),
        is_audited=True,
    ),
    Route(
        "preview",
        "/api/v1/releases/{period:str}/{number:str}/preview",
        PUBLISH,
        (JSON,),
        "find what of a release would go out in public",
        methods=("POST",),
        is_audited=True,
    ),
    Route(
        "publish-form",
        "/releases/{period:str}/{number:str}/publish",
        PUBLISH,
        (HTML,),
        "publish a release as it was previewed, as a form",
        methods=("POST",),
        is_audited=True,
    ),
    Route(
        "publish",
        "/api/v1/releases/{period:str}/{number:str}/publish",
        PUBLISH,
        (JSON,),
        "publish a release as it was previewed",
        methods=("POST",),
        is_audited=True,
    ),
    Route(
        "publish-internal-form",
        "/releases/{period:str}/{number:str}/publish-internal",
        PUBLISH,
        (HTML,),
        "publish a release for the council itself, as a form",
        methods=("POST",),
        is_audited=True,
    ),
    Route(
        "publish-internal",
        "/api/v1/releases/{period:str}/{number:str}/publish-internal",
        PUBLISH,
        (JSON,),
        "publish a release for the council itself, with small numbers as they are",
        methods=("POST",),
        is_audited=True,
    ),
    Route(
        "accept-form",
        "/releases/{period:str}/{number:str}/accept",
        PUBLISH,
        (HTML,),
        "say that a text of a release may go out as it stands, as a form",
        methods=("POST",),
        is_audited=True,
    ),
    Route(
        "accept",
        "/api/v1/releases/{period:str}/{number:str}/accept",
        PUBLISH,
        (JSON,),
        "say that a text of a release may go out as it stands",
        methods=("POST",),
        is_audited=True,
    ),
    Route(
        "release-task-page",
        "/release-tasks/{task:str}",
        PUBLISH,
        (HTML,),
        "how a task on releases goes, and what came of it",
    ),
    Route(
        "release-task",
        "/api/v1/release-tasks/{task:str}",
        PUBLISH,
        (JSON,),
        "how a task on releases goes, and what came of it",
    ),
    Route(
        "operations-page",
        "/operations",
        OPERATE,
        (HTML,),
        "whether it all runs",
        ("show",),
    ),
    Route(
        "operations",
        "/api/v1/operations",
        OPERATE,
        (JSON,),
        "whether it all runs",
        ("show",),
    ),
    Route(
        "dead-letters-page",
        "/operations/dead-letters",
        OPERATE,
        (HTML,),
        "messages that are no events",
        ("page",),
    ),
    Route(
        "dead-letters",
        "/api/v1/dead-letters",
        OPERATE,
        (JSON,),
        "messages that are no events, a page of them",
        ("page",),
    ),
    Route(
        "dead-letter-page",
        "/operations/dead-letters/{letter:str}",
        OPERATE,
        (HTML,),
        "a message that is no event; what is in it for analysts",
        is_audited=True,
    ),
    Route(
        "dead-letter",
        "/api/v1/dead-letters/{letter:str}",
        OPERATE,
        (JSON,),
        "a message that is no event; what is in it for analysts",
        is_audited=True,
    ),
    Route(
        "send-again-form",
        "/operations/dead-letters/{letter:str}/send-again",
        OPERATE,
        (HTML,),
        "send a dead letter again, as it was or corrected, as a form",
        methods=("POST",),
        is_audited=True,
    ),
    Route(
        "send-again",
        "/api/v1/dead-letters/{letter:str}/send-again",
        OPERATE,
        (JSON,),
        "send a dead letter again, as it was or corrected",
        methods=("POST",),
        is_audited=True,
    ),
    Route(
        "audit-log-page",
        "/audit-log",
        AUDIT,
        (HTML,),
        "the audit log: who was shown, took away or decided what, and who was refused",
        LOGGED,
        is_audited=True,
    ),
    Route(
        "audit-log",
        "/api/v1/audit-log",
        AUDIT,
        (JSON,),
        "entries of the audit log, a page of them, the latest first",
        LOGGED,
        is_audited=True,
    ),
    Route(
        "status",
        "/api/v1/status",
        READERS,
        (JSON,),
        "how fresh the figures are, and what is wrong with them",
    ),
    Route(
        "connect",
        "/connect",
        READERS,
        (HTML,),
        "how Excel and Power BI read the figures",
        CHOICE,
    ),
    Route(
        "make-token",
        "/connect/tokens",
        READERS & SIGNED_IN,
        (HTML,),
        "make a token for a program of one's own, as a form",
        methods=("POST",),
        is_audited=True,
    ),
    Route(
        "revoke-token",
        "/connect/tokens/revoke",
        READERS & SIGNED_IN,
        (HTML,),
        "revoke a token of one's own, as a form",
        methods=("POST",),
        is_audited=True,
    ),
    Route(
        "account",
        "/account",
        READERS | {Role.AUDITOR},
        (HTML,),
        "who you are here, and what you may ask for",
    ),
    Route(
        "sign-in",
        "/sign-in",
        EVERYONE,
        (HTML,),
        "sign in at the OpenID provider",
        ("next",),
        methods=("GET",),
    ),
    Route(
        "sign-in-again",
        "/sign-in/again",
        EVERYONE,
        (HTML,),
        "prove anew at the OpenID provider who one is",
        ("next",),
        methods=("GET",),
    ),
    Route(
        "sign-in-return",
        "/sign-in/return",
        EVERYONE,
        (HTML,),
        "come back from the OpenID provider",
        methods=("GET",),
        is_come_back_to=True,
    ),
    Route(
        "sign-out",
        "/sign-out",
        SIGNED_IN,
        (HTML,),
        "end one's session, as a form",
        methods=("POST",),
    ),
    Route(
        "end-sessions",
        "/account/sessions/end",
        SIGNED_IN,
        (HTML,),
        "end one or all of one's other sessions, as a form",
        methods=("POST",),
    ),
    Route(
        "back-channel-logout",
        "/sign-out/back-channel",
        EVERYONE,
        (JSON,),
        "take from the OpenID provider that someone has signed out there",
        methods=("POST",),
    ),
    Route(
        "signed-out",
        "/signed-out",
        EVERYONE,
        (HTML,),
        "that one has signed out",
        is_come_back_to=True,
    ),
    Route("style", "/assets/{version:str}/style.css", EVERYONE, (CSS,), "the style of the pages"),
    Route(
        "script",
        "/assets/{version:str}/live.js",
        EVERYONE,
        (SCRIPT,),
        "what keeps pages up to date",
    ),
    Route(
        "events",
        "/api/v1/events",
        frozenset({Role.INTAKE}),
        (JSON,),
        "take in events: one or a batch, answered once Kafka has them",
        methods=("POST",),
    ),
    Route(
        "stream",
        "/api/v1/stream",
        READERS,
        (EVENTS,),
        "server-sent events: that figures changed",
        methods=("GET",),
    ),
    Route(
        "openapi",
        "/api/v1/openapi.json",
        READERS | {Role.INTAKE},
        (JSON,),
        "what there is to ask for, as OpenAPI",
    ),
    Route("health", "/health", EVERYONE, (JSON,), "that the process answers", is_probe=True),
    Route(
        "ready", "/ready", EVERYONE, (JSON,), "that figures can be read and shown", is_probe=True
    ),
)
ROUTES_BY_NAME = {route.name: route for route in ROUTES}
