"""What every answer is made with: figures, templates, and the call that asks."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined

from processors.behind.held_rows import case_reference
from schemas.audit_entries import AuditResult
from schemas.settings import Settings
from snapshots.publish.text.wording import long_date
from streams.kafka.audit_log import AuditLog, NotAudited
from streams.kafka.intake import Intake
from streams.metrics.serving import ServingMetrics
from streams.serving.answers import Accepted, Answer, accepted, tag_of, whole
from streams.serving.audited import audited
from streams.serving.examinations import Examinations
from streams.serving.figure_watch import FigureWatch
from streams.serving.freshness import Freshness
from streams.serving.identity import Identity
from streams.serving.live_alerts import LiveAlerts
from streams.serving.live_cases import LiveCases
from streams.serving.live_figures import LiveFigures
from streams.serving.live_quality import LiveQuality
from streams.serving.openapi import document
from streams.serving.openid_sign_in import OpenIdSignIn
from streams.serving.parameters import Query, with_query
from streams.serving.problems import Problem, away
from streams.serving.release_desk import ReleaseDesk
from streams.serving.release_list import last_release
from streams.serving.roles import HTML, PLACE, ROUTES_BY_NAME, Route
from streams.serving.tokens import Tokens

# The style of releases first, then what live pages add to it.
STYLES = (
    ("snapshots.publish.formats", "templates/style.css"),
    ("streams.serving", "assets/charts.css"),
    ("streams.serving", "assets/live.css"),
)
# The pages that readers find at the top of each, by the name of their route.
PAGES = {
    "today": "Today",
    "scorecard-page": "Scorecard",
    "alerts-page": "Alerts",
    "releases-page": "Releases",
    "quality-page": "Quality",
    "operations-page": "Operations",
    "audit-log-page": "Audit log",
    "connect": "Connect",
    "account": "Account",
}
# What goes along from page to page: each means the same wherever it can be asked for.
CARRIED = ("place", "level", "area", "age_band", "as_of", "family")


@dataclass(frozen=True)
class Call:
    """One question: the route, what is asked of it and by whom, and what its reader can take."""

    route: Route
    asked: Query
    identity: Identity
    accept: str = ""
    encodings: str = ""
    if_none_match: str = ""
    path: Mapping[str, Any] = field(default_factory=dict)
    last_event: str = ""
    content_type: str = ""
    body: bytes = b""
    site: str = ""
    """The address that the reader has reached all this at, without a path."""
    is_from_here: bool = False
    """Whether a browser says that a page of this server asks."""
    query: str = ""
    """What is asked, as it was sent; only where what is asked is for another to say."""
    cookies: Sequence[str] = ()
    origin: str = ""
    """The address that the question comes from."""
    is_led_here: bool = False
    """Whether a browser says that a page of another site has led its reader here."""
    user_agent: str = ""
    """What the reader's browser says that it is."""

    @cached_property
    def taking(self) -> Accepted:
        """What to send of what the route offers. Raises Problem."""
        return accepted(self.route.media, self.accept, self.encodings)


class LiveSite:
    """The whole of what is served."""

    def __init__(
        self,
        figures: LiveFigures,
        settings: Settings,
        audit: AuditLog,
        intake: Intake,
        metrics: ServingMetrics,
        openid: OpenIdSignIn | None = None,
    ) -> None:
        self.figures, self.settings, self.audit, self.intake = figures, settings, audit, intake
        self.metrics, self.rules, self.openid = metrics, figures.rules, openid
        self.style = "\n".join(
            (files(package) / name).read_text("utf-8") for package, name in STYLES
        )
        self.script = (files("streams.serving") / "assets/live.js").read_text("utf-8")
        self.style_version, self.script_version = _hash(self.style), _hash(self.script)
        self.watch = FigureWatch(figures)
        self.alerts = LiveAlerts(figures.redis, settings, self.rules, figures.clock)
        self.desk = ReleaseDesk(figures.redis, settings, figures.clock, audit)
        self.cases = LiveCases(figures.redis, settings, self.rules)
        self.quality = LiveQuality(figures.redis, settings, self.rules)
        self.examinations = Examinations(settings, self.rules, figures.clock)
        self.tokens = Tokens(figures.redis, settings.deployment)
        metrics.count_listeners(lambda: self.watch.listeners)
        self._environment = Environment(
            loader=PackageLoader("streams.serving"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(
            top=self.rules.areas.top,
            style=f"/assets/{self.style_version}/style.css",
            script=f"/assets/{self.script_version}/live.js",
            long_date=long_date,
            case_reference=case_reference,
        )
        self.version = _version()

    @cached_property
    def description(self) -> dict[str, Any]:
        """What there is to ask for, as OpenAPI."""
        return document(self.rules, self.settings.sign_in != "none")

    async def freshness(self, asked: Query) -> Freshness:
        """How fresh the figures asked for are. Raises Problem."""
        clock, day = self.figures.clock, asked.as_of
        now = clock.now()
        moment = await self.figures.moment(day or now.date())
        self.metrics.shown((moment.latest or 0) / 1_000_000)
        release = await asyncio.to_thread(last_release, self.settings.releases)
        stale = timedelta(hours=self.settings.stale_hours)
        return Freshness(day, now.date(), now, moment, release, stale)

    async def freshness_if_known(self, asked: Query) -> Freshness | None:
        """The same for a page that shows no figure; None where their store does not answer."""
        with suppress(Problem):
            return await self.freshness(asked)
        return None

    def tag(self, fresh: Freshness, call: Call, *more: object) -> str:
        """The tag of an answer that is made of figures, and of whatever more. Raises Problem.

        A page also says who asks, and how long ago the latest event was, and has their forms.
        """
        taking, identity = call.taking, call.identity
        whose = (identity, identity.form_token, fresh.ago)
        of_page = whose if taking.media == HTML else (identity.view,)
        return tag_of(
            *(self.version, fresh.moment.version, fresh.day, fresh.asked, fresh.is_stale),
            *(fresh.release, call.asked.query(), taking, *of_page, *more),
        )

    async def answer(self, fresh: Freshness, call: Call, text: str, tag: str) -> Answer:
        """A text that took several readings: under a tag of its own if something came meanwhile.

        Whether that is in it is not known. Raises Problem.
        """
        if (await self.figures.moment(fresh.day)).version != fresh.moment.version:
            tag = tag_of(text, call.taking)
        return whole(text, call.taking, tag)

    async def note(
        self, call: Call, result: AuditResult, cases: int = 0, total: int = 0, query: str = ""
    ) -> None:
        """Have the audit log know first of what is about to be shown or done. Raises Problem.

        `query` says what is asked for where the address does not.
        """
        query = query or call.asked.query(**call.path)
        try:
            await self.audit.write(audited(call.identity, call.route, query, result, cases, total))
        except NotAudited as error:
            raise away(str(error)) from error

    def page(self, name: str, call: Call | None, identity: Identity, **given: object) -> str:
        """A page made of a template."""
        here = call.route.name if call else ""
        pages = [
            (title, _carried(ROUTES_BY_NAME[page], call), page == here)
            for page, title in PAGES.items()
            if ROUTES_BY_NAME[page].admits(identity.roles)
        ]
        template = self._environment.get_template(name)
        return template.render(identity=identity, pages=pages, **given)


def _carried(route: Route, call: Call | None) -> str:
    """The address of a page with what is asked for here, as far as it is asked for alike there."""
    values = call.asked.values if call else {}
    given = {
        name: values[name][0]
        for name in CARRIED
        if name in route.parameters and len(values.get(name, ())) == 1
    }
    # A kind of place is carried with its place, and that from where both can be asked for: those
    # of a release may be others.
    if "place" not in given or (call and "level" not in call.route.parameters):
        given = {name: it for name, it in given.items() if name not in PLACE}
    return with_query(route.path, urlencode(given))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _version() -> str:
    """What tells the pages of this program from those of another."""
    hashed = hashlib.sha256()
    for folder in ("templates", "assets"):
        for file in sorted((files("streams.serving") / folder).iterdir(), key=lambda it: it.name):
            hashed.update(file.name.encode() + file.read_bytes())
    return hashed.hexdigest()[:16]
