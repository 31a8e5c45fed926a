"""The live pages and API as a program asks them, without a socket between."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import httpx
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from processors.rules import Rules
from schemas.settings import Settings
from streams.clock import Clock
from streams.kafka.audit_log import AuditLog
from streams.kafka.intake import Intake
from streams.metrics.serving import ServingMetrics
from streams.serving.application import application
from streams.serving.front import LOCAL_HOSTS, Front
from streams.serving.groups import Groups
from streams.serving.identity import NOBODY, Identity
from streams.serving.live_figures import LiveFigures
from streams.serving.openid_sign_in import OpenIdSignIn
from streams.serving.roles import Role
from streams.serving.sign_in import BySignIn, Connection, SignIn
from streams.serving.site import LiveSite
from streams.serving.tokens import Tokens

ADDRESS = "http://localhost"


def one_with(*roles: Role, places: frozenset[str] = frozenset()) -> Identity:
    """Someone who has these roles."""
    return Identity("someone", frozenset(roles), places)


class Asks(NamedTuple):
    """What is asked, by whom and how."""

    path: str
    who: Identity = NOBODY
    method: str = "GET"
    headers: Mapping[str, str] = {}
    body: bytes = b""


@dataclass(frozen=True)
class Served:
    """A site whose visitors are who they are said to be."""

    settings: Settings
    rules: Rules
    clock: Clock = field(default_factory=Clock)
    sign_in: Callable[[Redis], SignIn] | None = None
    """How visitors say who they are, where it is not said for them."""
    openid: Callable[[Redis], OpenIdSignIn] | None = None
    """How they sign in by a page, where that is how they say who they are."""

    def ask(
        self,
        path: str,
        who: Identity = NOBODY,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """The answer to one question."""
        return self.ask_all([Asks(path, who, method, headers or {})])[0]

    def ask_all(self, questions: Iterable[Asks]) -> list[httpx.Response]:
        """The answers to questions, one after another, of one process."""
        return asyncio.run(self._ask(list(questions)))

    def ask_and_measure(self, questions: Iterable[Asks]) -> CollectorRegistry:
        """What one process measures that is asked these questions."""
        registry = CollectorRegistry()
        asyncio.run(self._ask(list(questions), registry))
        return registry

    async def _ask(
        self, questions: list[Asks], registry: CollectorRegistry | None = None
    ) -> list[httpx.Response]:
        asking = [NOBODY]

        async def sign_in(_: Connection) -> Identity:
            return asking[0]

        answers = []
        # What does not answer is not asked again, so that a test of that need not wait.
        async with (
            Redis.from_url(self.settings.redis_url, retry=None) as redis,
            AuditLog(self.settings.kafka, self.settings.deployment, self.clock.now) as audit,
            Intake(self.settings.kafka) as intake,
        ):
            figures = LiveFigures(redis, self.settings, self.rules, self.clock)
            metrics = ServingMetrics(registry or CollectorRegistry())
            openid = self.openid(redis) if self.openid else None
            site = LiveSite(figures, self.settings, audit, intake, metrics, openid)
            site.watch.is_stopping = lambda: True  # so that a stream comes to its end
            way = self.sign_in(redis) if self.sign_in else sign_in
            if openid is not None:
                tokens = Tokens(redis, self.settings.deployment)
                way = BySignIn(tokens, self.clock.now, (), Groups(), openid)
            front = Front(application(site, way), frozenset(LOCAL_HOSTS), metrics)
            transport = httpx.ASGITransport(app=front, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as client:
                for path, who, method, headers, body in questions:
                    asking[0] = who
                    answers.append(
                        await client.request(method, path, headers=dict(headers), content=body)
                    )
        return answers
