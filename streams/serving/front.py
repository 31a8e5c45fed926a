"""What stands before the application: the hosts it answers for, and headers on every answer."""

import time
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any

from streams.metrics.serving import NO_ROUTE, ServingMetrics
from streams.serving.answers import SAFE_HEADERS
from streams.serving.problems import Problem
from streams.serving.roles import ROUTES, Route

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]

LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")
PROBES = {route.path for route in ROUTES if route.is_probe}


class Front:
    """An application behind what no answer may lack.

    A name that a stranger has pointed at this machine is not answered for: pages of theirs could
    otherwise read in a reader's browser what is shown to this machine alone.
    """

    def __init__(self, behind: Application, hosts: frozenset[str], metrics: ServingMetrics) -> None:
        self._behind, self._hosts, self._metrics = behind, hosts, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection of ASGI."""
        if scope["type"] == "lifespan":
            await self._behind(scope, receive, send)
            return

        began = time.monotonic()

        async def safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                seconds = time.monotonic() - began
                self._metrics.answered(_route_of(scope), message["status"], seconds)
                headers = [(name.encode(), value.encode()) for name, value in _SAFE]
                message["headers"] = [*message.get("headers", ()), *headers]
            await send(message)

        if self._is_ours(scope) or scope["path"] in PROBES:
            await self._behind(scope, receive, safely)
        else:
            await self._misdirected(safely)

    def _is_ours(self, scope: Scope) -> bool:
        given = [value for name, value in scope["headers"] if name == b"host"]
        return len(given) == 1 and host_of(given[0].decode("latin-1")) in self._hosts

    async def _misdirected(self, send: Send) -> None:
        problem = Problem(
            HTTPStatus.MISDIRECTED_REQUEST, "this server does not answer for that host name"
        )
        body = problem.as_json().encode()
        headers = [(b"content-type", b"application/problem+json")]
        headers.append((b"content-length", str(len(body)).encode()))
        start = {"type": "http.response.start", "status": problem.status, "headers": headers}
        await send(start)
        await send({"type": "http.response.body", "body": body})


def _route_of(scope: Scope) -> str:
    """The name of the route that was found for a question."""
    handler = scope.get("route_handler")
    route = handler.opt.get("route") if handler is not None else None
    return route.name if isinstance(route, Route) else NO_ROUTE


_SAFE = tuple(SAFE_HEADERS.items())


def host_of(header: str) -> str:
    """A Host header without its port, in lower case."""
    host, colon, port = header.lower().rpartition(":")
    return host if colon and port.isdigit() else header.lower()
