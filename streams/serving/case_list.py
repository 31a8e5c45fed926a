"""The cases behind a cell: shown to who may see them, once the audit log has that they were."""

from collections.abc import Sequence
from typing import NamedTuple

from processors.behind.case_waits import case_waits, next_due
from processors.behind.counted_rows import Question
from processors.behind.found_amounts import FoundAmounts, SubjectAmount
from processors.behind.held_rows import case_reference
from processors.behind.listing import about
from processors.days.calendar import date_of, day_number
from schemas.outward import csv_text
from streams.serving.answers import Answer, unkept
from streams.serving.data_answers import as_json, told_of
from streams.serving.indicator_answers import AskedCell, address_of, cell_asked
from streams.serving.parameters import PAGE_LENGTH, pages_of, part_of
from streams.serving.problems import wrong_parameter
from streams.serving.roles import CSV, HTML
from streams.serving.site import Call, LiveSite

PARTS = ("numerator", "denominator")


class ShownCase(NamedTuple):
    """What a list says of whatever is counted, and how often it counts.

    Of a case when it was received and closed, who was given it last, by when something is still due
    of it, and its reference; none of these of anything else.
    """

    subject: str
    child: str
    counts: int
    received: str | None = None
    closed: str | None = None
    service: str | None = None
    provider: str | None = None
    team: str | None = None
    next_due: str | None = None
    reference: str | None = None


class ListedPage(NamedTuple):
    """A page of a list: whom it shows, how many there are, and what they add up to."""

    rows: list[ShownCase]
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
    check_listed(cell)
    part = asked.one("part") or PARTS[0]
    if part not in PARTS:
        raise wrong_parameter("part", f"{part}: there are {', '.join(PARTS)}")
    if part == PARTS[1] and not isinstance(cell.indicator.denominator, dict):
        raise wrong_parameter("part", f"{code} is divided by nothing that is listed")
    fresh = await site.freshness(asked)
    question = Question(cell.indicator, cell.place, cell.band, day_number(fresh.day))
    if taking.media == CSV:  # nothing that is taken away can say of when it is
        found, behind = await site.cases.amounts(question), 0
    else:
        found, behind = await site.cases.amounts_lately(question)
    page = await _page(site, found, part, asked.page, question.day)
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
            behind=behind,
            here=lambda number: "?" + asked.query(page=str(number)),
            live_address=f"/cases?{asked.query(as_of=None)}",
            indicator_address=address_of(code, asked.query(code=None, part=None, page=None)),
            case_query=f"?as_of={asked.as_of}" if asked.as_of else "",
        )
    elif taking.media == CSV:
        text = csv_text([ShownCase._fields, *page.rows])
    else:
        what = {"code": code, "place": cell.place.name, "level": cell.place.level}
        rows = [it._asdict() for it in page.rows]
        counted = {"part": part, "sum": page.sum, "cases": page.total, "seconds_behind": behind}
        paged = {"page": page.page, "pages": page.pages, "rows": rows}
        text = as_json({**told_of(fresh), **what, "age_band": cell.band, **counted, **paged})
    return unkept(text, taking)


def check_listed(cell: AskedCell) -> None:
    """Raises Problem for a figure that no case is known of."""
    if cell.indicator.source == "supplied":
        code = cell.indicator.code
        raise wrong_parameter("code", f"{code} is supplied by others, and no case is known of it")


async def _page(
    site: LiveSite, found: FoundAmounts, part: str, number: int, day: int
) -> ListedPage:
    """A page of those that a part of a figure counts. Raises Problem where there is none such."""
    counted = found.that(lambda it: it.above if part == PARTS[0] else it.below)
    pages = pages_of(len(counted), number)
    rows = await shown_cases(site, counted.shown(part_of(number)), part, day)
    total = counted.sums[PARTS.index(part)]
    return ListedPage(rows, part, number, pages, len(counted), total)


def counts_of(it: SubjectAmount, part: str) -> int:
    """What something adds to a part of a figure."""
    return it.above if part == PARTS[0] else it.below


async def shown_cases(
    site: LiveSite, found: Sequence[SubjectAmount], part: str, day: int
) -> list[ShownCase]:
    """What is said of whatever counts, from the records as they are now. Raises Problem.

    One whose record is gone, or of whose case nothing counts any more, is not shown.
    """
    assert len(found) <= PAGE_LENGTH
    children = await site.cases.children(it.subject.child for it in found)
    records = {name: it.record for name, it in children.items()}
    waits = case_waits(site.rules, records, day)
    rows = []
    for it in found:
        child, name, is_case = it.subject
        if child not in records or (is_case and not records[child].cases.get(name)):
            continue
        row = ShownCase(name, child, counts_of(it, part))
        if is_case:
            due = next_due(waits.get((child, name), ()))
            row = row._replace(
                **about(records[child], name, day)._asdict(),
                next_due=None if due is None else str(date_of(due)),
                reference=case_reference(child, name),
            )
        rows.append(row)
    return rows
