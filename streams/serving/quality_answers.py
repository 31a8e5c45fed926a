"""Data quality: odd facts by kind, what cases lack, and figures that contradict themselves.

How many there are is for whoever sees small numbers; which cases they are of is a list of cases, so
it is shown to whom those are, once the audit log has that it was.
"""

from http import HTTPStatus

from processors.record.completeness import COUNTS
from processors.record.found_quality import QualityFound
from processors.record.quality import EXPLANATIONS, OddFact, Oddity
from schemas.outward import csv_text
from streams.jobs.data_quality import (
    CONTRADICTION_COLUMNS,
    EVERYONE,
    LACK_COLUMNS,
    lack_rows,
)
from streams.serving.answers import Answer, is_held, unchanged, unkept
from streams.serving.data_answers import as_json, told_of
from streams.serving.freshness import Freshness
from streams.serving.parameters import pages_of, part_of, with_query
from streams.serving.problems import Problem
from streams.serving.roles import CSV, HTML, SEE_CASES
from streams.serving.site import Call, LiveSite

FACT_COLUMNS = ("kind", "facts", "about")
CSV_COLUMNS = ("section", *LACK_COLUMNS)


async def quality(site: LiveSite, call: Call) -> Answer:
    """What is found of every record; no case is named."""
    taking, asked = call.taking, call.asked
    fresh = await site.freshness(asked)
    tag = site.tag(fresh, call)
    if is_held(tag, call.if_none_match):
        return unchanged(tag)
    found = await site.quality.found(fresh.day)
    contradicting = await site.figures.contradictions(fresh.day)
    kinds = _by_kind(found)
    lacking = lack_rows(found.lacking)
    if taking.media == HTML:
        text = site.page(
            "quality.html",
            call,
            call.identity,
            fresh=fresh,
            kinds=kinds,
            lacking=lacking,
            lacks=COUNTS,
            contradicting=contradicting,
            names_cases=bool(SEE_CASES & call.identity.roles),
            live_address="/quality",
            query=with_query("", asked.query()),
        )
    elif taking.media == CSV:
        odd = (("odd-facts", kind, EVERYONE, count, "", "") for kind, count, _ in kinds)
        text = csv_text([CSV_COLUMNS, *odd, *(("lacking", *row) for row in lacking)])
    else:
        told = {
            **told_of(fresh),
            "odd_facts": [dict(zip(FACT_COLUMNS, row, strict=True)) for row in kinds],
            "lacking": [dict(zip(LACK_COLUMNS, row, strict=True)) for row in lacking],
            "contradictions": [
                dict(zip(CONTRADICTION_COLUMNS, row, strict=True)) for row in contradicting
            ],
        }
        text = as_json(told)
    return await site.answer(fresh, call, text, tag)


def _by_kind(found: QualityFound) -> list[tuple[str, int, str]]:
    """How many odd facts there are of each kind, and what becomes of them."""
    counts = found.kinds
    return [(str(kind), counts[kind], about) for kind, about in EXPLANATIONS.items()]


async def odd_facts(site: LiveSite, call: Call) -> Answer:
    """A page of the odd facts of a kind, with the case and the event of each. Raises Problem."""
    if call.path["kind"] not in set(Oddity):
        raise Problem(HTTPStatus.NOT_FOUND, f"there is no such kind: {', '.join(Oddity)}")
    kind = Oddity(call.path["kind"])
    taking, asked = call.taking, call.asked
    number = asked.page
    fresh = await site.freshness(asked)
    facts = [it for it in (await site.quality.found(fresh.day)).facts if it.kind == kind]
    pages, shown = pages_of(len(facts), number), facts[part_of(number)]
    await site.note(call, "shown", len(shown), len(facts))
    text = _told(site, call, fresh, kind, shown, (number, pages, len(facts)))
    return unkept(text, taking)


def _told(
    site: LiveSite,
    call: Call,
    fresh: Freshness,
    kind: Oddity,
    shown: list[OddFact],
    place: tuple[int, int, int],
) -> str:
    """A page of facts in the form that is taken; its place is its number, of how many, of all."""
    number, pages, total = place
    media, asked = call.taking.media, call.asked
    if media == CSV:
        return csv_text([OddFact._fields, *shown])
    if media != HTML:
        rows = [it._asdict() for it in shown]
        paged = {"facts": total, "page": number, "pages": pages, "rows": rows}
        return as_json({**told_of(fresh), "kind": kind, **paged})
    return site.page(
        "odd_facts.html",
        call,
        call.identity,
        fresh=fresh,
        kind=kind,
        about=EXPLANATIONS[kind],
        rows=shown,
        number=number,
        last=pages,
        total=total,
        here=lambda page: "?" + asked.query(page=str(page)),
        all_kinds=with_query("/quality", asked.query(page=None)),
        live_address=f"/quality/{kind}",
    )
