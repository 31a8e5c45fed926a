"""The scorecard as a page: of a place, with each figure's months, or of places side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlencode

from processors.figures.asking import AskedRows, NotThere, RowChoice
from processors.figures.series import months_until
from schemas.areas import Areas
from schemas.catalogue import ALL_AGES
from schemas.places import Place
from streams.serving.answers import Answer, is_held, unchanged, whole
from streams.serving.charts.sparkline import MONTHS, Trend, trend
from streams.serving.freshness import Freshness
from streams.serving.parameters import Query, with_query
from streams.serving.problems import wrong_parameter
from streams.serving.scorecard_page import (
    MARKS,
    MOST_PLACES,
    PlaceTable,
    across_places,
    options,
    tables,
)
from streams.serving.site import Call, LiveSite

# What `show` asks for.
TREND, PLACES = "trend", "places"
SHOWN = {"": "Figures", TREND: "Figures with their trend", PLACES: "Places side by side"}
OF_ONE_PLACE = f"{TREND}: of one place and one age band at a time"


async def scorecard_page(site: LiveSite, call: Call) -> Answer:
    """The scorecard of a place: of the whole where none is asked for. Raises Problem."""
    asked, show = call.asked, _show(call.asked)
    fresh = await site.freshness(asked)
    tag = site.tag(fresh, call)
    if is_held(tag, call.if_none_match):
        return unchanged(tag)
    shown = _rows(site.rules.areas, asked.rows, show)
    scorecard = await site.figures.shown(fresh.day, fresh.moment, call.identity)
    try:
        chosen = RowChoice(site.rules, shown).chosen(scorecard.rows)
    except NotThere as error:
        raise wrong_parameter(error.name, str(error)) from error
    found = tables(site.rules, chosen)
    trends = await _trends(site, call, fresh, found) if show == TREND else {}
    # A page that reads a year of every figure is not made anew with each event.
    live = {} if show == TREND else {"is_live": True}
    text = site.page(
        "scorecard.html",
        call,
        call.identity,
        **live,
        fresh=fresh,
        show=show,
        shows=SHOWN,
        heading=_heading([it.place for it in found]),
        tables=found[:MOST_PLACES],
        across=across_places(site.rules, found[:MOST_PLACES]) if show == PLACES else [],
        compared=with_query("", asked.query(**dict.fromkeys({*asked.values} - {"as_of"}))),
        trends=trends,
        months=MONTHS,
        more_places=len(found[MOST_PLACES:]),
        options=options(site.rules, scorecard.rows),
        chosen_place=_chosen_place(asked, found),
        chosen_band=(shown.bands or [""])[0],
        chosen_family=asked.one("family") or "",
        live_address=with_query("/scorecard", asked.query(as_of=None)),
        query=with_query("", asked.query(show=None)),
        carried=lambda place: _carried(place, asked.one("as_of")),
        shows_sums=any(line.rests_on for it in found for line in it.lines),
        legend=MARKS,
    )
    if show == TREND:
        return await site.answer(fresh, call, text, tag)
    return whole(text, call.taking, tag)


def _show(asked: Query) -> str:
    """What is shown beside the figures. Raises Problem."""
    show = asked.one("show") or ""
    if show not in SHOWN:
        raise wrong_parameter("show", f"{show}: there are {TREND}, {PLACES}")
    return show


def _rows(areas: Areas, asked: AskedRows, show: str) -> AskedRows:
    """The rows to show: those of the whole, or of every area, where no place is asked for."""
    rows = replace(asked, bands=asked.bands or [ALL_AGES])
    if not (asked.areas or asked.places or asked.providers or asked.levels):
        return rows if show == PLACES else replace(rows, areas=[areas.top])
    places = asked.places or []
    if show == PLACES and len(places) == 1 and places[0] in areas.names and not asked.levels:
        return replace(rows, places=None, areas=_beside(areas, places[0]))
    return rows


def _beside(areas: Areas, name: str) -> list[str]:
    """An area, what it lies in, and what lies in it."""
    return [it for it in areas.names if name in areas.under(it) or it in areas.under(name)]


async def _trends(
    site: LiveSite, call: Call, fresh: Freshness, found: Sequence[PlaceTable]
) -> Mapping[str, Trend]:
    """The months of every figure of a table, by code. Raises Problem."""
    bands = call.asked.all("age_band") or [ALL_AGES]
    if len(found) > 1 or len(bands) > 1:
        raise wrong_parameter("show", OF_ONE_PLACE)
    indicators = {it.code: it for it in site.rules.catalogue.indicator}
    cells = [
        (indicators[line.code], Place(it.level, it.place), bands[0])
        for it in found
        for line in it.lines
    ]
    dates = months_until(fresh.day, MONTHS)
    series = await site.figures.trends(cells, dates, fresh.today, fresh.moment, call.identity)
    return {it.cell[0].code: trend(it) for it in series}


def _chosen_place(asked: Query, found: Sequence[PlaceTable]) -> str:
    places = asked.all("place") or [it.place for it in found]
    return places[0] if len(places) == 1 else ""


def _heading(places: Sequence[str]) -> str:
    return f"Scorecard of {places[0]}" if len(places) == 1 else "Scorecard"


def _carried(place: str, as_of: str | None) -> str:
    """What a link to another page takes along."""
    return urlencode({"place": place, **({"as_of": as_of} if as_of else {})})
