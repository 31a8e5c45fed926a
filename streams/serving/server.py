"""The process that serves: a socket, and what answers on it until it is asked to stop."""

import asyncio
import ipaddress
import logging
import socket
import time
from collections.abc import Generator
from contextlib import AsyncExitStack, aclosing, contextmanager
from urllib.parse import urlsplit

import uvicorn
from redis.asyncio import Redis

from processors.rules import Rules
from schemas.settings import Settings
from streams.clock import Clock
from streams.failures import Understood
from streams.kafka.audit_log import AuditLog
from streams.kafka.intake import Intake
from streams.metrics.exposition import new_registry, served
from streams.metrics.serving import ServingMetrics
from streams.serving.allowances import Allowances
from streams.serving.application import application
from streams.serving.front import LOCAL_HOSTS, Front, host_of
from streams.serving.groups import Groups
from streams.serving.live_figures import LiveFigures
from streams.serving.openid_provider import OpenIdProvider
from streams.serving.openid_sign_in import OpenIdSignIn
from streams.serving.pauses import shorten_pauses
from streams.serving.sign_in import BySignIn, SignIn, networks, nobody
from streams.serving.site import LiveSite
from streams.serving.tokens import Tokens
from streams.state.redis_clients import connect_redis

log = logging.getLogger(__name__)

# How long answers under way may take to come to their end.
STOP_SECONDS = 5
# What a request may be called and say of itself.
MOST_HEADER_BYTES = 32_768
# Connections that wait to be taken.
BACKLOG = 512


class OpenToOthers(Understood):
    """Others than this machine would be served, and nobody would have to say who they are."""


def listen(settings: Settings, host: str, port: int) -> socket.socket:
    """A socket that listens: on this machine alone where nobody signs in.

    Raises OpenToOthers or OSError.
    """
    if settings.sign_in == "none" and not is_loopback(host):
        raise OpenToOthers(
            f"{host} can be reached from elsewhere, and nobody has to sign in: serve 127.0.0.1, or "
            "set CASELINE_SIGN_IN"
        )
    if settings.sign_in == "proxy" and not networks(settings.proxy_addresses):
        raise OpenToOthers(
            "CASELINE_SIGN_IN is proxy, and CASELINE_PROXY_ADDRESSES names none that is believed"
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, port), family=family, backlog=BACKLOG)
    listening.setblocking(False)
    # Of what it accepts too: asyncio sets it only on sockets that name their protocol. Else a small
    # body waits until a client has acknowledged the headers, which most put off by 40 ms.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
    return listening


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own, which nothing else can reach."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def serve(
    settings: Settings, rules: Rules, clock: Clock, groups: Groups, listening: socket.socket
) -> None:
    """Answer until cancelled; what is under way then is answered."""
    registry = new_registry()
    metrics = ServingMetrics(registry)
    async with (
        connect_redis(settings) as redis,
        AuditLog(settings.kafka, settings.deployment, clock.now) as audit,
        Intake(settings.kafka) as intake,
    ):
        figures = LiveFigures(redis, settings, rules, clock)
        openid = _openid(redis, settings, clock, groups)
        site = LiveSite(figures, settings, audit, intake, metrics, openid)
        sign_in = _sign_in(redis, settings, clock, groups, openid)
        hosts = frozenset([*LOCAL_HOSTS, *names_in(settings.host_names), *_site_host(settings)])
        with served(settings, registry):
            async with AsyncExitStack() as stack:
                for part in (site.desk, site.cases, site.quality, site.examinations):
                    await stack.enter_async_context(aclosing(part))
                front = Front(application(site, sign_in), hosts, metrics)
                shorten_pauses()
                await _answer(site, front, listening)


def _openid(redis: Redis, settings: Settings, clock: Clock, groups: Groups) -> OpenIdSignIn | None:
    client = settings.openid
    if client is None:
        return None
    provider = OpenIdProvider(client)
    refusals = Allowances(settings.refused_sign_ins_a_minute, time.monotonic)
    return OpenIdSignIn(client, redis, settings.deployment, groups, clock.now, provider, refusals)


def _sign_in(
    redis: Redis, settings: Settings, clock: Clock, groups: Groups, openid: OpenIdSignIn | None
) -> SignIn:
    if settings.sign_in == "none":
        return nobody
    proxies = networks(settings.proxy_addresses) if settings.sign_in == "proxy" else ()
    return BySignIn(Tokens(redis, settings.deployment), clock.now, proxies, groups, openid)


def _site_host(settings: Settings) -> list[str]:
    """The host that people are sent back to, as they send it in `Host`."""
    return [host_of(urlsplit(settings.site_address).netloc)] if settings.site_address else []


def names_in(text: str) -> list[str]:
    """Names separated by commas, in lower case."""
    return [it.strip().lower() for it in text.split(",") if it.strip()]


async def _answer(site: LiveSite, front: Front, listening: socket.socket) -> None:
    config = uvicorn.Config(
        front,
        http="h11",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
        h11_max_incomplete_event_size=MOST_HEADER_BYTES,
        backlog=BACKLOG,
    )
    log.info("serving", extra={"address": address_of(listening)})
    server = UnsignalledServer(config)
    site.watch.is_stopping = lambda: server.should_exit
    serving = asyncio.ensure_future(server.serve([listening]))
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.should_exit = True
        await serving
        raise


class UnsignalledServer(uvicorn.Server):
    """A server that leaves signals to whoever runs it, and stops when it is told to."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Capture none."""
        yield


def address_of(listening: socket.socket) -> str:
    """Where a socket is reached, for a browser."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
