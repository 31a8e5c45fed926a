"""One indicator: what it is, its figures at every place, and over time."""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from http import HTTPStatus

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
from processors.figures.evaluate import Exact, Figure, shown
from processors.figures.figure_text import LEGEND, MISSING, value_text
from processors.figures.trend_dates import USUAL_STEPS, Step, dates_up_to
from schemas.catalogue import ALL_AGES, BANDS, Indicator
from schemas.outward import csv_text
from schemas.places import Place
from schemas.scorecard import ScorecardRow
from streams.serving.answers import Answer, is_held, tag_of, unchanged, whole
from streams.serving.data_answers import as_json, told_of
from streams.serving.freshness import Freshness
from streams.serving.parameters import Query
from streams.serving.problems import Problem, wrong_parameter
from streams.serving.roles import CSV, SEE_CASES
from streams.serving.scorecard_page import PlaceTable, options, tables
from streams.serving.site import Call, LiveSite

# Ten years of months, or a year and more of days.
MOST_DATES = 400
COLUMNS = ("as_of", "numerator", "denominator", "value", "status")
# Months that a page shows.
SHOWN_MONTHS = 24


@dataclass(frozen=True)
class AskedCell:
    """The cell that is asked for."""

    indicator: Indicator
    place: Place
    band: str


def cell_asked(site: LiveSite, asked: Query, code: str) -> AskedCell:
    """The cell that a question names, of the whole where it names no place. Raises Problem."""
    rules = site.rules
    try:
        indicator = indicator_of(rules, code)
        (band,) = known([asked.single("age_band") or ALL_AGES], BANDS, "age_band")
        name = asked.single("place")
        if name is None:
            place = _usual_place(site, indicator)
        else:
            place = place_of(rules, indicator, name, asked.single("level"))
    except NotThere as error:
        raise wrong_parameter(error.name, str(error)) from error
    if indicator.bands == "none" and band != ALL_AGES:
        raise wrong_parameter("age_band", f"{code} is of all ages alone")
    return AskedCell(indicator, place, band)


def _usual_place(site: LiveSite, indicator: Indicator) -> Place:
    """The first place that an indicator is a figure of, from the top down."""
    there = [it for it in site.rules.graph.known() if it.level in indicator.levels]
    if not there:
        raise NotThere("place", f"{indicator.code} is a figure of {', '.join(indicator.levels)}")
    return there[0]


async def series(site: LiveSite, call: Call) -> Answer:
    """A figure over time."""
    taking, asked = call.taking, call.asked
    code = asked.single("code")
    if code is None:
        raise wrong_parameter("code", "which indicator, such as code=EH05?")
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
    dates = dates_up_to(fresh.day, by, count)
    try:
        check_within_calendar(dates[0])
    except NotThere as error:
        raise wrong_parameter("count", str(error)) from error
    figures = await site.figures.series(dates, (cell.indicator, cell.place, cell.band))
    rows = [_row(cell.indicator, *it) for it in zip(dates, figures, strict=True)]
    if taking.media == CSV:
        text = csv_text([COLUMNS, *rows])
    else:
        named = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
        what = {"code": code, "place": cell.place.name, "level": cell.place.level}
        text = as_json({**told_of(fresh), **what, "age_band": cell.band, "series": named})
    if (await site.figures.moment(fresh.day)).version != fresh.moment.version:
        tag = tag_of(text, taking)  # something came meanwhile, which may or may not be in it
    return whole(text, taking, tag)


def _steps(asked: Query) -> tuple[Step, int]:
    by, count = asked.one("by") or Step.MONTH, asked.one("count") or str(USUAL_STEPS)
    if by not in {*Step}:
        raise wrong_parameter("by", f"{by}: there are {', '.join(Step)}")
    if not (count.isascii() and count.isdigit() and 1 <= int(count) <= MOST_DATES):
        raise wrong_parameter("count", f"{count} is no number from 1 to {MOST_DATES}")
    return Step(by), int(count)


def _row(indicator: Indicator, day: date, it: Figure) -> tuple[object, ...]:
    value = shown(indicator, it.value)
    return day.isoformat(), _number(it.numerator), _number(it.denominator), value, it.status


def _number(part: Exact | None) -> int | float | None:
    return float(part) if isinstance(part, Fraction) else part


@dataclass(frozen=True)
class PastFigure:
    """A figure of a series as it is read."""

    day: date
    value: str
    rests_on: str


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
    """The figures of the place in each band."""
    code, place = cell.indicator.code, cell.place
    asked = AskedRows(codes=[code], levels=[place.level], places=[place.name])
    return tables(site.rules, RowChoice(site.rules, asked).chosen(rows))


async def _past(
    site: LiveSite, call: Call, cell: AskedCell, fresh: Freshness
) -> list[PastFigure] | None:
    """The figure of each month; None where who asks may not see that."""
    if not call.identity.sees(cell.place.name, site.rules.areas):
        return None
    dates = [it for it in dates_up_to(fresh.day, Step.MONTH, SHOWN_MONTHS) if it.year > FIRST_YEAR]
    figures = await site.figures.series(dates, (cell.indicator, cell.place, cell.band))
    return [_past_figure(cell.indicator, *it) for it in zip(dates, figures, strict=True)]


def _past_figure(indicator: Indicator, day: date, it: Figure) -> PastFigure:
    value = value_text(indicator, shown(indicator, it.value)) or MISSING[it.status]
    above, below = _number(it.numerator), _number(it.denominator)
    divides = indicator.denominator is not None and above is not None and below
    return PastFigure(day, value, f"{above:,} of {below:,}" if divides else "")


def _address(code: str, query: str) -> str:
    return f"/indicators/{code}?{query}" if query else f"/indicators/{code}"
