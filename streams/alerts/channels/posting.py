"""Posting over HTTP, and what an answer means."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar

from streams.alerts.channels.sending import NotNow, RefusedByReceiver

USER_AGENT = "caseline"
# Answers of the client's fault that another time may mend, by what HTTP says of them (RFC 9110).
PASSING = {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_EARLY,
    HTTPStatus.TOO_MANY_REQUESTS,
}


def open_session() -> ClientSession:
    """A client, to be closed."""
    return ClientSession(cookie_jar=DummyCookieJar(), headers={"user-agent": USER_AGENT})


async def post(
    session: ClientSession, url: str, body: bytes, headers: Mapping[str, str], seconds: float
) -> None:
    """Post JSON. Raises Refused or NotNow unless it was taken.

    Redirections are not followed: a message goes where its receiver's file says, and nowhere else.
    """
    try:
        async with session.post(
            url,
            data=body,
            headers={"content-type": "application/json", **headers},
            timeout=ClientTimeout(total=seconds),
            allow_redirects=False,
        ) as response:
            status, asked = response.status, response.headers.get("retry-after", "")
    except TimeoutError as error:
        raise NotNow(f"no answer in {seconds:g} s") from error
    except (ClientError, OSError) as error:
        raise NotNow(f"cannot be reached: {type(error).__name__}") from error
    judge(status, asked)


def judge(status: int, asked: str) -> None:
    """Raise Refused or NotNow unless the status says that a message was taken.

    `asked` is the header Retry-After.
    """
    if 200 <= status < 300:
        return
    if 400 <= status < 500 and status not in PASSING:
        raise RefusedByReceiver(f"http-{status}", f"refused with HTTP status {status}")
    waits = status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
    raise NotNow(f"HTTP status {status}", seconds_asked(asked) if waits else 0.0)


def seconds_asked(text: str) -> float:
    """The seconds that a Retry-After asks for, as a number or a date; 0 for neither."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, math.ceil((at - datetime.now(UTC)).total_seconds()))
