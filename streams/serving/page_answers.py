"""What pages rest on: their style, their script, and the stream that tells of changes."""

import math
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from http import HTTPStatus

from streams.serving.answers import Answer, Streamed, tag_of, whole
from streams.serving.problems import Problem, away
from streams.serving.site import Call, LiveSite

LONGEST_ID = 64
# How often it is looked whether the session of a stream is on.
LOOK_AGAIN_SECONDS = 5.0
FOR_A_YEAR = "public, max-age=31536000, immutable"


async def style(site: LiveSite, call: Call) -> Answer:
    """The style of the pages, which is another address when it is another style."""
    if call.path["version"] != site.style_version:
        raise Problem(HTTPStatus.NOT_FOUND, "the style of another version of the pages")
    return whole(site.style, call.taking, tag_of(site.style, call.taking), FOR_A_YEAR)


async def script(site: LiveSite, call: Call) -> Answer:
    """What keeps pages up to date, which is another address when it is another script."""
    if call.path["version"] != site.script_version:
        raise Problem(HTTPStatus.NOT_FOUND, "the script of another version of the pages")
    return whole(site.script, call.taking, tag_of(site.script, call.taking), FOR_A_YEAR)


async def stream(site: LiveSite, call: Call) -> Streamed:
    """That figures changed, for as long as somebody listens. Raises Problem."""
    media = call.taking.media
    if site.watch.is_full:
        raise away("as many listen already as this process can tell")
    # An id that is none of ours is as good as none: the listener is told that figures changed.
    parts = site.watch.events(call.last_event[:LONGEST_ID])
    is_of_session = bool(site.openid and call.identity.form_token)
    return Streamed(media, _while_on(site, call, parts) if is_of_session else parts)


async def _while_on(
    site: LiveSite, call: Call, parts: AsyncGenerator[bytes]
) -> AsyncIterator[bytes]:
    """The parts of a stream until the session ends that it was asked for by.

    Looked at for each part, of which there is one every HEARTBEAT_SECONDS at least, but not more
    often than every LOOK_AGAIN_SECONDS. To listen is not to ask: it keeps no session on. While the
    store is away the stream goes on, which tells nothing then.
    """
    assert site.openid
    looked = -math.inf
    async with aclosing(parts):
        async for part in parts:
            if time.monotonic() - looked >= LOOK_AGAIN_SECONDS:
                looked = time.monotonic()
                with suppress(Problem):
                    if await site.openid.session(call.cookies, is_asked=False) is None:
                        return
            yield part
