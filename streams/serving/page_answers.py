"""The pages: what each shows, and from which figures."""

import math
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from http import HTTPStatus
from urllib.parse import urlencode

from processors.figures.asking import AskedRows, NotThere, RowChoice
from schemas.catalogue import ALL_AGES
from streams.serving.answers import Answer, Streamed, is_held, tag_of, unchanged, whole
from streams.serving.parameters import with_query
from streams.serving.problems import Problem, away, wrong_parameter
from streams.serving.scorecard_page import MARKS, MOST_PLACES, options, tables
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


async def scorecard_page(site: LiveSite, call: Call) -> Answer:
    """The scorecard of a place: of the whole where none is asked for."""
    taking, asked = call.taking, call.asked
    fresh = await site.freshness(asked)
    tag = site.tag(fresh, call)
    if is_held(tag, call.if_none_match):
        return unchanged(tag)
    rows = asked.rows
    is_of_the_whole = not (rows.areas or rows.places or rows.providers or rows.levels)
    shown = AskedRows(
        areas=[site.rules.areas.top] if is_of_the_whole else rows.areas,
        bands=rows.bands or [ALL_AGES],
        codes=rows.codes,
        levels=rows.levels,
        places=rows.places,
        providers=rows.providers,
        families=rows.families,
    )
    scorecard = await site.figures.shown(fresh.day, fresh.moment, call.identity)
    try:
        chosen = RowChoice(site.rules, shown).chosen(scorecard.rows)
    except NotThere as error:
        raise wrong_parameter(error.name, str(error)) from error
    found = tables(site.rules, chosen)
    text = site.page(
        "scorecard.html",
        call,
        call.identity,
        fresh=fresh,
        is_live=True,
        heading=_heading([it.place for it in found]),
        tables=found[:MOST_PLACES],
        more_places=len(found[MOST_PLACES:]),
        options=options(site.rules, scorecard.rows),
        chosen_place=found[0].place if len(found) == 1 else "",
        chosen_band=(shown.bands or [""])[0],
        chosen_family=asked.one("family") or "",
        live_address=with_query("/scorecard", asked.query(as_of=None)),
        query=with_query("", asked.query()),
        carried=lambda place: _carried(place, asked.one("as_of")),
        shows_sums=any(line.rests_on for it in found for _, lines in it.families for line in lines),
        legend=MARKS,
    )
    return whole(text, taking, tag)


def _heading(places: list[str]) -> str:
    return f"Scorecard of {places[0]}" if len(places) == 1 else "Scorecard"


def _carried(place: str, as_of: str | None) -> str:
    """What a link to another page takes along."""
    return urlencode({"place": place, **({"as_of": as_of} if as_of else {})})
