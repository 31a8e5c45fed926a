"""Today: what changed since yesterday's close, what is late, and the headlines."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from processors.alerts.overview import CaseLine, Count, WantedAlerts, days_overdue
from processors.figures.asking import AskedRows, NotThere, RowChoice, place_of
from processors.figures.figure_text import LEGEND
from processors.figures.series import CellOf, months_until
from schemas.catalogue import ALL_AGES, Indicator
from schemas.scorecard import ScorecardRow
from snapshots.disclosure.suppression import Rule
from streams.alerts.alert_lists import Listing, judged_text, staleness
from streams.serving.answers import Answer, is_held, unchanged
from streams.serving.charts.sparkline import MONTHS, Trend, trend
from streams.serving.identity import Identity
from streams.serving.parameters import Query
from streams.serving.problems import wrong_parameter
from streams.serving.roles import SEE_ALERTS, SEE_CASES
from streams.serving.scorecard_page import SUPPRESSED, Line, options, tables
from streams.serving.site import Call, LiveSite


@dataclass(frozen=True)
class HeadlineTile:
    """A headline: its line of the scorecard, and its months."""

    line: Line
    trend: Trend


@dataclass(frozen=True)
class Move:
    """A figure that is another one than at yesterday's close."""

    line: Line
    before: str


@dataclass(frozen=True)
class StandardCount:
    """How many alerts there are on a standard, as they are read."""

    title: str
    breached: str
    due_soon: str
    new: str


@dataclass(frozen=True)
class LateCase:
    """A case by its most urgent alert, without whom it is about; `others` it has besides."""

    alert: str
    title: str
    state: str
    due: date
    days_overdue: int
    owner: str
    area: str
    note: str
    others: int


@dataclass(frozen=True)
class LateCases:
    """What is breached and due soon: how many, and for who may see them the oldest cases.

    `whose` are the places that are counted; all, where it is empty.
    """

    counts: list[StandardCount]
    cases: list[LateCase] | None
    total: int
    whose: str
    judged: str
    warnings: list[str]


async def today(site: LiveSite, call: Call) -> Answer:
    """The page that people begin their day with."""
    asked, identity = call.asked, call.identity
    fresh = await site.freshness(asked)
    late = await _late(site, identity)
    tag = site.tag(fresh, call, late)
    if is_held(tag, call.if_none_match):
        return unchanged(tag)
    now = await site.figures.shown(fresh.day, fresh.moment, identity)
    then = await site.figures.shown(fresh.day - timedelta(days=1), fresh.moment, identity)
    place, level, lines = _lines(site, asked, now.rows)
    before = {it.code: it.value for it in _lines(site, asked, then.rows)[2]}
    headlines = {it.code: it for it in site.rules.catalogue.indicator if it.headline}
    shown = [it for it in lines if it.code in headlines]
    cells = [_cell(site, headlines[it.code], place, level) for it in shown]
    dates = months_until(fresh.day, MONTHS)
    trends = await site.figures.trends(cells, dates, fresh.today, fresh.moment, identity)
    tiles = [HeadlineTile(line, trend(it)) for line, it in zip(shown, trends, strict=True)]
    yesterday = fresh.day - timedelta(days=1)
    text = site.page(
        "today.html",
        call,
        identity,
        fresh=fresh,
        is_live=True,
        place=place,
        yesterday=yesterday,
        tiles=tiles,
        moves=_moves(lines, before),
        why=_reasons(site, identity, {"place": place, "level": level, "against": str(yesterday)}),
        late=late,
        options=options(site.rules, now.rows),
        live_address="/",
        query=asked.query(),
        legend=LEGEND,
    )
    return await site.answer(fresh, call, text, tag)


def _lines(site: LiveSite, asked: Query, rows: list[ScorecardRow]) -> tuple[str, str, list[Line]]:
    """The place that is asked for, and its lines: the whole where none is. Raises Problem."""
    name, level = asked.single("place"), asked.single("level")
    top = site.rules.areas.top
    chosen = AskedRows(
        areas=None if name else [top],
        places=[name] if name else None,
        levels=[level] if level else None,
        bands=[ALL_AGES],
    )
    try:
        found = tables(site.rules, RowChoice(site.rules, chosen).chosen(rows))
    except NotThere as error:
        raise wrong_parameter(error.name, str(error)) from error
    if not found:
        raise wrong_parameter("level", f"{name or top} is no {level}")
    return found[0].place, found[0].level, [*found[0].lines]


def _reasons(site: LiveSite, identity: Identity, query: dict[str, str]) -> dict[str, str]:
    """Where it says why a figure changed, by code, for who may see the cases."""
    if identity.roles.isdisjoint(SEE_CASES):
        return {}
    counted = (it.code for it in site.rules.catalogue.indicator if it.source == "events")
    return {code: f"/explanations?{urlencode({'code': code, **query})}" for code in counted}


def _moves(lines: Iterable[Line], before: dict[str, str]) -> list[Move]:
    """The lines whose figure is another one; of what is suppressed nothing is said."""
    return [
        Move(it, before[it.code])
        for it in lines
        if SUPPRESSED not in {it.value, before[it.code]} and it.value != before[it.code]
    ]


def _cell(site: LiveSite, indicator: Indicator, place: str, level: str) -> CellOf:
    return indicator, place_of(site.rules, indicator, place, level), ALL_AGES


async def _late(site: LiveSite, identity: Identity) -> LateCases:
    """What is late, as far as someone may see it."""
    areas = site.rules.areas
    if not identity.roles.isdisjoint(SEE_ALERTS):
        found = await site.alerts.listed(
            WantedAlerts(),
            lambda it: identity.sees_alert(it, areas),
            ("seen", identity.sight),
            of_due_first=True,
        )
        cases = [_late_case(it, found) for it in found.overview.due_first]
        counts, whose = _counts(site, found, is_full=True), ""
    else:
        is_full = identity.sees_all or bool(identity.own_places)
        found = await site.alerts.listed(
            WantedAlerts(),
            lambda it: not is_full or identity.counts_alert(it, areas),
            ("counted", identity.sight),
            slice(0),
        )
        cases, counts = None, _counts(site, found, is_full)
        whose = "" if identity.sees_all else ", ".join(sorted(identity.own_places))
    total = len(found.overview.cases)
    return LateCases(counts, cases, total, whose, judged_text(found), staleness(found))


def _late_case(line: CaseLine, found: Listing) -> LateCase:
    first = min(line.alerts, key=lambda it: (it.due, it.alert))
    return LateCase(
        *(first.alert, first.title, first.state, first.due, days_overdue(first, found.today)),
        *(first.owner, first.area, found.standings[first.alert].note, len(line.alerts) - 1),
    )


def _counts(site: LiveSite, found: Listing, is_full: bool) -> list[StandardCount]:
    """How many by standard, all owners together and none summed, so that none is worked out."""
    standards = site.rules.standards
    titles = {it.code: it.title for it in standards.standard}
    titles |= {it.code: it.title for it in standards.indicator_standard}
    by_standard: dict[str, list[Count]] = {}
    for it in found.overview.counts:
        by_standard.setdefault(it.standard, []).append(it)
    rule = Rule()

    def text(number: int) -> str:
        return SUPPRESSED if not is_full and rule.is_small(number) else f"{number:,}"

    return [
        StandardCount(
            titles.get(code, code),
            text(sum(it.breached for it in counts)),
            text(sum(it.due_soon for it in counts)),
            text(sum(it.new for it in counts)),
        )
        for code, counts in by_standard.items()
    ]
