"""The cases behind a cell: shown to who may see them, once the audit log has that they were."""

from typing import NamedTuple

from processors.counted_rows import Question
from processors.days.calendar import day_number
from processors.listing import Listed
from schemas.outward import csv_text
from streams.serving.answers import Answer, unkept
from streams.serving.data_answers import as_json, told_of
from streams.serving.indicator_answers import address_of, cell_asked
from streams.serving.parameters import pages_of, part_of
from streams.serving.problems import wrong_parameter
from streams.serving.roles import CSV, HTML
from streams.serving.site import Call, LiveSite

PARTS = ("numerator", "denominator")
COLUMNS = ("subject", "child", "counts", "received", "closed", "service", "provider", "team")


class ListedPage(NamedTuple):
    """A page of a list: whom it shows, how many there are, and what they add up to."""

    rows: list[Listed]
    part: str
    page: int
    pages: int
    total: int
    sum: int


async def cases(site: LiveSite, call: Call) -> Answer:
    """The cases behind a cell, a page of them; as a page, JSON or CSV."""
    taking, asked = call.taking, call.asked
    cell = cell_asked(site, asked)
    code = cell.indicator.code
    if cell.indicator.source == "supplied":
        raise wrong_parameter("code", f"{code} is supplied by others, and no case is known of it")
    part = asked.one("part") or PARTS[0]
    if part not in PARTS:
        raise wrong_parameter("part", f"{part}: there are {', '.join(PARTS)}")
    if part == PARTS[1] and not isinstance(cell.indicator.denominator, dict):
        raise wrong_parameter("part", f"{code} is divided by nothing that is listed")
    fresh = await site.freshness(asked)
    question = Question(cell.indicator, cell.place, cell.band, day_number(fresh.day))
    found = await site.figures.listed(question)
    page = page_of(found, part, asked.page)
    identity = call.identity
    await site.note(call, "shown", len(page.rows), page.total)
    if taking.media == HTML:
        text = site.page(
            "cases.html",
            call,
            identity,
            fresh=fresh,
            cell=cell,
            found=page,
            here=lambda number: "?" + asked.query(page=str(number)),
            live_address=f"/cases?{asked.query(as_of=None)}",
            indicator_address=address_of(code, asked.query(code=None, part=None, page=None)),
        )
    elif taking.media == CSV:
        text = csv_text([COLUMNS, *(_row(it, part) for it in page.rows)])
    else:
        what = {"code": code, "place": cell.place.name, "level": cell.place.level}
        rows = [dict(zip(COLUMNS, _row(it, part), strict=True)) for it in page.rows]
        counted = {"part": part, "sum": page.sum, "cases": page.total}
        paged = {"page": page.page, "pages": page.pages, "rows": rows}
        text = as_json({**told_of(fresh), **what, "age_band": cell.band, **counted, **paged})
    return unkept(text, taking)


def page_of(found: list[Listed], part: str, number: int) -> ListedPage:
    """A page of those that a part of a figure counts. Raises Problem where there is none such."""
    counted = sorted(it for it in found if getattr(it, part))
    pages = pages_of(len(counted), number)
    total = sum(getattr(it, part) for it in counted)
    return ListedPage(counted[part_of(number)], part, number, pages, len(counted), total)


def _row(it: Listed, part: str) -> tuple[object, ...]:
    counts = getattr(it, part)
    dates = it.received, it.closed
    return it.subject, it.child, counts, *dates, it.service, it.provider, it.team
