"""The API: the same figures for programs, as JSON and as CSV."""

import json
from http import HTTPStatus
from typing import Any

from msgspec.structs import asdict

from processors.figures.asking import NotThere, RowChoice, known
from processors.figures.figure_text import as_csv
from schemas.catalogue import Indicator
from schemas.outward import csv_text, for_json
from streams.serving.answers import Answer, is_held, tag_of, unchanged, whole
from streams.serving.freshness import Freshness
from streams.serving.problems import Problem, wrong_parameter
from streams.serving.roles import CSV
from streams.serving.site import Call, LiveSite

# What the catalogue tells of an indicator, column by column.
TOLD = (
    *("code", "title", "definition", "family", "frequency", "unit", "polarity", "bands"),
    *("levels", "scale", "decimals", "headline", "source"),
)


async def scorecard(site: LiveSite, call: Call) -> Answer:
    """Rows of the scorecard, live or as at a date."""
    taking, asked = call.taking, call.asked
    fresh = await site.freshness(asked)
    tag = site.tag(fresh, call)
    if is_held(tag, call.if_none_match):
        return unchanged(tag)
    try:
        choice = RowChoice(site.rules, asked.rows)
        shown = await site.figures.shown(fresh.day, fresh.moment, call.identity)
        rows = choice.chosen(shown.rows)
    except NotThere as error:
        raise wrong_parameter(error.name, str(error)) from error
    if taking.media == CSV:
        return whole(as_csv(rows), taking, tag)
    told = {
        **told_of(fresh),
        "small_numbers": "shown" if call.identity.sees_all else "suppressed",
        "rows": [asdict(row) for row in rows],
    }
    return whole(as_json(told), taking, tag)


async def indicators(site: LiveSite, call: Call) -> Answer:
    """The catalogue: what each indicator is."""
    taking, asked = call.taking, call.asked
    all_there = site.rules.catalogue.indicator
    tag = tag_of(site.rules.catalogue.version, asked.query(), taking)
    if is_held(tag, call.if_none_match):
        return unchanged(tag)
    try:
        families = known(
            asked.all("family"), [*dict.fromkeys(it.family for it in all_there)], "family"
        )
        codes = known(asked.all("code"), [it.code for it in all_there], "code")
    except NotThere as error:
        raise wrong_parameter(error.name, str(error)) from error
    chosen = [it for it in all_there if it.family in families and it.code in codes]
    if taking.media == CSV:
        lines = ([_cell(it, name) for name in TOLD] for it in chosen)
        return whole(csv_text([TOLD, *lines]), taking, tag)
    told = [it.model_dump(mode="json", include=set(TOLD)) for it in chosen]
    return whole(as_json({"indicators": told}), taking, tag)


def _cell(indicator: Indicator, name: str) -> object:
    value = getattr(indicator, name)
    return " ".join(value) if isinstance(value, tuple) else value


async def status(site: LiveSite, call: Call) -> Answer:
    """How fresh the figures are, and what is wrong with them."""
    taking = call.taking
    fresh = await site.freshness(call.asked)
    text = as_json({**told_of(fresh), "now": fresh.now.isoformat(timespec="seconds")})
    return whole(text, taking, tag_of(text, taking), "no-store")


async def openapi(site: LiveSite, call: Call) -> Answer:
    """What there is to ask for, and how it is answered."""
    text = as_json(site.description)
    return whole(text, call.taking, tag_of(text, call.taking))


async def health(site: LiveSite, call: Call) -> Answer:
    """That the process answers, whatever it rests on."""
    del site
    return whole(as_json({"status": "alive"}), call.taking, tag_of("alive"), "no-store")


async def ready(site: LiveSite, call: Call) -> Answer:
    """That figures can be read: not before there are any. Raises Problem."""
    try:
        fresh = await site.freshness(call.asked)
    except Problem as problem:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, problem.detail) from problem
    if not fresh.moment.version:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, " ".join(fresh.moment.notes))
    return whole(as_json({"status": "ready"}), call.taking, tag_of("ready"), "no-store")


def told_of(fresh: Freshness) -> dict[str, Any]:
    """What every answer tells of the figures in it."""
    release = fresh.release
    return {
        "view": fresh.view,
        "as_of": fresh.day.isoformat(),
        "is_provisional": True,
        "data_to": fresh.data_to.isoformat() if fresh.data_to else None,
        "is_stale": fresh.is_stale,
        "notes": list(fresh.moment.notes),
        "last_release": {
            "period": release.period,
            "number": release.number,
            "kind": release.kind,
            "released_on": release.released_on.isoformat(),
        }
        if release
        else None,
    }


def as_json(told: object) -> str:
    """A JSON text."""
    return for_json(json.dumps(told, ensure_ascii=False))
