"""Answers: which type is sent, under which tag, and with which headers."""

import gzip
import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from streams.serving.problems import Problem

# Shorter than this a compressed answer is hardly shorter.
LEAST_COMPRESSED = 1_000
# Nothing is loaded from elsewhere, nothing inline is obeyed, and nobody frames a page.
CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
# On every answer, whatever it says.
SAFE_HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Of which browsers take notice by https alone.
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
# Kept by the reader's own cache alone, and never shown without asking whether it still holds.
ASK_AGAIN = "private, no-cache"
VARY = "Accept, Accept-Encoding, Authorization, Cookie"


@dataclass(frozen=True)
class Answer:
    """A body with its type, and the headers that are its own."""

    status: HTTPStatus
    media: str
    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True)
class Streamed:
    """An answer without an end: what is sent, as it comes."""

    media: str
    parts: AsyncIterator[bytes]


@dataclass(frozen=True)
class Accepted:
    """What a request can take: a type that is offered, and whether compressed."""

    media: str
    is_compressed: bool


def accepted(offered: Sequence[str], accept: str, encodings: str) -> Accepted:
    """What to send of the types that are offered, the first of those liked best.

    Raises Problem where none will do.
    """
    ranges = _weights(accept) or {"*/*": 1.0}
    weights = {media: _weight(media, ranges) for media in offered}
    best = max(offered, key=lambda media: weights[media])
    if not weights[best]:
        raise Problem(HTTPStatus.NOT_ACCEPTABLE, f"there is {' and '.join(offered)} here")
    coded = _weights(encodings)
    return Accepted(best, bool(coded.get("gzip", coded.get("*", 0.0))))


def _weights(header: str) -> dict[str, float]:
    """What a header lists, each with its weight; one that is no number counts as nothing."""
    found = {}
    for item in header.split(","):
        name, *parts = (it.strip().lower() for it in item.split(";"))
        if name:
            weight = next((it[2:] for it in parts if it.startswith("q=")), "1")
            try:
                found[name] = min(max(float(weight), 0.0), 1.0)
            except ValueError:
                found[name] = 0.0
    return found


def _weight(media: str, ranges: dict[str, float]) -> float:
    """The weight of the closest range that a type is in."""
    names = media, f"{media.partition('/')[0]}/*", "*/*"
    return next((ranges[name] for name in names if name in ranges), 0.0)


def tag_of(*parts: object) -> str:
    """A strong entity tag: the same for what is made of the same parts alone."""
    hashed = hashlib.sha256()
    for part in parts:
        text = str(part).encode()
        hashed.update(len(text).to_bytes(8, "big") + text)
    return f'"{hashed.hexdigest()[:32]}"'


def is_held(tag: str, if_none_match: str) -> bool:
    """Whether the reader says that it has what the tag is of."""
    tags = [it.strip().removeprefix("W/") for it in if_none_match.split(",")]
    return tag in tags or "*" in tags


def unchanged(tag: str) -> Answer:
    """That the reader has it already."""
    headers = {"ETag": tag, "Cache-Control": ASK_AGAIN, "Vary": VARY}
    return Answer(HTTPStatus.NOT_MODIFIED, "", b"", headers)


def whole(text: str, taking: Accepted, tag: str, cache: str = ASK_AGAIN) -> Answer:
    """A text in full, compressed where that is taken and worth it."""
    body = text.encode()
    headers = {"ETag": tag, "Cache-Control": cache, "Vary": VARY}
    if taking.is_compressed and len(body) >= LEAST_COMPRESSED:
        body = gzip.compress(body, 6, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Answer(HTTPStatus.OK, taking.media, body, headers)


def attached(body: bytes, media: str, name: str, tag: str) -> Answer:
    """A file to keep, which no browser opens as a page of this site."""
    named = {"Content-Disposition": f'attachment; filename="{name}"'}
    headers = {"ETag": tag, "Cache-Control": ASK_AGAIN, "Vary": VARY, **named}
    return Answer(HTTPStatus.OK, media, body, headers)


def unkept(text: str, taking: Accepted) -> Answer:
    """A text that no cache keeps, and that has no tag."""
    answer = whole(text, taking, "", "no-store")
    headers = {name: value for name, value in answer.headers.items() if name != "ETag"}
    return Answer(answer.status, answer.media, answer.body, headers)
