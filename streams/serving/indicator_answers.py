"""One indicator: what it is, its figures at every place, and over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from http import HTTPStatus

from markupsafe import Markup

from processors.days.calendar import FIRST_YEAR
from processors.figures.asking import (
    AskedRows,
    NotThere,
    RowChoice,
    check_within_calendar,
    indicator_of,
    known,
    place_of,
)
from processors.figures.figure_text import LEGEND
from processors.figures.series import CellOf, months_until
from schemas.catalogue import ALL_AGES, BANDS, Indicator
from schemas.outward import csv_text
from schemas.places import Place
from schemas.scorecard import ScorecardRow
from streams.jobs.series_rows import MONTH_COLUMNS, TREND_COLUMNS, dated_row, month_row
from streams.serving.answers import Answer, is_held, tag_of, unchanged, whole
from streams.serving.charts.control_chart import ControlChart
from streams.serving.charts.drawing import figure
from streams.serving.data_answers import as_json, told_of
from streams.serving.freshness import Freshness
from streams.serving.parameters import Query
from streams.serving.problems import Problem, wrong_parameter
from streams.serving.roles import CSV, SEE_CASES
from streams.serving.scorecard_page import PlaceTable, options, tables
from streams.serving.site import Call, LiveSite

# Ten years of months, or a year and more of days.
MOST_DATES = 400
USUAL_COUNT = 13
MONTH, DAY = "month", "day"
# Months that a page shows.
SHOWN_MONTHS = 24


@dataclass(frozen=True)
class AskedCell:
    """The cell that is asked for."""

    indicator: Indicator
    place: Place
    band: str

    @property
    def whole(self) -> CellOf:
        """It as a series takes it."""
        return self.indicator, self.place, self.band


def cell_asked(site: LiveSite, asked: Query, code: str) -> AskedCell:
    """The cell that a question names, of the whole where it names no place. Raises Problem."""
    rules = site.rules
    try:
        indicator = indicator_of(rules, code)
        (band,) = known([asked.single("age_band") or ALL_AGES], BANDS, "age_band")
        name = asked.single("place")
        level = asked.single("level")
        if name is None:
            place = _usual_place(site, indicator, level)
        else:
            place = place_of(rules, indicator, name, level)
    except NotThere as error:
        raise wrong_parameter(error.name, str(error)) from error
    if indicator.bands == "none" and band != ALL_AGES:
        raise wrong_parameter("age_band", f"{code} is of all ages alone")
    return AskedCell(indicator, place, band)


def _usual_place(site: LiveSite, indicator: Indicator, level: str | None) -> Place:
    """The first place that an indicator is a figure of, from the top down."""
    known([level] if level else None, site.rules.graph.levels, "level")
    there = [it for it in site.rules.graph.known() if it.level in indicator.levels]
    if not there:
        raise NotThere("place", f"{indicator.code} is a figure of {', '.join(indicator.levels)}")
    if level not in {None, there[0].level}:
        raise NotThere("level", f"{level}: which place of that kind? add place")
    return there[0]


async def series(site: LiveSite, call: Call) -> Answer:
    """A figure over time."""
    taking, asked = call.taking, call.asked
    code = asked.single("code")
    if code is None:
        raise wrong_parameter("code", "which indicator?")
    cell = cell_asked(site, asked, code)
    by, count = _steps(asked)
    if not call.identity.sees(cell.place.name, site.rules.areas):
        raise Problem(HTTPStatus.FORBIDDEN, f"{cell.place.name} is none of your places")
    fresh = await site.freshness(asked)
    tag = tag_of(
        *(fresh.moment.version, fresh.day, fresh.asked, fresh.release, fresh.is_stale),
        *(asked.query(), taking),
    )
    if is_held(tag, call.if_none_match):
        return unchanged(tag)
    columns, rows = await _rows(site, cell, fresh, by, count)
    if taking.media == CSV:
        text = csv_text([columns, *rows])
    else:
        named = [dict(zip(columns, row, strict=True)) for row in rows]
        what = {"code": code, "place": cell.place.name, "level": cell.place.level}
        text = as_json({**told_of(fresh), **what, "age_band": cell.band, "series": named})
    if (await site.figures.moment(fresh.day)).version != fresh.moment.version:
        tag = tag_of(text, taking)  # something came meanwhile, which may or may not be in it
    return whole(text, taking, tag)


def _steps(asked: Query) -> tuple[str, int]:
    by, count = asked.one("by") or MONTH, asked.one("count") or str(USUAL_COUNT)
    if by not in {MONTH, DAY}:
        raise wrong_parameter("by", f"{by}: there are {MONTH}, {DAY}")
    if not (count.isascii() and count.isdigit() and 1 <= int(count) <= MOST_DATES):
        raise wrong_parameter("count", f"{count} is no number from 1 to {MOST_DATES}")
    return by, int(count)


async def _rows(
    site: LiveSite, cell: AskedCell, fresh: Freshness, by: str, count: int
) -> tuple[Sequence[str], list[list[object]]]:
    """The rows of a series, those of the command `trend`. Raises Problem."""
    if by == DAY:
        dates = [fresh.day - timedelta(days=back) for back in range(count - 1, -1, -1)]
        _check(dates)
        days = await site.figures.days(dates, cell.whole)
        return TREND_COLUMNS, [dated_row(cell.indicator, it) for it in days]
    dates = months_until(fresh.day, count)
    _check(dates)
    found = await site.figures.months(dates, cell.whole, fresh.today)
    return MONTH_COLUMNS, [month_row(cell.indicator, it) for it in found.months]


def _check(dates: Sequence[date]) -> None:
    try:
        check_within_calendar(dates[0])
    except NotThere as error:
        raise wrong_parameter("count", str(error)) from error


async def indicator_page(site: LiveSite, call: Call) -> Answer:
    """What an indicator is, its figures at every place, and over time for who may see that."""
    taking, asked, code = call.taking, call.asked, str(call.path["code"])
    if code not in {it.code for it in site.rules.catalogue.indicator}:
        raise Problem(HTTPStatus.NOT_FOUND, "there is no indicator of that code")
    cell = cell_asked(site, asked, code)
    fresh = await site.freshness(asked)
    tag = tag_of(
        *(site.version, fresh.moment.version, fresh.day, fresh.asked, fresh.ago, fresh.is_stale),
        *(fresh.release, code, asked.query(), call.identity, taking),
    )
    if is_held(tag, call.if_none_match):
        return unchanged(tag)
    scorecard = await site.figures.shown(fresh.day, fresh.moment, call.identity)
    text = site.page(
        "indicator.html",
        call,
        call.identity,
        fresh=fresh,
        is_live=True,
        indicator=cell.indicator,
        cell=cell,
        places=_places(site, cell, scorecard.rows),
        bands=_bands(site, cell, scorecard.rows),
        past=await _past(site, call, cell, fresh),
        options=options(site.rules, _of_code(code, scorecard.rows)),
        live_address=_address(code, asked.query(as_of=None)),
        series_query=asked.query(code=code, place=cell.place.name, count=str(SHOWN_MONTHS)),
        lists_cases=cell.indicator.source == "events" and bool(SEE_CASES & call.identity.roles),
        cases_query=asked.query(code=code, place=cell.place.name, level=cell.place.level),
        legend=LEGEND,
    )
    if (await site.figures.moment(fresh.day)).version != fresh.moment.version:
        tag = tag_of(text, taking)
    return whole(text, taking, tag)


def _of_code(code: str, rows: list[ScorecardRow]) -> list[ScorecardRow]:
    return [row for row in rows if row.code == code and row.status != "not-at-this-level"]


def _places(site: LiveSite, cell: AskedCell, rows: list[ScorecardRow]) -> list[PlaceTable]:
    """The figure of each place in the band."""
    found = [it for it in _of_code(cell.indicator.code, rows) if it.age_band == cell.band]
    return tables(site.rules, found)


def _bands(site: LiveSite, cell: AskedCell, rows: list[ScorecardRow]) -> list[PlaceTable]:
    """The figures of the place in each band. Raises Problem where it has none."""
    code, place = cell.indicator.code, cell.place
    asked = AskedRows(codes=[code], levels=[place.level], places=[place.name])
    try:
        found = RowChoice(site.rules, asked).chosen(rows)
    except NotThere as error:  # such as a provider that no event has named
        raise wrong_parameter(error.name, str(error)) from error
    return tables(site.rules, found)


async def _past(site: LiveSite, call: Call, cell: AskedCell, fresh: Freshness) -> Markup | None:
    """The chart of its months with their table; None where who asks may not see that."""
    if not call.identity.sees(cell.place.name, site.rules.areas):
        return None
    dates = [it for it in months_until(fresh.day, SHOWN_MONTHS) if it.year > FIRST_YEAR]
    found = await site.figures.months(dates, cell.whole, fresh.today)
    return figure(ControlChart(cell.indicator.code, found))


def _address(code: str, query: str) -> str:
    return f"/indicators/{code}?{query}" if query else f"/indicators/{code}"
